"""The confirm timer: what a run is until it is confirmed, and what becomes of it when it is not (promise 7). No test waits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.executor.confirm_timer import NotPending, confirm
from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.schema import MIGRATIONS, migrate
from remediate.executor.journal.store import FILE_NAME, Journal
from remediate.executor.lock import hold_cluster_name
from remediate.executor.ports import Watch, Watcher
from remediate.executor.result import RunResult
from remediate.executor.watcher import TimerError, watch
from remediate.executor.window import WindowClosed, parse_window
from remediate.inventory.credentials import CachedSource, EnvironmentSource, PromptSource
from remediate.model.access import ClusterAccess
from remediate.model.errors import Interrupted, InventoryError, LockHeld
from remediate.model.plan import Plan
from remediate.model.secret import Login
from tests.executor.clock import Clock
from tests.executor.clusters import OTHER, plan_for, renumbered, story
from tests.executor.conftest import Desk
from tests.executor.crashing import crash, story_after
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.old_journals import take_back_to
from tests.executor.tapped import Crash, CrashAt
from tests.pki import NOW

QUARTER = timedelta(minutes=15)
BY = "2026-11-23T10:15:00Z"


@dataclass
class Timed:
    """A desk with a clock, where a timer's process is only noted down; `expire` is that process, with the same clock."""

    desk: Desk
    cluster: MemoryCluster = field(default_factory=story)
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    watches: list[Watch] = field(default_factory=list)
    rollbacks: list[int] = field(default_factory=list)
    writes_when_started: list[int] = field(default_factory=list)

    def start(self, order: Watch) -> Watcher:
        self.watches.append(order)
        self.writes_when_started.append(self.cluster.sent_count)
        return Watcher(4711, Path("timer.log"), lambda: None)

    def apply(self, plan: Plan, **options: object) -> RunResult:
        environment = {"now": self.clock, "start_watcher": self.start}
        return self.desk.apply(self.cluster, plan, environment, **{"confirm_within": QUARTER, **options})

    def confirm(self, run: str = "last") -> RunResult:
        return confirm(run, state_dir=self.desk.state_dir, now=self.clock)

    def expire(self, number: int = -1) -> int:
        """Let a timer's process run to its end; each of its pauses is a minute."""
        return watch(self.watches[number], now=self.clock, pause=lambda _: self.clock.go_on(60), roll_back=self._roll_back)

    def state(self) -> str:
        return self.desk.journal().run("last").state

    def _roll_back(self, order: Watch) -> int:
        result = self.desk.rollback(self.cluster, order.run, now=self.clock)
        self.rollbacks.append(result.exit_code)
        return result.exit_code


@pytest.fixture
def timed(desk: Desk) -> Timed:
    return Timed(desk)


@pytest.fixture
def plan(timed: Timed) -> Plan:
    return plan_for(timed.cluster)


def test_an_apply_waits_for_its_confirmation_and_says_so(timed: Timed, plan: Plan) -> None:
    result = timed.apply(plan)
    assert (result.exit_code, result.state, result.confirm_by) == (9, "confirm-pending", BY)
    assert f"confirmed by {BY}: remediate confirm {result.run_id} --state-dir" in result.message
    with timed.desk.journal() as journal:
        run = journal.run("last")
        assert (run.state, run.confirm_by) == ("confirm-pending", BY)
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
    [text] = [message for message in messages[0] if "To be confirmed" in message]
    for part in (
        BY,
        "process 4711 on this machine",
        "not this machine",
        f"remediate rollback {run} -i {Path('inventory.yml').absolute()}",
        "the test",
    ):
        assert part in text
    # And it is told names and paths only
    [order] = timed.watches
    assert (order.run, order.cluster, order.inventory) == (run, "edge", Path("inventory.yml").absolute())


def test_a_timer_that_cannot_start_refuses_the_run(timed: Timed, plan: Plan) -> None:
    def fail(_order: Watch) -> Watcher:
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
    timed.cluster = Asking(base.boxes, base.endpoints, base.certificates, base.publishers)
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
    assert "Nobody confirmed" not in result.message


def test_confirmed_in_time_it_stays_and_the_timer_ends(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    timed.clock.go_on(14 * 60)
    result = timed.confirm()
    assert (result.exit_code, result.state, result.has_written) == (0, "applied", False)
    assert "Confirmed by" in timed.desk.journal().run("last").message
    # Confirming twice says so
    assert "was confirmed before" in timed.confirm(result.run_id).message
    # And the timer's process ends without a rollback
    assert (timed.expire(), timed.rollbacks) == (0, [])
    assert timed.cluster.state() == story_after(plan).state()


def test_nobody_confirms_and_the_start_is_back(timed: Timed, plan: Plan) -> None:
    run = timed.apply(plan).run_id
    assert timed.expire() == 0
    assert timed.clock() >= NOW + QUARTER
    assert (timed.rollbacks, timed.state()) == ([0], "rolled-back")
    assert timed.cluster.state() == story().state()
    assert "Nobody confirmed it" in timed.desk.messages("run-state")[-1]
    # Then it is too late
    with pytest.raises(NotPending, match="is rolled-back"):
        timed.confirm(run)


def test_after_the_deadline_a_run_cannot_be_confirmed(timed: Timed, plan: Plan) -> None:
    # Given a machine that was off at the deadline
    run = timed.apply(plan).run_id
    timed.clock.go_on(15 * 60)
    with pytest.raises(NotPending, match="ended at 2026-11-23T10:15:00Z") as refused:
        timed.confirm()
    assert f"remediate rollback {run} -i INVENTORY" in refused.value.next_step
    assert timed.state() == "confirm-pending"


def test_no_confirmation_crosses_the_rollback_of_the_timer(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)

    def roll_back(order: Watch) -> int:
        timed.clock.now = NOW  # even when the machine's clock is set back
        with pytest.raises(NotPending):
            timed.confirm()
        return timed._roll_back(order)

    assert watch(timed.watches[0], now=timed.clock, pause=timed.clock.go_on, roll_back=roll_back) == 0
    assert timed.state() == "rolled-back"


def test_a_run_undone_while_the_timer_waited_is_not_taken(timed: Timed, plan: Plan) -> None:
    # Given an apply that failed at its end and was rolled back, right after the timer looked at its run
    timed.cluster.faults = {3: "refuse"}
    run = timed.apply(plan).run_id
    timed.clock.go_on(3600)
    with Journal(timed.desk.state_dir, writable=True) as journal:
        # When the timer has the lock, Then the run is left as it ended
        assert not timers.claim_expired(journal, run, timed.watches[0].timer, timed.clock())
    assert timed.state() == "rolled-back"


def test_a_timer_replaced_while_it_waited_takes_no_run(timed: Timed, plan: Plan) -> None:
    # Given an apply that was gone on with under a new timer, right after the first one looked at its run
    timed.apply(plan)
    with Journal(timed.desk.state_dir, writable=True) as journal:
        timers.start(journal, timed.watches[0].run, "the new one", NOW)
        # When the first one has the lock, Then the run is not its own any more
        assert not timers.claim_expired(journal, timed.watches[0].run, timed.watches[0].timer, timed.clock())
        assert timers.claim_expired(journal, timed.watches[0].run, "the new one", timed.clock())


def test_a_run_that_is_being_rolled_back_by_hand_cannot_be_confirmed(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    refused: list[str] = []

    def confirm_meanwhile(point: str) -> None:
        if point.startswith("before remove"):
            with pytest.raises(NotPending) as error:
                timed.confirm()
            refused.append(str(error.value))

    timed.cluster.tap = confirm_meanwhile
    assert timed.desk.rollback(timed.cluster).exit_code == 0
    assert refused
    assert timed.state() == "rolled-back"


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


def test_an_interrupted_apply_keeps_its_timer_and_says_so(timed: Timed, plan: Plan) -> None:
    def interrupt(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and timed.cluster.sent_count:
            raise Interrupted("The run was interrupted.")

    timed.cluster.tap = interrupt
    result = timed.apply(plan)
    assert result.state == "partial"
    assert f"Its confirm timer goes on: at {BY} the run is rolled back." in result.message
    with pytest.raises(NotPending, match="when its apply has ended well"):
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


def test_after_the_deadline_an_interrupted_run_is_not_gone_on_with(timed: Timed, plan: Plan) -> None:
    # Given an apply that was interrupted, and whose timer is due
    def stop(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and timed.cluster.sent_count == 1:
            raise Interrupted("stop")

    timed.cluster.tap = stop
    assert timed.apply(plan).state == "partial"
    timed.cluster.tap = no_tap
    timed.clock.go_on(3600)
    # When the plan is applied again, Then nothing is written: its rollback comes first
    with pytest.raises(LockHeld, match=r"was not confirmed by .* and is to be rolled back first"):
        timed.apply(plan)
    assert timed.cluster.sent_count == 1


def test_applying_again_without_a_timer_ends_the_earlier_one(timed: Timed, plan: Plan) -> None:
    crash(lambda: timed.apply(plan), timed.cluster, 60)
    result = timed.apply(plan, confirm_within=None)
    assert result.state == "applied"
    assert result.message.endswith("It stays: the timer of the earlier apply has ended, as this one was started without it.")
    assert any("timer of the earlier apply ends" in text for text in timed.desk.messages("warning"))
    assert (timed.expire(), timed.rollbacks) == (0, [])


@pytest.mark.parametrize("dry_run", [False, True])
def test_one_pending_run_per_cluster(timed: Timed, plan: Plan, dry_run: bool) -> None:
    run = timed.apply(plan).run_id
    sent_count = timed.cluster.sent_count
    with pytest.raises(LockHeld, match=f"Run {run} on edge is confirm-pending") as refused:
        timed.apply(plan, dry_run=dry_run)
    assert f"remediate confirm {run}" in refused.value.next_step
    assert f"remediate rollback {run} -i {Path('inventory.yml').absolute()}" in refused.value.next_step
    # Also after the deadline, when nothing has rolled it back, and then only the way back is named
    timed.clock.go_on(3600)
    with pytest.raises(LockHeld, match="was not confirmed by") as refused:
        timed.apply(plan, dry_run=dry_run)
    assert "remediate confirm" not in refused.value.next_step
    assert timed.cluster.sent_count == sent_count
    # And when it is rolled back, the next one may begin
    assert timed.desk.rollback(timed.cluster).exit_code == 0
    assert timed.apply(plan).exit_code == 9


def test_a_rollback_by_hand_ends_the_timer(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    assert timed.desk.rollback(timed.cluster).exit_code == 0
    assert (timed.expire(), timed.rollbacks) == (0, [])
    # Also when it leaves something to a person, who has read what
    timed.apply(plan)
    timed.cluster.box(3).up = False
    assert timed.desk.rollback(timed.cluster).exit_code == 8
    assert (timed.expire(), timed.rollbacks) == (0, [])


def test_the_timers_own_rollback_is_tried_again_while_a_peer_is_down(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    timed.cluster.box(3).up = False

    def pause(seconds: float) -> None:
        timed.clock.go_on(seconds)
        timed.cluster.box(3).up = len(timed.rollbacks) > 2

    assert watch(timed.watches[0], now=timed.clock, pause=pause, roll_back=timed._roll_back) == 0
    assert timed.rollbacks == [8, 8, 8, 0]
    assert timed.cluster.state() == story().state()


@pytest.mark.parametrize(("codes", "calls"), [([1], 1), ([5] * 30 + [0], 31), ([8] * 50, 10), ([4, 0], 2)])
def test_which_endings_of_the_rollback_are_tried_again(timed: Timed, plan: Plan, codes: list[int], calls: int) -> None:
    timed.apply(plan)
    answers = iter(codes)
    ended: list[int] = []

    def roll_back(_order: Watch) -> int:
        ended.append(next(answers))
        return ended[-1]

    assert watch(timed.watches[0], now=timed.clock, pause=timed.clock.go_on, roll_back=roll_back) == codes[calls - 1]
    assert len(ended) == calls


@pytest.mark.parametrize("on_failure", ["stop", "workaround"])
def test_a_failure_that_is_to_stay_for_a_person_ends_the_timer(timed: Timed, plan: Plan, on_failure: str) -> None:
    timed.cluster.faults = {3: "refuse"}
    result = timed.apply(plan, on_failure=on_failure)
    assert (result.exit_code, result.state) == (8, "partial")
    assert "Its confirm timer has ended." in result.message
    assert (timed.expire(), timed.rollbacks) == (0, [])


def test_a_failure_that_was_rolled_back_leaves_no_timer(timed: Timed, plan: Plan) -> None:
    timed.cluster.faults = {3: "refuse"}
    assert timed.apply(plan).exit_code == 3
    assert (timed.expire(), timed.rollbacks) == (0, [])


def test_a_timer_ends_with_the_window_and_starts_again_in_the_next(timed: Timed, plan: Plan) -> None:
    window = parse_window("10:00/11:00 UTC")
    timed.cluster.tap = lambda point: timed.clock.go_on(1500) if point.startswith("before append ") else None
    result = timed.apply(plan, window=window)
    assert (result.exit_code, result.state) == (8, "partial")
    assert "Its confirm timer has ended." in result.message
    assert (timed.expire(), timed.rollbacks) == (0, [])
    timed.cluster.tap = no_tap
    timed.clock.now = NOW + timedelta(days=1)
    assert timed.apply(plan, window=window).exit_code == 9
    assert (timed.expire(), timed.rollbacks) == (0, [0])
    assert timed.cluster.state() == story().state()


def test_a_window_that_lets_nothing_begin_ends_the_timer(timed: Timed, plan: Plan) -> None:
    # Given an apply that was interrupted after its first write, which took two minutes, so that its timer runs on
    def stop(point: str) -> None:
        if point.startswith("before append"):
            timed.clock.go_on(120)
        if point == "before trusted_ca on expc2.example.test" and timed.cluster.sent_count == 1:
            raise Interrupted("stop")

    timed.cluster.tap = stop
    assert timed.apply(plan).state == "partial"
    timed.cluster.tap = no_tap
    # When it is gone on with in a window that is too short for any other write
    with pytest.raises(WindowClosed, match="the longest so far took 120 s"):
        timed.apply(plan, window=parse_window("09:00/10:03 UTC"))
    # Then the run waits as it is for the next window: no timer undoes it
    assert (timed.cluster.sent_count, timed.state()) == (1, "partial")
    timed.clock.go_on(3600)
    assert [timed.expire(number) for number in range(len(timed.watches))] == [0] * len(timed.watches)
    assert timed.rollbacks == []


def test_a_rollback_after_the_window_is_said_before_the_first_write(timed: Timed, plan: Plan) -> None:
    timed.apply(plan, window=parse_window("09:00/10:10 UTC"))
    assert any("after the window" in text for text in timed.desk.messages("warning"))


def test_nothing_to_do_needs_no_timer(timed: Timed, plan: Plan) -> None:
    timed.apply(plan, confirm_within=None)
    result = timed.apply(plan)
    assert (result.exit_code, result.state, timed.watches) == (0, "applied", [])


def test_a_dry_run_says_that_it_would_start_a_timer(timed: Timed, plan: Plan) -> None:
    timed.apply(plan, dry_run=True)
    assert timed.watches == []
    assert any(
        "Would start the confirm timer" in text and "within 15 min" in text for text in timed.desk.messages("would-change")
    )


def test_who_confirmed_is_read_from_a_journal_of_0_1_0(timed: Timed, plan: Plan) -> None:
    # Given a confirmed run in a journal without the column
    timed.apply(plan)
    timed.confirm()
    confirmed_by = timed.desk.journal().run("last").confirmed_by
    take_back_to(timed.desk.state_dir / FILE_NAME, version=4)
    assert timed.desk.journal().run("last").confirmed_by is None
    # When it is confirmed again, Then the journal is migrated first, and says so
    assert "was confirmed before" in timed.confirm().message
    assert timed.desk.journal().run("last").confirmed_by == confirmed_by == str(identify_operator())


def test_confirming_rests_on_no_wording_of_the_journal(timed: Timed, plan: Plan) -> None:
    # Given a run whose timer a later apply ended, with a message that sounds confirmed; Then it is not called so
    timed.apply(plan)
    db = sqlite3.connect(timed.desk.state_dir / FILE_NAME, isolation_level=None)
    db.execute("UPDATE runs SET state = 'applied', timer = NULL, message = 'Confirmed by nobody at all.'")
    assert "its timer was ended by a later apply" in timed.confirm().message


def test_a_journal_of_the_first_version_is_read_and_migrated(timed: Timed, plan: Plan) -> None:
    # Given a journal as the first version wrote it
    timed.apply(plan, confirm_within=None)
    path = timed.desk.state_dir / FILE_NAME
    rows = sqlite3.connect(path).execute("SELECT id FROM runs").fetchall()
    take_back_to(path, version=1)
    # When it is only read, Then it stays as it is
    with timed.desk.journal() as journal:
        run = journal.run("last")
        assert ((run.id,), run.confirm_by, run.timer) == (rows[0], None, None)
    # When a run writes to it, Then it has the new version and its runs
    timed.desk.rollback(timed.cluster)
    assert timed.apply(plan).exit_code == 9
    db = sqlite3.connect(path, isolation_level=None)
    assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    migrate(db)
    assert db.execute("SELECT state FROM runs WHERE kind = 'apply' ORDER BY number").fetchall() == [
        ("rolled-back",),
        ("confirm-pending",),
    ]


def test_a_run_with_open_steps_is_rolled_back_at_the_deadline(timed: Timed, plan: Plan) -> None:
    result = timed.apply(renumbered(plan, removing=OTHER.certificate, by="person"))
    assert (result.exit_code, result.state, result.confirm_by) == (8, "partial", BY)
    assert f"rolled back at {BY}, unless the same plan is applied again to its end, and confirmed, before" in result.message


def test_a_timer_whose_run_is_not_in_the_journal_ends(timed: Timed, plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    timed.apply(plan)
    assert watch(replace(timed.watches[0], run="nonsense"), now=timed.clock, pause=timed.clock.go_on) == 1
    assert "no run 'nonsense'" in capsys.readouterr().out


def test_a_timer_retries_when_the_journal_cannot_be_read(timed: Timed, plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    # Given a pending run whose journal is in somebody's way for a moment
    timed.apply(plan)
    journal, away = timed.desk.state_dir / FILE_NAME, timed.desk.state_dir / "away"
    journal.rename(away)
    journal.write_text("this is no database, whatever it is called\n" * 100)

    def put_back(_seconds: float) -> None:
        if away.exists():
            away.replace(journal)
        timed.clock.go_on(60)

    # When its deadline passes, Then it is rolled back all the same
    assert watch(timed.watches[0], now=timed.clock, pause=put_back, roll_back=timed._roll_back) == 0
    assert "Looking again." in capsys.readouterr().out
    assert (timed.rollbacks, timed.state()) == ([0], "rolled-back")


def test_the_limits_of_the_timer_are_named_before_the_first_write(timed: Timed, plan: Plan) -> None:
    # Given a box that offers no removal
    timed.cluster.box(2).removal = False
    timed.apply(plan)
    # Then it is said that what is trusted there stays, whatever the timer does
    [message] = [text for text in timed.desk.messages("warning") if "timer cannot take certificates out again" in text]
    assert "on expc2.example.test, where removal is not offered" in message


def test_too_late_a_confirmation_says_how_far_the_way_back_came(timed: Timed, plan: Plan) -> None:
    # Given a run whose time is over, and whose rollback left steps open
    for box in timed.cluster.boxes:
        box.removal = False
    timed.apply(plan)
    timed.expire()
    with pytest.raises(NotPending, match="is not rolled back yet"):
        timed.confirm()


def test_a_timer_is_ended_for_its_own_run_and_no_other(desk: Desk) -> None:
    # Given two clusters with a run each, and a timer for each
    plan = plan_for(story())
    with Journal(desk.state_dir, writable=True, now=lambda: NOW) as journal:
        runs = [
            journal.begin_run(replace(plan, cluster=name), (), (), operator=identify_operator(), ticket=None)
            for name in ("paris", "rome", "milan")
        ]
        for run in runs:
            timers.start(journal, run, f"timer of {run}", NOW + QUARTER)
        # When one is ended, Then the others go on
        assert timers.cancel(journal, runs[1])
        assert [journal.run(run).timer for run in runs] == [f"timer of {runs[0]}", None, f"timer of {runs[2]}"]
        assert not timers.cancel(journal, runs[1])


def test_the_deadline_of_an_apply_that_goes_on_moves_with_it(timed: Timed, plan: Plan) -> None:
    # Given an apply each of whose writes takes 10 minutes, and that dies in its third
    def work(point: str) -> None:
        if point.startswith("before append"):
            timed.clock.go_on(600)
            if timed.cluster.sent_count == 2:
                raise Crash(point)

    timed.cluster.tap = work
    with pytest.raises(Crash):
        timed.apply(plan)
    # Then the time to confirm counts from the last step that it took
    assert timed.desk.journal().run("last").confirm_by == "2026-11-23T10:35:00Z"
