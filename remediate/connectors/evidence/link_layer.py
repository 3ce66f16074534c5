"""What a capture's frames begin with: link types, Ethernet types and the tags between them, PPP."""

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
    numbers,
)
from remediate.connectors.evidence.ip import ipv4, ipv6
from remediate.connectors.evidence.tunnels import mpls, service_header

_SMALLEST_TYPE: Final = 0x0600
"""Below it, an Ethernet type is a length, and an LLC header follows (IEEE 802.3, 3.2.6)."""
_ISL_ADDRESSES: Final = (bytes.fromhex("01000c0000"), bytes.fromhex("03000c0000"))
_ISL_HEADER: Final = 26
_SNAP: Final = bytes.fromhex("aaaa03")
_ETHERNET_TYPES_FOLLOW: Final = (bytes(3), bytes.fromhex("0000f8"))
_ALL_STATIONS: Final = bytes.fromhex("ff03")
_ARPHRD_GRE: Final = 778
_NFLOG_PAYLOAD: Final = 9


def _ethernet(data: bytes) -> Inner | None:
    """IEEE 802.3; and ISL, the older tag of Cisco's, which is known by the address it is sent to."""
    if data[:5] in _ISL_ADDRESSES:
        return ethernet_frame(data[_ISL_HEADER:])
    return _typed(data, ETHERNET_ADDRESSES)


def _typed(data: bytes, at: int) -> Inner | None:
    """What follows the Ethernet type, or length, at `at`."""
    number = numbers("H", data, at)[0]
    content = data[at + 2 :]
    return Inner(Registry.ETHERNET, number, content) if number >= _SMALLEST_TYPE else _link_control(content[:number])


def _link_control(data: bytes) -> Inner | None:
    """IEEE 802.2; with SNAP, Ethernet types follow (RFC 1042). Spanning tree, CDP and the rest carry no TCP."""
    if data[:3] != _SNAP or data[3:6] not in _ETHERNET_TYPES_FOLLOW:
        return None
    return Inner(Registry.ETHERNET, numbers("H", data, 6)[0], data[8:])


def _tagged(size: int) -> Decoder:
    """Return the decoder of a tag of `size` octets with an Ethernet type behind it."""
    return lambda data: _typed(data, size)


def _cisco_metadata(data: bytes) -> Inner | None:
    """The tag of Cisco TrustSec: version, length, and one option with the security group."""
    version, length = numbers("BB", data)
    if (version, length) != (1, 1):
        raise NotReadable("Cisco Metadata of another version")
    return _typed(data, 6)


def _macsec(data: bytes) -> Inner | None:
    """IEEE 802.1AE, 9.3: authenticated, and mostly encrypted."""
    control = data[0]
    if control & 0x08:
        raise NotReadable("MACsec", "encrypted")
    return _typed(data, 14 if control & 0x20 else 6)


def _trill(data: bytes) -> Inner:
    """RFC 6325, 3.2."""
    first = numbers("H", data)[0]
    return ethernet_frame(data[6 + 4 * (first >> 6 & 0x1F) :])


def _pppoe(data: bytes) -> Inner:
    """RFC 2516, 4."""
    return Inner(Registry.PPP, numbers("H", data, 6)[0], data[8:])


def _ppp(data: bytes) -> Inner:
    """RFC 1661, 2 and RFC 1662, 3.1; address, control and half of the protocol may have been left out."""
    content = data[2:] if data[:2] == _ALL_STATIONS else data
    if content[0] & 1:
        return Inner(Registry.PPP, content[0], content[1:])
    return Inner(Registry.PPP, numbers("H", content)[0], content[2:])


def _ppp_compressed(_data: bytes) -> Inner:
    """RFC 1962: and MPPE (RFC 3078) stands behind the same number."""
    raise NotReadable("PPP", "compressed or encrypted")


def _loopback(data: bytes) -> Inner:
    """NULL and LOOP: four octets with the number that a system has for IPv4 or IPv6, which the packet says itself."""
    return ip_packet(data[4:])


def _hdlc(data: bytes) -> Inner | None:
    """Cisco HDLC: address, control, Ethernet type (RFC 1547, 4.3.1)."""
    return Inner(Registry.ETHERNET, numbers("H", data, 2)[0], data[4:])


def _cooked(data: bytes) -> Inner | None:
    """LINUX_SLL: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html."""
    return _of_linux(numbers("H", data, 2)[0], numbers("H", data, 14)[0], data[16:])


def _cooked_2(data: bytes) -> Inner | None:
    """LINUX_SLL2: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html."""
    return _of_linux(numbers("H", data, 8)[0], numbers("H", data)[0], data[20:])


def _of_linux(device: int, protocol: int, content: bytes) -> Inner | None:
    if device == _ARPHRD_GRE:
        return Inner(Registry.GRE, protocol, content)
    if protocol >= _SMALLEST_TYPE:
        return Inner(Registry.ETHERNET, protocol, content)
    return _link_control(content)


def _point_to_point_with_direction(data: bytes) -> Inner:
    return _ppp(data[1:])


def _ipsec_interface(data: bytes) -> Inner:
    """ENC, as BSD shows what it decrypted: twelve octets before the packet."""
    return ip_packet(data[12:])


def _netfilter_log(data: bytes) -> Inner | None:
    """NFLOG: attributes, one of which is the packet (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html)."""
    at = 4
    while at + 4 <= len(data):
        length, kind = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        if length < 4:
            break
        if kind & 0x7FFF == _NFLOG_PAYLOAD:
            return ip_packet(data[at + 4 : at + length])
        at += (length + 3) // 4 * 4
    return None


def _wireless(data: bytes) -> Inner | None:
    """IEEE 802.11, 9.2: data frames, with LLC behind their header."""
    control, flags = data[0], data[1]
    if control >> 2 & 3 != 2 or control & 0x40:
        return None  # management, control, or data without content
    if flags & 0x40:
        raise NotReadable("802.11", "encrypted")
    header = 24 + 6 * (flags & 3 == 3) + 2 * bool(control & 0x80) + 4 * (bool(control & 0x80) and bool(flags & 0x80))
    return _link_control(data[header:])


def _radiotap(data: bytes) -> Inner:
    """https://www.radiotap.org: its length stands in little endian."""
    return Inner(Registry.LINK, 105, data[int.from_bytes(data[2:4], "little") :])


# https://www.tcpdump.org/linktypes.html; 12 and 14 are RAW in the files of some systems.
LINKS: Final[dict[int, Decoder]] = {
    0: _loopback,
    1: _ethernet,
    9: _ppp,
    12: ip_packet,
    14: ip_packet,
    50: _ppp,
    51: _pppoe,
    100: _link_control,
    101: ip_packet,
    104: _hdlc,
    105: _wireless,
    108: _loopback,
    109: _ipsec_interface,
    113: _cooked,
    127: _radiotap,
    204: _point_to_point_with_direction,
    219: mpls,
    228: ip_packet,
    229: ip_packet,
    239: _netfilter_log,
    276: _cooked_2,
}

# https://www.iana.org/assignments/ieee-802-numbers
ETHERNET_TYPES: Final[dict[int, Decoder]] = {
    IPV4: ipv4,
    IPV6: ipv6,
    BRIDGED_ETHERNET: _ethernet,
    0x22F3: _trill,
    0x8100: _tagged(2),  # IEEE 802.1Q
    0x88A8: _tagged(2),  # IEEE 802.1ad, and three that were used before it
    0x9100: _tagged(2),
    0x9200: _tagged(2),
    0x9300: _tagged(2),
    MPLS: mpls,
    0x8848: mpls,
    0x8864: _pppoe,
    0x88E5: _macsec,
    0x88E7: lambda data: ethernet_frame(data[4:]),  # IEEE 802.1ah, provider backbone bridges
    0x8903: lambda data: ethernet_frame(data[2:]),  # Cisco FabricPath
    0x8909: _cisco_metadata,
    0x8926: _tagged(4),  # Cisco VN-Tag
    0x893F: _tagged(6),  # IEEE 802.1BR, E-tag
    0x894F: service_header,
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
    0x0053: _ppp_compressed,
    0x0057: lambda data: Inner(Registry.ETHERNET, IPV6, data),
    0x00FB: _ppp_compressed,
    0x00FD: _ppp_compressed,
    0x0281: mpls,
    0x0283: mpls,
}
PPP_CONTROL: Final = 0x8000
"""From here on, a PPP protocol is one that sets up others."""
