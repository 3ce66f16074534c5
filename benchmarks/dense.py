"""Dense cores: PKIs in which many CAs signed each other, or many nodes share few CAs. CPU seconds, additions and what is proven."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.anchors import VERDICTS, measure_c
from remediate import make_plan
from remediate.cli.collector import pause_collector
from remediate.model.plan import TrustCertificate
from remediate.model.snapshot import Snapshot
from tests.planner.solver.dense import cross_certificates, hitting_set, mesh, shared_names

LEAVES = 50


def run() -> None:
    """Print one line for each cluster."""
    clusters: Sequence[tuple[str, Snapshot]] = [
        *((f"{LEAVES} leaves, {count} cross-certificates", cross_certificates(count, LEAVES)) for count in (4, 6, 8, 10)),
        ("hitting set, 20 CAs, 40 endpoints", hitting_set(20, 40, 3)[0]),
        ("hitting set, 30 CAs, 80 endpoints", hitting_set(30, 80, 3)[0]),
        ("12 common names, 24 endpoints", shared_names(12, 24, 3)[0]),
        ("12 CAs that all signed each other, 12 leaves", mesh(12, 12)),
        ("hitting set, 40 CAs, 120 endpoints", hitting_set(40, 120, 4)[0]),
    ]
    anchor = measure_c()
    beside = f", {VERDICTS:,} verdicts in C {anchor:.2f}" if anchor else ""
    for name, snapshot in clusters:
        started = time.process_time()
        with pause_collector():
            plan = make_plan(snapshot)
        seconds = time.process_time() - started
        verified = sum(forecast.after.ok for forecast in plan.endpoints)
        additions = sum(len(action.peers) for action in plan.actions if isinstance(action, TrustCertificate))
        shortfall = plan.shortfall
        proof = f"not settled: {shortfall.aspect} {shortfall.plan}, bound {shortfall.bound}" if shortfall else "exact"
        print(
            f"dense: {name}: {seconds:.2f} s CPU{beside}; {verified} of {len(plan.endpoints)} verified, {additions} added, {proof}"
        )
