"""How long something takes, told so that a busy machine fails no test: processor time where work is measured, and the best of some."""

from __future__ import annotations

import time
from collections.abc import Callable

ATTEMPTS = 4
_SHORTEST_S = 0.05
"""Of less, the clock and the allocator make any ratio."""


def assert_done_within(limit_s: float, work: Callable[[], object], *, waiting: bool = False) -> None:
    """Check that the processor works no longer than `limit_s`, in the best of some attempts; with `waiting`, that no longer passes."""
    measured: list[float] = []
    while not measured or measured[-1] >= limit_s:
        assert len(measured) < ATTEMPTS, measured
        measured.append(_measure(work, time.monotonic if waiting else time.process_time))


def assert_grows_in_proportion(work: Callable[[int], object], size: int, times: int = 2) -> None:
    """Check that `work` of a `size` that is `times` as large takes about `times` as long: what is quadratic fails each attempt."""
    measured: list[tuple[float, float]] = []
    while not measured or measured[-1][1] >= times**1.5 * max(measured[-1][0], _SHORTEST_S):
        assert len(measured) < ATTEMPTS, measured
        pair = [_measure(lambda: work(amount), time.process_time) for amount in (size, times * size)]  # noqa: B023 - called at once
        measured.append((pair[0], pair[1]))


def _measure(work: Callable[[], object], clock: Callable[[], float]) -> float:
    started_at = clock()
    work()
    return clock() - started_at
