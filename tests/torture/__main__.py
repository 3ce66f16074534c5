"""``make torture``: kill a whole apply on the lab at every point it has, and say what came of it."""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.torture.bench import Bench, Tally, kill_once


def every_point(finish: bool) -> Tally:
    """Kill at every point there is, on a lab of its own, and have the apply finished (and then undone), or undone at once."""
    with tempfile.TemporaryDirectory() as folder:
        bench, tally = Bench(Path(folder)), Tally()
        try:
            for point in itertools.count(1):
                alive = kill_once(bench, point, tally, finish=finish)
                sys.stderr.write(f"\rkilled at point {point}")
                if not alive:
                    return tally
        finally:
            bench.lab.stop()
    raise AssertionError("an apply ends")


def main() -> int:
    """Print the numbers; 1 when anything was lost or repeated."""
    started = time.monotonic()
    with ProcessPoolExecutor(2) as pool:
        parts = list(pool.map(every_point, [True, False]))
    kills, finished, undone, lost, repeated = (sum(column) for column in zip(*map(_row, parts), strict=True))
    sys.stdout.write(
        f"\r{kills} kills, two at every point of an apply on the lab, in {time.monotonic() - started:.0f} s:\n"
        f"{finished} times another process finished the apply, {undone} times it was rolled back to the exact start,\n"
        f"{lost} lost writes, {repeated} repeated writes\n"
    )
    return int(bool(lost or repeated))


def _row(tally: Tally) -> tuple[int, ...]:
    return (tally.kills, tally.finished, tally.undone, tally.lost, tally.repeated)


if __name__ == "__main__":
    sys.exit(main())
