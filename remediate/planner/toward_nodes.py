"""The other direction: whether every node's trust stores accept every peer's own certificate (CSCvz45074), and what would help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE, SERVER_CERTIFICATE_PAGE
from remediate.model.identity import Address
from remediate.model.plan import Approval, Policy, TrustOnNode
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.text import escape
from remediate.model.toward_nodes import STORE_RESTARTS, ClientCause, Node, TowardNode
from remediate.planner.advice.phrases import describe_certificate
from remediate.planner.solver.candidates import Candidates
from remediate.trust.node_verifier import (
    find_missing_issuers,
    list_stores,
    read_client_chain,
    read_store,
    verify_store,
)


def judge_toward_nodes(snapshot: Snapshot) -> tuple[TowardNode, ...]:
    """Return the verdict of each store of each known node on each peer's certificate, in the order of nodes, stores and peers.

    A node or a certificate that was not read gives *not observed*.
    """
    return tuple(_judge(snapshot, peer, node, store) for node, store in list_stores(snapshot) for peer in snapshot.peers)


def plan_uploads(snapshot: Snapshot, policy: Policy, candidates: Candidates) -> list[TrustOnNode]:
    """Return what the nodes' stores lack to trust the peers' own certificates, store by store; nothing without `policy.cucm_trust`.

    Only what OpenSSL then accepts is planned, and nothing for a certificate that fails for another reason.
    """
    if not policy.cucm_trust:
        return []
    uploads: list[TrustOnNode] = []
    for node, store in list_stores(snapshot):
        for certificate, peers in _find_missing(snapshot, node, store).items():
            approval: Approval = candidates.approval(certificate)
            uploads.append(TrustOnNode("", node.address, store, certificate.fingerprint, tuple(peers), approval))
    return uploads


def _find_missing(snapshot: Snapshot, node: Node, store: str) -> dict[Certificate, list[Address]]:
    """Return what one store lacks, each certificate with the peers that it lets in, roots first."""
    missing: dict[Certificate, list[Address]] = {}
    trusted = read_store(snapshot, node, store)
    if trusted is None:
        return missing
    available = snapshot.resolve(snapshot.available_ca)
    for peer in snapshot.peers:
        chain = read_client_chain(snapshot, peer)
        if chain is None or verify_store(snapshot, peer, node, store).cause is not ClientCause.UNTRUSTED:
            continue
        for certificate in find_missing_issuers(chain, trusted, available, snapshot.taken_at) or ():
            missing.setdefault(certificate, []).append(peer.address)
    return missing


def _judge(snapshot: Snapshot, peer: Peer, node: Node, store: str) -> TowardNode:
    toward = verify_store(snapshot, peer, node, store)
    trusted, chain = read_store(snapshot, node, store), read_client_chain(snapshot, peer)
    if toward.ok or trusted is None or chain is None:
        return toward
    missing = None
    if toward.cause is ClientCause.UNTRUSTED:
        missing = find_missing_issuers(chain, trusted, snapshot.resolve(snapshot.available_ca), snapshot.taken_at)
    advice, options = _advise(chain, trusted, missing, node, toward)
    fingerprints = tuple(certificate.fingerprint for certificate in missing or ())
    return replace(toward, advice=advice, options=options, missing=fingerprints)


def _advise(chain: Chain, trusted: Chain, missing: Chain | None, node: Node, toward: TowardNode) -> tuple[str, tuple[str, ...]]:
    """Return what is wrong, and what helps, the cheapest first; `missing` are the issuers to upload, None: they were not found."""
    at_fault = chain[min(toward.depth or 0, len(chain) - 1)]
    match toward.cause:
        case ClientCause.UNTRUSTED:
            text = f"{toward.store}-trust of {node.address} does not lead to a root for {describe_certificate(chain[0])}."
            return text, tuple(_list_uploads(chain, trusted, missing, node, toward.store))
        case ClientCause.EKU_MISSING:
            text = (
                f"The extended key usage of {describe_certificate(at_fault)} lacks Client Authentication, so a node refuses it from a "
                "client."
            )
            option = (
                "Have the certificate of the peer reissued with Client and Server Authentication "
                f"({SERVER_CERTIFICATE_PAGE}). Public CAs no longer issue that, so it takes a private CA."
            )
            return text, (option,)
        case ClientCause.EXPIRED:
            return f"{describe_certificate(at_fault)} has expired.", (f"Renew it ({SERVER_CERTIFICATE_PAGE}).",)
        case _:
            return f"{describe_certificate(at_fault)} is refused: {toward.error}.", ()


def _list_uploads(chain: Chain, trusted: Chain, missing: Chain | None, node: Node, store: str) -> Iterator[str]:
    target = f"as {store}-trust of {node.address} ({CERTIFICATE_MANAGEMENT_PAGE})"
    if missing is None:
        missing = tuple(certificate for certificate in reversed(chain[1:]) if certificate not in trusted)
        if not chain[-1].self_issued:
            yield f"Upload the CA certificate of {escape(chain[-1].issuer)}, which the peer neither sends nor trusts, {target}."
    for certificate in missing:
        yield f"Upload {describe_certificate(certificate)} ({certificate.fingerprint}) {target}."
    yield f"Then {STORE_RESTARTS[store].instruction}."
