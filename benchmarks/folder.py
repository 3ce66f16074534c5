"""A fleet offline: `plan --snapshot FOLDER` of 200 clusters, and the same work on one core and on all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.fleet import fleet

CLUSTERS = 200
ENDPOINTS = 20
LISTED = 150


def run() -> None:
    """Print wall and CPU seconds of one process and of all cores, and the peak memory for fewer and for more clusters."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots = Path(folder)
        write_snapshots(snapshots, CLUSTERS // 4)
        _, _, fewer = plan_folder(snapshots)
        write_snapshots(snapshots, CLUSTERS)
        alone, _, _ = plan_folder(snapshots, cores={min(os.sched_getaffinity(0))})
        wall, cpu, more = plan_folder(snapshots)
    print(
        f"plan --snapshot FOLDER, {CLUSTERS} clusters x 3 peers x {ENDPOINTS} endpoints: {wall:.1f} s wall, {cpu:.1f} s CPU, "
        f"on one core {alone:.1f} s wall, ratio {alone / wall:.1f}; {more} MB a process, {fewer} MB for {CLUSTERS // 4} clusters"
    )


def write_snapshots(folder: Path, count: int) -> None:
    """Write so many snapshots of clusters of their own."""
    for number in range(count):
        snapshot = replace(fleet(ENDPOINTS, ENDPOINTS, LISTED), cluster=f"cluster{number:03}")
        (folder / f"{snapshot.cluster}.json").write_text(snapshot.to_json(), encoding="utf-8")


def plan_folder(snapshots: Path, cores: set[int] | None = None) -> tuple[float, float, int]:
    """Return wall seconds, CPU seconds and the peak MB of the largest process."""
    with tempfile.TemporaryDirectory() as plans:
        command = [sys.executable, "-m", "benchmarks.measured", sys.executable, "-m", "remediate", "plan"]
        result = subprocess.run(
            [*command, "--snapshot", str(snapshots), "-o", plans, "-q"],
            check=True,
            capture_output=True,
            text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
        )
    wall, cpu, megabytes = re.findall(r"[\d.]+", result.stdout.splitlines()[-1])
    return float(wall), float(cpu), int(megabytes)
