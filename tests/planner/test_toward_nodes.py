"""The other direction: what the nodes' trust stores say of a peer's own certificate, and what is to be done about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate.formats import read_plan, read_snapshot, write_plan, write_snapshot
from remediate.model.identity import Address, Fingerprint, Product
from remediate.model.snapshot import Snapshot
from remediate.model.toward_nodes import ClientCause, Node, TowardNode
from remediate.planner import make_plan
from remediate.planner.toward_nodes import judge_toward_nodes
from tests.pki import YEAR, Entity, issue
from tests.planner.build import peer, snapshot

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
ROOT = issue("Edge Root", ca=True)
ISSUING = issue("Edge Issuing", ROOT, ca=True)
OWN = issue("expc1.test", ISSUING, names=("expc1.test",), usage=(CLIENT, SERVER))


def of(*entities: Entity) -> tuple[Fingerprint, ...]:
    return tuple(entity.certificate.fingerprint for entity in entities)


def node(product: Product = "cucm", **trust: tuple[Entity, ...]) -> Node:
    stores = {store.replace("_", "-"): of(*entities) for store, entities in trust.items()}
    return Node(Address(f"{product}.test"), product, trust=stores, by="certmgr")


def cluster(own: tuple[Entity, ...], trusted: tuple[Entity, ...], *nodes: Node) -> Snapshot:
    observed = snapshot([peer(1, trusted)], [], [*own, *trusted, ROOT, ISSUING])
    return replace(observed, peers=(replace(observed.peers[0], server_certificate=of(*own)),), nodes=nodes)


def only(observed: Snapshot) -> TowardNode:
    [toward] = judge_toward_nodes(observed)
    return toward


def test_both_stores_of_unified_cm_must_trust_the_peer() -> None:
    toward = judge_toward_nodes(cluster((OWN, ISSUING), (), node(tomcat=(ROOT,), CallManager=())))

    assert [(store.store, store.ok, store.cause) for store in toward] == [
        ("tomcat", True, None),
        ("CallManager", False, ClientCause.UNTRUSTED),
    ]
    assert (toward[1].peer, toward[1].node) == ("expc1.test", "cucm.test")


def test_im_and_presence_has_one_store() -> None:
    assert only(cluster((OWN, ISSUING), (), node("imp", cup_xmpp=(ROOT,)))).store == "cup-xmpp"


def test_the_advice_names_what_a_store_lacks_and_its_price() -> None:
    toward = only(cluster((OWN, ISSUING, ROOT), (), node("imp", cup_xmpp=())))

    uploads = toward.options[:-1]
    assert [ROOT.certificate.fingerprint in uploads[0], ISSUING.certificate.fingerprint in uploads[1]] == [True, True]
    assert "as cup-xmpp-trust" in uploads[0]
    assert toward.options[-1].startswith("Then restart Cisco XCP Router")


def test_the_peers_own_list_completes_its_chain() -> None:
    assert only(cluster((OWN,), (ISSUING, ROOT), node("imp", cup_xmpp=(ROOT,)))).ok
    assert not only(cluster((OWN,), (), node("imp", cup_xmpp=(ROOT,)))).ok


@pytest.mark.parametrize(
    ("own", "cause"),
    [
        (issue("expc1.test", ROOT, usage=(SERVER,)), ClientCause.EKU_MISSING),
        (issue("expc1.test", ROOT, starts=-2 * YEAR, lasts=timedelta(days=1)), ClientCause.EXPIRED),
        (issue("expc1.test", ROOT, starts=timedelta(days=1)), ClientCause.INVALID),
    ],
)
def test_each_refusal_has_its_cause(own: Entity, cause: ClientCause) -> None:
    toward = only(cluster((own, ROOT), (), node("imp", cup_xmpp=(ROOT,))))

    assert (toward.ok, toward.cause, toward.depth) == (False, cause, 0)
    assert toward.error
    assert "expc1.test" in toward.advice


def test_an_intermediate_without_client_authentication_refuses() -> None:
    servers_only = issue("Public Issuing", ROOT, ca=True, usage=(SERVER,))
    own = issue("expc1.test", servers_only, usage=(SERVER, CLIENT))

    toward = only(cluster((own, servers_only), (), node("imp", cup_xmpp=(ROOT,))))

    assert (toward.cause, toward.depth) == (ClientCause.EKU_MISSING, 1)
    assert "Public Issuing" in toward.advice


def test_a_client_certificate_is_judged_before_the_servers() -> None:
    observed = cluster((issue("expc1.test", ROOT, usage=(SERVER,)),), (), node("imp", cup_xmpp=(ROOT,)))
    own = replace(observed.peers[0], client_certificate=of(OWN, ISSUING))
    certificates = {**observed.certificates, OWN.certificate.fingerprint: OWN.certificate}

    assert only(replace(observed, peers=(own,), certificates=certificates)).ok


@pytest.mark.parametrize(
    "unread",
    [
        Node(Address("imp.test"), "imp", error="the inventory has no platform_credentials"),
        Node(Address("imp.test"), "imp", by="certmgr"),
    ],
)
def test_a_store_that_was_not_read_is_not_observed(unread: Node) -> None:
    toward = only(cluster((OWN, ISSUING), (), unread))

    assert (toward.ok, toward.cause, toward.observed, toward.code) == (False, ClientCause.NOT_OBSERVED, False, 0)
    assert make_plan(cluster((OWN, ISSUING), (), unread)).refusing_nodes == ()


def test_a_peer_without_a_certificate_is_not_observed() -> None:
    observed = cluster((OWN,), (), node("imp", cup_xmpp=(ROOT,)))
    blind = replace(observed, peers=(replace(observed.peers[0], server_certificate=None),))

    assert only(blind).cause is ClientCause.NOT_OBSERVED


def test_snapshot_and_plan_files_keep_the_answers_of_nodes() -> None:
    observed = cluster((OWN, ISSUING), (), node(tomcat=(ROOT,), CallManager=()))
    plan = make_plan(observed)

    assert read_snapshot(write_snapshot(observed)) == observed
    assert read_plan(write_plan(plan)) == plan
    assert [toward.store for toward in plan.refusing_nodes] == ["CallManager"]
