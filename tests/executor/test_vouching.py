"""Who vouches for a certificate is established at apply; the plan's own word counts for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.preflight import refuse_incomplete
from remediate.executor.vouching import describe_approvals
from remediate.formats import plan_document, plan_id
from remediate.model.approvals import ApprovedCertificate
from remediate.model.errors import Declined, IncompletePlan, StalePlan
from remediate.model.identity import Address
from remediate.model.plan import Approval, Plan, Policy, TrustCertificate, Unresolved
from remediate.model.snapshot import Alarm, Snapshot
from remediate.model.verdict import Cause
from remediate.planner import make_plan
from tests.executor.clusters import CORPORATE, IMP, approvals_of, endpoint, plan_for, story
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


@pytest.mark.parametrize("word", ["vouched", "granted"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_approval_written_into_the_plan_counts_for_nothing(desk: Desk, word: Approval, dry_run: bool) -> None:
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
    peers = tuple(device.address for device in cluster.devices)
    stranger = TrustCertificate("a9", STRANGER.fingerprint, peers, "root", "vouched", ("imp.example.test:8443",))
    plan = forged(plan, *trusted(plan), stranger)
    # When it is applied, even with a person's approval for all of it
    with pytest.raises(StalePlan, match="A stranger's authority"):
        desk.apply(cluster, plan, approved=[*plan.certificates])
    assert cluster.sent_count == 0


def test_a_certificate_needed_no_more_makes_the_plan_stale(desk: Desk) -> None:
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


def test_an_unobserved_endpoint_makes_no_certificate_unneeded(desk: Desk) -> None:
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
    with pytest.raises(Declined, match="The plan file says vouched, but that alone does not count"):
        desk.apply(cluster, plan)
    assert cluster.sent_count == 0


def test_certificates_approved_together_are_listed_together() -> None:
    plan = plan_for(story(), ciphers="keep")
    fingerprints = [certificate.certificate for certificate in trusted(plan)]
    approvals = approvals_of(*fingerprints)

    together = describe_approvals(plan, approvals)
    apart = describe_approvals(plan, approvals[:1])

    assert len(fingerprints) > 1
    assert together[0].startswith(
        f"{len(fingerprints)} certificates, approved together (approved by the operator with --approve, anna, "
    )
    assert all(any(fingerprint in line for line in together[1:]) for fingerprint in fingerprints)
    assert len(apart) == 1
    assert apart[0].endswith("approved by the operator with --approve, anna, 2026-11-23T10:00:00Z.")


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
    cluster.device(1).up = False
    with pytest.raises(Declined) as refused:
        desk.apply(cluster, plan, allow_incomplete=True, approved=[IMP.certificate.fingerprint])
    # Then a person has to say so
    assert CORPORATE.certificate.fingerprint in str(refused.value)
    assert "What expc1.example.test trusts could not be read" in str(refused.value)
    assert cluster.sent_count == 0


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


def test_an_endpoint_with_an_ipv6_address_is_named_with_brackets() -> None:
    plan = plan_for(story())
    unseen = Unresolved(Address("2001:db8::10"), 8443, Cause.UNREACHABLE, "Look.")
    with pytest.raises(IncompletePlan, match=r"incomplete: \[2001:db8::10\]:8443 could not be observed"):
        refuse_incomplete(replace(plan, complete=False, unresolved=(unseen,)))
