"""The node verifier: each store of each node, and what it lacks."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.identity import Address
from remediate.model.snapshot import Snapshot
from remediate.model.toward_nodes import ClientCause, Node
from remediate.trust.node_verifier import find_missing_issuers, list_refusing_nodes, verify_toward_nodes
from tests.pki import NOW, Entity, issue
from tests.planner.build import peer, snapshot

ROOT = issue("Edge Root", ca=True)
ISSUING = issue("Edge Issuing", ROOT, ca=True)
OWN = issue("expc1.test", ISSUING)
WHOLE = (ROOT.certificate, ISSUING.certificate)


def cluster(**stores: list[Entity]) -> Snapshot:
    trust = {store: tuple(entity.certificate.fingerprint for entity in trusted) for store, trusted in stores.items()}
    observed = snapshot([peer(1, [ISSUING])], [], [ROOT, ISSUING, OWN])
    own = replace(observed.peers[0], server_certificate=(OWN.certificate.fingerprint,))
    return replace(observed, peers=(own,), nodes=(Node(Address("cucm.test"), "cucm", trust=trust, by="certmgr"),))


def test_each_store_of_a_node_has_its_verdict() -> None:
    verdicts = verify_toward_nodes(cluster(tomcat=[ROOT], CallManager=[]))

    assert [(toward.store, toward.ok, toward.cause) for toward in verdicts] == [
        ("tomcat", True, None),
        ("CallManager", False, ClientCause.UNTRUSTED),
    ]


def test_what_is_not_observed_now_is_refused_if_it_is_expected_to_be() -> None:
    before = list_refusing_nodes(cluster(tomcat=[], CallManager=[]))
    unread = cluster(CallManager=[ROOT])

    assert [toward.store for toward in before] == ["tomcat", "CallManager"]
    assert [toward.store for toward in list_refusing_nodes(unread, before)] == ["tomcat"]
    assert list_refusing_nodes(unread) == ()


def test_the_issuers_that_a_store_lacks_are_named_from_the_root_down() -> None:
    chain = (OWN.certificate,)

    assert find_missing_issuers(chain, (), WHOLE, NOW) == WHOLE
    assert find_missing_issuers(chain, (ROOT.certificate,), WHOLE, NOW) == (ISSUING.certificate,)
    assert find_missing_issuers(chain, (), (ISSUING.certificate,), NOW) is None
