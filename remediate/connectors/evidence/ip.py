"""IP, its extension headers, UDP and TCP."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from remediate.connectors.evidence.headers import (
    IPV4,
    IPV6,
    MPLS,
    Decoder,
    Fragment,
    Inner,
    NotReadable,
    Registry,
    ethernet_frame,
    numbers,
)
from remediate.connectors.evidence.tunnels import BOTH_WAYS, UDP_PORTS, gre

SYN, RST, ACK = 0x02, 0x04, 0x10
TCP, UDP = 6, 17
_IPV4_HEADER: Final = 20
_IPV6_HEADER: Final = 40
_TCP_HEADER: Final = 20
_MORE_FRAGMENTS, _OFFSET_BITS = 0x2000, 0x1FFF
_ETHERIP_VERSION: Final = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment.

    Attributes:
        source: packed, as on the wire.
        target: packed, as on the wire.
        missing: how many octets at the end of `data` the capture does not hold.
        acknowledged: the number behind the last octet that arrived from the other side; means nothing without ACK in `flags`.
    """

    source: bytes
    source_port: int
    target: bytes
    target_port: int
    number: int
    flags: int
    data: bytes
    missing: int = 0
    acknowledged: int = 0


def text_of(address: bytes) -> str:
    """Return a packed IPv4 or IPv6 address as text."""
    return str(ipaddress.ip_address(address))


def tcp_segment(data: bytes, addresses: tuple[bytes, bytes], missing: int) -> Segment:
    """Return the TCP segment in `data` (RFC 9293, 3.1). `missing` octets at its end were not captured. Raises struct.error."""
    source_port, target_port, number, acknowledged, offset, flags = numbers("HHIIBB", data)
    header = (offset >> 4) * 4
    if header < _TCP_HEADER:
        raise NotReadable("TCP", "broken: its header is too short")
    whole = max(0, len(data) + missing - header)
    payload = data[header:]
    return Segment(
        addresses[0], source_port, addresses[1], target_port, number, flags, payload, whole - len(payload), acknowledged
    )  # fmt: skip


def ipv4(data: bytes) -> Inner:
    """RFC 791. The total length cuts what Ethernet padded; 0 is left by network cards that segment by themselves."""
    first, _, total, identification, offset, _, protocol = numbers("BBHHHBB", data)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < _IPV4_HEADER:
        raise NotReadable("IPv4", "broken: its header is malformed")
    total = total or len(data)
    piece = (offset & _OFFSET_BITS) * 8
    more_follow = bool(offset & _MORE_FRAGMENTS)
    return Inner(
        Registry.IP, protocol, data[header:total], max(0, total - max(header, len(data))), _addresses(data, 12, 4),
        Fragment(identification, piece, more_follow) if piece or more_follow else None,
    )  # fmt: skip


def ipv6(data: bytes) -> Inner:
    """RFC 8200, 3. A payload length of 0 is that of a jumbogram, or of a network card that segments by itself."""
    first, _, length, following = numbers("BBxxHB", data)
    if first >> 4 != 6:
        raise NotReadable("IPv6", "broken: its header is malformed")
    total = _IPV6_HEADER + length if length else len(data)
    missing = max(0, total - max(_IPV6_HEADER, len(data)))
    return Inner(Registry.IP, following, data[_IPV6_HEADER:total], missing, _addresses(data, 8, 16))


def _addresses(data: bytes, at: int, size: int) -> tuple[bytes, bytes]:
    source, target = data[at : at + size], data[at + size : at + 2 * size]
    if len(target) < size:
        raise IndexError("an IP header is cut")
    return source, target


def _extension(data: bytes) -> Inner:
    """Hop-by-hop and destination options, routing, mobility, shim6 (RFC 8200 4.3 to 4.6, RFC 6275, RFC 5533)."""
    following, length = numbers("BB", data)
    return Inner(Registry.IP, following, data[8 + 8 * length :])


def _fragment_header(data: bytes) -> Inner:
    """RFC 8200, 4.5. Offset 0 without more is a whole packet (RFC 6946)."""
    following, _, offset, identification = numbers("BBHI", data)
    piece, more_follow = offset & ~7, bool(offset & 1)
    fragment = Fragment(identification, piece, more_follow) if piece or more_follow else None
    return Inner(Registry.IP, following, data[8:], fragment=fragment)


def _authentication_header(data: bytes) -> Inner:
    """RFC 4302: authenticated, not encrypted."""
    following, length = numbers("BB", data)
    return Inner(Registry.IP, following, data[4 * length + 8 :])


def _encrypted(_data: bytes) -> Inner:
    """RFC 4303."""
    raise NotReadable("IPsec ESP", "encrypted")


def _udp(data: bytes) -> Inner | None:
    """RFC 768. Tunnels are known by their port alone; nothing else over UDP is looked at."""
    source, target = numbers("HH", data)
    if target in UDP_PORTS:
        return Inner(Registry.UDP, target, data)
    return Inner(Registry.UDP, source, data) if source in BOTH_WAYS else None


def _ethernet_in_ip(data: bytes) -> Inner:
    """EtherIP, RFC 3378."""
    if data[0] >> 4 != _ETHERIP_VERSION:
        raise NotReadable("EtherIP of another version")
    return ethernet_frame(data[2:])


# https://www.iana.org/assignments/protocol-numbers. TCP is where the way ends.
DECODERS: Final[dict[int, Decoder]] = {
    0: _extension,
    4: lambda data: Inner(Registry.ETHERNET, IPV4, data),  # RFC 2003
    UDP: _udp,
    41: lambda data: Inner(Registry.ETHERNET, IPV6, data),  # RFC 2473, RFC 4213
    43: _extension,
    44: _fragment_header,
    47: gre,
    50: _encrypted,
    51: _authentication_header,
    60: _extension,
    94: lambda data: Inner(Registry.ETHERNET, IPV4, data),  # IPIP of KA9Q
    97: _ethernet_in_ip,
    135: _extension,
    137: lambda data: Inner(Registry.ETHERNET, MPLS, data),  # RFC 4023
    140: _extension,
}

TUNNELS: Final = frozenset({4, 41, 47, 55, 94, 97, 98, 108, 115, 137})
"""IP protocols that carry packets of another network."""

WITHOUT_TCP: Final = frozenset({1, 2, 3, 8, 9, 27, 33, 46, 54, 58, 59, 88, 89, 103, 112, 113, 124, 132, 136, 139})
"""ICMP, IGMP, GGP, EGP, IGP, RDP, DCCP, RSVP, NHRP, ICMPv6, no next header, EIGRP, OSPF, PIM, VRRP and CARP, PGM, IS-IS, SCTP,
UDP-Lite, HIP."""
