"""Requirements: what the endpoints need of each peer's list."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.identity import Address, CipherList
from remediate.model.snapshot import Preference
from remediate.planner.solver.requirements import Requirement, RequirementReader, VerifiedToday
from tests.pki import YEAR, issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Root", ca=True)
LEAF = issue("cucm.test", ROOT, names=("cucm.test",), family="rsa")
OWN = issue("cucm.test", names=("cucm.test",))
ENDED = issue("cucm.test", ROOT, names=("cucm.test",), starts=-2 * YEAR, lasts=YEAR)
FIRST = Address("expc1.test")
RSA, ECDSA = (LEAF.certificate,), (OWN.certificate,)
BOTH = endpoint("cucm.test", rsa=[LEAF], ecdsa=[OWN])
CLUSTER = snapshot([peer(1, [ROOT])], [BOTH], [ROOT, LEAF, OWN, ENDED])
NOTHING = VerifiedToday(frozenset(), frozenset())


def test_what_is_required_depends_on_the_cipher_list() -> None:
    reader = RequirementReader(CLUSTER, NOTHING)

    for ciphers, chain in (("aRSA:aECDSA", RSA), ("aECDSA:aRSA", ECDSA)):
        assert reader.read(CLUSTER.peers, CipherList(ciphers)) == {FIRST: {Requirement((chain,), must_hold=False): 1}}


def test_both_chains_are_required_where_either_may_come() -> None:
    unknown = replace(CLUSTER, endpoints=(replace(BOTH, preferred=Preference()),))

    [requirement] = RequirementReader(unknown, NOTHING).read(unknown.peers, CipherList("aRSA:aECDSA"))[FIRST]

    assert set(requirement.chains) == {RSA, ECDSA}


def test_endpoints_with_equal_chains_share_one_requirement() -> None:
    twice = replace(CLUSTER, endpoints=(BOTH, replace(BOTH, port=6972)))
    read = RequirementReader(twice, NOTHING).read(twice.peers, CipherList("aRSA"))
    assert read == {FIRST: {Requirement((RSA,), must_hold=False): 2}}


def test_what_no_list_could_accept_is_required_only_if_it_verifies() -> None:
    ended = replace(CLUSTER, endpoints=(endpoint("cucm.test", ecdsa=[ENDED]), replace(BOTH, port=5, error="unreachable: away")))
    pair = (FIRST, "cucm.test:8443")

    assert RequirementReader(ended, NOTHING).read(ended.peers, None) == {FIRST: {}}
    requirements = RequirementReader(ended, VerifiedToday(frozenset({pair}), frozenset({pair}))).read(ended.peers, None)
    assert requirements == {FIRST: {Requirement((), must_hold=True): 1}}


def test_what_works_or_is_guarded_must_hold_without_weight() -> None:
    today = VerifiedToday(frozenset(), frozenset({(FIRST, "cucm.test:8443")}), {FIRST: (ECDSA,)})

    assert RequirementReader(CLUSTER, today).read(CLUSTER.peers, CipherList("aRSA"))[FIRST] == {
        Requirement((RSA,), must_hold=False): 1,
        Requirement((RSA,), must_hold=True): 0,
        Requirement((ECDSA,), must_hold=True): 0,
    }
