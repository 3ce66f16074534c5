"""A plan: what it says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate import make_plan
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import Policy, RestartPeer, SetCiphers, TrustCertificate, TrustOnNode
from remediate.model.toward_nodes import ClientCause, TowardNode
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

PEERS = Address("expc1.test"), Address("expc2.test")
ROOT = issue("Root", ca=True)
LEAF = issue("cucm.test", ROOT, names=("cucm.test",))
PLAN = make_plan(snapshot([peer(1, [])], [endpoint("cucm.test", rsa=[LEAF])], [ROOT, LEAF], available=[ROOT], vouched=[ROOT]))


def refusal(peer: Address, cause: ClientCause = ClientCause.UNTRUSTED) -> TowardNode:
    return TowardNode(peer, Address("cucm.test"), "tomcat", ok=False, cause=cause)


def test_a_policy_of_ciphers_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="ciphers is 'rsa', but must be one of"):
        Policy(ciphers="rsa")  # type: ignore[arg-type]  # as a caller without a type checker would


def test_what_was_not_observed_of_a_node_is_no_refusal() -> None:
    plan = replace(PLAN, toward_nodes=(refusal(PEERS[0]), refusal(PEERS[1], ClientCause.NOT_OBSERVED)))

    assert plan.refusing_nodes == plan.refusing_nodes_after == (refusal(PEERS[0]),)


def test_an_upload_ends_the_refusals_that_it_is_for() -> None:
    upload = TrustOnNode("a1", Address("cucm.test"), "tomcat", Fingerprint("sha256:" + "0" * 64), because=(PEERS[0],))
    plan = replace(PLAN, toward_nodes=(refusal(PEERS[0]), refusal(PEERS[1])), actions=(upload,))

    assert plan.refusing_nodes_after == (refusal(PEERS[1]),)


def test_the_workaround_is_offered_where_every_peer_offers_it() -> None:
    [(address, base)] = PLAN.base.items()
    offered = replace(base, offers_workaround=True)

    assert replace(PLAN, base={address: offered}).offers_workaround
    assert not replace(PLAN, base={address: offered, PEERS[1]: replace(base, offers_workaround=False)}).offers_workaround
    assert not replace(PLAN, base={}).offers_workaround


def test_a_restart_alone_is_no_change() -> None:
    assert any(isinstance(action, RestartPeer) for action in PLAN.actions)
    assert {type(action) for action in PLAN.changes} <= {TrustCertificate, SetCiphers}
    assert PLAN.changes
