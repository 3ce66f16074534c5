"""The whole walk, undisturbed; what refuses it before the first write; what it comes to when the plan does not come true."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from remediate.executor.journal.store import FILE_NAME
from remediate.executor.steps import MAY_FOLLOW, Step, StepSequence
from remediate.executor.verification import VerificationFailed
from remediate.model.errors import Declined, IncompletePlan, LoginRefused, UsageError, WriteForbidden
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.plan import TrustCertificate
from remediate.model.snapshot import DiscoveryGap, Snapshot
from remediate.model.verdict import Judgement
from remediate.trust.endpoint_verifier import verify_snapshot
from tests.executor.clusters import (
    CORPORATE,
    CUCM_EC,
    IMP,
    endpoint,
    plan_for,
    story,
)
from tests.executor.conftest import Desk
from tests.executor.crashing import story_after


def test_an_apply_reaches_the_plan_and_reads_everything_back(desk: Desk) -> None:
    # Given a plan of additions, a cipher list and a refresh
    cluster = story()
    plan = plan_for(cluster)
    # When it is applied
    result = desk.apply(cluster, plan, ticket="CHG-1")
    # Then every endpoint verifies, peers were written to in order, and ciphers after them on the primary alone
    assert (result.exit_code, result.state, result.has_written, result.open_steps) == (0, "applied", True, ())
    assert all(judgement.outcome.verdict.ok for judgement in result.judgements)
    assert cluster.state() == story_after(plan).state()
    assert [write.peer[:5] for write in cluster.writes] == ["expc1", "expc2", "expc3", "expc3", "expc1", "expc1"]
    assert cluster.writes[-2].action.startswith("cipher ReverseProxyTLSCiphers")
    assert cluster.writes[-1].action.startswith("refresh")


def test_the_steps_are_walked_as_the_specification_numbers_them(desk: Desk) -> None:
    cluster = story(peers=1)
    desk.apply(cluster, plan_for(cluster))
    numbers = [event.fields["step"] for event in desk.events if event.type == "step"]
    one_write = [5, 6, 7]
    assert numbers == [1, 2, 3, 4, 3, *one_write, 8, 9, *one_write, 10, 11, *one_write, 12, 13]


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


def test_an_illegal_order_cannot_be_walked() -> None:
    for now, allowed in MAY_FOLLOW.items():
        for step in Step:
            sequence = StepSequence(lambda _step: None, lambda _step: None)
            sequence.current = now
            if step in allowed or (step is Step.CLOSE and now not in {None, Step.CLOSE}):
                sequence.enter(step)
            else:
                with pytest.raises(RuntimeError):
                    sequence.enter(step)


def test_the_second_apply_changes_nothing(desk: Desk) -> None:
    # Given a cluster that the plan was applied to
    cluster = story()
    plan = plan_for(cluster)
    first = desk.apply(cluster, plan)
    writes = list(cluster.writes)
    # When it is applied again
    again = desk.apply(cluster, plan)
    # Then nothing is written, and no second run hides the first from `rollback last`
    assert (again.exit_code, again.has_written, again.run_id) == (0, False, first.run_id)
    assert cluster.writes == writes
    assert len(desk.journal().runs()) == 1


def test_before_is_what_this_apply_measured(desk: Desk) -> None:
    # Given a plan that was applied: endpoints that were refused when it was made verify now
    cluster = story()
    plan = plan_for(cluster)
    first = desk.apply(cluster, plan)
    assert not all(judgement.outcome.verdict.ok for judgement in first.judgements_before)
    # When it is applied again, Then what was before is what this run saw, not what the plan did
    again = desk.apply(cluster, plan)
    assert [judgement.outcome for judgement in again.judgements_before] == [judgement.outcome for judgement in again.judgements]


def test_an_endpoint_unseen_from_three_peers_counts_once(desk: Desk) -> None:
    # Given a node that went down after the plan was made
    cluster = story(3)
    plan = plan_for(cluster)
    last = cluster.endpoints[-1]
    cluster.endpoints = (*cluster.endpoints[:-1], replace(last, presented={}, error="unreachable: it is down"))
    # When the plan is applied all the same, Then the message counts one endpoint, not three pairs
    result = desk.apply(cluster, plan, allow_incomplete=True)
    assert result.exit_code == 4
    assert "1 endpoint could not be looked at." in result.message


def test_changes_made_by_hand_are_no_result_of_an_undone_run(desk: Desk) -> None:
    # Given a run that was rolled back, and a person who then did all that the plan wants
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    desk.rollback(cluster)
    cluster.boxes = story_after(plan).boxes
    # When the plan is applied, Then there is nothing to do, and no run is said to have done it
    again = desk.apply(cluster, plan)
    assert (again.exit_code, again.has_written, again.run_id) == (0, False, "")


def test_what_somebody_added_by_hand_since_is_less_to_do(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.box(2).trusted.append(IMP.certificate)
    result = desk.apply(cluster, plan)
    assert result.exit_code == 0
    assert cluster.box(2).trusted.count(IMP.certificate) == 1
    # And it is not ours to remove
    desk.rollback(cluster)
    assert IMP.certificate in cluster.box(2).trusted
    assert IMP.certificate not in cluster.box(1).trusted


def test_an_incomplete_plan_is_refused_unless_allowed(desk: Desk) -> None:
    # Given a plan that was made while a peer was down
    cluster = story()
    cluster.box(3).up = False
    plan = plan_for(cluster)
    assert not plan.complete
    # When it is applied, Then it is refused
    with pytest.raises(IncompletePlan):
        desk.apply(cluster, plan)
    assert cluster.sent_count == 0
    # When that is allowed, Then the others get it, and the exit code says that not everything was seen
    result = desk.apply(cluster, plan, allow_incomplete=True)
    assert result.exit_code == 4
    assert IMP.certificate in cluster.box(1).trusted


def test_a_plan_made_while_discovery_could_not_ask_is_refused(desk: Desk) -> None:
    cluster = story()
    message = "cucm.example.test could not be asked over AXL: the database is away."
    cluster.undiscovered = (DiscoveryGap("cucm.example.test", "axl", "not-asked", incomplete=True, message=message),)
    plan = plan_for(cluster)

    with pytest.raises(IncompletePlan, match="the database is away") as refused:
        desk.apply(cluster, plan)

    assert (refused.value.exit_code, cluster.sent_count) == (4, 0)
    result = desk.apply(cluster, plan, allow_incomplete=True)
    assert (result.has_written, result.exit_code) == (True, 4)
    assert "the database is away" in result.message


def test_discovery_that_fails_in_the_last_look_is_no_success(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    gap = DiscoveryGap("cucm.example.test", "axl", "not-asked", incomplete=True, message="AXL is away.")

    def go_away(point: str) -> None:
        cluster.undiscovered = (gap,) if cluster.writes and point == "observe" else cluster.undiscovered

    cluster.tap = go_away

    result = desk.apply(cluster, plan)

    assert (result.state, result.exit_code) == ("applied", 4)
    assert "an endpoint may be missing: AXL is away." in result.message


def test_peers_upgraded_since_the_plan_are_warned_of(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.box(2).version = "X15.2.0"

    result = desk.apply(cluster, plan)

    assert result.has_written
    [warning] = [text for text in desk.messages("warning") if "X15.2.0" in text]
    assert warning.startswith("expc2.example.test runs X15.2.0 now, and ran X14.2.1")


def test_a_peer_that_is_down_now_refuses_the_plan(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.box(2).up = False
    with pytest.raises(IncompletePlan, match="expc2"):
        desk.apply(cluster, plan)
    assert cluster.sent_count == 0


def test_a_promise_that_cannot_be_looked_at_now_refuses_the_plan(desk: Desk) -> None:
    # Given a node that the plan mends, and that does not answer any more
    cluster = story()
    plan = plan_for(cluster)
    cluster.endpoints = tuple(
        replace(service, error="unreachable: no route to host") if service.address == "imp.example.test" else service
        for service in cluster.endpoints
    )
    # When the plan is applied, Then it is refused, with the node, before anything is trusted for its sake
    with pytest.raises(IncompletePlan, match=r"What the plan promises cannot be checked now: imp\.example\.test:8443"):
        desk.apply(cluster, plan)
    assert cluster.sent_count == 0


def test_without_an_approval_the_certificate_is_shown_only(desk: Desk) -> None:
    # Given a plan with a certificate that nobody vouches for
    cluster = story()
    plan = plan_for(cluster, approved=frozenset())
    # When it is applied
    with pytest.raises(Declined) as refused:
        desk.apply(cluster, plan)
    # Then the message says which, whose, and where it was seen
    for part in (IMP.certificate.fingerprint, "CN=imp.example.test", "imp.example.test:8443"):
        assert part in str(refused.value)
    assert (refused.value.exit_code, cluster.sent_count) == (7, 0)
    assert desk.journal().runs() == ()


def test_an_approval_is_for_one_certificate_and_no_other(desk: Desk) -> None:
    # Given a plan with two certificates that nobody vouches for, of which a person approved one
    cluster = story()
    plan = plan_for(cluster, approved=frozenset(), ciphers="keep")
    with pytest.raises(Declined) as refused:
        desk.apply(cluster, plan, approved=frozenset({IMP.certificate.fingerprint}))
    # Then the other one alone is asked for, and nothing is written
    assert CUCM_EC.certificate.fingerprint in str(refused.value)
    assert IMP.certificate.fingerprint not in str(refused.value)
    assert cluster.sent_count == 0


def test_an_approval_counts_when_the_run_is_resumed(desk: Desk) -> None:
    # Given a run with an approval of its own that stopped half way
    cluster = story()
    cluster.faults = {3: "refuse"}
    plan = plan_for(cluster, approved=frozenset())
    approved = frozenset({IMP.certificate.fingerprint})
    assert desk.apply(cluster, plan, approved=approved, on_failure="stop").state == "partial"
    # When it is gone on with, Then nobody is asked again
    assert desk.apply(cluster, plan).exit_code == 0


def test_an_approval_is_recorded_with_who_when_and_how(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster, approved=frozenset())
    result = desk.apply(cluster, plan, approved=frozenset({IMP.certificate.fingerprint}))
    recorded = {approval.fingerprint: approval for approval in desk.journal().approvals(result.run_id)}
    assert recorded[IMP.certificate.fingerprint].how == "approved by a person with --approve"
    assert recorded[IMP.certificate.fingerprint].approver == "anna"
    assert recorded[IMP.certificate.fingerprint].at == "2026-11-23T10:00:00Z"


def test_a_plan_for_another_cluster_is_refused(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.name = "another"
    with pytest.raises(UsageError, match="another"):
        desk.apply(cluster, plan)


def test_a_refresh_by_hand_is_a_reminder_and_no_open_step(desk: Desk) -> None:
    cluster = story()
    cluster.publishers = tuple(replace(publisher, refresh="person") for publisher in cluster.publishers)
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.open_steps) == (0, ())
    assert any("Unified CM servers > Refresh servers" in text for text in desk.messages("manual-step"))


def test_a_refused_refresh_is_an_open_step_and_undoes_nothing(desk: Desk) -> None:
    cluster = story()
    cluster.refuse_refresh = True
    result = desk.apply(cluster, plan_for(cluster))
    assert result.exit_code == 0
    assert any("Socket Error" in text for text in desk.messages("warning"))


def test_an_endpoint_lost_by_an_undone_refresh_is_an_open_step(desk: Desk) -> None:
    # Given a plan whose refresh only a person can do
    cluster = story()
    cluster.publishers = tuple(replace(publisher, refresh="person") for publisher in cluster.publishers)
    plan = plan_for(cluster)
    # When an endpoint is not discovered any more once everything is written
    endpoints = cluster.endpoints
    cluster.tap = lambda _point: setattr(cluster, "endpoints", endpoints[1:] if len(cluster.writes) == 5 else endpoints)
    result = desk.apply(cluster, plan)
    # Then the step is open, and nothing is called a failure
    assert (result.exit_code, result.state) == (8, "partial")
    assert "Refresh servers" in result.open_steps[0].text


def test_what_the_plan_cannot_fix_is_exit_code_10(desk: Desk) -> None:
    cluster = story()
    wrong_name = endpoint("10.0.0.9", 8443, IMP, product="imp")
    cluster.endpoints = (*cluster.endpoints, wrong_name)
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state) == (10, "applied")


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
    cluster.tap = lambda _point: setattr(cluster.box(3), "up", cluster.sent_count < 4)
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
            cluster.box(1).trusted.remove(CORPORATE.certificate)

    cluster.tap = lose_the_root
    # When it is applied again, Then that is said, and nothing is written or undone
    with pytest.raises(VerificationFailed, match="they are refused: cucm"):
        desk.apply(cluster, plan)
    assert cluster.sent_count == sent_count
    assert [run.state for run in desk.journal().runs()] == ["applied"]


def test_on_failure_stop_leaves_everything_and_says_how_to_go_on(desk: Desk) -> None:
    cluster = story()
    cluster.faults = {3: "refuse"}
    result = desk.apply(cluster, plan_for(cluster), on_failure="stop")
    assert (result.exit_code, result.state) == (8, "partial")
    assert f"remediate rollback {result.run_id}" in result.message
    assert IMP.certificate in cluster.box(1).trusted


def test_on_failure_workaround_turns_verification_off_on_every_peer(desk: Desk) -> None:
    # Given a box that refuses
    cluster = story()
    cluster.faults = {3: "refuse"}
    # When the plan is applied with the workaround as the way out
    result = desk.apply(cluster, plan_for(cluster), on_failure="workaround")
    # Then verification is off everywhere, a person must end it, and a rollback of the run turns it on again
    assert [box.verify for box in cluster.boxes] == [False, False, False]
    assert (result.exit_code, result.state) == (8, "partial")
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_on_failure_workaround_claims_nothing_of_a_peer_that_is_down(desk: Desk) -> None:
    # Given a peer that was down when the plan was made, and a box that refuses
    cluster = story()
    cluster.box(3).up = False
    cluster.faults = {2: "refuse"}
    # When the plan is applied to the others, with the workaround as the way out
    result = desk.apply(cluster, plan_for(cluster), on_failure="workaround", allow_incomplete=True)
    # Then the peer that was not reached is for a person
    assert [box.verify for box in cluster.boxes] == [False, False, True]
    assert "The workaround is on where it could be read back" in result.message
    assert any("expc3.example.test cannot be reached" in step.text for step in result.open_steps)


def test_what_worked_and_breaks_stops_the_run_before_the_next_peer(desk: Desk) -> None:
    # Given a verifier that refuses everything by a list which holds the first addition
    cluster = story()
    plan = plan_for(cluster)
    refusal = next(judgement.outcome for judgement in verify_snapshot(cluster.snapshot()) if not judgement.outcome.verdict.ok)

    def judge(snapshot: Snapshot) -> Sequence[Judgement]:
        judgements = verify_snapshot(snapshot)
        is_between_peers = len(snapshot.peers) == 1 and cluster.writes
        return [replace(judgement, outcome=refusal) for judgement in judgements] if is_between_peers else judgements

    # When the plan is applied
    result = desk.apply(cluster, plan, {"judge": judge})
    # Then the other peers were never written to
    assert {write.peer for write in cluster.writes} == {cluster.box(1).address}
    assert "worked before is refused now" in result.message
    assert result.exit_code == 3


def test_what_others_break_during_an_apply_is_seen_at_its_end(desk: Desk) -> None:
    # Given a first peer that loses the corporate root while the second one is changed
    cluster = story()
    plan = plan_for(cluster)

    def lose_the_root(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and cluster.sent_count == 1:
            cluster.box(1).trusted.remove(CORPORATE.certificate)

    cluster.tap = lose_the_root
    # When the plan is applied, Then it fails, and does not claim that the start state is there
    result = desk.apply(cluster, plan)
    assert result.exit_code == 8
    assert "they are refused" in result.message


def test_replication_that_does_not_come_is_a_failure(desk: Desk) -> None:
    cluster = story()
    cluster.lag = 10_000
    result = desk.apply(cluster, plan_for(cluster))
    assert "did not take over ReverseProxyTLSCiphers" in result.message
    assert cluster.box(1).ciphers[REVERSE_PROXY_CIPHERS] == story().box(1).ciphers[REVERSE_PROXY_CIPHERS]
    assert result.exit_code == 3


def test_only_re_encoded_der_of_the_plan_goes_out(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    certificates = {action.certificate for action in plan.actions if isinstance(action, TrustCertificate)}
    assert {
        write.action.removeprefix("append ") for write in cluster.writes if write.action.startswith("append")
    } == certificates


def test_what_somebody_took_out_again_is_all_there_is_to_do(desk: Desk) -> None:
    # Given an applied plan, and one of two certificates that somebody took out of one list again
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    cluster.box(3).trusted.remove(IMP.certificate)
    before = len(cluster.writes)
    # When the plan is applied again, Then that one is put back, and nothing else is written to a list
    assert desk.apply(cluster, plan).state == "applied"
    assert [write.action for write in cluster.writes[before:] if write.action.startswith("append")] == [
        f"append {IMP.certificate.fingerprint}"
    ]


def test_without_the_primary_a_cipher_list_is_an_open_step(desk: Desk) -> None:
    # Given a primary that went down after the plan was made
    cluster = story()
    plan = plan_for(cluster)
    cluster.box(1).up = False
    # When the plan is applied to what answers
    result = desk.apply(cluster, plan, allow_incomplete=True)
    # Then the cipher list is for a person, no other peer gets it, and what was trusted for others is not undone for its sake
    assert any(message.startswith("The primary could not be read: ") for message in desk.messages("manual-step"))
    assert not any(write.action.startswith("cipher") for write in cluster.writes)
    assert (result.exit_code, result.state) == (8, "partial")
    assert any(step.text.startswith("The primary could not be read: ") for step in result.open_steps)
    assert IMP.certificate in cluster.box(2).trusted


@pytest.mark.parametrize("on_failure", ["rollback", "workaround"])
def test_a_login_that_is_refused_on_the_way_back_ends_that_too(desk: Desk, on_failure: str) -> None:
    # Given a box that refuses a write, and then the login
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
    assert "On the way back: expc2 refuses the login." in result.message
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
