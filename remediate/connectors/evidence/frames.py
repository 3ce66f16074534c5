"""From a captured frame to its TCP segment; what else a network carries is passed over. dpkt takes the frames apart."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from remediate.connectors.evidence.capture import Packet

_ETHERNET_ADDRESSES: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment. Addresses are packed, as on the wire."""

    source: bytes
    source_port: int
    target: bytes
    target_port: int
    number: int
    flags: int
    data: bytes


SYN, ACK = 0x02, 0x10


def text_of(address: bytes) -> str:
    """Return a packed IPv4 or IPv6 address as text."""
    return str(ipaddress.ip_address(address))


def can_read(link: int) -> bool:
    """Whether frames of this LINKTYPE_ are understood."""
    return link in _LINKS


def segment_of(packet: Packet) -> Segment | None:
    """Return the TCP segment in `packet`; None where it carries something else, or is broken."""
    import dpkt

    try:
        found = _LINKS[packet.link](dpkt, packet.data)
        while isinstance(found, dpkt.Packet) and not isinstance(found, dpkt.ip.IP | dpkt.ip6.IP6):
            found = found.data
        tcp = found.data if isinstance(found, dpkt.Packet) else None
        if not isinstance(tcp, dpkt.tcp.TCP):
            return None
        return Segment(found.src, tcp.sport, found.dst, tcp.dport, tcp.seq, tcp.flags, bytes(tcp.data))
    except Exception:  # noqa: BLE001  dpkt has a decoder for everything that may follow, and hostile bytes break each in its own way
        return None


def _ethernet(dpkt: Any, frame: bytes) -> Any:
    return dpkt.ethernet.Ethernet(frame)


def _cooked(dpkt: Any, frame: bytes) -> Any:
    # Linux "cooked" (SLL): 14 octets, then a protocol as in Ethernet. Read as Ethernet, since dpkt's own SLL knows no VLAN tags.
    return dpkt.ethernet.Ethernet(_ETHERNET_ADDRESSES + frame[14:])


def _cooked_2(dpkt: Any, frame: bytes) -> Any:
    return dpkt.ethernet.Ethernet(_ETHERNET_ADDRESSES + frame[:2] + frame[20:])


def _loopback(dpkt: Any, frame: bytes) -> Any:
    return dpkt.loopback.Loopback(frame)


def _raw_ip(dpkt: Any, frame: bytes) -> Any:
    return dpkt.ip6.IP6(frame) if frame[0] >> 4 == 6 else dpkt.ip.IP(frame)


# https://www.tcpdump.org/linktypes.html: NULL 0, ETHERNET 1, RAW 101 (in files of some systems 12 or 14), LOOP 108, LINUX_SLL 113,
# IPV4 228, IPV6 229, LINUX_SLL2 276
_LINKS: Final[dict[int, Callable[[Any, bytes], Any]]] = {
    0: _loopback, 1: _ethernet, 12: _raw_ip, 14: _raw_ip, 101: _raw_ip, 108: _loopback, 113: _cooked, 228: _raw_ip, 229: _raw_ip,
    276: _cooked_2,
}  # fmt: skip
