"""What refuses an apply before its first write: an incomplete plan, a peer that is down, a missing approval, another cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.model.errors import Declined, IncompletePlan, UsageError
from remediate.model.snapshot import DiscoveryGap
from tests.executor.clusters import (
    CUCM_EC,
    IMP,
    plan_for,
    story,
)
from tests.executor.conftest import Desk


def test_an_incomplete_plan_is_refused_unless_allowed(desk: Desk) -> None:
    # Given a plan that was made while a peer was down
    cluster = story()
    cluster.device(3).up = False
    plan = plan_for(cluster)
    assert not plan.complete
    # When it is applied, Then it is refused
    with pytest.raises(IncompletePlan):
        desk.apply(cluster, plan)
    assert cluster.sent_count == 0
    with pytest.raises(IncompletePlan):
        desk.apply(cluster, plan, dry_run=True)
    # When that is allowed, Then a dry run says what is to come
    rehearsed = desk.apply(cluster, plan, dry_run=True, allow_incomplete=True)
    assert (rehearsed.exit_code, "could not be checked" in rehearsed.message) == (0, True)
    # And the others get it, and the exit code says that not everything was seen
    result = desk.apply(cluster, plan, allow_incomplete=True)
    assert result.exit_code == 4
    assert IMP.certificate in cluster.device(1).trusted


def test_a_plan_made_while_discovery_could_not_ask_is_refused(desk: Desk) -> None:
    cluster = story()
    message = "cucm.example.test could not be queried over AXL: the database is away."
    cluster.undiscovered = (DiscoveryGap("cucm.example.test", "axl", "not-asked", incomplete=True, message=message),)
    plan = plan_for(cluster)

    with pytest.raises(IncompletePlan, match="the database is away") as refused:
        desk.apply(cluster, plan)

    rehearsed = desk.apply(cluster, plan, dry_run=True, allow_incomplete=True)
    assert (rehearsed.exit_code, "the database is away" in rehearsed.message) == (0, True)
    assert (refused.value.exit_code, cluster.sent_count) == (4, 0)
    result = desk.apply(cluster, plan, allow_incomplete=True)
    assert (result.has_written, result.exit_code) == (True, 4)
    assert "the database is away" in result.message


def test_discovery_that_fails_in_the_last_look_ends_with_4(desk: Desk) -> None:
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
    cluster.device(2).version = "X15.2.0"

    result = desk.apply(cluster, plan)

    assert result.has_written
    [warning] = [text for text in desk.messages("warning") if "X15.2.0" in text]
    assert warning.startswith("expc2.example.test runs X15.2.0 now, and ran X14.2.1")


def test_a_peer_that_is_down_now_refuses_the_plan(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(2).up = False
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
    with pytest.raises(IncompletePlan, match=r"The result of the plan cannot be checked now: imp\.example\.test:8443"):
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


def test_an_approval_covers_one_certificate_only(desk: Desk) -> None:
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
    assert recorded[IMP.certificate.fingerprint].how == "approved by the operator with --approve"
    assert recorded[IMP.certificate.fingerprint].approver == "anna"
    assert recorded[IMP.certificate.fingerprint].at == "2026-11-23T10:00:00Z"


def test_a_plan_for_another_cluster_is_refused(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.name = "another"
    with pytest.raises(UsageError, match="another"):
        desk.apply(cluster, plan)
