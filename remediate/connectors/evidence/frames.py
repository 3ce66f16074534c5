"""From a captured frame to its TCP segment, one header after the other.

Each header has a small decoder in a table: `link_layer` has link types, Ethernet types and PPP, `ip` has IP, `tunnels` has GRE and
what is carried over UDP. A packet that may carry TCP and cannot be read is counted under its kind: that it is not understood is
another answer than that nothing is in it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from remediate.connectors.evidence import ip, link_layer, tunnels
from remediate.connectors.evidence.headers import Decoder, Inner, NotReadable, Registry
from remediate.connectors.evidence.ip import TCP, UDP, Segment
from remediate.connectors.evidence.ip_fragments import Fragments
from remediate.connectors.evidence.pcap import NO_LINK, Packet

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
_MOST_HEADERS: Final = 32
_MOST_TUNNELS: Final = 8
_MOST_KINDS: Final = 50
_OTHER_KINDS: Final = ("yet another kind", "not understood")


@dataclass(slots=True)
class _Way:
    """What is known on the way through the headers of one packet.

    Attributes:
        name: how a message calls the header that is read.
        missing: how many octets at the end of its content the capture does not hold.
        addresses: of the last IP header.
    """

    name: str = ""
    headers: int = 0
    tunnels: int = 0
    missing: int = 0
    addresses: tuple[bytes, bytes] | None = None

    def enter(self, layer: Inner) -> None:
        """Note what `layer` says. Raises NotReadable where headers stand in headers without end."""
        self.name = layer.registry.name_of(layer.number)
        self.headers += 1
        self.tunnels += _is_tunnel(layer)
        if self.headers > _MOST_HEADERS or self.tunnels > _MOST_TUNNELS:
            raise NotReadable("a tunnel in many others")
        self.addresses = layer.addresses or self.addresses
        self.missing = self.missing if layer.missing is None else layer.missing


def _is_tunnel(layer: Inner) -> bool:
    return layer.registry is Registry.UDP or (layer.registry is Registry.IP and layer.number in ip.TUNNELS)


def _decoder(layer: Inner) -> Decoder | None:
    """Return what reads `layer`; None where it carries no TCP. Raises NotReadable where nothing is known of it."""
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
    return layer.number == TCP or _decoder(layer) is not None


class Frames:
    """Takes packets apart, and counts those that it cannot.

    Attributes:
        cut: packets of which the capture holds the beginning only.
        in_unread_tunnels: packets in a tunnel that is not understood.
        unreadable: how many packets could not be read, by what they are and why.
    """

    def __init__(self) -> None:
        self._fragments = Fragments()
        self.cut = 0
        self.in_unread_tunnels = 0
        self.unreadable: dict[tuple[str, str], int] = {}

    @property
    def lone_fragments(self) -> int:
        """How many IP fragments were not put together again, up to now."""
        return self._fragments.incomplete

    def segment_of(self, packet: Packet) -> Segment | None:
        """Return the TCP segment in `packet`; None where it carries something else, or cannot be read."""
        self.cut += packet.cut > 0
        way = _Way()
        try:
            return self._dissect(Inner(Registry.LINK, packet.link, packet.data), way)
        except NotReadable as error:
            self._count(error.what, error.why)
        except (LookupError, struct.error):
            self._count(way.name, "cut too short to be read" if packet.cut else "broken: a header is too short")
        self.in_unread_tunnels += way.tunnels > 0
        return None

    def _dissect(self, layer: Inner, way: _Way) -> Segment | None:
        following: Inner | None = layer
        while following:
            layer = following
            way.enter(layer)
            if layer.registry is Registry.IP and layer.number == TCP and not layer.fragment and way.addresses:
                return ip.tcp_segment(layer.data, way.addresses, way.missing)
            if layer.fragment:
                following = self._reassemble(layer, way)
            elif decoder := _decoder(layer):
                following = decoder(layer.data)
            else:
                return None
        return None

    def _reassemble(self, layer: Inner, way: _Way) -> Inner | None:
        fragment, addresses = layer.fragment, way.addresses
        if fragment is None or addresses is None or not _may_carry_tcp(layer):
            return None
        if layer.number == UDP and not fragment.offset and ip.DECODERS[UDP](layer.data) is None:
            return None
        key = (*addresses, layer.number, fragment.identification)
        whole = self._fragments.add(key, fragment, layer.data, way.missing)
        return None if whole is None else Inner(layer.registry, layer.number, whole, missing=0)

    def _count(self, what: str, why: str) -> None:
        kind = (what, why)
        if kind not in self.unreadable and len(self.unreadable) >= _MOST_KINDS:
            kind = _OTHER_KINDS
        self.unreadable[kind] = self.unreadable.get(kind, 0) + 1
