"""Decoders of IP, its extension headers, UDP and TCP."""

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
    unpack_numbers,
)
from remediate.connectors.evidence.tunnels import SYMMETRIC_PORTS, UDP_PORTS, decode_gre

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
        source: The packed address.
        target: The packed address.
        missing: The number of octets at the end of `data` that the capture does not hold.
        acknowledged: The acknowledgment number; valid only with ACK in `flags`.
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


def format_ip(address: bytes) -> str:
    """Return a packed IPv4 or IPv6 address as text."""
    return str(ipaddress.ip_address(address))


def decode_tcp(data: bytes, addresses: tuple[bytes, bytes], missing: int) -> Segment:
    """Return the TCP segment in `data` (RFC 9293, 3.1), of which `missing` octets at the end were not captured.

    Raises:
        struct.error: The header was cut.
        NotReadable: The header is malformed.
    """
    source_port, target_port, number, acknowledged, offset, flags = unpack_numbers("HHIIBB", data)
    header = (offset >> 4) * 4
    if header < _TCP_HEADER:
        raise NotReadable("TCP", "broken: its header is too short")
    payload_length = max(0, len(data) + missing - header)
    payload = data[header:]
    return Segment(
        addresses[0], source_port, addresses[1], target_port, number, flags, payload, payload_length - len(payload), acknowledged
    )  # fmt: skip


def decode_ipv4(data: bytes) -> Inner:
    """Decode IPv4 (RFC 791).

    The total length removes the padding of Ethernet; it is 0 where the network card segments packets itself.
    """
    first, _, total, identification, offset, _, protocol = unpack_numbers("BBHHHBB", data)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < _IPV4_HEADER:
        raise NotReadable("IPv4", "broken: its header is malformed")
    total = total or len(data)
    fragment_offset = (offset & _OFFSET_BITS) * 8
    more_follow = bool(offset & _MORE_FRAGMENTS)
    return Inner(
        Registry.IP, protocol, data[header:total], max(0, total - max(header, len(data))), _read_addresses(data, 12, 4),
        Fragment(identification, fragment_offset, more_follow) if fragment_offset or more_follow else None,
    )  # fmt: skip


def decode_ipv6(data: bytes) -> Inner:
    """Decode IPv6 (RFC 8200, 3); the payload length is 0 in a jumbogram, or where the network card segments packets itself."""
    first, _, length, following = unpack_numbers("BBxxHB", data)
    if first >> 4 != 6:
        raise NotReadable("IPv6", "broken: its header is malformed")
    total = _IPV6_HEADER + length if length else len(data)
    missing = max(0, total - max(_IPV6_HEADER, len(data)))
    return Inner(Registry.IP, following, data[_IPV6_HEADER:total], missing, _read_addresses(data, 8, 16))


def _read_addresses(data: bytes, at: int, size: int) -> tuple[bytes, bytes]:
    source, target = data[at : at + size], data[at + size : at + 2 * size]
    if len(target) < size:
        raise IndexError("an IP header is truncated")
    return source, target


def _decode_extension(data: bytes) -> Inner:
    """Decode options, routing, mobility and shim6 headers (RFC 8200 4.3 to 4.6, RFC 6275, RFC 5533)."""
    following, length = unpack_numbers("BB", data)
    return Inner(Registry.IP, following, data[8 + 8 * length :])


def _decode_fragment(data: bytes) -> Inner:
    """Decode a fragment header (RFC 8200, 4.5); offset 0 without more fragments is a whole packet (RFC 6946)."""
    following, _, offset, identification = unpack_numbers("BBHI", data)
    fragment_offset, more_follow = offset & ~7, bool(offset & 1)
    fragment = Fragment(identification, fragment_offset, more_follow) if fragment_offset or more_follow else None
    return Inner(Registry.IP, following, data[8:], fragment=fragment)


def _decode_authentication(data: bytes) -> Inner:
    """Decode an authentication header (RFC 4302), which encrypts nothing."""
    following, length = unpack_numbers("BB", data)
    return Inner(Registry.IP, following, data[4 * length + 8 :])


def _refuse_esp(_data: bytes) -> Inner:
    """Refuse ESP (RFC 4303)."""
    raise NotReadable("IPsec ESP", "encrypted")


def _decode_udp(data: bytes) -> Inner | None:
    """Decode UDP (RFC 768); only tunnels are read, which are known by their port alone."""
    source, target = unpack_numbers("HH", data)
    if target in UDP_PORTS:
        return Inner(Registry.UDP, target, data)
    return Inner(Registry.UDP, source, data) if source in SYMMETRIC_PORTS else None


def _decode_etherip(data: bytes) -> Inner:
    """Decode EtherIP (RFC 3378)."""
    if data[0] >> 4 != _ETHERIP_VERSION:
        raise NotReadable("EtherIP of another version")
    return ethernet_frame(data[2:])


# https://www.iana.org/assignments/protocol-numbers. TCP has no decoder: `frames` ends there.
DECODERS: Final[dict[int, Decoder]] = {
    **dict.fromkeys((0, 43, 60, 135, 140), _decode_extension),
    4: lambda data: Inner(Registry.ETHERNET, IPV4, data),  # RFC 2003
    UDP: _decode_udp,
    41: lambda data: Inner(Registry.ETHERNET, IPV6, data),  # RFC 2473, RFC 4213
    44: _decode_fragment,
    47: decode_gre,
    50: _refuse_esp,
    51: _decode_authentication,
    94: lambda data: Inner(Registry.ETHERNET, IPV4, data),  # IPIP of KA9Q
    97: _decode_etherip,
    137: lambda data: Inner(Registry.ETHERNET, MPLS, data),  # RFC 4023
}

TUNNELS: Final = frozenset({4, 41, 47, 55, 94, 97, 98, 108, 115, 137})
"""IP protocols that carry packets of another network."""

WITHOUT_TCP: Final = frozenset({1, 2, 3, 8, 9, 27, 33, 46, 54, 58, 59, 88, 89, 103, 112, 113, 124, 132, 136, 139})
"""ICMP, IGMP, GGP, EGP, IGP, RDP, DCCP, RSVP, NHRP, ICMPv6, no next header, EIGRP, OSPF, PIM, VRRP and CARP, PGM, IS-IS, SCTP,
UDP-Lite, HIP."""
