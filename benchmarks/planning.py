"""The growth of planning: time and memory for more and more endpoints, in mendable clusters and in such that nothing fixes."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from math import log

from benchmarks.anchors import VERDICTS, measure_c
from benchmarks.fleet import fleet, unfixable
from remediate import make_plan
from remediate.cli.collector import pause_collector
from remediate.model.snapshot import Snapshot

FIXABLE = tuple(((endpoints, endpoints // 10, 500), "fleet") for endpoints in (2_500, 5_000, 10_000, 20_000))
UNFIXABLE = tuple(((endpoints, 150), "unfixable") for endpoints in (5_000, 10_000, 20_000, 50_000))


def run() -> None:
    """Print both curves, each size in a process of its own so that its peak memory is its own."""
    anchor = measure_c()
    beside = f", {VERDICTS:,} verdicts in C {anchor:.2f} s" if anchor else ""
    for title, sizes in (("endpoints", FIXABLE), ("endpoints that nothing fixes", UNFIXABLE)):
        before: tuple[int, float] | None = None
        for size, kind in sizes:
            command = [sys.executable, "-m", "benchmarks.planning", kind, *map(str, size)]
            result = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, megabytes = (float(word) for word in result.stdout.split())
            growth = f", exponent {log(seconds / before[1]) / log(size[0] / before[0]):.2f}" if before else ""
            print(f"plan: {size[0]:,} {title}: {seconds:.1f} s CPU{beside}, {megabytes:.0f} MB{growth}")
            before = (size[0], seconds)


if __name__ == "__main__":
    build: dict[str, Callable[..., Snapshot]] = {"fleet": fleet, "unfixable": unfixable}
    snapshot = build[sys.argv[1]](*(int(word) for word in sys.argv[2:]))
    started = time.process_time()
    with pause_collector():  # As `remediate plan` does.
        make_plan(snapshot)
    print(time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
