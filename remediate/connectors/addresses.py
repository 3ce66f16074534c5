"""Addresses that a source other than the inventory names, and which of them may be used.

None may lead back to this machine, to its own link, or to all hosts. What the inventory itself names is not checked here.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from typing import Any, TypeAlias

from remediate.connectors.text import parse_address
from remediate.model.access import ClusterAccess
from remediate.model.identity import Address

MAX_NAME_OCTETS = 253
MAX_LABEL_OCTETS = 63
"""Both from RFC 1035, 2.3.4, without the final dot."""

SocketAddress: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and what a socket of it connects to: an address, a port and, of IPv6, a flow and a scope."""

_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label that resolvers read as part of an IPv4 address (``127.1``, ``2130706433``); no top-level domain looks like it."""


class SpecialAddress(OSError):
    """A host name resolves only to addresses that the inventory alone may name."""


def list_inventory_hosts(cluster: ClusterAccess) -> frozenset[str]:
    """Return every host that the inventory names, in lower case; these need no check."""
    hosts: list[str] = [peer.address for peer in cluster.peers]
    for node in cluster.nodes:
        hosts += [node.address, *([node.connect_to] if node.connect_to else [])]
    return frozenset(host.casefold() for host in hosts)


def classify_address(text: str) -> str | None:
    """Return the special kind of an address; None for any other host.

    The kinds are ``loopback``, ``link-local``, ``multicast``, ``broadcast`` and ``unspecified``.
    """
    name = text.casefold().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "loopback"  # RFC 6761, 6.3
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_unspecified or (address.version == 4 and address in ipaddress.IPv4Network("0.0.0.0/8")):
        return "unspecified"
    if address.version == 4 and address in ipaddress.IPv4Network("240.0.0.0/4"):
        return "broadcast"
    kinds = {"loopback": address.is_loopback, "link-local": address.is_link_local, "multicast": address.is_multicast}
    return next((kind for kind, holds in kinds.items() if holds), None)


def check_discovered_name(
    text: str, named_in_inventory: Collection[str], kinds: Collection[str] = ()
) -> tuple[Address | None, str | None]:
    """Return a host that a source named, or None and why it is not used.

    Args:
        text: The name or address as the source gave it.
        named_in_inventory: Hosts in lower case that need no check (`list_inventory_hosts`).
        kinds: Special kinds of address (`classify_address`) that may be used here.
    """
    host = text.strip()
    if host.casefold() in named_in_inventory:
        return Address(host), None
    kind = classify_address(host)
    if kind is not None and kind not in kinds:
        return None, f"{kind} address"
    labels = host.removesuffix(".").split(".")
    if len(host) > MAX_NAME_OCTETS or (":" not in host and max(map(len, labels)) > MAX_LABEL_OCTETS):
        return None, "too long for a host name"
    address = parse_address(host)
    if address is None or (_NUMERIC_LABEL.fullmatch(labels[-1]) and not _is_ipv4(host)):
        return None, "neither a host name nor an IP address"
    return address, None


def connect(host: str, port: int, timeout_s: float, *, guarded: bool) -> socket.socket:
    """Open a TCP connection.

    Args:
        host: Name or address to connect to.
        port: TCP port.
        timeout_s: Seconds for each address.
        guarded: `host` comes from a source other than the inventory, so addresses that only the inventory may name are skipped.

    Raises:
        SpecialAddress: `guarded`, and no other address is left. Nothing was sent.
        OSError, UnicodeError: As `socket.create_connection`.
    """
    if not guarded:
        return socket.create_connection((host, port), timeout_s)
    failure: OSError | None = None
    for _, place in resolve(host, port, guarded=True):
        try:
            return socket.create_connection(place[:2], timeout_s)
        except OSError as error:
            failure = error
    raise failure or OSError(f"{host} has no address")


def resolve(host: str, port: int, *, guarded: bool) -> list[SocketAddress]:
    """Return the addresses of a host, at least one.

    Args:
        host: Name or address.
        port: TCP port.
        guarded: See `connect`.

    Raises:
        SpecialAddress: `guarded`, and no other address is left.
        OSError, UnicodeError: As `socket.getaddrinfo`.
    """
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses: dict[SocketAddress, None] = dict.fromkeys((family, place) for family, _, _, _, place in entries)
    usable = [address for address in addresses if not (guarded and classify_address(str(address[1][0])))]
    if not usable:
        raise SpecialAddress(f"{host} resolves to an address that is accepted only from the inventory")
    return usable


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
