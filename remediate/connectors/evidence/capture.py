"""The packets of a pcap or pcapng file, with what they were captured on.

pcap is dpkt's to read. Its pcapng reader is not used: it knows one link type a file, reads backwards on a hostile length, and takes
quadratic time over a block's options. The few blocks that matter are read here.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from remediate.connectors.evidence.budget import BROKEN, CannotRead, reason_of
from remediate.connectors.evidence.content import Kind
from remediate.model.limits import Limits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap: block types of pcapng
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_TSRESOL: Final = 9
_MICROSECONDS: Final = 6
_BIG_ENDIAN_MAGIC: Final = bytes.fromhex("1a2b3c4d")
_MOST_OPTIONS: Final = 64
_MOST_INTERFACES: Final = 4_096
_MIDDLE: Final = "it ends in the middle of a packet"


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as captured. `link` is a LINKTYPE_ number; `at` is None where the file's clock makes no sense."""

    at: datetime | None
    link: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    ticks_a_second: int


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
        self._most = most
        self.short = False

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._most:
            raise CannotRead(f"it claims a packet of {size} bytes")
        data = self._stream.read(size)
        self.short = self.short or 0 < len(data) < size
        return data


def _pcap(stream: _Bounded) -> Iterator[Packet]:
    import dpkt

    try:
        reader = dpkt.pcap.Reader(stream)
        link = reader.datalink() & 0xFFFF  # the upper bits say how long a frame check sequence is
        for seconds, data in reader:
            yield Packet(_moment(float(seconds)), link, data)
    except (dpkt.UnpackError, *BROKEN) as error:
        raise CannotRead(_MIDDLE if stream.short else reason_of(error)) from error


def _moment(seconds: float) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


class _Pcapng:
    """The blocks of a pcapng file, one after the other; a section sets the byte order and forgets the interfaces."""

    def __init__(self, stream: _Bounded) -> None:
        self._stream = stream
        self._order: Literal["<", ">"] = "<"
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
        body = self._stream.read(length - 8)[: length - 12]
        if kind == _INTERFACE:
            self._interface(body)
        elif kind in {_PACKET, _OLD_PACKET}:
            return self._packet(body, kind)
        elif kind == _SIMPLE_PACKET and self._interfaces:
            original = self._numbers("I", body[:4])[0]
            return Packet(None, self._interfaces[0].link, body[4 : 4 + original])
        return None

    def _section(self, head: bytes) -> None:
        magic = self._stream.read(4)
        self._order = ">" if magic == _BIG_ENDIAN_MAGIC else "<"
        self._interfaces = []
        self._stream.read(self._numbers("I", head[4:8])[0] - 12)

    def _interface(self, body: bytes) -> None:
        if len(self._interfaces) >= _MOST_INTERFACES:
            raise CannotRead(f"it has more than {_MOST_INTERFACES} interfaces")
        link = self._numbers("HHI", body[:8])[0]
        self._interfaces.append(_Interface(link, self._ticks(body[8:])))

    def _ticks(self, options: bytes) -> int:
        """How many ticks of this interface's clock are a second (option if_tsresol)."""
        at = 0
        for _ in range(_MOST_OPTIONS):
            if len(options) - at < 4:
                break
            code, length = self._numbers("HH", options[at : at + 4])
            if code == _TSRESOL and length == 1 and at + 4 < len(options):
                value = options[at + 4]
                return int((2 if value & 0x80 else 10) ** (value & 0x7F))
            at += 4 + (length + 3) // 4 * 4
        return int(10**_MICROSECONDS)

    def _packet(self, body: bytes, kind: int) -> Packet | None:
        form = "IIIII" if kind == _PACKET else "HHIIII"
        interface, *rest = self._numbers(form, body[:20])
        high, low, captured, _ = rest[-4:]
        if interface >= len(self._interfaces):
            return None
        where = self._interfaces[interface]
        return Packet(_moment(((high << 32) | low) / where.ticks_a_second), where.link, body[20 : 20 + captured])

    def _numbers(self, form: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self._order + form, data)
