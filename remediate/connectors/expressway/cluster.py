"""All peers of one cluster, logged in to one after the other: the first refused login ends it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from remediate.connectors.addresses import check_name, kind_of, names_of
from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.connectors.unified_cm.nodes import SHOWN_NAMES, refused_names
from remediate.model.access import ClusterAccess, HostKeyTrust, PeerAccess, TlsTrust
from remediate.model.errors import AccessError, ObservationError
from remediate.model.identity import Address, is_ip
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.snapshot import DiscoveryGap
from remediate.model.text import count, first_few, mask_and_escape


@dataclass(frozen=True, slots=True)
class ClusterPeers:
    """The peers of a cluster. A context manager that ends all sessions.

    Attributes:
        peers: those reachable, logged in, in the cluster's order.
        unreachable: the others, and why.
        order: all addresses, in the cluster's order.
        primary: the peer that the configuration comes from; None when nobody could say.
        undiscovered: peers that the cluster may have beside these.
    """

    peers: tuple[ExpresswayPeer, ...]
    unreachable: Mapping[Address, str]
    order: tuple[Address, ...]
    primary: Address | None
    undiscovered: tuple[DiscoveryGap, ...] = ()

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
        named, primary, gaps = _as_the_cluster_says(opened, cluster, limits)
        for address in named:
            access = _inherited(address, cluster)
            _open_one(access, cluster, password, limits, opened, unreachable, on_error, writable=writable)
        on_error.pop_all()
    order = (*(peer.address for peer in cluster.peers), *named)
    return ClusterPeers(tuple(opened[one] for one in order if one in opened), unreachable, order, primary, gaps)


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
    opened: Mapping[Address, ExpresswayPeer], cluster: ClusterAccess, limits: Limits
) -> tuple[tuple[Address, ...], Address | None, tuple[DiscoveryGap, ...]]:
    """The peers that the inventory does not name, the primary under its name in the inventory, and what is not known of them."""
    known = [access.address for access in cluster.peers]
    problems: list[str] = []
    for peer in opened.values():
        try:
            alternates, over_rest = peer.alternates(), peer.cluster_peers()
        except ObservationError as error:
            problems.append(str(error))
            continue
        named = tuple(dict.fromkeys((*alternates.peers, *over_rest)))
        names, gaps = _acceptable(named, peer.address, cluster, limits)
        spelled = same_hosts(known, names)
        added = tuple(dict.fromkeys(one for one in spelled.values() if one not in known))
        if gap := _too_many(added, peer.address, len(known), limits):
            added, gaps = added[: max(0, limits.max_peers - len(known))], (*gaps, gap)
        alone = known[0] if len(known) == 1 and not added else None
        primary = alternates.primary_address
        return added, spelled.get(primary) if primary else alone, gaps
    return (), None, (_nobody_says(cluster, problems),) if problems else ()


def _acceptable(
    named: Sequence[Address], source: Address, cluster: ClusterAccess, limits: Limits
) -> tuple[tuple[Address, ...], tuple[DiscoveryGap, ...]]:
    """The names that may be opened, and the gaps that the others leave.

    A peer's list came over a pinned channel. An address of this machine or of its link is believed only of a cluster whose peers the
    inventory itself gives such addresses.
    """
    kinds = {kind for access in cluster.peers if (kind := kind_of(access.address))}
    accepted: list[Address] = []
    refused: dict[str, list[str]] = {}
    # Each peer may stand there twice, under its name and its address. Names are looked up, so there must be an end to them.
    shown = named[: 2 * limits.max_peers]
    for text in shown:
        address, why = check_name(text, names_of(cluster), kinds)
        if address is None:
            refused.setdefault(why or "", []).append(mask_and_escape(text, 80))
        else:
            accepted.append(address)
    if len(named) > len(shown):
        refused["more than a cluster can have"] = [mask_and_escape(text, 80) for text in named[len(shown) :]]
    gaps = tuple(refused_names(source, "cluster", why, names, incomplete=True) for why, names in refused.items())
    return tuple(accepted), gaps


def _too_many(added: Sequence[Address], source: Address, known: int, limits: Limits) -> DiscoveryGap | None:
    over = added[max(0, limits.max_peers - known) :]
    if not over:
        return None
    message = (
        f"{source} names {count(len(over), 'peer')} more than the {limits.max_peers} that a cluster can have: "
        f"{first_few(over, SHOWN_NAMES)}. "
        "Compare the cluster's own list of peers with the inventory."
    )
    return DiscoveryGap(
        source, "cluster", "over-limit", incomplete=True, message=message, names=tuple(over[:SHOWN_NAMES]), count=len(over)
    )


def _nobody_says(cluster: ClusterAccess, problems: Sequence[str]) -> DiscoveryGap:
    message = f"No peer of {cluster.name} says which peers the cluster has, so one may be missing: {problems[0]}"
    return DiscoveryGap(cluster.name, "cluster", "not-asked", incomplete=True, message=message)


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
