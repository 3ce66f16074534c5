"""A snapshot: what it says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.model.identity import Address
from remediate.model.snapshot import DiscoveryGap, Snapshot
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

OWN, ROOT = issue("cucm.test", names=("cucm.test",)), issue("Root", ca=True)
WHOLE = snapshot([peer(1, []), peer(2, [])], [endpoint("cucm.test", rsa=[OWN])], [OWN])
GAP = DiscoveryGap("cucm.test", "axl", "not-asked", incomplete=True, message="It is away.")


@pytest.mark.parametrize(
    "partial",
    [
        replace(WHOLE, peers=(replace(WHOLE.peers[0], error="unreachable: away"),)),
        replace(WHOLE, endpoints=(replace(WHOLE.endpoints[0], error="unreachable: away"),)),
        replace(WHOLE, endpoints=(replace(WHOLE.endpoints[0], seen_by="survey"),)),
        replace(WHOLE, undiscovered=(GAP,)),
    ],
    ids=["a peer", "an endpoint", "a survey", "discovery"],
)
def test_a_snapshot_without_something_is_incomplete(partial: Snapshot) -> None:
    assert not partial.complete


def test_what_is_guarded_or_harmless_leaves_a_snapshot_complete() -> None:
    unseen = replace(WHOLE.endpoints[0], port=5061, error="unreachable: away", service="SIP")

    assert replace(WHOLE, guarded_endpoints=(unseen,), undiscovered=(replace(GAP, incomplete=False),)).complete


def test_the_own_chain_of_a_peer_is_added_with_its_certificates() -> None:
    chain = (OWN.certificate, ROOT.certificate)

    extended = WHOLE.with_server_chains({Address("expc2.test"): chain, Address("expc1.test"): ()})

    assert [peer.server_certificate for peer in extended.peers] == [None, tuple(c.fingerprint for c in chain)]
    assert extended.resolve(extended.peers[1].server_certificate or ()) == chain


def test_the_digest_of_a_list_is_that_of_its_order() -> None:
    first, second = (peer(1, pair).trusted_digest for pair in ([OWN, ROOT], [ROOT, OWN]))
    assert first != second
