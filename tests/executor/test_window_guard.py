"""Runs in a window: refused before it, stopped in good order at its end, gone on with the next night (promise 9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from remediate.executor.operations import RefreshOnPrimary, RestartOnPeer, SetCipherList
from remediate.executor.window import WindowClosed, WindowGuard, default_seconds, parse_window
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address
from remediate.model.limits import Limits
from tests.executor.clock import Clock
from tests.executor.clusters import CIPHERS, IMP, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import story_after
from tests.executor.memory import MemoryCluster

NIGHT = parse_window("22:00/02:00 UTC")
BEFORE = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
OPEN = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
NEXT_NIGHT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)


def every_write_takes(cluster: MemoryCluster, clock: Clock, seconds: float) -> None:
    """Let the clock go on with every write."""
    cluster.tap = lambda point: clock.go_on(seconds) if point.startswith(("before append ", "before cipher ")) else None


def test_outside_the_window_an_apply_names_the_next_opening(desk: Desk) -> None:
    cluster = story()
    with pytest.raises(WindowClosed, match="opens next on 2026-11-23T22:00:00Z") as refused:
        desk.apply(cluster, plan_for(cluster), {"now": Clock(BEFORE)}, window=NIGHT)
    assert refused.value.exit_code == 1
    assert cluster.sent_count == 0
    assert desk.journal().runs() == ()


def test_a_dry_run_outside_the_window_only_warns(desk: Desk) -> None:
    cluster = story()
    result = desk.apply(cluster, plan_for(cluster), {"now": Clock(BEFORE)}, window=NIGHT, dry_run=True)
    assert result.state == "dry-run"
    assert desk.messages("window") == [
        "The window 22:00/02:00 UTC is closed, so nothing would be started now. It opens next on 2026-11-23T22:00:00Z."
    ]
    desk.apply(cluster, plan_for(cluster), {"now": Clock(OPEN)}, window=NIGHT, dry_run=True)
    assert desk.messages("window")[-1] == "The window 22:00/02:00 UTC is open until 2026-11-24T02:00:00Z."


def test_inside_a_window_over_midnight_an_apply_succeeds(desk: Desk) -> None:
    cluster, clock = story(), Clock(datetime(2026, 11, 23, 23, 59, tzinfo=UTC))
    every_write_takes(cluster, clock, 30)
    assert desk.apply(cluster, plan_for(cluster), {"now": clock}, window=NIGHT).exit_code == 0


def test_a_run_cut_by_its_window_resumes_in_the_next(desk: Desk) -> None:
    # Given writes that take seventy minutes each, and a window of four hours
    cluster, clock = story(), Clock(OPEN)
    plan = plan_for(cluster)
    target = story_after(plan).state()
    every_write_takes(cluster, clock, 70 * 60)
    # When the plan is applied
    result = desk.apply(cluster, plan, {"now": clock}, window=NIGHT)
    # Then nothing is begun that would not end in the window, what is done stays, and the run says what is left
    assert (result.exit_code, result.state) == (8, "partial")
    assert clock() <= datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    sent_count = cluster.sent_count
    assert 0 < sent_count < 5
    assert {step.state for step in desk.journal().steps(result.run_id)} == {"done"}
    assert "so it was not started" in result.message
    assert "the longest so far took 4200 s" in result.message
    assert f"In effect and read back: {sent_count} changes" in result.message
    assert "Not started: " in result.message
    assert f"set {REVERSE_PROXY_CIPHERS}" in result.message
    assert f"remediate rollback {result.run_id}" in result.message
    assert desk.journal().run("last").state == "partial"
    # And outside of the window nothing goes on
    with pytest.raises(WindowClosed):
        desk.apply(cluster, plan, {"now": clock}, window=parse_window("02:30/03:00 UTC"))
    # When the same plan is applied the next night, on devices that are quick again
    clock.now = NEXT_NIGHT
    cluster.tap = lambda _point: None
    again = desk.apply(cluster, plan, {"now": clock}, window=NIGHT)
    # Then the same run ends, and no write is repeated
    assert (again.exit_code, again.state, again.run_id) == (0, "applied", result.run_id)
    assert cluster.state() == target
    assert len(set(cluster.writes)) == len(cluster.writes)


def test_a_change_that_was_there_already_is_not_left_to_do(desk: Desk) -> None:
    # Given a certificate of the plan that somebody put on the first peer, and a window that is too short for the others
    cluster, clock = story(), Clock(OPEN)
    plan = plan_for(cluster)
    cluster.device(1).trusted.append(IMP.certificate)
    every_write_takes(cluster, clock, 150 * 60)
    # When the plan is applied
    result = desk.apply(cluster, plan, {"now": clock}, window=NIGHT)
    # Then both it and what was written are in effect, and what is left is the rest
    assert (result.exit_code, result.state) == (8, "partial")
    in_effect, not_begun = result.message.split("Not started: ")
    assert "In effect and read back: 2 changes" in in_effect
    assert f"({IMP.certificate.fingerprint}) on expc1.example.test" not in not_begun
    assert f"({IMP.certificate.fingerprint}) on expc3.example.test" in not_begun


def test_a_run_cut_by_its_window_is_rolled_back_at_any_hour(desk: Desk) -> None:
    cluster, clock = story(), Clock(OPEN)
    every_write_takes(cluster, clock, 80 * 60)
    assert desk.apply(cluster, plan_for(cluster), {"now": clock}, window=NIGHT).state == "partial"
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_a_first_step_that_cannot_end_in_the_window_refuses_the_run(desk: Desk) -> None:
    # Given half a minute left, and no measurement: a write and its read-back may take a minute
    cluster = story()
    clock = Clock(datetime(2026, 11, 24, 1, 59, 30, tzinfo=UTC))
    with pytest.raises(WindowClosed, match="none was measured yet") as refused:
        desk.apply(cluster, plan_for(cluster), {"now": clock}, window=NIGHT)
    assert (refused.value.exit_code, cluster.sent_count) == (1, 0)
    assert desk.journal().run("last").state == "rolled-back"
    assert "Nothing was written" in desk.journal().run("last").message


def test_a_resumed_run_that_can_begin_nothing_stays_partial(desk: Desk) -> None:
    # Given a run that the window stopped half-way
    cluster, clock = story(), Clock(OPEN)
    plan = plan_for(cluster)
    every_write_takes(cluster, clock, 80 * 60)
    run = desk.apply(cluster, plan, {"now": clock}, window=NIGHT).run_id
    sent_count = cluster.sent_count
    # When it is gone on with where the window is open but too short
    clock.now = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    with pytest.raises(WindowClosed):
        desk.apply(cluster, plan, {"now": clock}, window=NIGHT)
    # Then nothing was written, and the run still says that it is half done
    assert (cluster.sent_count, desk.journal().run(run).state) == (sent_count, "partial")


def test_a_failure_at_the_end_of_the_window_is_still_rolled_back(desk: Desk) -> None:
    # Given a device that refuses the third write, which ends three minutes before the window does
    cluster, clock = story(), Clock(OPEN)
    cluster.faults = {3: "refuse"}
    every_write_takes(cluster, clock, 79 * 60)
    # When it fails, Then the way back is not held to the window
    result = desk.apply(cluster, plan_for(cluster), {"now": clock}, window=NIGHT)
    assert (result.exit_code, result.state) == (3, "rolled-back")
    assert cluster.state() == story().state()


def test_the_workaround_ignores_the_window(desk: Desk) -> None:
    # Given a write that ends after the window, and fails
    cluster, clock = story(), Clock(OPEN)
    cluster.faults = {1: "refuse"}
    every_write_takes(cluster, clock, 5 * 3600)
    result = desk.apply(cluster, plan_for(cluster), {"now": clock}, window=NIGHT, on_failure="workaround")
    assert result.state == "partial"
    assert [device.verify for device in cluster.devices] == [False, False, False]


def test_the_time_of_a_step_is_the_measured_one_or_the_limit() -> None:
    limits = Limits(read_s=30, slow_write_s=120, restart_s=900, replication_s=150)
    peer = Address("expc1.example.test")
    cipher = SetCipherList(peer, REVERSE_PROXY_CIPHERS, CIPHERS, CIPHERS)
    assert default_seconds(cipher, limits) == 60
    assert default_seconds(RefreshOnPrimary(peer, peer, "cucm"), limits) == 150
    assert default_seconds(RestartOnPeer(peer), limits) == 900
    # Given 22:00/02:00, and a restart that took five minutes at most
    measured = {"restart-peer": 300.0}
    for minute, allowed in ((54, True), (55, False)):
        clock = Clock(datetime(2026, 11, 24, 1, minute, tzinfo=UTC))
        hours = WindowGuard(NIGHT, clock, measured.get, limits)
        if allowed:
            hours.refuse_if_too_late(RestartOnPeer(peer))
            continue
        with pytest.raises(WindowClosed, match="the longest so far took 300 s"):
            hours.refuse_if_too_late(RestartOnPeer(peer))
        # A cipher list has to be on every peer before the window ends, and 150 s are allowed for that
        hours.refuse_if_too_late(cipher)
        clock.go_on(91)
        with pytest.raises(WindowClosed, match="may take 210 s"):
            hours.refuse_if_too_late(cipher)


def test_the_journal_knows_the_longest_write_of_a_kind(desk: Desk) -> None:
    cluster, clock = story(), Clock(OPEN)
    # Given writes of which the first takes longest
    takes = iter([7, 5, 3, 3])
    cluster.tap = lambda point: clock.go_on(next(takes)) if point.startswith("before append ") else None
    desk.apply(cluster, plan_for(cluster), {"now": clock})
    # Then the next window counts on that one, and on no other cluster's
    with desk.journal() as journal:
        assert journal.longest_write_seconds("edge", "trust-certificate") == 7
        assert journal.longest_write_seconds("edge", "restart-peer") is None
        assert journal.longest_write_seconds("another", "trust-certificate") is None


def test_a_window_that_ends_while_a_change_is_made_begins_no_other(desk: Desk) -> None:
    # Given a first write that hangs until the window is over
    cluster, clock = story(), Clock(OPEN)
    every_write_takes(cluster, clock, 5 * 3600)
    # When the plan is applied, Then the change is kept, the next one waits, and it says until when
    result = desk.apply(cluster, plan_for(cluster), {"now": clock}, window=NIGHT)
    assert (result.exit_code, result.state, cluster.sent_count) == (8, "partial", 1)
    assert "is over, so this was not started: trust" in result.message
    assert "It opens on 2026-11-24T22:00:00Z" in result.message
