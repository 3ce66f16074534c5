"""All peers of one cluster, logged in to one after the other: the first refused login ends it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from remediate.connectors.peer import ExpresswayPeer
from remediate.model.access import ClusterAccess, HostKeyTrust, PeerAccess, TlsTrust
from remediate.model.errors import AccessError, ObservationError
from remediate.model.identity import Address, is_ip
from remediate.model.limits import Limits
from remediate.model.secret import Secret


@dataclass(frozen=True, slots=True)
class ClusterPeers:
    """The peers of a cluster. A context manager that ends all sessions.

    Attributes:
        peers: those reachable, logged in, in the cluster's order.
        unreachable: the others, and why.
        order: all addresses, in the cluster's order.
        primary: the peer that the configuration comes from; None when nobody could say.
    """

    peers: tuple[ExpresswayPeer, ...]
    unreachable: Mapping[Address, str]
    order: tuple[Address, ...]
    primary: Address | None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End all sessions."""
        for peer in self.peers:
            peer.close()


def open_peers(cluster: ClusterAccess, limits: Limits, *, writable: bool) -> ClusterPeers:
    """Log in to every peer, in order, those included that only the cluster itself names.

    Raises:
        LoginRefused, PinMismatch: at once; no other peer is tried.
        AccessError: the cluster has a peer that the inventory gives no pin for.
        InventoryError: the secret or a file of the inventory cannot be read.
    """
    password = cluster.login.password.read()
    with ExitStack() as on_error:
        opened: dict[Address, ExpresswayPeer] = {}
        unreachable: dict[Address, str] = {}
        for access in cluster.peers:
            _open_one(access, cluster, password, limits, opened, unreachable, on_error, writable=writable)
        named, primary = _as_the_cluster_says(opened, cluster)
        for address in named:
            access = _inherited(address, cluster)
            _open_one(access, cluster, password, limits, opened, unreachable, on_error, writable=writable)
        on_error.pop_all()
    order = (*(one.address for one in cluster.peers), *named)
    return ClusterPeers(tuple(opened[one] for one in order if one in opened), unreachable, order, primary)


def _open_one(
    access: PeerAccess,
    cluster: ClusterAccess,
    password: Secret,
    limits: Limits,
    opened: dict[Address, ExpresswayPeer],
    unreachable: dict[Address, str],
    on_error: ExitStack,
    *,
    writable: bool,
) -> None:
    peer = on_error.enter_context(ExpresswayPeer(access, cluster.login.username, password, limits, writable=writable))
    try:
        peer.log_in()
    except ObservationError as error:
        peer.close()
        unreachable[access.address] = str(error)
    else:
        opened[access.address] = peer


def _as_the_cluster_says(
    opened: Mapping[Address, ExpresswayPeer], cluster: ClusterAccess
) -> tuple[tuple[Address, ...], Address | None]:
    """The peers that the inventory does not name, and the primary under its name in the inventory."""
    known = [one.address for one in cluster.peers]
    for peer in opened.values():
        try:
            alternates, listed = peer.alternates(), peer.cluster_peers()
        except ObservationError:
            continue
        names = same_hosts(known, (*alternates.peers, *listed))
        added = tuple(dict.fromkeys(one for one in names.values() if one not in known))
        alone = known[0] if len(known) == 1 and not added else None
        primary = alternates.primary_address
        return added, names[primary] if primary else alone
    return (), None


def same_hosts(
    known: Iterable[Address], named: Iterable[Address], resolve: Callable[[Address], set[str]] | None = None
) -> dict[Address, Address]:
    """Return each of `named` with the first address, of `known` or before it in `named`, that means the same host, or itself.

    The cluster may list addresses where the inventory has names. Each is resolved once, however many there are.
    """
    first_called: dict[str, Address] = {}
    hosts: dict[Address, Address] = {}
    for address in dict.fromkeys((*known, *named)):
        called = _spellings(address) | (resolve or _resolved)(address)
        before = {first_called[name] for name in called if name in first_called}
        hosts[address] = next((host for host in hosts if host in before), address)
        for name in called:
            first_called.setdefault(name, hosts[address])
    return {address: hosts[address] for address in named}


def _spellings(address: Address) -> set[str]:
    return {str(ipaddress.ip_address(address)) if is_ip(address) else address.casefold().rstrip(".")}


def _resolved(address: Address) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(address, None)}
    except (OSError, UnicodeError):
        return set()


def _inherited(address: Address, cluster: ClusterAccess) -> PeerAccess:
    """Access to a peer that only the cluster names: the first peer's ports and CA. A pin, and a way through, belong to one box."""
    first = cluster.peers[0]
    pins = [name for name, pin in (("tls fingerprint", first.tls.fingerprint), ("ssh host_key", first.ssh.host_key)) if pin]
    if pins:
        raise AccessError(
            f"The cluster {cluster.name} also has the peer {address}, which {cluster.source} does not name; "
            f"the {' and '.join(pins)} of {first.address} cannot stand for it.",
            next_step=f"Add the peer {address} to {cluster.source} with its own pin, verified over another path.",
        )
    tls, ssh = TlsTrust(ca=first.tls.ca), HostKeyTrust(known_hosts=first.ssh.known_hosts)
    return replace(first, address=address, tls=tls, ssh=ssh, mra=None)
