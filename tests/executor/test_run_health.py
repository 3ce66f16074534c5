"""Whether the process that a run counts on is there: locks tell, and they end with their holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediate.executor import run_health
from remediate.executor.identity import identify_operator
from remediate.executor.lock import hold_cluster_name
from remediate.model.run import Run, RunState
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


def test_a_killed_run_is_distinguished_from_one_at_work(desk: Desk, killed: Run) -> None:
    assert killed.state == "running"
    assert run_health.describe_run(killed, desk.state_dir, NOW) == (
        "Its process is gone: apply the same plan again to continue, or roll it back."
    )
    with hold_cluster_name("edge", desk.state_dir, operator=identify_operator(), now=lambda: NOW):
        assert run_health.describe_run(killed, desk.state_dir, NOW) is None


def test_nothing_is_claimed_of_a_run_on_another_machine(desk: Desk, killed: Run) -> None:
    elsewhere = replace(killed, host="another")
    assert run_health.describe_run(elsewhere, desk.state_dir, NOW) is None
    late = replace(elsewhere, timer="T", confirm_by="2026-11-23T10:15:00Z")
    assert run_health.describe_run(late, desk.state_dir, NOW + timedelta(hours=1)) == (
        "The deadline to confirm it was 2026-11-23T10:15:00Z. This machine cannot see whether a process on another rolls it back."
    )


def test_nothing_is_claimed_of_a_run_whose_lock_is_unreadable(desk: Desk, killed: Run) -> None:
    with hold_cluster_name("edge", desk.state_dir, operator=identify_operator(), now=lambda: NOW):
        [path] = (desk.state_dir / "locks").iterdir()
    path.symlink_to("/nowhere")
    assert run_health.describe_run(killed, desk.state_dir, NOW) is None


def test_a_run_at_its_end_needs_no_remark(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    assert run_health.describe_run(desk.journal().run("last"), desk.state_dir, NOW) is None


@pytest.mark.parametrize(
    ("state", "later", "watched", "expected"),
    [
        ("confirm-pending", 0, True, "remediate confirm R --state-dir DIR`. Otherwise it is rolled back."),
        ("confirm-pending", 0, False, "is gone: otherwise run `remediate rollback R -i INVENTORY`."),
        ("confirm-pending", 20, True, "The deadline to confirm it was 2026-11-23T10:15:00Z, and is being rolled back."),
        ("partial", 20, False, "and nothing rolls it back: the timer process is gone. Run `remediate rollback R"),
        ("running", 0, True, "Unless it is applied to the end and confirmed by 2026-11-23T10:15:00Z, it is rolled back."),
        ("partial", 0, False, "nothing rolls it back, because the timer process is gone: run `remediate rollback R"),
    ],
)
def test_a_timer_is_shown_with_what_can_be_done_now(
    desk: Desk, killed: Run, state: RunState, later: int, watched: bool, expected: str
) -> None:
    # Given a run with a timer, whose process holds its log or not
    run = replace(killed, id="R", state=state, timer="T", confirm_by="2026-11-23T10:15:00Z")
    log = run_health.log_path("R", desk.state_dir)
    log.parent.mkdir()
    with log.open("w") as file:
        if watched:
            run_health.lock_log(file.fileno())
        # Then what is said fits the hour
        text = run_health.describe_run(run, desk.state_dir, NOW + timedelta(minutes=later))
    assert text
    assert expected.replace("DIR", str(desk.state_dir)) in text
    assert ("remediate confirm" in text) == (state == "confirm-pending" and not later)


def test_a_timer_without_a_log_has_no_process(desk: Desk, killed: Run) -> None:
    run = replace(killed, id="R", timer="T", confirm_by="2026-11-23T10:15:00Z")
    assert "the timer process is gone" in str(run_health.describe_run(run, desk.state_dir, NOW))


def test_a_log_that_cannot_be_read_counts_as_held(desk: Desk, killed: Run) -> None:
    run = replace(killed, id="R", timer="T", confirm_by="2026-11-23T10:15:00Z")
    log = run_health.log_path("R", desk.state_dir)
    log.parent.mkdir()
    log.symlink_to("/nowhere")
    assert "gone" not in str(run_health.describe_run(run, desk.state_dir, NOW))
