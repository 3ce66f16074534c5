"""The best plan among very many, and where a list has to be cleared first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate import Cause, Certificate, Plan, Policy, make_plan
from remediate.model.errors import FormatError
from remediate.model.identity import CipherList, Fingerprint, KeyFamily
from remediate.model.plan import RemoveCertificate, SetCiphers, TrustCertificate
from remediate.model.snapshot import Preference, Snapshot
from tests.pki import NOW, YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot
from tests.properties.clusters import DEFAULT_CIPHERS, RSA_FIRST

NODE = "node.lab"
FEW = "were tried"

root = issue("Exact root", ca=True)
issuing = issue("Exact issuing", root, ca=True)
leaf = issue(NODE, issuing, names=(NODE,))
unreadable = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), root.private_key, root.name)
removing = Policy(allow_removal=True)


def count_verified(plan: Plan) -> int:
    return sum(forecast.after.ok for forecast in plan.endpoints)


def added(plan: Plan) -> set[str]:
    return {action.certificate for action in plan.actions if isinstance(action, TrustCertificate)}


def removed(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {action.certificate: action.because for action in plan.actions if isinstance(action, RemoveCertificate)}


def fingerprints(*entities: Entity) -> set[str]:
    return {entity.certificate.fingerprint for entity in entities}


def stale(number: int) -> Entity:
    """Issue an old copy of the issuing CA, which wins over the good one that is presented."""
    return issue("Exact issuing", root, ca=True, starts=-(3 + number) * YEAR, lasts=YEAR)


@pytest.mark.parametrize("depth", [3, 6])
def test_a_path_is_found_among_many_cross_certificates(depth: int) -> None:
    # Given a leaf that needs a chain of CAs, and 40 cross-certificates of its issuer, each under a bridge that leads nowhere
    chain = [issue("D0", ca=True)]
    for number in range(1, depth):
        chain.append(issue(f"D{number}", chain[-1], ca=True, key_name=f"D{number}"))
    missing = issue("Gone", ca=True)
    bridges = [issue(f"Bridge {number}", missing, ca=True) for number in range(40)]
    crosses = [issue(f"D{depth - 1}", bridge, ca=True, key_name=f"D{depth - 1}") for bridge in bridges]
    own = issue(NODE, chain[-1], names=(NODE,))
    pool = [*chain, *bridges, *crosses]
    plan = make_plan(snapshot([peer(1, [])], [endpoint(NODE, ecdsa=[own])], [*pool, own], available=pool, vouched=pool))
    # Then the one way is found, with nothing more
    assert (count_verified(plan), added(plan), plan.shortfall) == (1, fingerprints(*chain), None)


def test_unlike_peers_take_the_same_certificate_of_one_name() -> None:
    # Given six unlike peers and six nodes whose own certificates share a name, so that each peer holds one of them at most
    own = [issue("tomcat", names=(f"n{number}.lab",), key_name=f"t{number}", organization=f"O{number}") for number in range(6)]
    unlike = [issue(f"Unlike {number}", ca=True) for number in range(6)]
    nodes = [endpoint(f"n{number}.lab", ecdsa=[certificate]) for number, certificate in enumerate(own)]
    cluster = snapshot([peer(number + 1, [certificate]) for number, certificate in enumerate(unlike)], nodes, [*own, *unlike])
    plan = make_plan(cluster)
    # Then all of them take the same one, since a person has to approve each
    assert (count_verified(plan), added(plan)) == (6, {min(fingerprints(*own))})


def test_nothing_is_added_to_a_list_with_an_unreadable_certificate() -> None:
    cluster = snapshot(
        [peer(1, [unreadable]), peer(2, [])],
        [endpoint(NODE, ecdsa=[leaf, issuing])],
        [unreadable, root, issuing, leaf],
        available=[root, unreadable],
    )
    plan = make_plan(cluster)
    # Then only the other peer is mended, and never with what cannot be read
    assert [(forecast.peer, forecast.after.ok) for forecast in plan.endpoints] == [
        ("expc1.test", False),
        ("expc2.test", True),
    ]
    [action] = [action for action in plan.actions if isinstance(action, TrustCertificate)]
    assert (action.certificate, action.peers) == (root.certificate.fingerprint, ("expc2.test",))
    # With the switch it is taken out first, and the peer gets what it lacks
    allowed = make_plan(cluster, removing)
    assert (count_verified(allowed), removed(allowed)) == (2, {unreadable.certificate.fingerprint: (f"{NODE}:8443",)})
    assert added(allowed) == fingerprints(root)


def test_all_unreadable_certificates_are_removed_together() -> None:
    second = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x02"), root.private_key, root.name)
    cluster = snapshot(
        [peer(1, [root, unreadable, second])],
        [endpoint(NODE, ecdsa=[leaf, issuing])],
        [unreadable, second, root, issuing, leaf],
    )
    assert set(removed(make_plan(cluster, removing))) == fingerprints(unreadable, second)


def test_a_ca_is_not_stale_because_another_one_has_its_common_name() -> None:
    # Given a valid CA in the list, and a node of another organization's CA with the same common name
    theirs, ours = issue("Issuing CA", ca=True, organization="A"), issue("Issuing CA", ca=True, organization="B")
    own = issue(NODE, ours, names=(NODE,))
    plan = make_plan(snapshot([peer(1, [theirs])], [endpoint(NODE, ecdsa=[own, ours])], [theirs, ours, own]), removing)
    assert (plan.actions, plan.unresolved[0].cause) == ((), Cause.COMMON_NAME_CONFLICT)
    # But one whose time is over makes room
    over = issue("Issuing CA", ca=True, organization="A", starts=-3 * YEAR, lasts=YEAR)
    plan = make_plan(snapshot([peer(1, [over])], [endpoint(NODE, ecdsa=[own, ours])], [over, ours, own]), removing)
    assert (set(removed(plan)), added(plan), count_verified(plan)) == (fingerprints(over), fingerprints(ours), 1)


@pytest.mark.parametrize("spelling", ["ISSUING ca", "Issuing  CA", " Issuing CA "])
def test_names_that_differ_in_case_or_blanks_alone_are_one_name(spelling: str) -> None:
    # Given a CA in the list, and a node of another one whose common name is the same to OpenSSL
    theirs, ours = issue(spelling, ca=True, organization="A"), issue("Issuing CA", ca=True, organization="B")
    own = issue(NODE, ours, names=(NODE,))
    plan = make_plan(snapshot([peer(1, [theirs])], [endpoint(NODE, ecdsa=[own, ours])], [theirs, ours, own]))
    # Then the peer would not hold both
    assert (plan.actions, plan.unresolved[0].cause) == ((), Cause.COMMON_NAME_CONFLICT)


@pytest.mark.parametrize(("copies", "exhaustive"), [(2, True), (4, True), (6, False)])
def test_all_stale_copies_of_a_ca_go_together(copies: int, exhaustive: bool) -> None:
    old = [stale(number) for number in range(copies)]
    cluster = snapshot([peer(1, [root, *old])], [endpoint(NODE, ecdsa=[leaf, issuing])], [root, issuing, leaf, *old])
    plan = make_plan(cluster, removing)
    assert (count_verified(plan), set(removed(plan)), added(plan)) == (1, fingerprints(*old), set())
    assert any(FEW in note for note in plan.notes) is not exhaustive


def test_several_stale_copies_make_room_for_the_good_one() -> None:
    old = [stale(number) for number in range(2)]
    cluster = snapshot(
        [peer(1, [root, *old])], [endpoint(NODE, ecdsa=[leaf])], [root, issuing, leaf, *old], available=[issuing]
    )
    plan = make_plan(cluster, removing)
    assert (count_verified(plan), set(removed(plan)), added(plan)) == (1, fingerprints(*old), fingerprints(issuing))
    assert set(removed(plan).values()) == {(f"{NODE}:8443",)}


def test_a_removal_is_for_those_alone_that_would_fail_without_it() -> None:
    # Given a node that a stale copy shadows, and another one that lacks its root on the same peer
    old, other_root = stale(0), issue("Another root", ca=True)
    second = issue("second.lab", other_root, names=("second.lab",))
    nodes = [endpoint(NODE, ecdsa=[leaf, issuing]), endpoint("second.lab", ecdsa=[second, other_root])]
    plan = make_plan(snapshot([peer(1, [root, old])], nodes, [root, issuing, leaf, old, other_root, second]), removing)
    assert (count_verified(plan), removed(plan)) == (2, {old.certificate.fingerprint: (f"{NODE}:8443",)})


def test_a_removal_is_manual_only_on_peers_that_offer_none() -> None:
    # Given a stale copy on two peers, of which the first can take it out over REST
    old = stale(0)
    peers = [peer(1, [root, old], removal="rest"), peer(2, [root, old])]
    plan = make_plan(snapshot(peers, [endpoint(NODE, ecdsa=[leaf, issuing])], [root, issuing, leaf, old]), removing)
    # Then each peer has the way that it offers
    removals = [(action.by, action.peers, action.because) for action in plan.actions if isinstance(action, RemoveCertificate)]
    assert removals == [("rest", ("expc1.test",), (f"{NODE}:8443",)), ("person", ("expc2.test",), (f"{NODE}:8443",))]


def uncertain(tls13: bool | None) -> Snapshot:
    """Build a cluster of a node that was measured to present RSA, and a second one that only ECDSA would fix."""
    a_rsa, a_ecdsa = issue("a.lab", issuing, names=("a.lab",), key_name="ar"), issue("a.lab", names=("a.lab",), key_name="ae")
    b_rsa = issue("b.lab", issuing, names=("b.lab",), starts=-3 * YEAR, lasts=YEAR, key_name="br")
    b_ecdsa = issue("b.lab", issuing, names=("b.lab",), key_name="be")
    first = replace(
        endpoint("a.lab", rsa=[a_rsa, issuing], ecdsa=[a_ecdsa], tls13=tls13),
        preferred=Preference(True, None, {RSA_FIRST: "rsa"}),
    )
    nodes = [first, endpoint("b.lab", rsa=[b_rsa, issuing], ecdsa=[b_ecdsa, issuing])]
    return snapshot([peer(1, [root], RSA_FIRST)], nodes, [root, issuing, a_rsa, a_ecdsa, b_rsa, b_ecdsa])


@pytest.mark.parametrize("tls13", [None, False])
def test_an_endpoint_that_works_but_is_not_verified_is_not_broken(tls13: bool | None) -> None:
    # Given that under another cipher list the first node would present a certificate that may not be trusted
    plan = make_plan(uncertain(tls13), Policy(trust_self_signed=False))
    # Then the list stays as it is, whether or not it is certain that this node is fine today
    assert plan.actions == ()


def test_where_what_works_can_be_kept_working_the_list_changes() -> None:
    plan = make_plan(uncertain(None))
    assert count_verified(plan) == 2
    [change] = [action for action in plan.actions if isinstance(action, SetCiphers)]
    assert change.after == DEFAULT_CIPHERS


def test_a_preference_that_the_list_rules_out_is_not_planned() -> None:
    cluster = snapshot(
        [peer(1, [root], CipherList("HIGH:!aRSA"))], [endpoint(NODE, ecdsa=[leaf, issuing])], [root, issuing, leaf]
    )
    plan = make_plan(cluster, Policy(ciphers="prefer-rsa"))
    assert plan.actions == ()
    assert any("--ciphers prefer-rsa" in note for note in plan.notes)


def test_a_snapshot_that_no_file_could_hold_is_refused() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, ecdsa=[leaf, issuing])], [root, issuing, leaf])
    with pytest.raises(ValueError, match="time zone"):
        make_plan(replace(cluster, taken_at=NOW.replace(tzinfo=None)))
    with pytest.raises(FormatError, match=r"endpoint node\.lab:8443 more than once"):
        make_plan(replace(cluster, endpoints=cluster.endpoints * 2))
    with pytest.raises(FormatError, match=r"peer expc1\.test more than once"):
        make_plan(replace(cluster, peers=cluster.peers * 2))


@pytest.mark.parametrize("tls13", [None, True, False])
@pytest.mark.parametrize("presented", [{}, {"ecdsa": ()}])
def test_a_node_that_presents_no_certificate_is_unresolved(
    presented: dict[KeyFamily, tuple[Fingerprint, ...]], tls13: bool | None
) -> None:
    silent_node = replace(endpoint(NODE, tls13=tls13), presented=presented)
    [unresolved] = make_plan(snapshot([peer(1, [root])], [silent_node], [root])).unresolved
    assert unresolved.cause is Cause.HANDSHAKE_FAILED
