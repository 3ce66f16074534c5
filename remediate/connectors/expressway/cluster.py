"""All peers of one cluster: one login alone, which a wrong password ends, then the other peers at once."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from remediate.connectors.addresses import check_discovered_name, classify_address, list_inventory_hosts
from remediate.connectors.closing import Closing
from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.connectors.gaps import MAX_SHOWN_NAMES, make_refusal_gap
from remediate.connectors.http import Account
from remediate.connectors.parallel import run_at_once
from remediate.model.access import ClusterAccess, HostKeyTrust, PeerAccess, TlsTrust
from remediate.model.errors import AccessError, LoginRefused, ObservationError
from remediate.model.identity import Address, is_ip
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.snapshot import DiscoveryGap
from remediate.model.text import count, first_few, mask_and_escape


@dataclass(frozen=True, slots=True)
class ClusterPeers(Closing):
    """The peers of a cluster. A context manager that ends all sessions.

    Attributes:
        peers: Those that are reachable, logged in, in the cluster's order.
        unreachable: The reasons why the others are not, by address.
        order: All addresses, in the cluster's order.
        primary: The peer that the configuration comes from; None when no peer states it.
        undiscovered: Peers that the cluster may have beside these.
        foreign_sessions: Peers whose sessions belong to a run, and stay open.
    """

    peers: tuple[ExpresswayPeer, ...]
    unreachable: Mapping[Address, str]
    order: tuple[Address, ...]
    primary: Address | None
    undiscovered: tuple[DiscoveryGap, ...] = ()
    foreign_sessions: frozenset[Address] = frozenset()

    def close(self) -> None:
        """End all sessions but those of `foreign_sessions`."""
        for peer in self.peers:
            if peer.address not in self.foreign_sessions:
                peer.close()


def open_peers(
    cluster: ClusterAccess, limits: Limits, *, writable: bool, logs: bool = False, sessions: Sequence[ExpresswayPeer] = ()
) -> ClusterPeers:
    """Log in to every peer, including those that only the cluster itself names.

    The first login is made alone, so that a wrong password is sent once. When a peer has taken it, the others follow all at once.

    Args:
        cluster: The cluster, with its logins.
        limits: On time and size.
        writable: Whether the peers may be written to.
        logs: Diagnostic logging may be started and stopped on peers that are opened for reading.
        sessions: Peers that are logged in already: they are used as they are, and stay open.

    Raises:
        LoginRefused, PinMismatch: Before any other peer is tried, unless one had taken the login.
        AccessError: The cluster has a peer more than the inventory, which gives no pin for it.
        InventoryError: The secret or a file of the inventory cannot be read.
    """
    password = cluster.login.password.read()
    rest_account = Account(cluster.rest.username, cluster.rest.password.read()) if cluster.rest else None
    with ExitStack() as on_error:
        opener = _PeerOpener(cluster, password, rest_account, limits, on_error, writable=writable, logs=logs)
        opener.opened.update({peer.address: peer for peer in sessions})
        opener.open_all(cluster.peers)
        members = _read_members(opener.in_order(cluster.peers), cluster, limits)
        opener.open_all([_inherit_access(address, cluster) for address in members.added if address not in members.displacing])
        opener.unreachable.update(members.displacing)
        on_error.pop_all()
    order = (*(peer.address for peer in cluster.peers), *members.added)
    peers = tuple(opener.opened[address] for address in order if address in opener.opened)
    foreign_sessions = frozenset(peer.address for peer in sessions)
    return ClusterPeers(peers, opener.unreachable, order, members.primary, members.gaps, foreign_sessions)


@dataclass(slots=True)
class _PeerOpener:
    """Opens peers.

    Attributes:
        on_error: Closes the opened peers when one of them ends the whole attempt.
        opened: Peers that are logged in, by address.
        unreachable: Reasons why the others are not, by address.
        shell_problem: Why no shell is tried any more; empty: it is.
    """

    cluster: ClusterAccess
    password: Secret
    rest_account: Account | None
    limits: Limits
    on_error: ExitStack
    writable: bool = field(kw_only=True)
    logs: bool = field(kw_only=True)
    opened: dict[Address, ExpresswayPeer] = field(default_factory=dict)
    unreachable: dict[Address, str] = field(default_factory=dict)
    shell_problem: str = ""

    def open_all(self, accesses: Sequence[PeerAccess]) -> None:
        """Log in to each peer that is not open: one after another until a peer is open, then to the others at once."""
        remaining = [access for access in accesses if access.address not in self.opened]
        while remaining and not self.opened:
            self.open(remaining.pop(0))
        run_at_once(self.open, remaining)

    def in_order(self, accesses: Iterable[PeerAccess]) -> list[ExpresswayPeer]:
        """Return the open peers among these, in their order."""
        return [self.opened[access.address] for access in accesses if access.address in self.opened]

    def open(self, access: PeerAccess) -> None:
        """Log in to one peer, or note that it is unreachable."""
        username, writable, logs = self.cluster.login.username, self.writable, self.logs
        peer = ExpresswayPeer(
            access, username, self.password, self.limits, writable=writable, logs=logs, rest_account=self.rest_account
        )
        self.on_error.enter_context(peer)
        try:
            peer.log_in_to_rest()
            self._open_shell(peer)
        except ObservationError as error:
            peer.close()
            self.unreachable[access.address] = str(error)
        else:
            self.opened[access.address] = peer

    def _open_shell(self, peer: ExpresswayPeer) -> None:
        """Log in to the shell of one peer.

        Where REST has an account of its own, reading goes on without the shell that refused its account, which is tried nowhere else.

        Raises:
            AccessError: The peers are to be written to, which needs the shell.
        """
        peer.shell_problem = peer.shell_problem or self.shell_problem
        if not peer.shell_problem:
            try:
                peer.log_in_to_shell()
            except LoginRefused:
                if self.writable or self.rest_account is None:
                    raise
                self.shell_problem = peer.shell_problem = (
                    f"that of {peer.address} refuses the login of {self.cluster.login.username}"
                )
        elif self.writable:
            peer.log_in_to_shell()


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of a cluster, as its peers list them.

    Attributes:
        added: Peers that the inventory does not name.
        primary: Under its name in the inventory; None when no peer states it.
        gaps: What is not known of the members.
        displacing: Those of `added` that cannot be opened, and stand in the list in the place of a peer of the inventory, each with
            the reason.
    """

    added: tuple[Address, ...] = ()
    primary: Address | None = None
    gaps: tuple[DiscoveryGap, ...] = ()
    displacing: Mapping[Address, str] = field(default_factory=dict)


def _read_members(peers: Iterable[ExpresswayPeer], cluster: ClusterAccess, limits: Limits) -> _Members:
    """Return the members of the cluster, from the first peer that can be read."""
    inventory_peers = [access.address for access in cluster.peers]
    problems: list[str] = []
    for peer in peers:
        try:
            alternates = peer.alternates()
            over_rest = peer.cluster_peers()
        except ObservationError as error:
            problems.append(str(error))
            continue
        member_addresses = tuple(dict.fromkeys((*alternates.peers, *over_rest)))
        names, gaps = _select_usable(member_addresses, peer.address, cluster, limits)
        spelled = match_hosts(inventory_peers, names)
        added = tuple(dict.fromkeys(address for address in spelled.values() if address not in inventory_peers))
        if gap := _make_surplus_gap(added, peer.address, len(inventory_peers), limits):
            added, gaps = added[: max(0, limits.max_peers - len(inventory_peers))], (*gaps, gap)
        alone = inventory_peers[0] if len(inventory_peers) == 1 and not added else None
        primary = alternates.primary_address
        displacing = _find_displacing(added, {spelled.get(name, name) for name in alternates.peers}, peer.address, cluster)
        return _Members(added, spelled.get(primary) if primary else alone, gaps, displacing)
    return _Members(gaps=(_make_unknown_members_gap(cluster, problems),) if problems else ())


def _find_displacing(
    added: Sequence[Address], listed: AbstractSet[Address], source: Address, cluster: ClusterAccess
) -> dict[Address, str]:
    """Return why peers that only the cluster names cannot be opened, where its list lacks peers of the inventory; else nothing.

    A peer whose own address has left the list is a fault of the cluster, which guards have to see, and not of the inventory. Where
    none of its peers is in the list, or more are, they may be the same ones under names that are not known here.
    """
    lacking = [access.address for access in cluster.peers if access.address not in listed]
    if not len(added) <= len(lacking) < len(cluster.peers) or not _list_pins(cluster):
        return {}
    reason = f"{source} lists it in the place of {first_few(lacking)}, and {cluster.source} has no pin for it."
    return dict.fromkeys(added, reason)


def _select_usable(
    names: Sequence[Address], source: Address, cluster: ClusterAccess, limits: Limits
) -> tuple[tuple[Address, ...], tuple[DiscoveryGap, ...]]:
    """Return the names that may be opened, and the gaps that the others leave.

    A peer's list was read over a pinned channel. An address of this machine or of its link is accepted only from a cluster whose peers
    have such addresses in the inventory.
    """
    kinds = {kind for access in cluster.peers if (kind := classify_address(access.address))}
    accepted: list[Address] = []
    refused: dict[str, list[str]] = {}
    # Each peer may be listed twice, by name and by address. Names are looked up, so their number is limited.
    examined = names[: 2 * limits.max_peers]
    for text in examined:
        address, why = check_discovered_name(text, list_inventory_hosts(cluster), kinds)
        if address is None:
            refused.setdefault(why or "", []).append(mask_and_escape(text, 80))
        else:
            accepted.append(address)
    if len(names) > len(examined):
        refused["more than a cluster can have"] = [mask_and_escape(text, 80) for text in names[len(examined) :]]
    gaps = tuple(make_refusal_gap(source, "cluster", why, names, incomplete=True) for why, names in refused.items())
    return tuple(accepted), gaps


def _make_surplus_gap(added: Sequence[Address], source: Address, inventory_count: int, limits: Limits) -> DiscoveryGap | None:
    surplus = added[max(0, limits.max_peers - inventory_count) :]
    if not surplus:
        return None
    message = (
        f"{source} names {count(len(surplus), 'peer')} more than the {limits.max_peers} that a cluster can have: "
        f"{first_few(surplus, MAX_SHOWN_NAMES)}. Compare the cluster's own list of peers with the inventory."
    )
    return DiscoveryGap(
        source,
        "cluster",
        "over-limit",
        incomplete=True,
        message=message,
        names=tuple(surplus[:MAX_SHOWN_NAMES]),
        count=len(surplus),
    )


def _make_unknown_members_gap(cluster: ClusterAccess, problems: Sequence[str]) -> DiscoveryGap:
    message = f"No peer of {cluster.name} lists the peers of the cluster, so one may be missing: {problems[0]}"
    return DiscoveryGap(cluster.name, "cluster", "not-asked", incomplete=True, message=message)


def match_hosts(
    known_hosts: Iterable[Address], addresses: Iterable[Address], resolve: Callable[[Address], set[str]] | None = None
) -> dict[Address, Address]:
    """Return each of `addresses` with the first address, of `known_hosts` or before it in `addresses`, of the same host, or itself.

    The cluster may list addresses where the inventory has names. Each is resolved once, however many there are.
    """
    host_of_spelling: dict[str, Address] = {}
    hosts: dict[Address, Address] = {}
    for address in dict.fromkeys((*known_hosts, *addresses)):
        spellings = _spellings(address) | (resolve or _resolve)(address)
        earlier = {host_of_spelling[name] for name in spellings if name in host_of_spelling}
        hosts[address] = next((host for host in hosts if host in earlier), address)
        for name in spellings:
            host_of_spelling.setdefault(name, hosts[address])
    return {address: hosts[address] for address in addresses}


def _spellings(address: Address) -> set[str]:
    return {str(ipaddress.ip_address(address)) if is_ip(address) else address.casefold().rstrip(".")}


def _resolve(address: Address) -> set[str]:
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(address, None)}
    except (OSError, UnicodeError):
        return set()


def _inherit_access(address: Address, cluster: ClusterAccess) -> PeerAccess:
    """Return access to a peer that only the cluster names: the first peer's ports and CA, but no pin, which belongs to one peer."""
    first = cluster.peers[0]
    if pins := _list_pins(cluster):
        raise AccessError(
            f"The cluster {cluster.name} also has the peer {address}, which {cluster.source} does not name; "
            f"the {' and '.join(pins)} of {first.address} cannot be used for it.",
            next_step=f"Add the peer {address} to {cluster.source} with its own pin, verified out of band.",
        )
    tls, ssh = TlsTrust(ca=first.tls.ca), HostKeyTrust(known_hosts=first.ssh.known_hosts)
    return replace(first, address=address, tls=tls, ssh=ssh, mra=None)


def _list_pins(cluster: ClusterAccess) -> list[str]:
    """Return which pins of the first peer are its own, and good for no other."""
    first = cluster.peers[0]
    return [name for name, pin in (("tls fingerprint", first.tls.fingerprint), ("ssh host_key", first.ssh.host_key)) if pin]
