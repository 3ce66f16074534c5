"""The reading of the peers of a cluster, all at once, for one look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from remediate.connectors.expressway.capabilities import Capabilities
from remediate.connectors.expressway.cluster import ClusterPeers, open_peers
from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.expressway.trusted_list import CertificateList
from remediate.connectors.parallel import run_at_once
from remediate.model.access import ClusterAccess
from remediate.model.canonical import sha256_of
from remediate.model.certificate import Certificate
from remediate.model.errors import NotOffered, ObservationError
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.limits import Limits
from remediate.model.masking import reveals
from remediate.model.snapshot import Peer


@dataclass(frozen=True, slots=True)
class PeerReading:
    """The state of one peer.

    Attributes:
        lists_publishers: False where the peer has no such list, which is not the same as an empty one.
    """

    peer: Peer
    trusted: tuple[Certificate, ...] = ()
    revocation_lists: tuple[str, ...] = ()
    server_chain: tuple[Certificate, ...] = ()
    publishers: tuple[PublisherRecord, ...] = ()
    lists_publishers: bool = True
    capabilities: Capabilities = Capabilities()


class Extent(Enum):
    """What a look reads of each peer."""

    WHOLE = "everything"
    FIRST = "all that a run depends on, over sessions that it keeps"
    LAST = "what a run may have changed, over the same sessions"


def read_cluster(
    cluster: ClusterAccess, limits: Limits, opened: ClusterPeers | None, *, is_last: bool
) -> tuple[ClusterPeers, tuple[PeerReading, ...]]:
    """Return the peers of a cluster, and what was read of each, in the cluster's order.

    Args:
        cluster: The cluster, with its logins.
        limits: On time and size.
        opened: Sessions to read over, and to leave open; those that are opened for this look are closed.
        is_last: See `collect`.
    """
    if opened is None:
        with open_peers(cluster, limits, writable=False) as peers:
            return peers, _read_peers(peers, Extent.WHOLE)
    if not is_last:
        return opened, _read_peers(opened, Extent.FIRST)
    with open_peers(cluster, limits, writable=False, sessions=opened.peers) as peers:
        return peers, _read_peers(peers, Extent.LAST)


def read_opened(opened: ClusterPeers) -> tuple[PeerReading, ...]:
    """Return everything of the peers of `opened`, their own certificates too, over the sessions that are open."""
    return _read_peers(opened, Extent.WHOLE)


def _read_peers(cluster_peers: ClusterPeers, extent: Extent) -> tuple[PeerReading, ...]:
    """Read all peers at once."""
    by_address = {peer.address: peer for peer in cluster_peers.peers}

    def read(address: Address) -> PeerReading:
        primary = address == cluster_peers.primary
        if address not in by_address:
            error = f"unreachable: {cluster_peers.unreachable[address]}"
            return PeerReading(_make_unreadable_peer(address, error, primary=primary))
        is_new = extent is Extent.LAST and address not in cluster_peers.foreign_sessions
        return _read_peer(by_address[address], Extent.WHOLE if is_new else extent, primary=primary)

    return tuple(run_at_once(read, cluster_peers.order))


def _read_peer(peer: ExpresswayPeer, extent: Extent, *, primary: bool) -> PeerReading:
    try:
        if extent is Extent.LAST:
            return _read_again(peer, primary=primary)
        listed, version = peer.last_trusted_list(), peer.version()
        ciphers = {} if peer.shell_problem else peer.last_ciphers()
        is_verifying = None if peer.shell_problem else peer.verify_origin_server()
        state = replace(_make_peer(peer, listed, version, ciphers, primary=primary), verify_origin_server=is_verifying)
        capabilities = peer.capabilities()
        if capabilities.remove_trusted_ca:
            state = replace(state, removal="rest")
        publishers = peer.publishers()
        lists_publishers = bool(publishers) or peer.lists_publishers()
        chain = _read_server_chain(peer) if extent is Extent.WHOLE else ()
        own = tuple(certificate.fingerprint for certificate in chain) if chain else None
        # Last: a shell that gives no answer to a question about its health is not asked again.
        state = replace(state, server_certificate=own, health=peer.health())
        return PeerReading(
            state, listed.certificates, listed.revocation_lists, chain, publishers, lists_publishers, capabilities
        )
    except ObservationError as error:
        return PeerReading(_make_unreadable_peer(peer.address, f"unreadable: {error}", primary=primary))


def _read_again(peer: ExpresswayPeer, *, primary: bool) -> PeerReading:
    """Read what a run may have changed, over a session that may have ended since: then it logs in once more."""
    try:
        return _read_changes(peer, primary=primary)
    except ObservationError:
        peer.reconnect()
    return _read_changes(peer, primary=primary)


def _read_changes(peer: ExpresswayPeer, *, primary: bool) -> PeerReading:
    """Read the lists of a peer, and on the primary the publishers, which the other peers take over from it."""
    listed = peer.trusted_list()
    state = _make_peer(peer, listed, peer.version(), peer.ciphers(), primary=primary)
    publishers = peer.publishers() if primary else peer.last_publishers()
    lists_publishers = bool(publishers) or peer.lists_publishers()
    return PeerReading(
        state, listed.certificates, listed.revocation_lists, (), publishers, lists_publishers, peer.capabilities()
    )


def _read_server_chain(peer: ExpresswayPeer) -> tuple[Certificate, ...]:
    """Return the peer's own certificate and chain; none where they cannot be read: no verdict depends on them."""
    try:
        return peer.server_chain()
    except (ObservationError, NotOffered):
        return ()


def _make_peer(
    peer: ExpresswayPeer, listed: CertificateList, version: str | None, ciphers: Mapping[str, CipherList], *, primary: bool
) -> Peer:
    """Return a peer with its lists.

    Raises:
        ObservationError: A value that goes into files repeats a secret: masked, it would be another value.
    """
    if any(map(reveals, [version or "", *ciphers, *ciphers.values()])):
        raise ObservationError(f"{peer.address} repeats a password of this session in its version or its cipher lists.")
    return Peer(
        address=peer.address,
        version=version,
        primary=primary,
        trusted_ca=tuple(certificate.fingerprint for certificate in listed.certificates),
        ciphers=dict(ciphers),
        crls=len(listed.revocation_lists),
        revocation_lists=tuple(Fingerprint(sha256_of(pem)) for pem in listed.revocation_lists),
        system_name=peer.system_name(),
    )


def _make_unreadable_peer(address: Address, error: str, *, primary: bool) -> Peer:
    return Peer(address, None, primary, (), {}, error=error)
