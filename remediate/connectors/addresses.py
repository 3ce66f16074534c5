"""Which addresses somebody else may send us to: none that lead back to this machine, to its own link, or to everybody.

What the inventory names is the operator's word and is not checked here.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection, Iterable

from remediate.connectors.text import address_in
from remediate.model.access import ClusterAccess
from remediate.model.identity import Address

MAX_NAME_OCTETS = 253
MAX_LABEL_OCTETS = 63
"""Both from RFC 1035, 2.3.4, without the final dot."""

_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label that resolvers read as part of an IPv4 address (``127.1``, ``2130706433``); no top-level domain is one."""


class SpecialAddress(OSError):
    """A name leads to nothing but addresses that only the inventory may name."""


def names_of(cluster: ClusterAccess) -> frozenset[str]:
    """Return every host that the inventory itself names, in lower case: it may be connected to, whatever it is."""
    hosts: list[str] = [peer.address for peer in cluster.peers]
    for node in cluster.nodes:
        hosts += [node.address, *([node.connect_to] if node.connect_to else [])]
    return frozenset(host.casefold() for host in hosts)


def kind_of(text: str) -> str | None:
    """Return ``loopback``, ``link-local``, ``multicast``, ``broadcast`` or ``unspecified``; None for any other host."""
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


def check_name(
    text: str, named_in_inventory: Collection[str], kinds: Collection[str] = ()
) -> tuple[Address | None, str | None]:
    """Return the host that somebody else named, or None and why it is not used.

    Args:
        named_in_inventory: hosts in lower case that need no check (`names_of`).
        kinds: special kinds of address (`kind_of`) that may be used here.
    """
    host = text.strip()
    if host.casefold() in named_in_inventory:
        return Address(host), None
    kind = kind_of(host)
    if kind is not None and kind not in kinds:
        return None, f"{kind} address"
    labels = host.removesuffix(".").split(".")
    if len(host) > MAX_NAME_OCTETS or (":" not in host and max(map(len, labels)) > MAX_LABEL_OCTETS):
        return None, "longer than a host name may be"
    address = address_in(host)
    if address is None or (_NUMBER.fullmatch(labels[-1]) and not _is_ipv4(host)):
        return None, "no host name and no IP address"
    return address, None


def connect(host: str, port: int, timeout_s: float, *, guarded: bool) -> socket.socket:
    """Return a connected socket.

    Args:
        guarded: somebody else named `host`, so addresses that only the inventory may name are passed over.

    Raises:
        SpecialAddress: `guarded`, and nothing else is left. Nothing was sent.
        OSError, UnicodeError: as `socket.create_connection`.
    """
    if not guarded:
        return socket.create_connection((host, port), timeout_s)
    resolved = dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return _connect_to_first([address for address in resolved if kind_of(address) is None], host, port, timeout_s)


def _connect_to_first(addresses: Iterable[str], host: str, port: int, timeout_s: float) -> socket.socket:
    failure: OSError = SpecialAddress(f"{host} leads to an address that only the inventory may name")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout_s)
        except OSError as error:
            failure = error
    raise failure


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
