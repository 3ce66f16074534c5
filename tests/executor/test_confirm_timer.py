"""The confirm timer: what a run is until it is confirmed, and what becomes of it when it is not (promise 7). No test waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.executor.confirm_timer import NotPending
from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal
from remediate.executor.lock import hold_cluster_name
from remediate.executor.ports import WatcherJob, WatcherProcess
from remediate.executor.watcher import TimerError, watch
from remediate.inventory.credentials import CachedSource, EnvironmentSource, PromptSource
from remediate.model.access import ClusterAccess
from remediate.model.errors import Interrupted, InventoryError, LockHeld
from remediate.model.plan import Plan
from remediate.model.secret import Login
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import crash, story_after
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.tapped import CrashAt
from tests.executor.timed import BY, QUARTER, Timed
from tests.pki import NOW


@pytest.fixture
def plan(timed: Timed) -> Plan:
    return plan_for(timed.cluster)


def test_an_apply_waits_for_its_confirmation_and_reports_it(timed: Timed, plan: Plan) -> None:
    result = timed.apply(plan)
    assert (result.exit_code, result.state, result.confirm_by) == (9, "confirm-pending", BY)
    assert f"confirm it by {BY}: `remediate confirm {result.run_id} --state-dir" in result.message
    with timed.desk.journal() as journal:
        run = journal.run("last")
        assert (run.state, run.confirm_by, run.exit_code) == ("confirm-pending", BY, 9)
        assert BY in run.message


def test_the_timer_runs_and_is_announced_before_the_first_write(timed: Timed, plan: Plan) -> None:
    # Given a tap that notes what had been said when the first write was sent
    messages: list[list[str]] = []
    timed.cluster.tap = lambda point: (
        messages.append(timed.desk.messages("warning")) if point.startswith("before append") else None
    )
    # When the plan is applied
    run = timed.apply(plan).run_id
    # Then the process was up, and until when, by whom, how long it lives and the way back had been said
    assert timed.writes_when_started == [0]
    [text] = [message for message in messages[0] if "Confirm it" in message]
    for part in (
        BY,
        "process 4711 on this machine",
        "not a restart of this machine",
        f"remediate rollback {run} -i {Path('inventory.yml').absolute()}",
        "the test",
    ):
        assert part in text
    # And it is told names and paths only
    [order] = timed.watches
    assert (order.run, order.cluster, order.inventory) == (run, "edge", Path("inventory.yml").absolute())


def test_a_timer_that_cannot_start_refuses_the_run(timed: Timed, plan: Plan) -> None:
    def fail(_order: WatcherJob) -> WatcherProcess:
        raise TimerError("The process of the confirm timer did not come up.")

    with pytest.raises(TimerError) as refused:
        timed.desk.apply(timed.cluster, plan, {"start_watcher": fail}, confirm_within=QUARTER)
    assert (refused.value.exit_code, timed.cluster.sent_count, timed.state()) == (1, 0, "rolled-back")


def test_a_password_that_needs_a_terminal_is_refused_first(timed: Timed, plan: Plan) -> None:
    prompt = CachedSource(PromptSource("password of admin for edge", allowed=True))

    class Asking(MemoryCluster):
        @property
        def access(self) -> ClusterAccess:
            return replace(super().access, login=Login("admin", prompt))

    base = timed.cluster
    timed.cluster = Asking(base.devices, base.endpoints, base.certificates, base.publishers)
    for dry_run in (False, True):
        with pytest.raises(InventoryError, match="password of admin is asked for on the terminal") as refused:
            timed.apply(plan, dry_run=dry_run)
        assert "env, file, command or keyring" in refused.value.next_step
    assert (timed.cluster.sent_count, timed.watches) == (0, [])
    # One from the environment is fine, and so is one that asks where there is no timer
    assert not CachedSource(EnvironmentSource("X")).is_interactive
    assert timed.apply(plan, confirm_within=None).exit_code == 0


def test_a_confirmed_run_is_not_called_late_when_rolled_back(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    timed.confirm()
    timed.clock.go_on(24 * 3600)
    result = timed.desk.rollback(timed.cluster, now=timed.clock)
    assert result.state == "rolled-back"
    assert "Not confirmed by" not in result.message


def test_confirmed_in_time_it_stays_and_the_timer_ends(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    timed.clock.go_on(14 * 60)
    result = timed.confirm()
    assert (result.exit_code, result.state, result.has_written) == (0, "applied", False)
    run = timed.desk.journal().run("last")
    assert "Confirmed by" in run.message
    assert run.exit_code == 0
    # Confirming twice says so
    assert "was already confirmed" in timed.confirm(result.run_id).message
    # And the timer's process ends without a rollback
    assert (timed.expire(), timed.rollbacks) == (0, [])
    assert timed.cluster.state() == story_after(plan).state()


def test_without_a_confirmation_the_start_is_restored(timed: Timed, plan: Plan) -> None:
    run = timed.apply(plan).run_id
    assert timed.expire() == 0
    assert timed.clock() >= NOW + QUARTER
    assert (timed.rollbacks, timed.state()) == ([0], "rolled-back")
    assert timed.cluster.state() == story().state()
    assert "Not confirmed by" in timed.desk.messages("run-state")[-1]
    # Then it is too late
    with pytest.raises(NotPending, match="is rolled-back"):
        timed.confirm(run)


def test_after_the_deadline_a_run_cannot_be_confirmed(timed: Timed, plan: Plan) -> None:
    # Given a machine that was off at the deadline
    run = timed.apply(plan).run_id
    timed.clock.go_on(15 * 60)
    with pytest.raises(NotPending, match="ended on 2026-11-23T10:15:00Z") as refused:
        timed.confirm()
    assert f"remediate rollback {run} -i INVENTORY" in refused.value.next_step
    assert timed.state() == "confirm-pending"


def test_a_run_without_a_timer_has_nothing_to_confirm(timed: Timed, plan: Plan) -> None:
    timed.apply(plan, confirm_within=None)
    with pytest.raises(NotPending, match="started without --confirm-within and is applied"):
        timed.confirm()


def test_the_time_counts_from_the_end_of_the_apply(timed: Timed, plan: Plan) -> None:
    # Given an apply that takes longer than the time to confirm it
    timed.cluster.tap = lambda point: timed.clock.go_on(600) if point.startswith("before append ") else None
    result = timed.apply(plan)
    assert result.confirm_by == "2026-11-23T10:55:00Z"
    assert timed.confirm().exit_code == 0


def test_an_apply_that_dies_anywhere_is_undone_at_the_deadline(new_desk: Callable[[], Desk], plan: Plan) -> None:
    rehearsal = Timed(new_desk())
    rehearsal.cluster.tap = counter = CrashAt()
    rehearsal.apply(plan)
    for point in range(1, len(counter.points) + 1):
        # Given an apply whose process is gone at this point, and its timer's process where there was time for one
        timed = Timed(new_desk())
        crash(lambda: timed.apply(plan), timed.cluster, point)  # noqa: B023 - called before the loop goes on
        assert timed.watches or not timed.cluster.sent_count, f"crash at point {point}: a write, and no timer"
        # When its deadline comes, Then the start is back
        assert not timed.watches or timed.expire() == 0
        assert timed.cluster.state() == story().state(), f"crash at point {point}"
        assert not timed.cluster.sent_count or timed.state() == "rolled-back", f"crash at point {point}"


def test_an_apply_that_still_runs_at_the_deadline_is_waited_for(timed: Timed, plan: Plan) -> None:
    run = timed.apply(plan).run_id
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        timed.clock.go_on(seconds)
        if timed.clock() > NOW + timedelta(minutes=20) and lock:
            # The apply ends now, and its time counts from here
            with Journal(timed.desk.state_dir, writable=True) as journal:
                timers.extend(journal, run, timed.clock() + QUARTER)
            lock.pop().__exit__(None, None, None)

    # Given a run that holds the cluster's lock beyond the deadline
    lock = [hold_cluster_name("edge", timed.desk.state_dir, operator=identify_operator(), now=timed.clock)]
    lock[0].__enter__()
    # When the timer's process waits, Then it does nothing before the run's end, nor before its new deadline
    assert watch(timed.watches[0], now=timed.clock, pause=pause, roll_back=timed._roll_back) == 0
    assert timed.clock() >= NOW + timedelta(minutes=35)
    assert timed.state() == "rolled-back"


def test_an_interrupted_apply_keeps_its_timer_and_reports_it(timed: Timed, plan: Plan) -> None:
    def interrupt(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and timed.cluster.sent_count:
            raise Interrupted("The run was interrupted.")

    timed.cluster.tap = interrupt
    result = timed.apply(plan)
    assert result.state == "partial"
    assert f"Its confirm timer is still running: the run is rolled back on {BY}." in result.message
    with pytest.raises(NotPending, match="after its apply has succeeded"):
        timed.confirm()
    timed.cluster.tap = no_tap
    assert timed.expire() == 0
    assert timed.cluster.state() == story().state()


def test_applying_again_resumes_the_run_with_a_new_timer(timed: Timed, plan: Plan) -> None:
    # Given an apply that died half-way
    crash(lambda: timed.apply(plan), timed.cluster, 60)
    assert timed.cluster.sent_count
    # When the same plan is applied in time
    timed.clock.go_on(600)
    result = timed.apply(plan)
    # Then the same run waits for its confirmation, the first timer has nothing to do, and the second one does
    assert (result.exit_code, result.confirm_by, len(timed.watches)) == (9, "2026-11-23T10:25:00Z", 2)
    assert (timed.expire(0), timed.rollbacks) == (0, [])
    assert (timed.expire(1), timed.state()) == (0, "rolled-back")


def test_after_the_deadline_an_interrupted_run_is_not_continued(timed: Timed, plan: Plan) -> None:
    # Given an apply that was interrupted, and whose timer is due
    def stop(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and timed.cluster.sent_count == 1:
            raise Interrupted("stop")

    timed.cluster.tap = stop
    assert timed.apply(plan).state == "partial"
    timed.cluster.tap = no_tap
    timed.clock.go_on(3600)
    # When the plan is applied again, Then nothing is written: its rollback comes first
    with pytest.raises(LockHeld, match=r"was not confirmed by .* and must be rolled back first"):
        timed.apply(plan)
    assert timed.cluster.sent_count == 1


def test_applying_again_without_a_timer_ends_the_earlier_one(timed: Timed, plan: Plan) -> None:
    crash(lambda: timed.apply(plan), timed.cluster, 60)
    result = timed.apply(plan, confirm_within=None)
    assert result.state == "applied"
    assert result.message.endswith(
        "It stays: the timer of the earlier apply has ended, because this one was started without it."
    )
    assert any("timer of the earlier apply ends" in text for text in timed.desk.messages("warning"))
    assert (timed.expire(), timed.rollbacks) == (0, [])
