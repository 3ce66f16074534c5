"""A process of its own that applies a plan and kills itself, without a word, at a given point.

Usage: python -m tests.executor.victim DIRECTORY POINT, with ``cluster.pickle`` (the cluster's parts, and the plan) in DIRECTORY.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path

from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


def main(directory: Path, point: int) -> None:
    """Apply, and die at `point`."""
    devices, endpoints, certificates, publishers, plan = pickle.loads((directory / "cluster.pickle").read_bytes())  # noqa: S301
    cluster = MemoryCluster(devices, endpoints, certificates, publishers, state_file=directory / "devices.pickle")
    passed = 0

    def tap(_point: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    cluster.tap = tap
    Desk(directory).apply(cluster, plan)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
