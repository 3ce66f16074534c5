"""The other direction: what every node's trust stores say of every peer's own certificate (CSCvz45074), and what would help."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.model.certificate import Certificate
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE, SERVER_CERTIFICATE_PAGE
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.text import escape
from remediate.model.toward_nodes import STORES, ClientCause, Node, TowardNode
from remediate.planner.advice.phrases import describe_certificate
from remediate.planner.advice.prices import STORE_RESTARTS
from remediate.trust.chain_verifier import Chain
from remediate.trust.client_verifier import ClientVerdict, complete_chain, verify_client


def judge_toward_nodes(snapshot: Snapshot) -> tuple[TowardNode, ...]:
    """Return what each store of each known node says of each peer's certificate, in the order of nodes, stores and peers.

    A node or a certificate that was not read gives *not observed*.
    """
    nodes = sorted(snapshot.nodes, key=lambda node: (node.address, node.product))
    return tuple(
        _judge(snapshot, peer, node, store) for node in nodes for store in STORES[node.product] for peer in snapshot.peers
    )


def _judge(snapshot: Snapshot, peer: Peer, node: Node, store: str) -> TowardNode:
    trusted, chain = _store_of(snapshot, node, store), _chain_of(snapshot, peer)
    if trusted is None or chain is None:
        reason = node.error or f"certificate management shows no {store}-trust" if trusted is None else _unread(peer)
        return TowardNode(peer.address, node.address, store, ok=False, cause=ClientCause.NOT_OBSERVED, error=reason)
    verdict = verify_client(chain, trusted, snapshot.taken_at)
    if verdict.ok:
        return TowardNode(peer.address, node.address, store, ok=True)
    advice, options = _advise(chain, trusted, node, store, verdict)
    return TowardNode(
        peer.address,
        node.address,
        store,
        ok=False,
        cause=verdict.cause,
        error=verdict.error,
        code=verdict.code,
        depth=verdict.depth,
        advice=advice,
        options=options,
    )


def _unread(peer: Peer) -> str:
    return peer.error or f"the certificate of {peer.address} was not read"


def _store_of(snapshot: Snapshot, node: Node, store: str) -> Chain | None:
    if node.error is not None or store not in node.trust:
        return None
    return snapshot.resolve(node.trust[store])


def _chain_of(snapshot: Snapshot, peer: Peer) -> Chain | None:
    """Return what the peer shows as a client: its client certificate (X15.5), else its server's, with issuers from its own list."""
    own = peer.client_certificate or peer.server_certificate
    if peer.error is not None or not own:
        return None
    trusted = snapshot.resolve(peer.trusted_ca)
    return complete_chain(snapshot.resolve(own), trusted)


def _advise(chain: Chain, trusted: Chain, node: Node, store: str, verdict: ClientVerdict) -> tuple[str, tuple[str, ...]]:
    """Return what is wrong, and what helps, the cheapest first."""
    at_fault = chain[min(verdict.depth or 0, len(chain) - 1)]
    match verdict.cause:
        case ClientCause.UNTRUSTED:
            return _advise_on_trust(chain, trusted, node, store)
        case ClientCause.EKU_MISSING:
            text = (
                f"The extended key usage of {describe_certificate(at_fault)} lacks Client Authentication, so {node.address} refuses "
                "it from a client."
            )
            option = (
                f"Have the certificate of the peer issued anew with Client and Server Authentication ({SERVER_CERTIFICATE_PAGE}). "
                "Public CAs have stopped issuing that, so it takes a private CA."
            )
            return text, (option,)
        case ClientCause.EXPIRED:
            return f"{describe_certificate(at_fault)} has expired.", (f"Renew it ({SERVER_CERTIFICATE_PAGE}).",)
        case _:
            return f"{describe_certificate(at_fault)} is refused: {verdict.error}.", ()


def _advise_on_trust(chain: Chain, trusted: Chain, node: Node, store: str) -> tuple[str, tuple[str, ...]]:
    signers = chain if len(chain) == 1 else chain[1:]
    missing = [certificate for certificate in reversed(signers) if certificate not in trusted and certificate.is_ca]
    text = f"{store}-trust of {node.address} does not lead to a root for {describe_certificate(chain[0])}."
    return text, tuple(_list_uploads(chain[-1], missing, node, store))


def _list_uploads(top: Certificate, missing: list[Certificate], node: Node, store: str) -> Iterator[str]:
    target = f"as {store}-trust of {node.address} ({CERTIFICATE_MANAGEMENT_PAGE})"
    if top.self_issued and not missing:
        yield f"Upload {describe_certificate(top)} ({top.fingerprint}) {target}."
    elif not top.self_issued:
        yield f"Upload the CA certificate of {escape(top.issuer)}, which the peer neither sends nor trusts, {target}."
    for certificate in missing:
        yield f"Upload {describe_certificate(certificate)} ({certificate.fingerprint}) {target}."
    yield f"Then {STORE_RESTARTS[store]}."
