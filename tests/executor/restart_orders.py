"""Clusters with peers that wait for a restart, and `restart` on them, for real and as a preview."""

from __future__ import annotations

from typing import Any

from remediate.executor.restart_choice import RestartRequest
from remediate.executor.restart_preview import RestartPreview, preview_restart
from remediate.executor.restart_run import restart
from remediate.executor.result import RunResult
from remediate.model.identity import Address
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.executor.tapped import TappedJournal

FIRST, SECOND, THIRD = (Address(f"expc{number}.example.test") for number in (1, 2, 3))


def old_story() -> MemoryCluster:
    """The story, on peers that started long before it."""
    return story().run_since_long()


def arguments(desk: Desk, cluster: MemoryCluster) -> dict[str, Any]:
    environment = cluster.environment(
        lock_directory=desk.home / "locks",
        journal=lambda state_dir: TappedJournal(state_dir, cluster.tap, cluster.now),
    )
    return {"state_dir": desk.state_dir, "sink": desk.events.append, "environment": environment}


def run(desk: Desk, cluster: MemoryCluster, **request: Any) -> RunResult:
    return restart(cluster.access, RestartRequest(**request), **arguments(desk, cluster))


def preview(desk: Desk, cluster: MemoryCluster, **request: Any) -> RestartPreview:
    return preview_restart(cluster.access, RestartRequest(**request), **arguments(desk, cluster))


def restarted(cluster: MemoryCluster) -> list[str]:
    return [write.peer[:5] for write in cluster.writes if write.action == "restart"]


def apply(desk: Desk, cluster: MemoryCluster) -> None:
    desk.apply(cluster, plan_for(cluster), restart="never")
