"""CPU time of `remediate --help`, beside an empty interpreter."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

RUNS = 9


def run() -> None:
    """Print both medians and their ratio."""
    empty = _median_ms([sys.executable, "-c", "pass"])
    ours = _median_ms([sys.executable, "-m", "remediate", "--help"])
    print(f"--help: {ours:.0f} ms CPU, an empty interpreter {empty:.0f} ms, ratio {ours / empty:.1f}")


def _median_ms(command: list[str]) -> float:
    return statistics.median(_cpu_ms(command) for _ in range(RUNS))


def _cpu_ms(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return 1000 * (after.children_user - before.children_user + after.children_system - before.children_system)
