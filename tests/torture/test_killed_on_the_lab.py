"""A real apply on real protocols, killed for real: some of the points of `make torture`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.bench import Bench, Tally, kill_once

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("torture")]

SOME = (17, 44, 61, 90)


def test_killed_anywhere_nothing_is_lost_and_nothing_repeated(tmp_path: Path) -> None:
    bench, tally = Bench(tmp_path), Tally()
    try:
        for point in SOME:
            assert kill_once(bench, point, tally, finish=point % 2 == 1), f"an apply has no point {point}"
    finally:
        bench.lab.stop()
    assert (tally.lost, tally.repeated) == (0, 0), tally
    assert tally.finished
    assert tally.undone == len(SOME)
