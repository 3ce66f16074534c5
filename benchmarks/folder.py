"""A fleet offline: `plan --snapshot FOLDER` of 200 clusters, and the same work on one core and on all."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.fleet import fleet
from benchmarks.measured import Spent, describe, measure

CLUSTERS = 200
ENDPOINTS = 20
LISTED = 150


def run(clusters: int = CLUSTERS) -> None:
    """Print wall and CPU seconds of one process and of all cores, and the peak memory for fewer and for more clusters."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots = Path(folder)
        write_snapshots(snapshots, clusters // 4)
        fewer = plan_folder(snapshots)
        write_snapshots(snapshots, clusters)
        load = os.getloadavg()[0]
        alone = plan_folder(snapshots, cores={min(os.sched_getaffinity(0))})
        every = plan_folder(snapshots)
    size = f"{clusters} clusters x 3 peers x {ENDPOINTS} endpoints"
    print(f"plan --snapshot FOLDER, {size}: {describe(every, alone, fewer, load)}")


def write_snapshots(folder: Path, count: int) -> None:
    """Write so many snapshots of clusters of their own."""
    for number in range(count):
        snapshot = replace(fleet(ENDPOINTS, ENDPOINTS, LISTED), cluster=f"cluster{number:03}")
        (folder / f"{snapshot.cluster}.json").write_text(snapshot.to_json(), encoding="utf-8")


def plan_folder(snapshots: Path, cores: set[int] | None = None) -> Spent:
    """Return what it costs to plan a folder."""
    with tempfile.TemporaryDirectory() as plans:
        command = [sys.executable, "-m", "remediate", "plan", "--snapshot", str(snapshots), "-o", plans, "-q"]
        return measure(command, cores)
