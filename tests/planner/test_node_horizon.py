"""What changes by the calendar toward the nodes: the peers' own certificates, and what the nodes' stores hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from remediate.cli.codes import horizon_exit_code
from remediate.formats import read_plan, write_plan
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import FutureTowardNode, Policy
from remediate.model.snapshot import Snapshot
from remediate.model.toward_nodes import ClientCause, Node
from remediate.planner import make_plan
from remediate.planner.node_horizon import foresee_all, foresee_nodes
from remediate.report.view import describe_changes
from remediate.trust.node_verifier import verify_toward_nodes
from tests.pki import NOW, Entity, issue
from tests.planner.build import peer, snapshot

DAY = timedelta(days=1)
UNTIL = NOW + 90 * DAY


def root(lasts: timedelta) -> Entity:
    return issue("Edge Root", ca=True, starts=-DAY, lasts=lasts)


def cluster(ca: Entity, own: Entity, held: tuple[Entity, ...]) -> Snapshot:
    """One peer that shows `own`, and one IM and Presence node whose store holds `held`."""
    observed = snapshot([peer(1, [ca])], [], [ca, own, *held], vouched=[ca])
    fingerprints: tuple[Fingerprint, ...] = tuple(entity.certificate.fingerprint for entity in held)
    node = Node(Address("imp.test"), "imp", trust={"cup-xmpp": fingerprints}, by="certmgr")
    client = replace(observed.peers[0], server_certificate=(own.certificate.fingerprint,))
    return replace(observed, peers=(client,), nodes=(node,))


def own_of(ca: Entity, *, starts: timedelta = -DAY, lasts: timedelta = 1000 * DAY) -> Entity:
    return issue("expc1.example.test", ca, names=("expc1.example.test",), starts=starts, lasts=lasts)


def turns(observed: Snapshot) -> list[tuple[datetime, bool, ClientCause | None]]:
    return [(change.at, change.ok, change.cause) for change in foresee_nodes(observed, UNTIL)]


def test_the_future_has_the_end_of_a_peers_own_certificate() -> None:
    ca = root(1000 * DAY)
    own = own_of(ca, lasts=31 * DAY)

    [change] = foresee_nodes(cluster(ca, own, (ca,)), UNTIL)

    assert (change.at, change.ok, change.cause) == (NOW + 30 * DAY, False, ClientCause.EXPIRED)
    assert (change.peer, change.node, change.store) == ("expc1.test", "imp.test", "cup-xmpp")
    assert change.because == (own.certificate.fingerprint,)


def test_the_future_has_the_end_of_a_root_in_a_store() -> None:
    ca = root(31 * DAY)

    [change] = foresee_nodes(cluster(ca, own_of(ca), (ca,)), UNTIL)

    assert (change.at, change.ok) == (NOW + 30 * DAY, False)
    assert change.because == (ca.certificate.fingerprint,)


def test_what_is_not_valid_yet_is_accepted_from_then_on() -> None:
    ca = root(1000 * DAY)

    assert turns(cluster(ca, own_of(ca, starts=5 * DAY), (ca,))) == [(NOW + 5 * DAY, True, None)]


def test_nothing_is_foreseen_for_an_unread_node() -> None:
    ca = root(31 * DAY)
    observed = cluster(ca, own_of(ca), (ca,))
    unread = replace(observed, nodes=(replace(observed.nodes[0], error="refused"),))

    assert turns(unread) == []


def test_between_two_changes_no_answer_changes() -> None:
    ca = root(60 * DAY)
    observed = cluster(ca, own_of(ca, starts=5 * DAY, lasts=40 * DAY), (ca,))
    future = foresee_nodes(observed, UNTIL)

    for days in range(90):
        at = NOW + days * DAY
        [toward] = verify_toward_nodes(replace(observed, taken_at=at))
        [first] = verify_toward_nodes(observed)
        passed = [change for change in future if change.at <= at]
        last = passed[-1] if passed else first
        assert (toward.ok, toward.cause) == (last.ok, last.cause)


def test_a_plan_file_keeps_the_future_of_the_nodes() -> None:
    ca = root(1000 * DAY)
    observed = cluster(ca, own_of(ca, lasts=31 * DAY), (ca,))

    plan = make_plan(observed, Policy(horizon=90 * DAY))

    assert [type(change) for change in plan.future or ()] == [FutureTowardNode]
    assert read_plan(write_plan(plan)) == plan
    [sentence] = describe_changes(plan.future or (), plan.certificates)
    assert "cup-xmpp-trust of imp.test refuses (client-expired) the certificate of expc1.test" in sentence
    assert horizon_exit_code(plan, foresee_all(observed, UNTIL)) is ExitCode.ENDPOINTS_REMAIN


@pytest.mark.parametrize(("cucm_trust", "expected"), [(False, ClientCause.UNTRUSTED), (True, None)])
def test_uploads_that_are_planned_count_in_the_future(cucm_trust: bool, expected: ClientCause | None) -> None:
    ca = root(1000 * DAY)
    observed = cluster(ca, own_of(ca, lasts=31 * DAY), ())

    plan = make_plan(observed, Policy(horizon=90 * DAY, cucm_trust=cucm_trust))

    [toward] = plan.toward_nodes
    assert toward.cause is ClientCause.UNTRUSTED
    causes = [change.cause for change in plan.future or ()]
    assert causes == ([ClientCause.EXPIRED] if expected is None else causes)
