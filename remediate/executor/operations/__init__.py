"""Kinds of change, one module each, and the registry that restores them from a journal."""

from __future__ import annotations

from collections.abc import Mapping

from remediate.executor.operations.certificates import RemoveFromPeer, TrustOnPeer
from remediate.executor.operations.change import Change, FindCertificate
from remediate.executor.operations.ciphers import SetCipherList
from remediate.executor.operations.node_trust import DeleteFromNode, UploadToNode
from remediate.executor.operations.refresh import RefreshOnPrimary
from remediate.executor.operations.restart import RestartOnPeer
from remediate.executor.operations.verification import SetVerification
from remediate.model.identity import Address

__all__ = [
    "LIST_CHANGES",
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

REGISTRY: Mapping[str, type[Change]] = {
    change.kind: change
    for change in (
        TrustOnPeer, RemoveFromPeer, SetCipherList, SetVerification, RefreshOnPrimary, RestartOnPeer, UploadToNode, DeleteFromNode,
    )
}  # fmt: skip

LIST_CHANGES = frozenset({TrustOnPeer.kind, RemoveFromPeer.kind})
"""The kinds that change a trusted CA list."""

ON_NODES = frozenset({UploadToNode.kind, DeleteFromNode.kind})
"""The kinds that are written to a node, not to a peer."""


def restore_change(kind: str, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Change:
    """Return the change that a journal holds as `kind`, `peer` and `facts`.

    Args:
        kind: The name of the kind.
        peer: The peer that it is written to.
        facts: What the change returned as its facts.
        find: Returns a certificate that the journal names.
    """
    return REGISTRY[kind].from_facts(peer, facts, find)
