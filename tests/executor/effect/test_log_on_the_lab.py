"""The peer's own log on the lab: the real traffic server refuses until it restarts, and its log alone says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.collect import collect
from remediate.executor.apply import apply_plan
from remediate.executor.environment import Environment
from remediate.executor.result import ApplyOptions, RunResult
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.effect import EffectSource, EffectState
from remediate.model.identity import Fingerprint
from remediate.model.limits import Limits
from remediate.model.plan import Plan
from remediate.planner import make_plan
from tests.executor.clusters import approvals_of

pytestmark = pytest.mark.lab

QUICK = Limits(
    replication_poll_s=0.1, read_pause_s=0.05, effect_log_s=4, diagnostic_log_poll_s=0.1, write_seen_s=5, write_seen_poll_s=0.1
)  # fmt: skip


@contextmanager
def clients(lab: Lab) -> Iterator[None]:
    """Ask through every peer for what is self-signed, while logging is on."""
    stop_event = threading.Event()

    def ask() -> None:
        while not stop_event.is_set():
            for number in range(len(lab.peers) if lab.diagnostics.is_running else 0):
                lab.ask(number, "imp.steven.lab", 8443)
            time.sleep(0.1)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop_event.set()
        thread.join()


def test_the_log_shows_what_a_restart_would_change(tmp_path: Path) -> None:
    # Given a cluster without a way for clients, two peers of which go on with their old list until they restart
    with Lab(tmp_path / "lab", "story") as lab, clients(lab):
        (cluster,) = load(lab.inventory)
        cluster = replace(cluster, peers=tuple(replace(peer, mra=None) for peer in cluster.peers))
        lab.faults.reload_by_itself(lab.peers[0].address)
        snapshot = collect(cluster, limits=QUICK)
        approved = {
            Fingerprint(line.split()[0]) for line in lab.approvals.read_text().splitlines() if line.startswith("sha256:")
        }
        plan: Plan = make_plan(snapshot, cluster.policy)

        options = ApplyOptions(approvals=approvals_of(*approved), restart="never", diagnostic_log=True)
        result: RunResult = apply_plan(
            plan,
            cluster,
            options,
            state_dir=tmp_path / "state",
            limits=QUICK,
            environment=Environment(lock_directory=tmp_path / "locks"),
        )

    assert {effect.peer: (effect.state, effect.source) for effect in result.effects} == {
        lab.peers[0].address: (EffectState.YES, EffectSource.LOG),
        lab.peers[1].address: (EffectState.NO, EffectSource.LOG),
        lab.peers[2].address: (EffectState.NO, EffectSource.LOG),
    }
    assert result.exit_code == 11
    assert not lab.diagnostics.is_running
