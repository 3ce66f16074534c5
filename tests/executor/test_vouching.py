"""Who vouches for a certificate is established at apply; the plan's own word counts for nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.approval_store import ApprovalsUnusable, record_approvals, recorded_approvals
from remediate.executor.preflight import refuse_incomplete
from remediate.formats import plan_document, plan_id
from remediate.model.approvals import Approvals, ApprovedCertificate
from remediate.model.errors import Declined, IncompletePlan, StalePlan
from remediate.model.identity import Address, PlanId
from remediate.model.plan import Approval, Plan, Policy, TrustCertificate, Unresolved
from remediate.model.snapshot import Alarm, Snapshot
from remediate.model.verdict import Cause
from remediate.planner import make_plan
from tests.executor.clusters import CORPORATE, CUCM_EC, IMP, approvals_of, endpoint, plan_for, story
from tests.executor.conftest import Desk
from tests.pki import issue

STRANGER = issue("A stranger's authority", ca=True).certificate


def forged(plan: Plan, *actions: TrustCertificate) -> Plan:
    """`plan` with other certificates to trust, and the id that belongs to it: anybody can compute it."""
    unrelated = tuple(action for action in plan.actions if not isinstance(action, TrustCertificate))
    new_plan = replace(plan, actions=(*actions, *unrelated), certificates={**plan.certificates, STRANGER.fingerprint: STRANGER})
    return Plan.from_json(replace(new_plan, id=plan_id(plan_document(new_plan))).to_json())


def trusted(plan: Plan) -> list[TrustCertificate]:
    """What `plan` would trust."""
    return [action for action in plan.actions if isinstance(action, TrustCertificate)]


def recorded(desk: Desk, plan: Plan, *approvals: ApprovedCertificate) -> None:
    """What `plan` or `approve` recorded on this machine."""
    record_approvals(desk.state_dir, Approvals(plan.id, approvals))


@pytest.mark.parametrize("word", ["vouched", "granted"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_word_that_was_written_into_the_plan_counts_for_nothing(desk: Desk, word: Approval, dry_run: bool) -> None:
    # Given a plan with a certificate that nobody vouches for, whose word for that was changed, with an id that fits
    cluster = story()
    plan = plan_for(cluster, approved=frozenset())
    plan = forged(plan, *(replace(certificate, approval=word) for certificate in trusted(plan)))
    # When it is applied without an approval
    with pytest.raises(Declined) as refused:
        desk.apply(cluster, plan, approved=(), dry_run=dry_run)
    # Then that is refused, the flag is named, and what the lists vouch for is not asked for
    for part in ("--approve", IMP.certificate.fingerprint, "CN=imp.example.test", "imp.example.test:8443", word):
        assert part in str(refused.value)
    assert CORPORATE.certificate.fingerprint not in str(refused.value)
    assert (refused.value.exit_code, cluster.sent_count) == (7, 0)


def test_an_authority_that_was_put_into_the_plan_is_refused(desk: Desk) -> None:
    # Given the plan with one more certificate, which it calls vouched for and needed
    cluster = story()
    plan = plan_for(cluster)
    peers = tuple(box.address for box in cluster.boxes)
    stranger = TrustCertificate("a9", STRANGER.fingerprint, peers, "root", "vouched", ("imp.example.test:8443",))
    plan = forged(plan, *trusted(plan), stranger)
    # When it is applied, even with a person's approval for all of it
    with pytest.raises(StalePlan, match="A stranger's authority"):
        desk.apply(cluster, plan, approved=[*plan.certificates])
    assert cluster.sent_count == 0


def test_a_certificate_needed_no_more_makes_it_stale(desk: Desk) -> None:
    # Given a plan that trusts the IM&P node's own certificate, which meanwhile got one of the corporate authority
    cluster = story()
    plan = plan_for(cluster)
    signed = issue("imp.example.test", CORPORATE, names=("imp.example.test",), family="rsa")
    cluster.certificates[signed.certificate.fingerprint] = signed.certificate
    cluster.endpoints = (*cluster.endpoints[:2], endpoint("imp.example.test", 8443, signed, product="imp"))
    # When it is applied
    with pytest.raises(StalePlan) as refused:
        desk.apply(cluster, plan)
    # Then that certificate is named with the peers, and the one that is needed still is not
    assert IMP.certificate.fingerprint in str(refused.value)
    assert "expc1.example.test, expc2.example.test, expc3.example.test" in str(refused.value)
    assert CORPORATE.certificate.fingerprint not in str(refused.value)
    assert (refused.value.exit_code, cluster.sent_count) == (6, 0)


def test_what_cannot_be_looked_at_makes_no_certificate_needless(desk: Desk) -> None:
    # Given a plan whose IM&P node does not answer now
    cluster = story()
    plan = plan_for(cluster)
    down = replace(cluster.endpoints[2], presented={}, error="unreachable: connection refused")
    cluster.endpoints = (*cluster.endpoints[:2], down)
    # When it is applied all the same, Then its certificate is not called needless
    assert desk.apply(cluster, plan, allow_incomplete=True).state == "applied"


def test_a_snapshot_that_vouches_for_all_is_not_believed(desk: Desk) -> None:
    cluster = story()
    snapshot = cluster.snapshot()
    lying = Snapshot.from_json(replace(snapshot, vouched_for=frozenset(snapshot.certificates)).to_json())
    plan = make_plan(lying, Policy())
    assert {certificate.approval for certificate in trusted(plan)} == {"vouched"}
    with pytest.raises(Declined, match="the plan file says vouched, but that alone does not count"):
        desk.apply(cluster, plan)
    assert cluster.sent_count == 0


def test_what_another_peer_trusts_now_needs_no_approval(desk: Desk) -> None:
    # Given a plan that needs the corporate root on the last peer, which the others trust
    cluster = story()
    plan = plan_for(cluster, approved=frozenset())
    approvals = [IMP.certificate.fingerprint]
    # When it is applied, Then the journal says who vouches for what
    result = desk.apply(cluster, plan, approved=approvals)
    how = {approval.fingerprint: approval.how for approval in desk.journal().approvals(result.run_id)}
    assert how[CORPORATE.certificate.fingerprint] == "confirmed: expc1.example.test trusts it"
    assert how[IMP.certificate.fingerprint] == "approved by the operator with --approve"


def test_a_peer_that_cannot_be_read_vouches_for_nothing(desk: Desk) -> None:
    # Given a certificate that the first peer alone trusted when the plan was made
    cluster = story(2)
    plan = plan_for(cluster)
    assert CORPORATE.certificate.fingerprint in {certificate.certificate for certificate in trusted(plan)}
    # When that peer cannot be read
    cluster.box(1).up = False
    with pytest.raises(Declined) as refused:
        desk.apply(cluster, plan, allow_incomplete=True, approved=[IMP.certificate.fingerprint])
    # Then a person has to say so
    assert CORPORATE.certificate.fingerprint in str(refused.value)
    assert "What expc1.example.test trusts could not be read" in str(refused.value)
    assert cluster.sent_count == 0


def test_approvals_are_recorded_under_the_id_of_the_plan(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    # Given two plans for one cluster, and approvals that were recorded for one of them
    cluster = story()
    plan, other_plan = plan_for(cluster), plan_for(cluster, ciphers="keep")
    assert plan.id != other_plan.id
    recorded(desk, plan, *approvals_of(IMP.certificate.fingerprint, CUCM_EC.certificate.fingerprint))
    # Then they count for that one on this machine, and nowhere else
    for machine, applied in ((desk, other_plan), (new_desk(), plan)):
        with pytest.raises(Declined):
            machine.apply(cluster, applied, approved=())
    assert cluster.sent_count == 0
    result = desk.apply(cluster, plan, approved=())
    assert result.state == "applied"
    how = {approval.fingerprint: (approval.approver, approval.at) for approval in desk.journal().approvals(result.run_id)}
    assert how[IMP.certificate.fingerprint] == ("anna", "2026-11-23T10:00:00Z")


@pytest.mark.parametrize(("how", "counts"), [("ca", False), ("approve", True)])
def test_a_disputed_certificate_needs_a_person_to_compare(desk: Desk, how: str, counts: bool) -> None:
    # Given an alarm about a certificate of the plan, so that the connection may be intercepted
    cluster = story()
    plan = plan_for(cluster, approved=frozenset())
    alarm = Alarm(IMP.certificate.fingerprint, "It shows another one.")
    environment = {
        "observe": lambda *_, **__: replace(cluster.snapshot(), alarms=(alarm,), vouched_for=frozenset({alarm.certificate}))
    }
    approval = ApprovedCertificate(alarm.certificate, "2026-11-23T10:00:00Z", "anna", how)
    # Then neither certificate management nor a CA file vouches for it
    if counts:
        assert desk.apply(cluster, plan, environment, approvals=(approval,)).state == "applied"
    else:
        with pytest.raises(Declined):
            desk.apply(cluster, plan, environment, approvals=(approval,))


def test_the_record_is_private_and_keeps_the_first_approval(desk: Desk) -> None:
    fingerprint = IMP.certificate.fingerprint
    first, later = (ApprovedCertificate(fingerprint, f"2026-11-2{day}T10:00:00Z", "anna", "terminal") for day in (3, 4))
    plan = PlanId("sha256:" + "1" * 64)
    for approval in (ApprovedCertificate(fingerprint, "2026-11-22T10:00:00Z", "ben", "ca"), first, later):
        record_approvals(desk.state_dir, Approvals(plan, (approval,)))
    assert recorded_approvals(desk.state_dir, plan) == (first,)
    [record] = (desk.state_dir / "approvals").iterdir()
    assert (record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def a_link(path: Path, genuine: str) -> None:
    path.with_suffix(".elsewhere").write_text(genuine)
    path.symlink_to(path.with_suffix(".elsewhere"))


def a_pipe(path: Path, genuine: str) -> None:
    os.mkfifo(path)


def for_others_to_write(path: Path, genuine: str) -> None:
    path.write_text(genuine)
    path.chmod(0o666)


def in_a_folder_for_others(path: Path, genuine: str) -> None:
    path.write_text(genuine)
    path.parent.chmod(0o777)


def of_another_plan(path: Path, genuine: str) -> None:
    path.write_text(genuine.replace(path.stem, "9" * 64))


def no_document(path: Path, genuine: str) -> None:
    path.write_text(genuine[:-20])


@pytest.mark.parametrize("put", [a_link, a_pipe, for_others_to_write, in_a_folder_for_others, of_another_plan, no_document])
def test_a_record_that_may_be_anybodys_is_not_believed(desk: Desk, put: Callable[[Path, str], None]) -> None:
    # Given something in the place of the record that this user alone did not write for this plan
    cluster = story()
    plan = plan_for(cluster)
    genuine = Approvals(plan.id, approvals_of(IMP.certificate.fingerprint)).to_json()
    folder = desk.state_dir / "approvals"
    folder.mkdir(mode=0o700, parents=True)
    desk.state_dir.chmod(0o700)
    put(folder / f"{plan.id.removeprefix('sha256:')}.json", genuine)
    # Then apply says so and stops, and nothing is added to it either
    with pytest.raises(ApprovalsUnusable) as refused:
        desk.apply(cluster, plan, approved=())
    assert refused.value.exit_code == 1
    with pytest.raises(ApprovalsUnusable):
        recorded(desk, plan, *approvals_of(IMP.certificate.fingerprint))
    assert cluster.sent_count == 0


def test_an_endpoint_with_an_ipv6_address_is_named_with_brackets() -> None:
    plan = plan_for(story())
    unseen = Unresolved(Address("2001:db8::10"), 8443, Cause.UNREACHABLE, "Look.")
    with pytest.raises(IncompletePlan, match=r"incomplete: \[2001:db8::10\]:8443 could not be observed"):
        refuse_incomplete(replace(plan, complete=False, unresolved=(unseen,)))
