"""The node verifier: what the trust stores of every node say of every peer's own certificate (CSCvz45074)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from remediate.model.certificate import Certificate, Chain
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.toward_nodes import STORES, ClientCause, Node, TowardNode
from remediate.trust.client_verifier import client_cause_of, complete_chain, verify_client
from remediate.trust.openssl import is_readable


def verify_toward_nodes(snapshot: Snapshot) -> tuple[TowardNode, ...]:
    """Return the verdict of each store of each known node on each peer's certificate, without advice.

    They are in the order of nodes, stores and peers. A node or a certificate that was not read gives *not observed*.
    """
    return tuple(verify_store(snapshot, peer, node, store) for node, store in list_stores(snapshot) for peer in snapshot.peers)


def list_refusing_nodes(snapshot: Snapshot, expected: Iterable[TowardNode] = ()) -> tuple[TowardNode, ...]:
    """Return what nodes refuse of the peers' own certificates; of what is not observed now, those that are `expected` to."""
    observed = {(toward.peer, toward.node, toward.store): toward for toward in verify_toward_nodes(snapshot) if toward.observed}
    unseen = (toward for toward in expected if (toward.peer, toward.node, toward.store) not in observed)
    return (*(toward for toward in observed.values() if not toward.ok), *unseen)


def list_stores(snapshot: Snapshot) -> Iterator[tuple[Node, str]]:
    """Yield each store that must hold what signed a peer's certificate, in the order of nodes and stores."""
    for node in sorted(snapshot.nodes, key=lambda node: (node.address, node.product)):
        for store in STORES[node.product]:
            yield node, store


def verify_store(snapshot: Snapshot, peer: Peer, node: Node, store: str) -> TowardNode:
    """Return the verdict of one store of a node on one peer's certificate."""
    trusted, chain = read_store(snapshot, node, store), read_client_chain(snapshot, peer)
    if trusted is None or chain is None:
        reason = node.error or f"certificate management shows no {store}-trust" if trusted is None else _describe_unread(peer)
        return TowardNode(peer.address, node.address, store, ok=False, cause=ClientCause.NOT_OBSERVED, error=reason)
    verdict = verify_client(chain, trusted, snapshot.taken_at)
    cause = None if verdict.ok else client_cause_of(verdict.code)
    return TowardNode(
        peer.address, node.address, store, verdict.ok, cause, error=verdict.error, code=verdict.code, depth=verdict.depth
    )


def read_store(snapshot: Snapshot, node: Node, store: str) -> Chain | None:
    """Return what a store of a node holds; None where it was not read."""
    if node.error is not None or store not in node.trust:
        return None
    return snapshot.resolve(node.trust[store])


def read_client_chain(snapshot: Snapshot, peer: Peer) -> Chain | None:
    """Return what a peer shows as a client: its client certificate (X15.5), else its server's, with issuers from its own list."""
    own = peer.client_certificate or peer.server_certificate
    if peer.error is not None or not own:
        return None
    return complete_chain(snapshot.resolve(own), snapshot.resolve(peer.trusted_ca))


def find_missing_issuers(
    chain: Chain, store: Chain, available: Iterable[Certificate], at: datetime
) -> tuple[Certificate, ...] | None:
    """Return the certificates that `store` lacks to accept `chain`, the root first; None where they are not known or do not help.

    They are those that signed the chain and are not in the store (MRA deployment guide, *Certificate exchange requirements*); of a
    self-signed certificate, itself. What the chain lacks itself is taken from `available`.
    """
    whole = complete_chain(chain, available)
    if not whole or not whole[-1].self_issued:
        return None
    signers = whole if len(whole) == 1 else whole[1:]
    missing = tuple(certificate for certificate in reversed(signers) if certificate not in store)
    if not missing or not all(map(is_readable, missing)):
        return None
    return missing if verify_client(chain, (*store, *missing), at).ok else None


def _describe_unread(peer: Peer) -> str:
    return peer.error or f"the certificate of {peer.address} was not read"
