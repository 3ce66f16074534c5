"""The horizon toward the nodes: how the answers of their trust stores to the peers' own certificates change by the calendar alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import FutureChange, FutureTowardNode, TrustOnNode
from remediate.model.snapshot import Snapshot
from remediate.planner.horizon import foresee
from remediate.trust.node_verifier import list_stores, read_client_chain, read_store, verify_toward_nodes


def foresee_all(snapshot: Snapshot, until: datetime) -> tuple[FutureChange, ...]:
    """Return each change of a verdict or of a node's answer after the snapshot's ``taken_at``, up to `until`, in order of time."""
    changes: list[FutureChange] = [*foresee(snapshot, until), *foresee_nodes(snapshot, until)]
    return tuple(sorted(changes, key=lambda change: change.at))


def foresee_nodes(snapshot: Snapshot, until: datetime) -> tuple[FutureTowardNode, ...]:
    """Return each change of a store's answer to a peer's own certificate, in order of time; none of a store that was not read."""
    certificates = _list_certificates(snapshot)
    turns = {moment for certificate in certificates for moment in (certificate.not_before, certificate.not_after) if moment}
    changes: list[FutureTowardNode] = []
    before = verify_toward_nodes(snapshot)
    for at in sorted(moment for moment in turns if snapshot.taken_at < moment <= until):
        now = verify_toward_nodes(replace(snapshot, taken_at=at))
        turning = {
            certificate.fingerprint for certificate in certificates if at in (certificate.not_before, certificate.not_after)
        }
        for earlier, later in zip(before, now, strict=True):
            if later.observed and (earlier.ok, earlier.cause) != (later.ok, later.cause):
                because = tuple(sorted(turning & _list_related(snapshot, later.node, later.store, later.peer)))
                changes.append(FutureTowardNode(at, later.peer, later.node, later.store, later.ok, later.cause, because))
        before = now
    return tuple(changes)


def apply_uploads(snapshot: Snapshot, uploads: Iterable[TrustOnNode]) -> Snapshot:
    """Return `snapshot` as `uploads` will leave its nodes."""
    added: dict[tuple[Address, str], list[Fingerprint]] = {}
    for upload in uploads:
        added.setdefault((upload.node, upload.store), []).append(upload.certificate)
    nodes = []
    for node in snapshot.nodes:
        trust = {store: (*held, *added.get((node.address, store), ())) for store, held in node.trust.items()}
        nodes.append(replace(node, trust=trust))
    return replace(snapshot, nodes=tuple(nodes))


def list_new_refusals(future: Iterable[FutureChange]) -> tuple[FutureTowardNode, ...]:
    """Return the first change of each peer and store in `future`, where a node that accepts the peer now refuses it."""
    first: dict[tuple[Address, Address, str], FutureTowardNode] = {}
    for change in future:
        if isinstance(change, FutureTowardNode):
            first.setdefault((change.peer, change.node, change.store), change)
    return tuple(change for change in first.values() if not change.ok)


def _list_certificates(snapshot: Snapshot) -> list[Certificate]:
    """Return what an answer can depend on: what the peers show as clients, and what the stores that judge them hold."""
    certificates: dict[Certificate, None] = {}
    for peer in snapshot.peers:
        certificates.update(dict.fromkeys(read_client_chain(snapshot, peer) or ()))
    for node, store in list_stores(snapshot):
        certificates.update(dict.fromkeys(read_store(snapshot, node, store) or ()))
    return list(certificates)


def _list_related(snapshot: Snapshot, address: Address, store: str, peer_address: Address) -> set[Fingerprint]:
    """Return what may have made one answer change: the peer's chain, and what of the store has the name of an issuer in it."""
    [peer] = [peer for peer in snapshot.peers if peer.address == peer_address]
    chain = read_client_chain(snapshot, peer) or ()
    issuers = {certificate.issuer for certificate in chain}
    held = [
        read_store(snapshot, node, name) or ()
        for node, name in list_stores(snapshot)
        if (node.address, name) == (address, store)
    ]
    related = {certificate for certificates in held for certificate in certificates if certificate.subject in issuers}
    # An issuer of an issuer that only the store holds counts too.
    issuers |= {certificate.issuer for certificate in related}
    related |= {certificate for certificates in held for certificate in certificates if certificate.subject in issuers}
    return {certificate.fingerprint for certificate in (*chain, *related)}
