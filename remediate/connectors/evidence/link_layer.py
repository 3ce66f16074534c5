"""Decoders of link types, Ethernet types, the tags between them, and PPP."""

from __future__ import annotations

from typing import Final

from remediate.connectors.evidence.headers import (
    BRIDGED_ETHERNET,
    ETHERNET_ADDRESSES,
    IPV4,
    IPV6,
    MPLS,
    Decoder,
    Inner,
    NotReadable,
    Registry,
    ethernet_frame,
    ip_packet,
    unpack_numbers,
)
from remediate.connectors.evidence.ip import decode_ipv4, decode_ipv6
from remediate.connectors.evidence.tunnels import decode_mpls, decode_nsh

_MIN_ETHERNET_TYPE: Final = 0x0600
"""Below it, an Ethernet type is a length, and an LLC header follows (IEEE 802.3, 3.2.6)."""
_ISL_ADDRESSES: Final = (bytes.fromhex("01000c0000"), bytes.fromhex("03000c0000"))
_ISL_HEADER: Final = 26
_SNAP: Final = bytes.fromhex("aaaa03")
_ETHERNET_TYPES_FOLLOW: Final = (bytes(3), bytes.fromhex("0000f8"))
_ALL_STATIONS: Final = bytes.fromhex("ff03")
_ARPHRD_GRE: Final = 778
_NFLOG_PAYLOAD: Final = 9


def _decode_ethernet(data: bytes) -> Inner | None:
    """Decode Ethernet (IEEE 802.3), and Cisco's older tag ISL, which is known by its destination address."""
    if data[:5] in _ISL_ADDRESSES:
        return ethernet_frame(data[_ISL_HEADER:])
    return _decode_ethernet_type(data, ETHERNET_ADDRESSES)


def _decode_ethernet_type(data: bytes, at: int) -> Inner | None:
    """Decode the Ethernet type, or length, at `at`."""
    number = unpack_numbers("H", data, at)[0]
    content = data[at + 2 :]
    return Inner(Registry.ETHERNET, number, content) if number >= _MIN_ETHERNET_TYPE else _decode_llc(content[:number])


def _decode_llc(data: bytes) -> Inner | None:
    """Decode LLC (IEEE 802.2); only with SNAP, Ethernet types follow (RFC 1042)."""
    if data[:3] != _SNAP or data[3:6] not in _ETHERNET_TYPES_FOLLOW:
        return None
    return _decode_type(Registry.ETHERNET, data, 6)


def _decode_type(registry: Registry, data: bytes, at: int) -> Inner:
    """Decode a header whose last field is the type of its content, at `at`."""
    return Inner(registry, unpack_numbers("H", data, at)[0], data[at + 2 :])


def _make_tag_decoder(size: int) -> Decoder:
    """Return the decoder of a tag of `size` octets with an Ethernet type behind it."""
    return lambda data: _decode_ethernet_type(data, size)


def _decode_cisco_metadata(data: bytes) -> Inner | None:
    """Decode the tag of Cisco TrustSec: version, length, and one option with the security group."""
    version, length = unpack_numbers("BB", data)
    if (version, length) != (1, 1):
        raise NotReadable("Cisco Metadata of another version")
    return _decode_ethernet_type(data, 6)


def _decode_macsec(data: bytes) -> Inner | None:
    """Decode MACsec (IEEE 802.1AE, 9.3), which is mostly encrypted."""
    control = data[0]
    if control & 0x08:
        raise NotReadable("MACsec", "encrypted")
    return _decode_ethernet_type(data, 14 if control & 0x20 else 6)


def _decode_trill(data: bytes) -> Inner:
    """Decode TRILL (RFC 6325, 3.2)."""
    first = unpack_numbers("H", data)[0]
    return ethernet_frame(data[6 + 4 * (first >> 6 & 0x1F) :])


def _decode_ppp(data: bytes) -> Inner:
    """Decode PPP (RFC 1661, 2; RFC 1662, 3.1); address, control and half of the protocol are optional."""
    content = data[2:] if data[:2] == _ALL_STATIONS else data
    if content[0] & 1:
        return Inner(Registry.PPP, content[0], content[1:])
    return Inner(Registry.PPP, unpack_numbers("H", content)[0], content[2:])


def _refuse_compressed_ppp(_data: bytes) -> Inner:
    """Refuse compression (RFC 1962), or MPPE encryption (RFC 3078) under the same number."""
    raise NotReadable("PPP", "compressed or encrypted")


def _decode_sll(data: bytes) -> Inner | None:
    """Decode LINUX_SLL: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html."""
    return _decode_sll_protocol(unpack_numbers("H", data, 2)[0], unpack_numbers("H", data, 14)[0], data[16:])


def _decode_sll2(data: bytes) -> Inner | None:
    """Decode LINUX_SLL2: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html."""
    return _decode_sll_protocol(unpack_numbers("H", data, 8)[0], unpack_numbers("H", data)[0], data[20:])


def _decode_sll_protocol(device: int, protocol: int, content: bytes) -> Inner | None:
    if device == _ARPHRD_GRE:
        return Inner(Registry.GRE, protocol, content)
    if protocol >= _MIN_ETHERNET_TYPE:
        return Inner(Registry.ETHERNET, protocol, content)
    return _decode_llc(content)


def _decode_nflog(data: bytes) -> Inner | None:
    """Decode NFLOG: attributes, one of which is the packet (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html)."""
    at = 4
    while at + 4 <= len(data):
        length, kind = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        if length < 4:
            break
        if kind & 0x7FFF == _NFLOG_PAYLOAD:
            return ip_packet(data[at + 4 : at + length])
        at += (length + 3) // 4 * 4
    return None


def _decode_wireless(data: bytes) -> Inner | None:
    """Decode data frames of IEEE 802.11 (9.2), with LLC behind their header."""
    control, flags = data[0], data[1]
    if control >> 2 & 3 != 2 or control & 0x40:
        return None  # management, control, or data without content
    if flags & 0x40:
        raise NotReadable("802.11", "encrypted")
    header = 24 + 6 * (flags & 3 == 3) + 2 * bool(control & 0x80) + 4 * (bool(control & 0x80) and bool(flags & 0x80))
    return _decode_llc(data[header:])


# https://www.tcpdump.org/linktypes.html; 12 and 14 are RAW in the files of some systems.
LINKS: Final[dict[int, Decoder]] = {
    0: lambda data: ip_packet(
        data[4:]
    ),  # NULL: four octets with a system's number for the IP version, which the packet has too
    1: _decode_ethernet,
    9: _decode_ppp,
    12: ip_packet,
    14: ip_packet,
    50: _decode_ppp,
    51: lambda data: _decode_type(Registry.PPP, data, 6),  # PPPoE (RFC 2516, 4)
    100: _decode_llc,
    101: ip_packet,
    104: lambda data: _decode_type(Registry.ETHERNET, data, 2),  # Cisco HDLC: address, control, Ethernet type (RFC 1547, 4.3.1)
    105: _decode_wireless,
    108: lambda data: ip_packet(data[4:]),  # LOOP, as NULL
    109: lambda data: ip_packet(data[12:]),  # ENC, BSD's decrypted IPsec
    113: _decode_sll,
    127: lambda data: Inner(Registry.LINK, 105, data[int.from_bytes(data[2:4], "little") :]),  # https://www.radiotap.org
    204: lambda data: _decode_ppp(data[1:]),  # PPP behind an octet with its direction
    219: decode_mpls,
    228: ip_packet,
    229: ip_packet,
    239: _decode_nflog,
    276: _decode_sll2,
}

# https://www.iana.org/assignments/ieee-802-numbers
ETHERNET_TYPES: Final[dict[int, Decoder]] = {
    IPV4: decode_ipv4,
    IPV6: decode_ipv6,
    BRIDGED_ETHERNET: _decode_ethernet,
    0x22F3: _decode_trill,
    # IEEE 802.1Q, 802.1ad, and three that were used before it
    **dict.fromkeys((0x8100, 0x88A8, 0x9100, 0x9200, 0x9300), _make_tag_decoder(2)),
    MPLS: decode_mpls,
    0x8848: decode_mpls,
    0x8864: lambda data: _decode_type(Registry.PPP, data, 6),  # PPPoE (RFC 2516, 4)
    0x88E5: _decode_macsec,
    0x88E7: lambda data: ethernet_frame(data[4:]),  # IEEE 802.1ah, provider backbone bridges
    0x8903: lambda data: ethernet_frame(data[2:]),  # Cisco FabricPath
    0x8909: _decode_cisco_metadata,
    0x8926: _make_tag_decoder(4),  # Cisco VN-Tag
    0x893F: _make_tag_decoder(6),  # IEEE 802.1BR, E-tag
    0x894F: decode_nsh,
}

ETHERNET_WITHOUT_TCP: Final = frozenset({
    0x0806, 0x0842, 0x2000, 0x22EA, 0x22F0, 0x6001, 0x6002, 0x6003, 0x6004, 0x6007, 0x8035, 0x809B, 0x80F3, 0x8137, 0x86DF,
    0x8808, 0x8809, 0x8863, 0x887B, 0x888D, 0x888E, 0x8892, 0x8899, 0x88A4, 0x88B8, 0x88B9, 0x88BA, 0x88C7, 0x88CC, 0x88D9,
    0x88E1, 0x88E3, 0x88F5, 0x88F6, 0x88F7, 0x88FB, 0x8902, 0x8906, 0x890D, 0x8912, 0x8914, 0x893A, 0x9000,
})  # fmt: skip
"""ARP, Wake-on-LAN, CDP, SRP, AVTP, DEC, RARP, AppleTalk, IPX, pause and slow protocols, PPPoE discovery, HomePlug, 802.1X, industrial
protocols, LLDP, LLTD, MRP, PTP, connectivity faults, Fibre Channel, TDLS, IEEE 1905, loopback tests: none of them carries TCP."""

# https://www.iana.org/assignments/ppp-numbers
PPP_PROTOCOLS: Final[dict[int, Decoder]] = {
    0x0021: lambda data: Inner(Registry.ETHERNET, IPV4, data),
    0x0053: _refuse_compressed_ppp,
    0x0057: lambda data: Inner(Registry.ETHERNET, IPV6, data),
    0x00FB: _refuse_compressed_ppp,
    0x00FD: _refuse_compressed_ppp,
    0x0281: decode_mpls,
    0x0283: decode_mpls,
}
PPP_CONTROL: Final = 0x8000
"""PPP protocols from here on are control protocols."""
