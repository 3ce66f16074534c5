"""What ends a confirm timer beside a confirmation, and what its process and the journal make of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.executor.confirm_timer import NotPending
from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.schema import MIGRATIONS, migrate
from remediate.executor.journal.store import FILE_NAME, Journal
from remediate.executor.ports import WatcherJob
from remediate.executor.watcher import tell_end, watch
from remediate.executor.window import WindowClosed, parse_window
from remediate.model.errors import Interrupted, LockHeld
from remediate.model.plan import Plan
from tests.executor.clusters import OTHER, plan_for, renumbered, story
from tests.executor.conftest import Desk
from tests.executor.memory import no_tap
from tests.executor.old_journals import take_back_to
from tests.executor.tapped import Crash
from tests.executor.timed import BY, QUARTER, Timed
from tests.pki import NOW


@pytest.fixture
def plan(timed: Timed) -> Plan:
    return plan_for(timed.cluster)


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
    timed.cluster.device(3).up = False
    assert timed.desk.rollback(timed.cluster).exit_code == 8
    assert (timed.expire(), timed.rollbacks) == (0, [])


def test_the_timers_own_rollback_is_tried_again_while_a_peer_is_down(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    timed.cluster.device(3).up = False

    def pause(seconds: float) -> None:
        timed.clock.go_on(seconds)
        timed.cluster.device(3).up = len(timed.rollbacks) > 2

    assert watch(timed.watches[0], now=timed.clock, pause=pause, roll_back=timed._roll_back) == 0
    assert timed.rollbacks == [8, 8, 8, 0]
    assert timed.cluster.state() == story().state()


@pytest.mark.parametrize(("codes", "calls"), [([1], 1), ([5] * 30 + [0], 31), ([8] * 50, 10), ([4, 0], 2)])
def test_the_timer_retries_only_what_may_succeed_later(timed: Timed, plan: Plan, codes: list[int], calls: int) -> None:
    timed.apply(plan)
    answers = iter(codes)
    ended: list[int] = []

    def roll_back(_order: WatcherJob) -> int:
        ended.append(next(answers))
        return ended[-1]

    assert watch(timed.watches[0], now=timed.clock, pause=timed.clock.go_on, roll_back=roll_back) == codes[calls - 1]
    assert len(ended) == calls


def test_a_notice_of_the_end_is_sent_again_until_it_is_taken(timed: Timed, plan: Plan, tmp_path: Path) -> None:
    timed.apply(plan)
    timed.cluster.device(3).up = False
    notices = tmp_path / "notices"
    takes_the_third = f"cat >> {notices}; test $(wc -l < {notices}) = 3"
    order = replace(timed.watches[0], notify=("sh", "-c", takes_the_third))
    pauses: list[float] = []
    code = timed.expire()

    tell_end(order, code, now=timed.clock, pause=pauses.append)

    assert len(pauses) == 2
    document = json.loads(notices.read_text().splitlines()[-1])
    assert (document["kind"], document["state"], document["exit_code"]) == ("timer-ended", "partial", 8)
    assert document["message"].endswith("The rollback ended with exit code 8.")


def test_a_timer_that_another_replaced_tells_nothing(timed: Timed, plan: Plan, tmp_path: Path) -> None:
    timed.apply(plan)
    notice = tmp_path / "notice"

    tell_end(
        replace(timed.watches[0], timer="another", notify=("tee", str(notice))), 0, now=timed.clock, pause=timed.clock.go_on
    )
    tell_end(replace(timed.watches[0], notify=("tee", str(notice))), 0, now=timed.clock, pause=timed.clock.go_on)

    assert not notice.exists()


def test_the_timer_knows_the_command_of_the_inventory(timed: Timed, plan: Plan) -> None:
    timed.cluster.notify = ("page", "ann")

    timed.apply(plan)

    assert timed.watches[0].notify == ("page", "ann")


@pytest.mark.parametrize("on_failure", ["stop", "workaround"])
def test_a_failure_left_to_a_person_ends_the_timer(timed: Timed, plan: Plan, on_failure: str) -> None:
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


def test_a_rollback_after_the_window_is_announced_before_it_writes(timed: Timed, plan: Plan) -> None:
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
    assert "was already confirmed" in timed.confirm().message
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
    assert f"rolled back on {BY}, unless the same plan is applied again to the end and confirmed before that" in result.message


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
    assert "Trying again." in capsys.readouterr().out
    assert (timed.rollbacks, timed.state()) == ([0], "rolled-back")


def test_the_limits_of_the_timer_are_named_before_the_first_write(timed: Timed, plan: Plan) -> None:
    # Given a device that offers no removal
    timed.cluster.device(2).removal = False
    timed.apply(plan)
    # Then it is said that what is trusted there stays, whatever the timer does
    [message] = [text for text in timed.desk.messages("warning") if "timer cannot remove certificates" in text]
    assert "on expc2.example.test, where removal is not offered" in message


def test_a_late_confirmation_says_how_far_the_rollback_came(timed: Timed, plan: Plan) -> None:
    # Given a run whose time is over, and whose rollback left steps open
    for device in timed.cluster.devices:
        device.removal = False
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


def test_the_deadline_of_an_apply_that_continues_moves_with_it(timed: Timed, plan: Plan) -> None:
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
