"""Kinds of change, one module each, and the registry that restores them from a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from remediate.executor.operations.certificates import RemoveFromPeer, TrustOnPeer
from remediate.executor.operations.change import Change
from remediate.executor.operations.ciphers import SetCipherList
from remediate.executor.operations.node_trust import DeleteFromNode, UploadToNode
from remediate.executor.operations.refresh import RefreshOnPrimary
from remediate.executor.operations.restart import BeforeRestart, RestartOnPeer
from remediate.executor.operations.verification import SetVerification
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, CipherList, Fingerprint, Product

__all__ = [
    "ON_NODES",
    "REGISTRY",
    "DeleteFromNode",
    "RefreshOnPrimary",
    "RemoveFromPeer",
    "RestartOnPeer",
    "SetCipherList",
    "SetVerification",
    "TrustOnPeer",
    "UploadToNode",
    "restore_change",
]

Facts = Mapping[str, str]
Find = Callable[[Fingerprint], Certificate]


def _trust(peer: Address, facts: Facts, find: Find) -> Change:
    return TrustOnPeer(peer, find(Fingerprint(facts["certificate"])))


def _remove(peer: Address, facts: Facts, find: Find) -> Change:
    return RemoveFromPeer(peer, find(Fingerprint(facts["certificate"])))


def _ciphers(peer: Address, facts: Facts, _find: Find) -> Change:
    return SetCipherList(peer, facts["name"], CipherList(facts["before"]), CipherList(facts["after"]))


def _verification(peer: Address, facts: Facts, _find: Find) -> Change:
    return SetVerification(peer, on=facts["on"] == "On")


def _refresh(peer: Address, facts: Facts, _find: Find) -> Change:
    return RefreshOnPrimary(peer, Address(facts["publisher"]), cast("Product", facts["product"]))


def _restart(peer: Address, facts: Facts, _find: Find) -> Change:
    return RestartOnPeer(peer, BeforeRestart.from_facts(facts))


def _upload(node: Address, facts: Facts, find: Find) -> Change:
    return UploadToNode(node, facts["store"], find(Fingerprint(facts["certificate"])))


def _delete(node: Address, facts: Facts, find: Find) -> Change:
    return DeleteFromNode(node, facts["store"], find(Fingerprint(facts["certificate"])))


REGISTRY: Mapping[str, Callable[[Address, Facts, Find], Change]] = {
    TrustOnPeer.kind: _trust,
    RemoveFromPeer.kind: _remove,
    SetCipherList.kind: _ciphers,
    SetVerification.kind: _verification,
    RefreshOnPrimary.kind: _refresh,
    RestartOnPeer.kind: _restart,
    UploadToNode.kind: _upload,
    DeleteFromNode.kind: _delete,
}

ON_NODES = frozenset({UploadToNode.kind, DeleteFromNode.kind})
"""The kinds that are written to a node, not to a peer."""


def restore_change(kind: str, peer: Address, facts: Facts, find: Find) -> Change:
    """Return the change that a journal holds as `kind`, `peer` and `facts`.

    Args:
        kind: The name of the kind.
        peer: The peer that it is written to.
        facts: What the change returned as its facts.
        find: Returns a certificate that the journal names.
    """
    return REGISTRY[kind](peer, facts, find)
