"""A true SIGKILL in a process of its own, on a real disk; then another process finds out what is true."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.model.plan import Plan
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import assert_converged, assert_start, story_after, undo
from tests.executor.memory import MemoryCluster
from tests.executor.tapped import CrashAt

ROOT = Path(__file__).parents[3]
KILLED_IN = (0.3, 0.45, 0.6, 0.75, 0.85, 0.95)
"""Where in a whole apply: the shares of its points."""


def killed(directory: Path, plan: Plan, share: float) -> MemoryCluster:
    """The cluster that an apply left which was killed after this share of its points."""
    cluster = story()
    parts = (cluster.devices, cluster.endpoints, cluster.certificates, cluster.publishers, plan)
    (directory / "cluster.pickle").write_bytes(pickle.dumps(parts))
    rehearsal = story()
    rehearsal.tap = points = CrashAt()
    Desk(directory / "counting").apply(rehearsal, plan)
    point = str(int(len(points.points) * share))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.executor.victim", str(directory), point], cwd=ROOT, check=False, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    cluster.state_file = directory / "devices.pickle"
    cluster.load()
    return cluster


@pytest.mark.parametrize("share", KILLED_IN)
def test_a_killed_apply_is_finished_or_undone_by_another_process(tmp_path: Path, share: float) -> None:
    # Given an apply that was killed in a process of its own
    plan = plan_for(story())
    cluster = killed(tmp_path, plan, share)
    desk = Desk(tmp_path)
    if KILLED_IN.index(share) % 2:
        # When this process applies the same plan, Then it ends well and repeats nothing
        assert desk.apply(cluster, plan).exit_code == 0
        assert_converged(desk, cluster, plan, story_after(plan), f"killed at {share}")
    # When it is rolled back, Then the start is there
    undo(desk, cluster)
    assert_start(desk, cluster, f"killed at {share}")
