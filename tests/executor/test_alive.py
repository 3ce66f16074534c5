"""Whether the process that a run counts on is there: locks tell, and they end with their holder."""

from __future__ import annotations

import pytest

from remediate.executor import alive
from remediate.executor.lock import hold_name
from remediate.executor.records import Run
from remediate.executor.who import whoami
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import no_tap
from tests.executor.tapped import Crash, CrashAt
from tests.pki import NOW


@pytest.fixture
def killed(desk: Desk) -> Run:
    """A run whose process was killed half-way."""
    cluster = story()
    cluster.tap = CrashAt(40)
    with pytest.raises(Crash):
        desk.apply(cluster, plan_for(cluster))
    cluster.tap = no_tap
    return desk.journal().run("last")


def test_a_run_whose_process_was_killed_is_told_from_one_at_work(desk: Desk, killed: Run) -> None:
    assert killed.state == "running"
    assert alive.remark(killed, desk.state_dir) == ("Its process is gone: apply the same plan again to go on, or roll it back.")
    with hold_name("edge", desk.state_dir, who=whoami(), now=lambda: NOW):
        assert alive.remark(killed, desk.state_dir) is None


def test_of_another_machine_nothing_is_claimed(desk: Desk, killed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # The name of a machine cannot be changed for a test.
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert alive.remark(killed, desk.state_dir) is None


def test_of_a_lock_that_cannot_be_looked_at_nothing_is_claimed(desk: Desk, killed: Run) -> None:
    with hold_name("edge", desk.state_dir, who=whoami(), now=lambda: NOW):
        [path] = (desk.state_dir / "locks").iterdir()
    path.symlink_to("/nowhere")
    assert alive.remark(killed, desk.state_dir) is None


def test_a_run_at_its_end_needs_no_remark(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    assert alive.remark(desk.journal().run("last"), desk.state_dir) is None
