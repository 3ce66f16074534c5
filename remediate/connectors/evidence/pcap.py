"""The packets of a pcap or pcapng file, with their link types.

Both formats are a few fixed headers and are read here rather than by a library: dpkt's pcap reader drops the original length of a
cut packet, and its pcapng reader supports one link type per file and takes quadratic time for the options of a block.

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
# The magic of a pcap file as on disk: its byte order, and the ticks of its clock per second.
_PCAP_MAGIC: Final[dict[bytes, tuple[_ByteOrder, int]]] = {
    bytes.fromhex("a1b2c3d4"): (">", 10**6),
    bytes.fromhex("d4c3b2a1"): ("<", 10**6),
    bytes.fromhex("a1b23c4d"): (">", 10**9),
    bytes.fromhex("4d3cb2a1"): ("<", 10**9),
    bytes.fromhex("a1b2cd34"): (">", 10**6),
    bytes.fromhex("34cdb2a1"): ("<", 10**6),
}
_MODIFIED_MAGIC: Final = frozenset({bytes.fromhex("a1b2cd34"), bytes.fromhex("34cdb2a1")})
"""Of Kuznetzov's libpcap: each packet has 8 more octets of header (interface, protocol, type)."""
_MORE_PACKET_HEADER: Final = 8
_PCAP_BEGINNINGS: Final = frozenset(magic + struct.pack(f"{order}HH", 2, 4) for magic, (order, _) in _PCAP_MAGIC.items())
_LINK_BITS: Final = 0xFFFF  # the upper bits are the length of a frame check sequence

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_TSRESOL, _TSOFFSET = 9, 14
_MICROSECONDS: Final = 10**6
_BIG_ENDIAN_MAGIC: Final = bytes.fromhex("1a2b3c4d")
_MAX_OPTIONS: Final = 64
_MAX_INTERFACES: Final = 4_096
_MIN_BLOCK: Final = 12
_SKIP_BYTES: Final = 64 * 1024
_ENDS_IN_PACKET: Final = "it ends in the middle of a packet"

NO_LINK: Final = -1
"""The link type of a packet whose interface the file does not describe."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as captured.

    Attributes:
        at: The time of capture; None where the file's clock is out of range.
        link: A LINKTYPE_ number, or NO_LINK.
        cut: The number of octets at its end that the capture does not hold (``tcpdump -s``).
    """

    at: datetime | None
    link: int
    data: bytes
    cut: int = 0


@dataclass(frozen=True, slots=True)
class _Interface:
    """An interface of a pcapng file.

    Attributes:
        snapshot_length: In octets.
        offset_s: Seconds to add to its clock.
    """

    link: int
    snapshot_length: int
    ticks_per_second: int = _MICROSECONDS
    offset_s: int = 0


def read_packets(kind: Kind, stream: io.BufferedReader, limits: Limits) -> Iterator[Packet]:
    """Yield the packets in `stream`, in the order captured.

    Raises:
        CannotRead: The file is broken or ends too early. The packets before count.
    """
    bounded = _BoundedReader(stream, limits.capture_packet_bytes)
    yield from _read_pcap(bounded) if kind is Kind.PCAP else _PcapngReader(bounded).read_packets()
    if bounded.is_short:
        raise CannotRead(_ENDS_IN_PACKET)


class _BoundedReader:
    """A reader that refuses the gigabytes that a hostile header claims."""

    def __init__(self, stream: io.BufferedReader, max_bytes: int) -> None:
        self._stream = stream
        self.max_bytes = max_bytes
        self.is_short = False

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.max_bytes:
            raise CannotRead(f"it claims a packet of {size} bytes")
        data = self._stream.read(size)
        self.is_short = self.is_short or 0 < len(data) < size
        return data

    def skip(self, size: int) -> None:
        """Skip `size` bytes, or all that are left."""
        while size > 0:
            data = self._stream.read(min(size, _SKIP_BYTES))
            if not data:
                self.is_short = True
                return
            size -= len(data)


def _read_pcap(stream: _BoundedReader) -> Iterator[Packet]:
    head = stream.read(_PACKET_HEADER)
    order, ticks_per_second, link, is_modified = _read_pcap_header(stream, head)
    packet_header = struct.Struct(f"{order}IIII")
    while len(head := stream.read(_PACKET_HEADER)) == _PACKET_HEADER:
        if head[:8] in _PCAP_BEGINNINGS:
            # Another file that was appended to this one.
            order, ticks_per_second, link, is_modified = _read_pcap_header(stream, head)
            packet_header = struct.Struct(f"{order}IIII")
            continue
        if is_modified:
            stream.skip(_MORE_PACKET_HEADER)
        seconds, ticks, captured, original = packet_header.unpack(head)
        data = stream.read(captured)
        if len(data) < captured:
            raise CannotRead(_ENDS_IN_PACKET)
        yield Packet(_to_moment(seconds, ticks, ticks_per_second), link, data, max(0, original - captured))


def _read_pcap_header(stream: _BoundedReader, head: bytes) -> tuple[_ByteOrder, int, int, bool]:
    """Return the byte order, the ticks per second, the link type, and whether packets have more header; `head` was read of it."""
    header = head + stream.read(_PCAP_HEADER - len(head))
    if len(header) < _PCAP_HEADER:
        raise CannotRead("it ends in its header")
    order, ticks_per_second = _PCAP_MAGIC[header[:4]]
    link = struct.unpack(f"{order}I", header[20:24])[0] & _LINK_BITS
    return order, ticks_per_second, link, header[:4] in _MODIFIED_MAGIC


def _to_moment(seconds: int, ticks: int, ticks_per_second: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=ticks * _MICROSECONDS // ticks_per_second)
    except OverflowError:
        return None


class _PcapngReader:
    """A reader of the blocks of a pcapng file; a section header sets the byte order and drops the interfaces."""

    def __init__(self, stream: _BoundedReader) -> None:
        self._stream = stream
        self._order: _ByteOrder = "<"
        self._interfaces: list[_Interface] = []

    def read_packets(self) -> Iterator[Packet]:
        """Yield the packets.

        Raises:
            CannotRead: A block is broken, or the file ends in it.
        """
        try:
            while head := self._stream.read(8):
                packet = self._read_block(head)
                if packet:
                    yield packet
        except struct.error as error:
            raise CannotRead(_ENDS_IN_PACKET if self._stream.is_short else "a block of it is broken") from error

    def _read_block(self, head: bytes) -> Packet | None:
        kind = self._unpack("I", head[:4])[0]
        if kind == _SECTION:
            self._read_section(head)
            return None
        length = self._unpack("I", head[4:8])[0]
        if length < _MIN_BLOCK:
            raise CannotRead("a block of it is broken")
        if kind not in {_INTERFACE, _PACKET, _OLD_PACKET, _SIMPLE_PACKET}:
            self._stream.skip(length - 8)
            return None
        body = self._stream.read(length - 8)[: length - 12]
        if kind == _INTERFACE:
            self._read_interface(body)
            return None
        return self._read_simple_packet(body) if kind == _SIMPLE_PACKET else self._read_packet(body, kind)

    def _read_section(self, head: bytes) -> None:
        magic = self._stream.read(4)
        self._order = ">" if magic == _BIG_ENDIAN_MAGIC else "<"
        self._interfaces = []
        self._stream.read(self._unpack("I", head[4:8])[0] - 12)

    def _read_interface(self, body: bytes) -> None:
        if len(self._interfaces) >= _MAX_INTERFACES:
            raise CannotRead(f"it has more than {_MAX_INTERFACES} interfaces")
        link, _, snapshot_length = self._unpack("HHI", body[:8])
        ticks_per_second, offset_s = self._read_clock(body[8:])
        self._interfaces.append(_Interface(link, snapshot_length or self._stream.max_bytes, ticks_per_second, offset_s))

    def _read_clock(self, options: bytes) -> tuple[int, int]:
        """Return the ticks per second of an interface's clock, and the seconds to add to it."""
        ticks_per_second, offset_s, at = _MICROSECONDS, 0, 0
        for _ in range(_MAX_OPTIONS):
            if len(options) - at < 4:
                break
            code, length = self._unpack("HH", options[at : at + 4])
            value = options[at + 4 : at + 4 + length]
            if code == _TSRESOL and len(value) == 1:
                ticks_per_second = int((2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F))
            elif code == _TSOFFSET and len(value) == 8:
                offset_s = self._unpack("q", value)[0]
            at += 4 + (length + 3) // 4 * 4
        return ticks_per_second, offset_s

    def _read_packet(self, body: bytes, kind: int) -> Packet:
        number, *fields = self._unpack("IIIII" if kind == _PACKET else "HHIIII", body[:20])
        high, low, captured, original = fields[-4:]
        data = body[20 : 20 + captured]
        if number >= len(self._interfaces):
            return Packet(None, NO_LINK, data)
        interface = self._interfaces[number]
        at = _to_moment(interface.offset_s, (high << 32) | low, interface.ticks_per_second)
        return Packet(at, interface.link, data, max(0, original - len(data)))

    def _read_simple_packet(self, body: bytes) -> Packet:
        original = self._unpack("I", body[:4])[0]
        if not self._interfaces:
            return Packet(None, NO_LINK, body[4:])
        # The block is padded to four octets, so a cut packet ends at the snapshot length.
        data = body[4 : 4 + min(original, self._interfaces[0].snapshot_length)]
        return Packet(None, self._interfaces[0].link, data, max(0, original - len(data)))

    def _unpack(self, form: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self._order + form, data)
