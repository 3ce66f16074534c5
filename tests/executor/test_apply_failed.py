"""What an apply comes to when the plan does not come true: rolled back, stopped, or the workaround, and nothing that was not read."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from remediate.executor.journal.store import FILE_NAME
from remediate.executor.verification import VerificationFailed
from remediate.model.errors import LoginRefused, WriteForbidden
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Verdicts
from remediate.trust.verifier import verify_snapshot
from tests.executor.clusters import (
    CORPORATE,
    CUCM_EC,
    IMP,
    endpoint,
    plan_for,
    story,
)
from tests.executor.conftest import Desk


def test_a_login_that_is_refused_on_the_way_ends_everything_at_once(desk: Desk) -> None:
    # Given a password that is changed after the second peer was written to
    cluster = story()
    logins: list[str] = []

    def refuse(point: str) -> None:
        if point == "before trusted_ca on expc3.example.test" and len(cluster.writes) == 2:
            logins.append(point)
            raise LoginRefused("expc3 refuses the login.")

    cluster.tap = refuse
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then nobody is logged in to any more, not even to undo, and a person is told how to go on
    assert (result.exit_code, result.state, len(logins), cluster.sent_count) == (8, "partial", 1, 2)
    assert f"remediate rollback {result.run_id}" in result.message


def test_a_plan_that_fails_verification_is_rolled_back_to_the_start(desk: Desk) -> None:
    # Given a cluster in which IM&P changes its certificate as soon as the last write is done
    cluster = story()
    plan = plan_for(cluster)

    def rekeyed(_point: str) -> None:
        if len(cluster.writes) == 6:
            cluster.endpoints = tuple(
                endpoint("imp.example.test", 8443, CUCM_EC, product="imp") if service.address.startswith("imp") else service
                for service in cluster.endpoints
            )

    cluster.tap = rekeyed
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then it is rolled back, exactly
    assert (result.exit_code, result.state) == (3, "rolled-back")
    assert cluster.state() == story().state()


def test_a_start_that_was_not_read_back_on_every_peer_is_not_claimed(desk: Desk) -> None:
    # Given a run that fails, and a peer that goes down on the way back
    cluster = story()
    cluster.faults = {3: "refuse"}
    cluster.tap = lambda _point: setattr(cluster.device(3), "up", cluster.sent_count < 4)
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then all of the run is undone, and it is said which peer could not be read
    assert (result.exit_code, result.state) == (8, "rolled-back")
    assert "expc3.example.test cannot be read" in result.message
    assert "was read back on every peer" not in result.message


def test_a_broken_endpoint_with_nothing_to_do_begins_no_run(desk: Desk) -> None:
    # Given a cluster that the plan was applied to, whose first peer loses the corporate root during the next apply
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    sent_count, looks = cluster.sent_count, iter(range(9))

    def lose_the_root(point: str) -> None:
        if point == "observe" and next(looks):
            cluster.device(1).trusted.remove(CORPORATE.certificate)

    cluster.tap = lose_the_root
    # When it is applied again, Then that is said, and nothing is written or undone
    with pytest.raises(VerificationFailed, match="should pass after the plan, but fail: cucm"):
        desk.apply(cluster, plan)
    assert cluster.sent_count == sent_count
    assert [run.state for run in desk.journal().runs()] == ["applied"]


def test_on_failure_stop_leaves_everything_and_says_how_to_continue(desk: Desk) -> None:
    cluster = story()
    cluster.faults = {3: "refuse"}
    result = desk.apply(cluster, plan_for(cluster), on_failure="stop")
    assert (result.exit_code, result.state) == (8, "partial")
    assert f"remediate rollback {result.run_id}" in result.message
    assert IMP.certificate in cluster.device(1).trusted


def test_on_failure_workaround_turns_verification_off_on_every_peer(desk: Desk) -> None:
    # Given a device that refuses
    cluster = story()
    cluster.faults = {3: "refuse"}
    # When the plan is applied with the workaround as the way out
    result = desk.apply(cluster, plan_for(cluster), on_failure="workaround")
    # Then verification is off everywhere, a person must end it, and a rollback of the run turns it on again
    assert [device.verify for device in cluster.devices] == [False, False, False]
    assert (result.exit_code, result.state) == (8, "partial")
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_on_failure_workaround_claims_nothing_of_a_peer_that_is_down(desk: Desk) -> None:
    # Given a peer that was down when the plan was made, and a device that refuses
    cluster = story()
    cluster.device(3).up = False
    cluster.faults = {2: "refuse"}
    # When the plan is applied to the others, with the workaround as the way out
    result = desk.apply(cluster, plan_for(cluster), on_failure="workaround", allow_incomplete=True)
    # Then the peer that was not reached is for a person
    assert [device.verify for device in cluster.devices] == [False, False, True]
    assert "The workaround is on where it could be read back" in result.message
    assert any("expc3.example.test cannot be reached" in step.text for step in result.open_steps)


def test_what_worked_and_breaks_stops_the_run_before_the_next_peer(desk: Desk) -> None:
    # Given a verifier that refuses everything by a list which holds the first addition
    cluster = story()
    plan = plan_for(cluster)
    refusal = next(verdict for verdict in verify_snapshot(cluster.snapshot()).values() if not verdict.ok)

    def judge(snapshot: Snapshot) -> Verdicts:
        verdicts = verify_snapshot(snapshot)
        is_between_peers = len(snapshot.peers) == 1 and cluster.writes
        return dict.fromkeys(verdicts, refusal) if is_between_peers else verdicts

    # When the plan is applied
    result = desk.apply(cluster, plan, {"judge": judge})
    # Then the other peers were never written to
    assert {write.peer for write in cluster.writes} == {cluster.device(1).address}
    assert "Passed before, fails now" in result.message
    assert result.exit_code == 3


def test_what_others_break_during_an_apply_is_seen_at_its_end(desk: Desk) -> None:
    # Given a first peer that loses the corporate root while the second one is changed
    cluster = story()
    plan = plan_for(cluster)

    def lose_the_root(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and cluster.sent_count == 1:
            cluster.device(1).trusted.remove(CORPORATE.certificate)

    cluster.tap = lose_the_root
    # When the plan is applied, Then it fails, and does not claim that the start state is there
    result = desk.apply(cluster, plan)
    assert result.exit_code == 8
    assert "should pass after the plan, but fail" in result.message


def test_replication_that_does_not_come_is_a_failure(desk: Desk) -> None:
    cluster = story()
    cluster.lag = 10_000
    result = desk.apply(cluster, plan_for(cluster))
    assert "ReverseProxyTLSCiphers did not replicate from the primary" in result.message
    assert cluster.device(1).ciphers[REVERSE_PROXY_CIPHERS] == story().device(1).ciphers[REVERSE_PROXY_CIPHERS]
    assert result.exit_code == 3


def test_without_the_primary_a_cipher_list_is_an_open_step(desk: Desk) -> None:
    # Given a primary that went down after the plan was made
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(1).up = False
    # When the plan is applied to what answers
    result = desk.apply(cluster, plan, allow_incomplete=True)
    # Then the cipher list is for a person, no other peer gets it, and what was trusted for others is not undone for its sake
    assert any(message.startswith("The primary could not be read: ") for message in desk.messages("manual-step"))
    assert not any(write.action.startswith("cipher") for write in cluster.writes)
    assert (result.exit_code, result.state) == (8, "partial")
    assert any(step.text.startswith("The primary could not be read: ") for step in result.open_steps)
    assert IMP.certificate in cluster.device(2).trusted


@pytest.mark.parametrize("on_failure", ["rollback", "workaround"])
def test_a_login_that_is_refused_on_the_way_back_ends_that_too(desk: Desk, on_failure: str) -> None:
    # Given a device that refuses a write, and then the login
    cluster = story()
    cluster.faults = {3: "refuse"}

    def refuse(point: str) -> None:
        if point.startswith("before ") and "on expc" in point and desk.messages("apply-failed"):
            raise LoginRefused("expc2 refuses the login.")

    cluster.tap = refuse
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster), on_failure=on_failure)
    # Then the run is closed, nothing more was sent, and a person is told why and how to go on
    assert (result.exit_code, result.state, cluster.sent_count) == (8, "partial", 3)
    assert desk.journal().run("last").state == "partial"
    assert "During the rollback: expc2 refuses the login." in result.message
    assert f"remediate rollback {result.run_id}" in result.message


def test_a_broken_journal_hides_neither_reason_nor_next_step(desk: Desk) -> None:
    # Given a journal that something spoils, right before a login is refused
    cluster = story()

    def spoil(point: str) -> None:
        if point == "before trusted_ca on expc3.example.test" and len(cluster.writes) == 2:
            with closing(sqlite3.connect(desk.state_dir / FILE_NAME)) as db:
                db.execute("ALTER TABLE runs RENAME TO gone")
            raise LoginRefused("expc3 refuses the login.")

    cluster.tap = spoil
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then both are said
    assert (result.exit_code, result.state) == (8, "unknown")
    for part in ("expc3 refuses the login.", "no such table: runs", f"remediate rollback {result.run_id}"):
        assert part in result.message


def test_a_write_on_a_reading_path_is_reported_as_a_bug(desk: Desk) -> None:
    cluster = story()

    def stopped(point: str) -> None:
        if point.startswith("before append"):
            raise WriteForbidden("expc1 was opened for reading.")

    cluster.tap = stopped
    with pytest.raises(WriteForbidden):
        desk.apply(cluster, plan_for(cluster))
    assert cluster.sent_count == 0
