"""Packets as networks carry them: in tunnels, behind tags, on links of every kind. Each function puts one header before a packet."""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import ip_address

from tests.connectors.evidence.captures import ETHERNET, PPP, put_in_frame

OUTER, INNER_MAC = ("192.0.2.1", "192.0.2.2"), b"\x02" * 6 + b"\x04" * 6
OUTER_6 = ("2001:db8:ffff::1", "2001:db8:ffff::2")
Wrap = Callable[[bytes], bytes]


def ethernet_type(packet: bytes) -> int:
    """The Ethernet type of an IP packet."""
    return 0x86DD if packet[0] >> 4 == 6 else 0x0800


def ethernet(packet: bytes) -> bytes:
    """In an Ethernet frame."""
    return put_in_frame(packet, ETHERNET)


def tagged(packet: bytes) -> bytes:
    """In an Ethernet frame with a VLAN tag."""
    return put_in_frame(packet, ETHERNET, 7)


def ip(protocol: int, content: bytes, addresses: tuple[str, str] = OUTER, *, offset: int = 0, identification: int = 1) -> bytes:
    """In IPv4 (RFC 791), or in IPv6 where the addresses are. `offset` is the field with its flags."""
    source, target = (ip_address(address).packed for address in addresses)
    if len(source) == 16:
        return struct.pack("!IHBB", 0x60000000, len(content), protocol, 64) + source + target + content
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), identification, offset, 64, protocol, 0)
    return head + source + target + content


def udp(port: int, content: bytes, source_port: int = 50_000) -> bytes:
    """In UDP in IPv4."""
    return ip(17, struct.pack("!HHHH", source_port, port, 8 + len(content), 0) + content)


def gre(protocol: int, content: bytes, *, flags: int = 0, options: bytes = b"") -> bytes:
    """In GRE (RFC 2784) in IPv4."""
    return ip(47, struct.pack("!HH", flags, protocol) + options + content)


def ipv6(packet: bytes) -> bytes:
    """In IPv6, where it is IPv4."""
    return packet if packet[0] >> 4 == 6 else ip(4, packet, OUTER_6)


def mpls(packet: bytes, control_word: bytes = b"") -> bytes:
    """Behind two labels (RFC 3032)."""
    return struct.pack("!II", 100 << 12 | 64, 200 << 12 | 0x100 | 64) + control_word + packet


def wireless(packet: bytes) -> bytes:
    """In an IEEE 802.11 data frame with quality of service."""
    return (
        b"\x88\x01" + bytes(22) + b"\x00\x00" + b"\xaa\xaa\x03\x00\x00\x00" + struct.pack("!H", ethernet_type(packet)) + packet
    )


def ppp(packet: bytes) -> bytes:
    """In PPP (RFC 1661)."""
    return b"\xff\x03" + struct.pack("!H", 0x0057 if packet[0] >> 4 == 6 else 0x0021) + packet


def behind(number: int, header: bytes) -> Wrap:
    """In an Ethernet frame of this type, with this header between it and the packet's own type."""
    return lambda packet: INNER_MAC + struct.pack("!H", number) + header + struct.pack("!H", ethernet_type(packet)) + packet


def carrying_ethernet(number: int, header: bytes) -> Wrap:
    """In an Ethernet frame of this type, with this header between it and a whole frame."""
    return lambda packet: INNER_MAC + struct.pack("!H", number) + header + ethernet(packet)


def on_ethernet(wrap: Wrap) -> Wrap:
    """What `wrap` gives, in an Ethernet frame."""
    return lambda packet: ethernet(wrap(packet))


TUNNELS: dict[str, Wrap] = {
    "GRE": lambda packet: gre(ethernet_type(packet), packet),
    "GRE with key and sequence": lambda packet: gre(ethernet_type(packet), packet, flags=0x3000, options=bytes(8)),
    "GRE with checksum": lambda packet: gre(ethernet_type(packet), packet, flags=0x8000, options=bytes(4)),
    "GRE with a source route": lambda packet: gre(
        ethernet_type(packet), packet, flags=0x4000, options=bytes(4) + b"\x08\x00\x00\x04" + bytes(4) + bytes(4)
    ),
    "GRE with Ethernet": lambda packet: gre(0x6558, tagged(packet), flags=0x2000, options=bytes(4)),
    "GRE with MPLS": lambda packet: gre(0x8847, mpls(packet)),
    "GRE over IPv6": lambda packet: ip(47, struct.pack("!HH", 0, ethernet_type(packet)) + packet, OUTER_6),
    "ERSPAN I": lambda packet: gre(0x88BE, ethernet(packet)),
    "ERSPAN II": lambda packet: gre(0x88BE, struct.pack("!II", 0x10010001, 0) + tagged(packet), flags=0x1000, options=bytes(4)),
    "ERSPAN III": lambda packet: gre(
        0x22EB, struct.pack("!III", 0x20010001, 0, 0) + ethernet(packet), flags=0x1000, options=bytes(4)
    ),
    "ERSPAN III with a subheader": lambda packet: gre(
        0x22EB, struct.pack("!III", 0x20010001, 0, 1) + bytes(8) + ethernet(packet), flags=0x1000, options=bytes(4)
    ),
    "ERSPAN III with IP": lambda packet: gre(
        0x22EB, struct.pack("!III", 0x20010001, 0, 2 << 10) + packet, flags=0x1000, options=bytes(4)
    ),
    "NSH over GRE": lambda packet: gre(0x894F, struct.pack("!HBBI", 0x0FC2, 2, 3, 0x0100) + ethernet(packet)),
    "PPTP": lambda packet: gre(0x880B, ppp(packet), flags=0x3081, options=struct.pack("!HHII", len(ppp(packet)), 1, 1, 1)),
    "WCCP": lambda packet: gre(0x883E, bytes(4) + packet),
    "VXLAN": lambda packet: udp(4789, struct.pack("!II", 0x08000000, 42 << 8) + ethernet(packet)),
    "VXLAN with a VLAN inside": lambda packet: udp(8472, struct.pack("!II", 0x08000000, 42 << 8) + tagged(packet)),
    "VXLAN-GPE": lambda packet: udp(
        4790, struct.pack("!II", 0x0C000002 if packet[0] >> 4 == 6 else 0x0C000001, 42 << 8) + packet
    ),
    "GENEVE": lambda packet: udp(6081, struct.pack("!BBHI", 2, 0, 0x6558, 42 << 8) + bytes(8) + ethernet(packet)),
    "GTP-U": lambda packet: udp(2152, struct.pack("!BBHI", 0x30, 255, len(packet), 7) + packet),
    "GTP-U with an extension": lambda packet: udp(
        2152, struct.pack("!BBHIHBB", 0x34, 255, len(packet) + 8, 7, 0, 0, 0x85) + b"\x01\x00\x09\x00" + packet
    ),
    "IP in IP": lambda packet: ip(41 if packet[0] >> 4 == 6 else 4, packet),
    "IP in IPv6": lambda packet: ip(41 if packet[0] >> 4 == 6 else 4, packet, OUTER_6),
    "IPv6 with extension headers": lambda packet: ip(
        0, b"\x3c\x00" + bytes(6) + (b"\x29" if packet[0] >> 4 == 6 else b"\x04") + b"\x00" + bytes(6) + packet, OUTER_6
    ),
    "an authentication header": lambda packet: ip(
        51, (b"\x29" if packet[0] >> 4 == 6 else b"\x04") + b"\x04" + bytes(22) + packet
    ),
    "EtherIP": lambda packet: ip(97, b"\x30\x00" + ethernet(packet)),
    "MPLS in IP": lambda packet: ip(137, mpls(packet)),
    "MPLS in UDP": lambda packet: udp(6635, mpls(packet)),
    "CAPWAP": lambda packet: udp(5247, b"\x00\x10\x02\x00" + bytes(4) + ethernet(packet)),
    "CAPWAP with 802.11": lambda packet: udp(5246, b"\x00\x10\x03\x00" + bytes(4) + wireless(packet), source_port=5247),
    "L2TP": lambda packet: udp(1701, struct.pack("!HHHH", 0x4002, 8 + len(ppp(packet)), 1, 1) + ppp(packet)),
    "TZSP": lambda packet: udp(37_008, b"\x01\x00\x00\x01" + b"\x0a\x01\xbd\x00\x01" + ethernet(packet)),
    "Teredo": lambda packet: udp(3544, ipv6(packet)),
    "Teredo with indications": lambda packet: udp(
        50_000, b"\x00\x01\x04\x02" + bytes(15) + bytes(8) + ipv6(packet), source_port=3544
    ),
    "GUE": lambda packet: udp(6080, b"\x02" + (b"\x29" if packet[0] >> 4 == 6 else b"\x04") + bytes(10) + packet),
    "GUE without a header": lambda packet: udp(6080, packet),
    "LISP": lambda packet: udp(4341, bytes(8) + packet),
}

FRAMES: dict[str, tuple[int, Wrap]] = {
    "QinQ": (ETHERNET, behind(0x88A8, b"\x00\x01\x81\x00\x00\x07")),
    "MPLS": (ETHERNET, lambda packet: INNER_MAC + b"\x88\x47" + mpls(packet)),
    "a pseudowire": (ETHERNET, lambda packet: INNER_MAC + b"\x88\x47" + mpls(ethernet(packet), bytes(4))),
    "a pseudowire without a control word": (
        ETHERNET,
        lambda packet: INNER_MAC + b"\x88\x47" + mpls(b"\x00\x1b" + ethernet(packet)[2:]),
    ),
    "PPPoE": (
        ETHERNET,
        lambda packet: INNER_MAC + b"\x88\x64" + struct.pack("!BBHH", 0x11, 0, 1, len(packet) + 2) + ppp(packet)[2:],
    ),
    "SNAP": (ETHERNET, lambda packet: INNER_MAC + struct.pack("!H", 8 + len(packet)) + wireless(packet)[26:]),
    "TrustSec": (ETHERNET, behind(0x8909, b"\x01\x01\x00\x01\x00\x05")),
    "VN-Tag": (ETHERNET, behind(0x8926, bytes(4))),
    "E-tag": (ETHERNET, behind(0x893F, bytes(6))),
    "MACsec without encryption": (ETHERNET, behind(0x88E5, b"\x20\x00" + bytes(12))),
    "a provider backbone": (ETHERNET, carrying_ethernet(0x88E7, bytes(4))),
    "TRILL": (ETHERNET, carrying_ethernet(0x22F3, bytes(6))),
    "FabricPath": (ETHERNET, carrying_ethernet(0x8903, b"\x00\x40")),
    "ISL": (ETHERNET, lambda packet: bytes.fromhex("01000c0000") + bytes(21) + ethernet(packet)),
    "PPP": (PPP, ppp),
    "PPP with what may be left out": (PPP, lambda packet: ppp(packet)[3:]),
    "PPP over HDLC": (50, ppp),
    "PPPoE alone": (51, lambda packet: struct.pack("!BBHH", 0x11, 0, 1, len(packet) + 2) + ppp(packet)[2:]),
    "PPP with direction": (204, lambda packet: b"\x01" + ppp(packet)),
    "Cisco HDLC": (104, lambda packet: b"\x0f\x00" + struct.pack("!H", ethernet_type(packet)) + packet),
    "LOOP": (108, lambda packet: b"\x00\x00\x00\x02" + packet),
    "ENC": (109, lambda packet: bytes(12) + packet),
    "SLL of a GRE interface": (
        113,
        lambda packet: struct.pack("!HHH", 0, 778, 0) + bytes(8) + struct.pack("!H", ethernet_type(packet)) + packet,
    ),
    "MPLS alone": (219, mpls),
    "IPv4 or IPv6": (228, lambda packet: packet),
    "NFLOG": (
        239,
        lambda packet: (
            b"\x02\x00\x00\x00" + b"\x05\x00\x0a\x00\x00\x00\x00\x00" + struct.pack("<HH", 4 + len(packet), 9) + packet
        ),
    ),
    "802.11": (105, wireless),
    "802.11 with radiotap": (127, lambda packet: b"\x00\x00\x08\x00" + bytes(4) + wireless(packet)),
    **{name: (ETHERNET, on_ethernet(wrap)) for name, wrap in TUNNELS.items()},
}


def fragmented(packet: bytes, size: int) -> list[bytes]:
    """An IPv4 packet in pieces of at most `size` octets of content, a multiple of 8 (RFC 791)."""
    content, identification = packet[20:], int.from_bytes(packet[4:6], "big")
    addresses = (str(ip_address(packet[12:16])), str(ip_address(packet[16:20])))
    return [
        ip(
            packet[9], content[at : at + size], addresses,
            offset=at // 8 | (0x2000 if at + size < len(content) else 0), identification=identification,
        )
        for at in range(0, len(content), size)
    ]  # fmt: skip


def fragmented_6(packet: bytes, size: int, identification: int) -> list[bytes]:
    """An IPv6 packet in pieces (RFC 8200, 4.5)."""
    content = packet[40:]
    addresses = (str(ip_address(packet[8:24])), str(ip_address(packet[24:40])))
    return [
        ip(
            44,
            struct.pack("!BBHI", packet[6], 0, at | (at + size < len(content)), identification) + content[at : at + size],
            addresses,
        )
        for at in range(0, len(content), size)
    ]
