"""Laws that hold for every plan and every PKI, searched for violations by hypothesis, checked by OpenSSL and brute force."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from remediate import make_plan
from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import Plan, Policy, RemoveCertificate, SetCiphers, TrustCertificate
from remediate.model.snapshot import Snapshot
from remediate.trust.guarded_verifier import find_broken, verify_guarded
from remediate.trust.verifier import verify_snapshot
from tests.properties.brute_force import best_order, order_of
from tests.properties.clusters import authorities, clusters, guarded_clusters, patiently

policies = st.sampled_from([Policy(), Policy(ciphers="keep"), Policy(ciphers="prefer-rsa"), Policy(allow_removal=True)])


def applied(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """Return `snapshot` after `plan`: certificates appended and removed, ciphers set on every peer."""
    added: dict[Address, list[Fingerprint]] = {peer.address: [] for peer in snapshot.peers}
    removed: dict[Address, list[Fingerprint]] = {peer.address: [] for peer in snapshot.peers}
    ciphers = {}
    for action in plan.actions:
        if isinstance(action, TrustCertificate):
            for peer in action.peers:
                added[peer].append(action.certificate)
        if isinstance(action, RemoveCertificate):
            for peer in action.peers:
                removed[peer].append(action.certificate)
        if isinstance(action, SetCiphers):
            ciphers = {action.name: action.after}
    peers = tuple(
        replace(
            peer,
            trusted_ca=(
                *(fingerprint for fingerprint in peer.trusted_ca if fingerprint not in removed[peer.address]),
                *added[peer.address],
            ),
            ciphers={**peer.ciphers, **ciphers},
        )
        for peer in snapshot.peers
    )
    return replace(snapshot, peers=peers)


@patiently
@given(clusters(max_nodes=2, max_listed=2, max_peers=2), st.sampled_from([Policy(), Policy(ciphers="keep")]))
def test_no_plan_is_better(snapshot: Snapshot, policy: Policy) -> None:
    plan = make_plan(snapshot, policy)
    assert order_of(snapshot, plan) == best_order(snapshot, policy)


@patiently
@given(clusters(max_nodes=1, max_listed=3, max_peers=1))
def test_no_plan_is_better_where_certificates_may_be_taken_out(snapshot: Snapshot) -> None:
    policy = Policy(allow_removal=True, ciphers="keep")
    assert order_of(snapshot, make_plan(snapshot, policy)) == best_order(snapshot, policy)


@patiently
@given(guarded_clusters(), st.sampled_from([Policy(ciphers="keep"), Policy(allow_removal=True, ciphers="keep")]))
def test_no_plan_that_spares_guarded_endpoints_is_better(snapshot: Snapshot, policy: Policy) -> None:
    plan = make_plan(snapshot, policy)

    assert order_of(snapshot, plan) == best_order(snapshot, policy)
    assert find_broken(verify_guarded(snapshot), verify_guarded(applied(snapshot, plan))) == ()


@patiently
@given(clusters(), policies)
def test_after_is_what_then_holds(snapshot: Snapshot, policy: Policy) -> None:
    plan = make_plan(snapshot, policy)
    assert verify_snapshot(applied(snapshot, plan)) == {forecast.pair: forecast.after for forecast in plan.endpoints}


@patiently
@given(clusters(), policies)
def test_nothing_gets_worse(snapshot: Snapshot, policy: Policy) -> None:
    plan = make_plan(snapshot, policy)
    assert [endpoint for endpoint in plan.endpoints if endpoint.before.ok and not endpoint.after.ok] == []
    working, then = (
        {pair for pair, verdict in verify_snapshot(observed).items() if verdict.works}
        for observed in (snapshot, applied(snapshot, plan))
    )
    assert working <= then


@patiently
@given(clusters(), policies)
def test_planning_again_after_applying_changes_nothing(snapshot: Snapshot, policy: Policy) -> None:
    plan = make_plan(snapshot, policy)
    assert make_plan(applied(snapshot, plan), policy).actions == ()


@patiently
@given(clusters(), policies, st.randoms(use_true_random=False))
def test_the_order_of_peers_endpoints_and_cas_never_matters(snapshot: Snapshot, policy: Policy, chance: Random) -> None:
    mixed = replace(
        snapshot,
        peers=tuple(chance.sample(snapshot.peers, len(snapshot.peers))),
        endpoints=tuple(chance.sample(snapshot.endpoints, len(snapshot.endpoints))),
        available_ca=tuple(chance.sample(snapshot.available_ca, len(snapshot.available_ca))),
    )
    assert make_plan(mixed, policy).to_json() == make_plan(snapshot, policy).to_json()


@patiently
@given(clusters(), st.sampled_from(sorted(authorities())))
def test_one_more_available_certificate_never_makes_it_worse(snapshot: Snapshot, more: str) -> None:
    extra: Certificate = authorities()[more].certificate
    richer = replace(
        snapshot,
        available_ca=tuple({*snapshot.available_ca, extra.fingerprint}),
        certificates={**snapshot.certificates, extra.fingerprint: extra},
    )
    before, after = order_of(snapshot, make_plan(snapshot)), order_of(richer, make_plan(richer))
    assert after <= before


@patiently
@given(clusters(), policies)
def test_no_plan_adds_a_second_certificate_of_one_common_name(snapshot: Snapshot, policy: Policy) -> None:
    def clashes(cluster: Snapshot) -> set[tuple[str, str]]:
        repeated: set[tuple[str, str]] = set()
        for peer in cluster.peers:
            names = [cluster.certificates[fingerprint].common_name for fingerprint in dict.fromkeys(peer.trusted_ca)]
            repeated |= {(peer.address, name) for name in names if name and names.count(name) > 1}
        return repeated

    assert clashes(applied(snapshot, make_plan(snapshot, policy))) <= clashes(snapshot)


@patiently
@given(clusters(), policies)
def test_a_plan_survives_the_file(snapshot: Snapshot, policy: Policy) -> None:
    plan = make_plan(snapshot, policy)
    assert Plan.from_json(plan.to_json()) == plan
    assert Snapshot.from_json(snapshot.to_json()) == snapshot
    assert make_plan(Snapshot.from_json(snapshot.to_json()), policy).to_json() == plan.to_json()
    assert all(REVERSE_PROXY_CIPHERS in base.ciphers for base in plan.base.values())
