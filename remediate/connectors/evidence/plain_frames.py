"""Nearly every packet: IPv4 with TCP or UDP in an Ethernet frame, without options, tags or fragments, read in one step.

What `frames` reads header after header, with the same result; it takes over wherever anything is unusual.
"""

from __future__ import annotations

import struct
from typing import Final

from remediate.connectors.evidence.headers import NotReadable
from remediate.connectors.evidence.ip import TCP, UDP, Segment, decode_tcp
from remediate.connectors.evidence.pcap import Packet
from remediate.connectors.evidence.tunnels import SYMMETRIC_PORTS, UDP_PORTS

_ETHERNET_LINK: Final = 1
_IP_AT, _CONTENT_AT = 14, 34
_IPV4_WITHOUT_OPTIONS: Final = bytes.fromhex("080045")
_UNFRAGMENTED: Final = 0x3FFF
_HEADER: Final = struct.Struct("!H2xHxB2x4s4s")
"""Of IPv4 from its third octet on: total length, fragment, protocol, addresses."""
_PORTS: Final = struct.Struct("!HH")


class Unusual(Exception):
    """The packet has to be read header after header."""


def find_plain_segment(packet: Packet) -> Segment | None:
    """Return the TCP segment in `packet`; None where it carries plain UDP.

    Raises:
        Unusual: It is of another kind, or broken.
    """
    data = packet.data
    if packet.link != _ETHERNET_LINK or data[12:15] != _IPV4_WITHOUT_OPTIONS or len(data) < _CONTENT_AT + _PORTS.size:
        raise Unusual
    total, fragment, protocol, source, target = _HEADER.unpack_from(data, _IP_AT + 2)
    if fragment & _UNFRAGMENTED:
        raise Unusual
    if protocol == UDP:
        source_port, target_port = _PORTS.unpack_from(data, _CONTENT_AT)
        if target_port in UDP_PORTS or source_port in SYMMETRIC_PORTS:
            raise Unusual
        return None
    if protocol != TCP:
        raise Unusual
    end = _IP_AT + total if total else len(data)
    try:
        return decode_tcp(data[_CONTENT_AT:end], (source, target), max(0, end - len(data)))
    except (NotReadable, struct.error) as error:
        raise Unusual from error
