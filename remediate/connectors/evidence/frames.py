"""The decoder of captured frames: from the frame to its TCP segment, one header after the other.

The decoders of headers are in tables: `link_layer` has link types, Ethernet types and PPP, `ip` has IP, `tunnels` has GRE and
protocols over UDP. A packet that may carry TCP and cannot be read is counted under its kind, so that it is not taken for empty.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from remediate.connectors.evidence import ip, link_layer, tunnels
from remediate.connectors.evidence.headers import Decoder, Inner, NotReadable, Registry
from remediate.connectors.evidence.ip import TCP, UDP, Segment
from remediate.connectors.evidence.ip_fragments import FragmentAssembler
from remediate.connectors.evidence.pcap import NO_LINK, Packet
from remediate.connectors.evidence.plain_frames import Unusual, find_plain_segment

_DECODERS: Final[dict[Registry, dict[int, Decoder]]] = {
    Registry.LINK: link_layer.LINKS,
    Registry.ETHERNET: link_layer.ETHERNET_TYPES,
    Registry.PPP: link_layer.PPP_PROTOCOLS,
    Registry.IP: ip.DECODERS,
    Registry.GRE: tunnels.GRE_PROTOCOLS,
    Registry.UDP: tunnels.UDP_PORTS,
}
_WITHOUT_TCP: Final[dict[Registry, frozenset[int]]] = {
    Registry.ETHERNET: link_layer.ETHERNET_WITHOUT_TCP,
    Registry.IP: ip.WITHOUT_TCP,
}
_MAX_HEADERS: Final = 32
_MAX_TUNNELS: Final = 8
_MAX_KINDS: Final = 50
_OTHER_KINDS: Final = ("another unknown type", "not understood")


@dataclass(slots=True)
class _Progress:
    """The progress through the headers of one packet.

    Attributes:
        name: The name of the current header, for a message.
        missing: The number of octets at the end of its content that the capture does not hold.
        addresses: Source and destination of the last IP header.
    """

    name: str = ""
    headers: int = 0
    tunnels: int = 0
    missing: int = 0
    addresses: tuple[bytes, bytes] | None = None

    def enter(self, layer: Inner) -> None:
        """Take over what `layer` holds.

        Raises:
            NotReadable: Too many headers are nested.
        """
        self.name = layer.registry.name_of(layer.number)
        self.headers += 1
        self.tunnels += _is_tunnel(layer)
        if self.headers > _MAX_HEADERS or self.tunnels > _MAX_TUNNELS:
            raise NotReadable("a tunnel in many others")
        self.addresses = layer.addresses or self.addresses
        self.missing = self.missing if layer.missing is None else layer.missing


def _is_tunnel(layer: Inner) -> bool:
    return layer.registry is Registry.UDP or (layer.registry is Registry.IP and layer.number in ip.TUNNELS)


def _find_decoder(layer: Inner) -> Decoder | None:
    """Return the decoder of `layer`; None where it carries no TCP.

    Raises:
        NotReadable: Its type is not supported.
    """
    registry, number = layer.registry, layer.number
    if registry is Registry.GRE and number not in tunnels.GRE_PROTOCOLS:
        registry = Registry.ETHERNET  # RFC 2784, 2.4
    decoder = _DECODERS[registry].get(number)
    if decoder is not None:
        return decoder
    if number in _WITHOUT_TCP.get(registry, ()) or (registry is Registry.PPP and number >= link_layer.PPP_CONTROL):
        return None
    if number == NO_LINK:
        raise NotReadable("an interface that the file does not describe")
    raise NotReadable(layer.registry.name_of(number))


def _may_carry_tcp(layer: Inner) -> bool:
    return layer.number == TCP or _find_decoder(layer) is not None


class FrameDecoder:
    """Decodes packets, and counts those that it cannot.

    Attributes:
        cut_packets: Packets of which the capture holds only the beginning.
        unread_tunnel_packets: Unreadable packets that are in a tunnel.
        unreadable: The number of packets that could not be read, by kind and reason.
    """

    def __init__(self) -> None:
        self._fragments = FragmentAssembler()
        self.cut_packets = 0
        self.unread_tunnel_packets = 0
        self.unreadable: dict[tuple[str, str], int] = {}

    @property
    def unassembled_fragments(self) -> int:
        """The number of IP fragments that were not reassembled, up to now."""
        return self._fragments.incomplete

    def find_segment(self, packet: Packet) -> Segment | None:
        """Return the TCP segment in `packet`; None where it carries something else, or cannot be read."""
        self.cut_packets += packet.cut > 0
        try:
            return find_plain_segment(packet)
        except Unusual:
            return self._find_in_headers(packet)

    def _find_in_headers(self, packet: Packet) -> Segment | None:
        progress = _Progress()
        try:
            return self._decode(Inner(Registry.LINK, packet.link, packet.data), progress)
        except NotReadable as error:
            self._count(error.kind, error.reason)
        except (LookupError, struct.error):
            self._count(progress.name, "cut too short to be read" if packet.cut else "broken: a header is too short")
        self.unread_tunnel_packets += progress.tunnels > 0
        return None

    def _decode(self, layer: Inner, progress: _Progress) -> Segment | None:
        content: Inner | None = layer
        while content:
            layer = content
            progress.enter(layer)
            if layer.registry is Registry.IP and layer.number == TCP and not layer.fragment and progress.addresses:
                return ip.decode_tcp(layer.data, progress.addresses, progress.missing)
            if layer.fragment:
                content = self._reassemble(layer, progress)
            elif decoder := _find_decoder(layer):
                content = decoder(layer.data)
            else:
                return None
        return None

    def _reassemble(self, layer: Inner, progress: _Progress) -> Inner | None:
        fragment, addresses = layer.fragment, progress.addresses
        if fragment is None or addresses is None or not _may_carry_tcp(layer):
            return None
        if layer.number == UDP and not fragment.offset and ip.DECODERS[UDP](layer.data) is None:
            return None
        key = (*addresses, layer.number, fragment.identification)
        datagram = self._fragments.add(key, fragment, layer.data, progress.missing)
        return None if datagram is None else Inner(layer.registry, layer.number, datagram, missing=0)

    def _count(self, kind: str, reason: str) -> None:
        key = (kind, reason)
        if key not in self.unreadable and len(self.unreadable) >= _MAX_KINDS:
            key = _OTHER_KINDS
        self.unreadable[key] = self.unreadable.get(key, 0) + 1
