"""Run every benchmark: ``python -m benchmarks``."""

from __future__ import annotations

from benchmarks import (
    anchors,
    dense,
    folder,
    libraries,
    live_fleet,
    page,
    peers,
    planning,
    probing,
    reading,
    starting,
    verdicts,
)

for benchmark in (starting, anchors, verdicts, libraries, probing, planning, dense, folder, live_fleet, peers, page, reading):
    benchmark.run()
