"""Work on several systems at once, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

_AT_ONCE = 16
"""How many systems are worked on at the same time."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def run_at_once(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Return the result of `work` for each item, in order. A single item is worked on in this thread.

    The first error in that order is raised when all of them have ended; an interrupt waits for none.

    Args:
        work: What is done with an item.
        items: The systems.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    pool = ThreadPoolExecutor(min(_AT_ONCE, len(items)), thread_name_prefix="system")
    try:
        futures = [pool.submit(work, item) for item in items]
        wait(futures)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]


def run_after_first_success(
    work: Callable[[_Item], _Result], items: Sequence[_Item], is_success: Callable[[_Result], bool]
) -> list[_Result]:
    """Return the result of `work` for each item, in order: one after another until one succeeds, then the others at once.

    So a password that is wrong is sent once: the first refusal is raised before any other item is begun.

    Args:
        work: What is done with an item; raises to end it all.
        items: The systems.
        is_success: Whether a result shows that the login was taken.
    """
    results: list[_Result] = []
    for item in items:
        results.append(work(item))
        if is_success(results[-1]):
            break
    return results + run_at_once(work, items[len(results) :])
