"""TCP connections put together again: as much of each direction as a handshake needs, whatever the order of its segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from remediate.connectors.evidence.frames import ACK, SYN, Segment
from remediate.model.limits import Limits

Side = tuple[bytes, int]

_HALF: Final = 1 << 31
_WHOLE: Final = 1 << 32
_RECORD_HEADER: Final = 5
_LARGEST_RECORD: Final = (1 << 14) + 2048
_RECORDS: Final = frozenset({20, 21, 22, 23})
_ENCRYPTED: Final = frozenset({20, 23})
"""After a change of the cipher, and in application data, nothing is in the clear."""
_MAJOR: Final = 3
_MOST_UNSURE: Final = 8 * 1024
"""Without a SYN, what came first on the wire may come second in the capture: so long is waited for what stands before."""
_MOST_WAITING: Final = 256
"""How many segments of one direction may wait for one that is missing."""


@dataclass(slots=True)
class Half:
    """One direction.

    Attributes:
        begin: sequence number of the first octet; None until a segment was seen.
        data: what is there without a gap, from the begin.
        encrypted: it went on encrypted, so this side was content with what it had seen (up to TLS 1.2).
        over: it is no TLS, the handshake is behind us, or enough is kept: what follows is not.
    """

    begin: int | None = None
    sure: bool = False
    data: bytearray = field(default_factory=bytearray)
    waiting: dict[int, bytes] = field(default_factory=dict)
    over: bool = False
    encrypted: bool = False
    _record: int = 0

    def begins_at(self, number: int) -> None:
        """A SYN names the first sequence number."""
        self.begin, self.sure = (number + 1) % _WHOLE, True

    def add(self, number: int, data: bytes, most: int) -> int:
        """Take a segment's data. Return by how many bytes this direction grew (or shrank, when it is over)."""
        if self.over or not data:
            return 0
        before = self.size
        self._place(number, data, most)
        self._join()
        self._look(most)
        return self.size - before

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return len(self.data) + sum(map(len, self.waiting.values()))

    def _place(self, number: int, data: bytes, most: int) -> None:
        if self.begin is None:
            self.begin = number
        offset = (number - self.begin) % _WHOLE
        if offset >= _HALF:
            offset -= _WHOLE
            if not self.sure and not -offset > most:
                # The capture began in the middle, and this is from before: the begin was too late.
                self._shift(-offset)
                self.begin, offset = number, 0
        if offset < 0:
            data, offset = data[-offset:], 0
        if offset <= most and len(self.waiting) < _MOST_WAITING and len(data) > len(self.waiting.get(offset, b"")):
            self.waiting[offset] = data[:most]

    def _shift(self, by: int) -> None:
        self.waiting = {offset + by: data for offset, data in self.waiting.items()}
        if self.data:
            self.waiting[by] = bytes(self.data)
        self.data, self._record = bytearray(), 0

    def _join(self) -> None:
        """Move what waits and has its turn; what was there first stays, as in a retransmission."""
        for offset in sorted(self.waiting):
            if offset > len(self.data):
                return
            data = self.waiting.pop(offset)
            self.data += data[len(self.data) - offset :]

    def _look(self, most: int) -> None:
        """Walk the TLS records that are whole; a handshake in the clear ends with the first that is encrypted."""
        while not self.over and len(self.data) - self._record >= _RECORD_HEADER:
            kind, major = self.data[self._record], self.data[self._record + 1]
            length = int.from_bytes(self.data[self._record + 3 : self._record + 5], "big")
            strange = kind not in _RECORDS or major != _MAJOR or length > _LARGEST_RECORD
            if strange and self._record == 0 and not self.sure and len(self.data) < _MOST_UNSURE:
                return
            self.encrypted = not strange and kind in _ENCRYPTED
            if strange or self.encrypted:
                self._end(self._record)
            elif len(self.data) - self._record < _RECORD_HEADER + length:
                break
            else:
                self._record += _RECORD_HEADER + length
        if len(self.data) > most:
            self._end(most)

    def _end(self, at: int) -> None:
        del self.data[at:]
        self.waiting.clear()
        self.over = True


@dataclass(slots=True)
class Connection:
    """One TCP connection: the side that began it, as far as known, the other, and when its first packet was seen."""

    one: Side
    other: Side
    at: datetime | None
    halves: dict[Side, Half] = field(default_factory=dict)

    def half(self, side: Side) -> Half:
        """What `side` sent."""
        return self.halves.setdefault(side, Half())

    @property
    def has_tls(self) -> bool:
        """Whether something of a handshake was kept."""
        return any(half.data for half in self.halves.values())


def _begins_another(half: Half, segment: Segment) -> bool:
    """A SYN for the same ports; not the same one again."""
    fresh = bool(segment.flags & SYN) and not segment.flags & ACK
    return fresh and half.begin != (segment.number + 1) % _WHOLE


class Connections:
    """All connections of one capture.

    Attributes:
        left_out: packets of connections that are more than is looked at.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[frozenset[Side], Connection] = {}
        self._held = 0
        self.left_out = 0

    def take(self, segment: Segment, at: datetime | None) -> Connection | None:
        """Take one segment. Return the connection that it replaces: the same ports are used again."""
        source, target = (segment.source, segment.source_port), (segment.target, segment.target_port)
        key = frozenset((source, target))
        connection, ended = self._open.get(key), None
        if connection and connection.has_tls and _begins_another(connection.half(source), segment):
            ended, connection = connection, None
        if connection is None:
            connection = self._begin(key, source, target, at)
        if connection:
            self._add(connection.half(source), segment)
        return ended

    def all(self) -> Iterator[Connection]:
        """Give the connections that nothing replaced."""
        yield from self._open.values()

    def _begin(self, key: frozenset[Side], source: Side, target: Side, at: datetime | None) -> Connection | None:
        if (len(self._open) >= self._limits.capture_connections and key not in self._open) or self._is_full():
            self.left_out += 1
            return None
        old = self._open.get(key)
        self._held -= sum(half.size for half in old.halves.values()) if old else 0
        self._open[key] = Connection(source, target, at)
        return self._open[key]

    def _is_full(self) -> bool:
        return self._held >= self._limits.capture_buffered_bytes

    def _add(self, half: Half, segment: Segment) -> None:
        if segment.flags & SYN:
            half.begins_at(segment.number)
        elif not self._is_full():
            self._held += half.add(segment.number, segment.data, self._limits.capture_stream_bytes)
