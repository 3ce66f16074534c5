"""The guarded verifier: the chains of other services' endpoints, and which of them a change would break."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.identity import CipherList
from remediate.model.snapshot import DiscoveryGap
from remediate.trust.guarded_verifier import find_broken, list_unseen_consumers, verify_guarded
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot


def test_each_service_is_judged_by_its_own_cipher_list() -> None:
    ca, foreign = issue("CA", ca=True), issue("Foreign", ca=True)
    rsa, ecdsa = issue("cucm.test", ca, names=("cucm.test",)), issue("cucm-EC.test", foreign, names=("cucm.test",))
    observed = snapshot([peer(1, [ca])], [], [ca, foreign, rsa, ecdsa])
    sip = replace(endpoint("cucm.test", 5061, rsa=[rsa], ecdsa=[ecdsa]), service="SIP")
    unknown = replace(observed, guarded_endpoints=(sip,))
    rsa_only = replace(
        unknown, peers=(replace(unknown.peers[0], ciphers={**unknown.peers[0].ciphers, "SIPTLSCiphers": CipherList("aRSA")}),)
    )

    assert [chain.verdict.ok for chain in verify_guarded(unknown)] == [True, False]
    assert [chain.verdict.ok for chain in verify_guarded(rsa_only)] == [True]


def test_a_chain_that_was_refused_before_is_not_broken() -> None:
    root = issue("Root", ca=True)
    leaf = issue("cucm.test", root, names=("cucm.test",))
    sip = replace(endpoint("cucm.test", 5061, rsa=[leaf]), service="SIP")
    observed = replace(snapshot([peer(1, [root])], [], [root, leaf]), guarded_endpoints=(sip,))
    before = verify_guarded(observed)
    emptied = verify_guarded(replace(observed, peers=(replace(observed.peers[0], trusted_ca=()),)))

    assert find_broken(before, before) == ()
    assert [broken.endpoint.port for broken in find_broken(before, emptied)] == [5061]
    assert find_broken(emptied, emptied) == ()


def test_each_unseen_consumer_of_a_list_is_listed_once() -> None:
    gap = DiscoveryGap("cucm.test", "axl", "not-asked", incomplete=True, message="It is away.")
    unseen = replace(endpoint("imp.test", 7400), error="unreachable: away", service="XCP")
    whole = snapshot([peer(1, [])], [], [])

    assert list_unseen_consumers(whole) == ()
    assert list_unseen_consumers(replace(whole, guarded_endpoints=(unseen,), undiscovered=(gap, gap))) == (
        "imp.test:7400 (XCP)",
        "what cucm.test would have named",
    )
