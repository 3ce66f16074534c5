"""The packets of a pcap or pcapng file, with what they were captured on.

Both formats are a few fixed headers, and are read here rather than by a library: dpkt's pcap reader drops how long a packet was
before it was cut, and its pcapng reader knows one link type a file and takes quadratic time over a block's options.

Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from remediate.connectors.evidence.budget import CannotRead
from remediate.connectors.evidence.content_kind import Kind
from remediate.model.limits import Limits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ByteOrder = Literal["<", ">"]

_PCAP_HEADER: Final = 24
_PACKET_HEADER: Final = 16
# The magic of a pcap file as it stands on disk: its byte order, and the ticks of its clock a second.
_PCAP_MAGIC: Final[dict[bytes, tuple[_ByteOrder, int]]] = {
    bytes.fromhex("a1b2c3d4"): (">", 10**6),
    bytes.fromhex("d4c3b2a1"): ("<", 10**6),
    bytes.fromhex("a1b23c4d"): (">", 10**9),
    bytes.fromhex("4d3cb2a1"): ("<", 10**9),
}
_LINK_BITS: Final = 0xFFFF  # the upper bits say how long a frame check sequence is

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_TSRESOL, _TSOFFSET = 9, 14
_MICROSECONDS: Final = 10**6
_BIG_ENDIAN_MAGIC: Final = bytes.fromhex("1a2b3c4d")
_MOST_OPTIONS: Final = 64
_MOST_INTERFACES: Final = 4_096
_SMALLEST_BLOCK: Final = 12
_SKIPPED_AT_ONCE: Final = 64 * 1024
_MIDDLE: Final = "it ends in the middle of a packet"

NO_LINK: Final = -1
"""The link type of a packet whose interface the file does not describe."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as captured.

    Attributes:
        at: None where the file's clock makes no sense.
        link: a LINKTYPE_ number, or NO_LINK.
        cut: how many octets at its end the capture does not hold (``tcpdump -s``).
    """

    at: datetime | None
    link: int
    data: bytes
    cut: int = 0


@dataclass(frozen=True, slots=True)
class _Interface:
    """What a pcapng file says of an interface. `longest` is its snapshot length; `offset_s` is added to its clock."""

    link: int
    longest: int
    ticks_a_second: int = _MICROSECONDS
    offset_s: int = 0


def packets(kind: Kind, stream: io.BufferedReader, limits: Limits) -> Iterator[Packet]:
    """Give the packets in `stream`, in the order captured.

    Raises:
        CannotRead: the file is broken, or ends too early. What came before counts.
    """
    bounded = _Bounded(stream, limits.capture_packet_bytes)
    yield from _pcap(bounded) if kind is Kind.PCAP else _Pcapng(bounded).packets()
    if bounded.short:
        raise CannotRead(_MIDDLE)


class _Bounded:
    """Reads as asked, but never the gigabytes that a hostile header claims."""

    def __init__(self, stream: io.BufferedReader, most: int) -> None:
        self._stream = stream
        self.most = most
        self.short = False

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.most:
            raise CannotRead(f"it claims a packet of {size} bytes")
        data = self._stream.read(size)
        self.short = self.short or 0 < len(data) < size
        return data

    def skip(self, size: int) -> None:
        """Pass over `size` bytes, or over what there is."""
        while size > 0:
            data = self._stream.read(min(size, _SKIPPED_AT_ONCE))
            if not data:
                self.short = True
                return
            size -= len(data)


def _pcap(stream: _Bounded) -> Iterator[Packet]:
    header = stream.read(_PCAP_HEADER)
    if len(header) < _PCAP_HEADER:
        raise CannotRead("it ends in its header")
    order, ticks_a_second = _PCAP_MAGIC[header[:4]]
    link = struct.unpack(f"{order}I", header[20:24])[0] & _LINK_BITS
    while len(head := stream.read(_PACKET_HEADER)) == _PACKET_HEADER:
        seconds, ticks, captured, original = struct.unpack(f"{order}IIII", head)
        data = stream.read(captured)
        if len(data) < captured:
            raise CannotRead(_MIDDLE)
        yield Packet(_moment(seconds, ticks, ticks_a_second), link, data, max(0, original - captured))


def _moment(seconds: int, ticks: int, ticks_a_second: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=ticks * _MICROSECONDS // ticks_a_second)
    except OverflowError:
        return None


class _Pcapng:
    """The blocks of a pcapng file, one after the other; a section sets the byte order and forgets the interfaces."""

    def __init__(self, stream: _Bounded) -> None:
        self._stream = stream
        self._order: _ByteOrder = "<"
        self._interfaces: list[_Interface] = []

    def packets(self) -> Iterator[Packet]:
        """Give the packets. Raises CannotRead."""
        try:
            while head := self._stream.read(8):
                packet = self._block(head)
                if packet:
                    yield packet
        except struct.error as error:
            raise CannotRead(_MIDDLE if self._stream.short else "a block of it is broken") from error

    def _block(self, head: bytes) -> Packet | None:
        kind = self._numbers("I", head[:4])[0]
        if kind == _SECTION:
            self._section(head)
            return None
        length = self._numbers("I", head[4:8])[0]
        if length < _SMALLEST_BLOCK:
            raise CannotRead("a block of it is broken")
        if kind not in {_INTERFACE, _PACKET, _OLD_PACKET, _SIMPLE_PACKET}:
            self._stream.skip(length - 8)
            return None
        body = self._stream.read(length - 8)[: length - 12]
        if kind == _INTERFACE:
            self._interface(body)
            return None
        return self._simple_packet(body) if kind == _SIMPLE_PACKET else self._packet(body, kind)

    def _section(self, head: bytes) -> None:
        magic = self._stream.read(4)
        self._order = ">" if magic == _BIG_ENDIAN_MAGIC else "<"
        self._interfaces = []
        self._stream.read(self._numbers("I", head[4:8])[0] - 12)

    def _interface(self, body: bytes) -> None:
        if len(self._interfaces) >= _MOST_INTERFACES:
            raise CannotRead(f"it has more than {_MOST_INTERFACES} interfaces")
        link, _, longest = self._numbers("HHI", body[:8])
        ticks_a_second, offset_s = self._clock(body[8:])
        self._interfaces.append(_Interface(link, longest or self._stream.most, ticks_a_second, offset_s))

    def _clock(self, options: bytes) -> tuple[int, int]:
        """Return how many ticks of an interface's clock are a second, and what is added to it in seconds."""
        ticks_a_second, offset_s, at = _MICROSECONDS, 0, 0
        for _ in range(_MOST_OPTIONS):
            if len(options) - at < 4:
                break
            code, length = self._numbers("HH", options[at : at + 4])
            value = options[at + 4 : at + 4 + length]
            if code == _TSRESOL and len(value) == 1:
                ticks_a_second = int((2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F))
            elif code == _TSOFFSET and len(value) == 8:
                offset_s = self._numbers("q", value)[0]
            at += 4 + (length + 3) // 4 * 4
        return ticks_a_second, offset_s

    def _packet(self, body: bytes, kind: int) -> Packet:
        number, *rest = self._numbers("IIIII" if kind == _PACKET else "HHIIII", body[:20])
        high, low, captured, original = rest[-4:]
        data = body[20 : 20 + captured]
        if number >= len(self._interfaces):
            return Packet(None, NO_LINK, data)
        interface = self._interfaces[number]
        at = _moment(interface.offset_s, (high << 32) | low, interface.ticks_a_second)
        return Packet(at, interface.link, data, max(0, original - len(data)))

    def _simple_packet(self, body: bytes) -> Packet:
        original = self._numbers("I", body[:4])[0]
        if not self._interfaces:
            return Packet(None, NO_LINK, body[4:])
        # Its block is padded to four octets, so the snapshot length says where a packet that was cut ends.
        data = body[4 : 4 + min(original, self._interfaces[0].longest)]
        return Packet(None, self._interfaces[0].link, data, max(0, original - len(data)))

    def _numbers(self, form: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self._order + form, data)
