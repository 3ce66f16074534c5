"""Each kind of change: its precondition, its operation, its read-back, its inverse, and the way through the journal."""

from __future__ import annotations

import pytest

from remediate.executor.operations import (
    REGISTRY,
    DeleteFromNode,
    RefreshOnPrimary,
    RemoveFromPeer,
    RestartOnPeer,
    SetCipherList,
    SetVerification,
    TrustOnPeer,
    UploadToNode,
    restore_change,
)
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.operations.change import Change, ChangeStatus
from remediate.model.errors import NotOffered
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from tests.executor.clusters import CIPHERS, IMP, OTHER, story
from tests.executor.memory import MemoryPeer
from tests.executor.memory_nodes import OpenNode, refusing_nodes
from tests.pki import issue

PEER = Address("expc1.example.test")
PREFIXED = CipherList("ECDHE-RSA-AES256-GCM-SHA384:" + CIPHERS)
VERIFIABLE: list[Change] = [
    TrustOnPeer(PEER, IMP.certificate),
    RemoveFromPeer(PEER, OTHER.certificate),
    SetCipherList(PEER, REVERSE_PROXY_CIPHERS, before=CIPHERS, after=PREFIXED),
    SetVerification(PEER, on=False),
]
ON_NODES: list[Change] = [
    UploadToNode(Address("cucm.example.test"), "tomcat", IMP.certificate),
    DeleteFromNode(Address("cucm.example.test"), "tomcat", OTHER.certificate),
]
NOT_VERIFIABLE: list[Change] = [RefreshOnPrimary(PEER, Address("cucm.example.test"), "cucm"), RestartOnPeer(PEER)]


def device() -> MemoryPeer:
    cluster = story()
    return MemoryPeer(cluster, cluster.device(1), writable=True)


@pytest.mark.parametrize("change", VERIFIABLE, ids=lambda change: change.kind)
def test_the_inverse_of_a_change_restores_the_start(change: Change) -> None:
    peer = device()
    start = change.precondition(peer)
    assert start.status is ChangeStatus.TO_DO
    change.write(peer)
    reading = change.read_back(peer)
    assert (reading.status, reading.unrelated_digest) == (ChangeStatus.DONE, start.unrelated_digest)
    inverse = change.inverse()
    assert inverse is not None
    assert inverse.precondition(peer).status is ChangeStatus.TO_DO
    inverse.write(peer)
    assert inverse.read_back(peer).status is ChangeStatus.DONE
    assert inverse.inverse() == change


@pytest.mark.parametrize("change", ON_NODES, ids=lambda change: change.kind)
def test_a_change_on_a_node_is_made_and_undone(change: Change) -> None:
    cluster = refusing_nodes()
    node = OpenNode(cluster, cluster.node(1), writable=True)
    assert change.precondition(node).status is ChangeStatus.TO_DO
    change.write(node)
    assert change.read_back(node).status is ChangeStatus.DONE
    inverse = change.inverse()
    assert inverse is not None
    assert inverse.precondition(node).status is ChangeStatus.TO_DO
    inverse.write(node)
    assert inverse.read_back(node).status is ChangeStatus.DONE
    assert inverse.inverse() == change


@pytest.mark.parametrize("change", [*VERIFIABLE, *ON_NODES, *NOT_VERIFIABLE], ids=lambda change: change.kind)
def test_every_kind_comes_back_from_the_journal(change: Change) -> None:
    certificates = {authority.certificate.fingerprint: authority.certificate for authority in (IMP, OTHER)}
    back = restore_change(change.kind, change.peer, change.facts(), lambda fingerprint: certificates[fingerprint])
    assert back.facts() == change.facts()
    assert back.summary == change.summary
    assert change.manual_instruction


def test_every_kind_is_registered() -> None:
    assert set(REGISTRY) == {change.kind for change in (*VERIFIABLE, *ON_NODES, *NOT_VERIFIABLE)}


def test_a_third_cipher_list_belongs_to_someone_else() -> None:
    peer = device()
    peer.set_cipher(REVERSE_PROXY_CIPHERS, CipherList("HIGH"))
    assert VERIFIABLE[2].precondition(peer).status is ChangeStatus.FOREIGN


def test_a_peer_without_the_flag_does_not_offer_the_workaround() -> None:
    cluster = story()
    cluster.device(1).verify = None
    with pytest.raises(NotOffered):
        SetVerification(PEER, on=False).precondition(MemoryPeer(cluster, cluster.device(1), writable=True))


def test_a_hostile_subject_stays_on_its_line() -> None:
    hostile = issue("evil\n\x1b]0;owned\x07\u202e")
    assert describe_certificate(hostile.certificate).isprintable()
    assert describe_certificate(hostile.certificate).isascii()
