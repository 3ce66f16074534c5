"""The growth of planning: time and memory for more and more endpoints. Each size is twice the one before: linear is ratio 2."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from benchmarks.fleet import fleet
from remediate import make_plan
from remediate.cli.collector import pause_collector

SIZES = ((2_500, 250, 500), (5_000, 500, 500), (10_000, 1_000, 500), (20_000, 2_000, 500))


def run() -> None:
    """Print the curve, each size in a process of its own so that its peak memory is its own."""
    before = None
    for endpoints, certificates, listed in SIZES:
        command = [sys.executable, "-m", "benchmarks.planning", str(endpoints), str(certificates), str(listed)]
        process = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, megabytes = (float(word) for word in process.stdout.split())
        growth = f", ratio {seconds / before:.1f}" if before else ""
        print(
            f"plan: {endpoints:,} endpoints, {certificates:,} certificates, a list of {listed}: "
            f"{seconds:.1f} s CPU, {megabytes:.0f} MB{growth}"
        )
        before = seconds


if __name__ == "__main__":
    snapshot = fleet(*(int(word) for word in sys.argv[1:4]))
    started = time.process_time()
    with pause_collector():  # As `remediate plan` does.
        make_plan(snapshot)
    print(time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
