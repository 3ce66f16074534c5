"""Crashes of a run in the middle, and what must be true afterwards."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from remediate.executor.journal.store import UnknownRun
from remediate.model.plan import Plan
from tests.executor.clusters import story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.tapped import Crash, CrashAt


def story_after(plan: Plan) -> MemoryCluster:
    """Return the cluster of the story after an apply of `plan` that nothing disturbed."""
    cluster = story()
    for device in cluster.devices:
        added = [action for action in plan.actions if action.kind == "trust-certificate" and device.address in action.peers]
        device.trusted += [plan.certificates[action.certificate] for action in added]
        device.ciphers |= {action.name: action.after for action in plan.actions if action.kind == "set-ciphers"}
    return cluster


def crash(work: Callable[[], object], cluster: MemoryCluster, point: int) -> None:
    """Do `work`, and crash it at `point`."""
    cluster.tap = CrashAt(point)
    with suppress(Crash):
        work()
    cluster.tap = no_tap


def assert_converged(desk: Desk, cluster: MemoryCluster, plan: Plan, target: MemoryCluster, why: str) -> None:
    """Assert that the run was applied to its end, and that no write was repeated."""
    assert cluster.state() == target.state(), why
    assert len(set(cluster.writes)) == len(cluster.writes), f"{why}: a write was repeated"
    assert desk.journal().run("last").state == "applied", why
    assert all(step.state != "intended" for step in desk.journal().steps(desk.journal().run("last").id)), why


def assert_start(desk: Desk, cluster: MemoryCluster, why: str) -> None:
    """Assert that the cluster is as before the run, and that the journal agrees."""
    assert cluster.state() == story().state(), why
    with suppress(UnknownRun):
        assert desk.journal().run("last", with_plan=True).state == "rolled-back", why


def undo(desk: Desk, cluster: MemoryCluster) -> None:
    """Roll back the last run, if the crash left any."""
    with suppress(UnknownRun):
        desk.rollback(cluster)
