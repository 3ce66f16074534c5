"""TCP connections put together again: as much of each direction as a handshake needs, whatever the order of its segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from remediate.connectors.evidence.ip import ACK, SYN, Segment
from remediate.model.limits import Limits

Side = tuple[bytes, int]

_HALF: Final = 1 << 31
_WHOLE: Final = 1 << 32
RECORD_HEADER: Final = 5
_LARGEST_RECORD: Final = (1 << 14) + 2048
_RECORDS: Final = frozenset({20, 21, 22, 23})
ENCRYPTED: Final = frozenset({20, 23})
"""After a change of the cipher, and in application data, nothing is in the clear."""
_MAJOR: Final = 3
_LAST_MINOR: Final = 4
_MOST_UNSURE: Final = 8 * 1024
"""Without a SYN, what came first on the wire may come second in the capture: so long is waited for what stands before."""
_MOST_WAITING: Final = 256
"""How many segments of one direction may wait for one that is missing."""
_MOST_STARTS: Final = 512
_IDLE: Final = timedelta(minutes=2)
"""Longer than any handshake lasts: after it, the same ports are another connection, or are past their handshake."""


def record_at(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Return the type and the length of the TLS record whose header stands at `at`; None where none can (RFC 8446, 5.1)."""
    if len(data) - at < RECORD_HEADER:
        return None
    kind, major, minor = data[at : at + 3]
    length = int.from_bytes(data[at + 3 : at + 5], "big")
    plausible = kind in _RECORDS and major == _MAJOR and minor <= _LAST_MINOR and length <= _LARGEST_RECORD
    return (kind, length) if plausible else None


@dataclass(slots=True)
class Half:
    """One direction.

    Attributes:
        begin: sequence number of the first octet; None until a segment was seen.
        sure: a SYN said so.
        data: what is there without a gap from the begin, and after `fill_gaps` all that is kept, with zeros in the gaps.
        gaps: from where to where `data` was not captured; known after `fill_gaps`.
        starts: where segments begin, in order after `fill_gaps`; of very many, those of the first.
        seen: packets of this direction were captured, be it without data.
        end: where what is in the clear ends: it is no TLS, it goes on encrypted, or enough is kept. What follows is not kept.
        encrypted: it went on encrypted, so this side was content with what it had seen (up to TLS 1.2).
    """

    begin: int | None = None
    sure: bool = False
    data: bytearray = field(default_factory=bytearray)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    seen: bool = False
    end: int | None = None
    encrypted: bool = False
    _waiting: dict[int, bytes] = field(default_factory=dict)
    _record: int = 0
    _known: int = 0
    """How many octets there surely were: the other side acknowledged them, or a packet that was cut had them."""

    def is_another(self, number: int, most: int) -> bool:
        """Whether a SYN with this sequence number begins another connection than the one whose data is here."""
        if self.begin is None:
            return False
        before = (self.begin - number - 1) % _WHOLE
        return before != 0 if self.sure else before > most

    def begins_at(self, number: int) -> None:
        """A SYN names the first sequence number; what was captured of its data before stays."""
        begin = (number + 1) % _WHOLE
        if self.begin is not None and not self.sure:
            self._shift((self.begin - begin) % _WHOLE)
        self.begin, self.sure = begin, True

    def acknowledge(self, number: int, most: int) -> None:
        """The other side has everything before `number`, be it captured or not; the last of it may be a FIN and no octet."""
        if self.begin is not None and 1 < (octets := (number - self.begin) % _WHOLE) <= most:
            self._known = max(self._known, octets - 1)

    def add(self, segment: Segment, most: int) -> int:
        """Take a segment's data. Return by how many bytes this direction grew (or shrank, when its end is known)."""
        if not segment.data and not segment.missing:
            return 0
        before = self.size
        self._place(segment, most)
        self._join()
        self._look(most)
        return self.size - before

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return len(self.data) + sum(map(len, self._waiting.values()))

    def fill_gaps(self, most: int) -> None:
        """Put zeros in the place of what was not captured. Nothing is added after it."""
        self.starts.sort()
        for offset in sorted(self._waiting):
            self._fill_up_to(offset)
            data = self._waiting.pop(offset)
            self.data += data[max(0, len(self.data) - offset) :]
        self._fill_up_to(min(self._known, most if self.end is None else self.end))

    def _fill_up_to(self, offset: int) -> None:
        if offset > len(self.data):
            self.gaps.append((len(self.data), offset))
            self.data += bytes(offset - len(self.data))

    def _place(self, segment: Segment, most: int) -> None:
        if self.begin is None:
            self.begin = segment.number
        offset, data = (segment.number - self.begin) % _WHOLE, segment.data
        if offset >= _HALF:
            offset -= _WHOLE
            if not self.sure and not -offset > most:
                # The capture began in the middle, or a later file was read first: the begin was too late.
                self._shift(-offset)
                self.begin, offset = segment.number, 0
        # One byte more than is kept shows that there is more.
        end = most + 1 if self.end is None else self.end
        if segment.missing and offset < end:
            self._known = max(self._known, offset + len(data) + segment.missing)
        if offset < 0:
            data, offset = data[-offset:], 0
        data = data[: max(0, end - offset)]
        if data and len(self._waiting) < _MOST_WAITING and len(data) > len(self._waiting.get(offset, b"")):
            self._waiting[offset] = data
            if len(self.starts) < _MOST_STARTS:
                self.starts.append(offset)

    def _shift(self, by: int) -> None:
        if not by:
            return
        self._waiting = {offset + by: data for offset, data in self._waiting.items()}
        if self.data:
            self._waiting[by] = bytes(self.data)
        self.starts = [start + by for start in self.starts]
        self.data, self._record = bytearray(), 0
        self.end = None if self.end is None else self.end + by
        self._known += by if self._known else 0

    def _join(self) -> None:
        """Move what waits and has its turn; what was there first stays, as in a retransmission."""
        for offset in sorted(self._waiting):
            if offset > len(self.data):
                return
            data = self._waiting.pop(offset)
            self.data += data[len(self.data) - offset :]

    def _look(self, most: int) -> None:
        """Walk the TLS records that are whole; a handshake in the clear ends with the first that is encrypted."""
        while self.end is None and len(self.data) - self._record >= RECORD_HEADER:
            record = record_at(self.data, self._record)
            if record is None and self._record == 0 and not self.sure and len(self.data) < _MOST_UNSURE:
                return
            self.encrypted = record is not None and record[0] in ENCRYPTED
            if record is None or self.encrypted:
                self._end(self._record + (RECORD_HEADER if self.encrypted else 0))
            elif len(self.data) - self._record < RECORD_HEADER + record[1]:
                break
            else:
                self._record += RECORD_HEADER + record[1]
        if self.end is None and len(self.data) > most:
            self._end(most)

    def _end(self, at: int) -> None:
        del self.data[at:]
        self._waiting.clear()
        self.end = at


@dataclass(slots=True)
class Connection:
    """One TCP connection.

    Attributes:
        sides: both ends, that of the first packet first.
        file: where its first packet stands.
        first: when its first packet was seen.
        last: when its last packet was seen.
        client: the side that opened it; None where no SYN was captured.
        was_cut: the capture holds of some packets the beginning only.
    """

    sides: tuple[Side, Side]
    file: str
    first: datetime | None
    last: datetime | None
    client: Side | None = None
    was_cut: bool = False
    halves: dict[Side, Half] = field(default_factory=dict)

    def half(self, side: Side) -> Half:
        """What `side` sent."""
        return self.halves.setdefault(side, Half())

    def other(self, side: Side) -> Side:
        """The other end."""
        return self.sides[1] if side == self.sides[0] else self.sides[0]

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return sum(half.size for half in self.halves.values())

    def is_idle_at(self, moment: datetime | None) -> bool:
        """Whether no handshake lasts from its last packet to `moment`; files come in any order."""
        return moment is not None and self.last is not None and abs(moment - self.last) > _IDLE


class Connections:
    """All connections of all captures: the files of a rotation show one connection in parts.

    Attributes:
        left_out: packets that belong to more connections than are looked at, by file.
    """

    def __init__(self, limits: Limits, ended: Callable[[Connection], None]) -> None:
        """Make an empty one. `ended` is called with each connection of which no more is expected."""
        self._limits = limits
        self._ended = ended
        self._open: dict[frozenset[Side], Connection] = {}
        self._held = 0
        self.left_out: dict[str, int] = {}

    def take(self, segment: Segment, at: datetime | None, file: str) -> None:
        """Take one segment that stands in `file`."""
        source, target = (segment.source, segment.source_port), (segment.target, segment.target_port)
        key = frozenset((source, target))
        connection = self._open.get(key)
        if connection and self._begins_another(connection.half(source), segment, connection, at):
            self._close(key)
            connection = None
        if connection is None:
            if len(self._open) >= self._limits.capture_connections:
                self._make_room(at)
            if len(self._open) >= self._limits.capture_connections or self._is_full(at):
                self._leave_out(file)
                return
            connection = Connection((source, target), file, at, at)
        # What was seen last stands last, so that the idle ones stand first.
        self._open.pop(key, None)
        self._open[key] = connection
        self._add(connection, source, segment, at, file)

    def close_all(self) -> None:
        """End all connections: nothing more is read."""
        for key in list(self._open):
            self._close(key)

    def _begins_another(self, half: Half, segment: Segment, connection: Connection, at: datetime | None) -> bool:
        syn = bool(segment.flags & SYN)
        another = syn and half.is_another(segment.number, self._limits.capture_stream_bytes)
        return another or ((syn or bool(segment.data)) and connection.is_idle_at(at))

    def _add(self, connection: Connection, source: Side, segment: Segment, at: datetime | None, file: str) -> None:
        half = connection.half(source)
        half.seen = True
        connection.was_cut = connection.was_cut or segment.missing > 0
        if at is not None:
            connection.first = at if connection.first is None else min(connection.first, at)
            connection.last = at
        if segment.flags & ACK and segment.acknowledged:  # programs that make packets up leave 0
            connection.half(connection.other(source)).acknowledge(segment.acknowledged, self._limits.capture_stream_bytes)
        if segment.flags & SYN:
            half.begins_at(segment.number)
            connection.client = connection.other(source) if segment.flags & ACK else source
        elif segment.data and self._is_full(at):
            self._leave_out(file)
        else:
            self._held += half.add(segment, self._limits.capture_stream_bytes)

    def _close(self, key: frozenset[Side]) -> None:
        connection = self._open.pop(key)
        self._held -= connection.size
        for half in connection.halves.values():
            half.fill_gaps(self._limits.capture_stream_bytes)
        self._ended(connection)

    def _make_room(self, at: datetime | None) -> None:
        oldest = next(iter(self._open), None)
        if oldest is not None and self._open[oldest].is_idle_at(at):
            self._close(oldest)

    def _is_full(self, at: datetime | None) -> bool:
        if self._held >= self._limits.capture_buffered_bytes:
            self._make_room(at)
        return self._held >= self._limits.capture_buffered_bytes

    def _leave_out(self, file: str) -> None:
        self.left_out[file] = self.left_out.get(file, 0) + 1
