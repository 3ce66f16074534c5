"""TCP connections, reassembled from segments in any order: of each direction, as much as a handshake needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from remediate.connectors.evidence.ip import ACK, SYN, Segment
from remediate.model.limits import Limits

Side = tuple[bytes, int]

_HALF_SEQUENCE: Final = 1 << 31
_SEQUENCE_NUMBERS: Final = 1 << 32
RECORD_HEADER: Final = 5
_LARGEST_RECORD: Final = (1 << 14) + 2048
_RECORD_TYPES: Final = frozenset({20, 21, 22, 23})
ENCRYPTED_TYPES: Final = frozenset({20, 23})
"""ChangeCipherSpec and application data: from these on, nothing is in the clear."""
_MAJOR_VERSION: Final = 3
_MAX_MINOR_VERSION: Final = 4
_MAX_UNCONFIRMED: Final = 8 * 1024
"""Octets to collect before deciding that this is no TLS: without a SYN, segments before them may still come."""
_MAX_WAITING: Final = 256
"""Segments of one direction that may wait for a missing one."""
_MAX_STARTS: Final = 512
_IDLE_TIME: Final = timedelta(minutes=2)
"""Longer than any handshake lasts: after it, the same ports are another connection, or their handshake is over."""


def read_record_header(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Return the type and the length in the TLS record header at `at`; None where it cannot be one (RFC 8446, 5.1)."""
    if len(data) - at < RECORD_HEADER:
        return None
    kind, major, minor = data[at : at + 3]
    length = int.from_bytes(data[at + 3 : at + 5], "big")
    is_plausible = (
        kind in _RECORD_TYPES and major == _MAJOR_VERSION and minor <= _MAX_MINOR_VERSION and length <= _LARGEST_RECORD
    )
    return (kind, length) if is_plausible else None


@dataclass(slots=True)
class Half:
    """One direction of a connection.

    Attributes:
        begin: The sequence number of the first octet; None before the first segment.
        begin_is_known: A SYN gave the beginning.
        data: The octets from the beginning to the first gap; after `fill_gaps` all that are kept, with zeros in the gaps.
        gaps: The begin and end of each part of `data` that was not captured; known after `fill_gaps`.
        segment_starts: The offsets of segments, in order after `fill_gaps`; of the first _MAX_STARTS only.
        has_packets: Packets of this direction were captured, with or without data.
        end: The offset where reading ends: this is no TLS, encryption begins, or enough is kept. Nothing behind it is kept.
        is_encrypted: The side sent encrypted records, so it had accepted the other's certificates (up to TLS 1.2).
    """

    begin: int | None = None
    begin_is_known: bool = False
    data: bytearray = field(default_factory=bytearray)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    segment_starts: list[int] = field(default_factory=list)
    has_packets: bool = False
    end: int | None = None
    is_encrypted: bool = False
    _waiting: dict[int, bytes] = field(default_factory=dict)
    _next_record: int = 0
    _min_length: int = 0
    """Octets that were certainly sent: the other side acknowledged them, or a cut packet had them."""

    def is_another(self, number: int, max_bytes: int) -> bool:
        """Whether a SYN with this sequence number begins another connection than the one of this data."""
        if self.begin is None:
            return False
        before = (self.begin - number - 1) % _SEQUENCE_NUMBERS
        return before != 0 if self.begin_is_known else before > max_bytes

    def set_begin(self, number: int) -> None:
        """Take the first sequence number from a SYN; data that was captured before it is kept."""
        begin = (number + 1) % _SEQUENCE_NUMBERS
        if self.begin is not None and not self.begin_is_known:
            self._shift((self.begin - begin) % _SEQUENCE_NUMBERS)
        self.begin, self.begin_is_known = begin, True

    def acknowledge(self, number: int, max_bytes: int) -> None:
        """Note that the other side has everything before `number`, captured or not; the last of it may be a FIN and no octet."""
        if self.begin is not None and 1 < (octets := (number - self.begin) % _SEQUENCE_NUMBERS) <= max_bytes:
            self._min_length = max(self._min_length, octets - 1)

    def add(self, segment: Segment, max_bytes: int) -> int:
        """Add a segment's data. Return by how many bytes this direction grew (or shrank, once its end is known)."""
        if not segment.data and not segment.missing:
            return 0
        if self.end is not None and self.begin is not None:
            offset = (segment.number - self.begin) % _SEQUENCE_NUMBERS
            if self.end <= offset < _HALF_SEQUENCE:
                return 0  # most of a long connection
        before = self.size
        self._place(segment, max_bytes)
        self._join()
        self._find_end(max_bytes)
        return self.size - before

    @property
    def size(self) -> int:
        """The number of bytes in memory."""
        return len(self.data) + sum(map(len, self._waiting.values()))

    def fill_gaps(self, max_bytes: int) -> None:
        """Put zeros in the place of octets that were not captured. Nothing may be added after this."""
        self.segment_starts.sort()
        for offset in sorted(self._waiting):
            self._fill_up_to(offset)
            data = self._waiting.pop(offset)
            self.data += data[max(0, len(self.data) - offset) :]
        self._fill_up_to(min(self._min_length, max_bytes if self.end is None else self.end))

    def _fill_up_to(self, offset: int) -> None:
        if offset > len(self.data):
            self.gaps.append((len(self.data), offset))
            self.data += bytes(offset - len(self.data))

    def _place(self, segment: Segment, max_bytes: int) -> None:
        if self.begin is None:
            self.begin = segment.number
        offset, data = (segment.number - self.begin) % _SEQUENCE_NUMBERS, segment.data
        if offset >= _HALF_SEQUENCE:
            offset -= _SEQUENCE_NUMBERS
            if not self.begin_is_known and not -offset > max_bytes:
                # The capture began in the middle, or a later file was read first: the known beginning is too late.
                self._shift(-offset)
                self.begin, offset = segment.number, 0
        # One byte more than is kept shows that there are more.
        end = max_bytes + 1 if self.end is None else self.end
        if segment.missing and offset < end:
            self._min_length = max(self._min_length, offset + len(data) + segment.missing)
        if offset < 0:
            data, offset = data[-offset:], 0
        data = data[: max(0, end - offset)]
        if data and len(self._waiting) < _MAX_WAITING and len(data) > len(self._waiting.get(offset, b"")):
            self._waiting[offset] = data
            if len(self.segment_starts) < _MAX_STARTS:
                self.segment_starts.append(offset)

    def _shift(self, by: int) -> None:
        if not by:
            return
        self._waiting = {offset + by: data for offset, data in self._waiting.items()}
        if self.data:
            self._waiting[by] = bytes(self.data)
        self.segment_starts = [start + by for start in self.segment_starts]
        self.data, self._next_record = bytearray(), 0
        self.end = None if self.end is None else self.end + by
        self._min_length += by if self._min_length else 0

    def _join(self) -> None:
        """Move waiting segments that continue `data`; of a retransmission, the octets captured first are kept."""
        for offset in sorted(self._waiting):
            if offset > len(self.data):
                return
            data = self._waiting.pop(offset)
            self.data += data[len(self.data) - offset :]

    def _find_end(self, max_bytes: int) -> None:
        """Walk the complete TLS records; the part in the clear ends with the first encrypted one."""
        while self.end is None and len(self.data) - self._next_record >= RECORD_HEADER:
            record = read_record_header(self.data, self._next_record)
            if record is None and self._next_record == 0 and not self.begin_is_known and len(self.data) < _MAX_UNCONFIRMED:
                return
            self.is_encrypted = record is not None and record[0] in ENCRYPTED_TYPES
            if record is None or self.is_encrypted:
                self._cut_at(self._next_record + (RECORD_HEADER if self.is_encrypted else 0))
            elif len(self.data) - self._next_record < RECORD_HEADER + record[1]:
                break
            else:
                self._next_record += RECORD_HEADER + record[1]
        if self.end is None and len(self.data) > max_bytes:
            self._cut_at(max_bytes)

    def _cut_at(self, at: int) -> None:
        del self.data[at:]
        self._waiting.clear()
        self.end = at


@dataclass(slots=True)
class Connection:
    """One TCP connection.

    Attributes:
        sides: Both ends; the sender of the first packet is first.
        file: The file of its first packet.
        client: The side that opened it; None where no SYN was captured.
        was_cut: The capture cut packets of it (a snapshot length).
    """

    sides: tuple[Side, Side]
    file: str
    first_seen: datetime | None
    last_seen: datetime | None
    client: Side | None = None
    was_cut: bool = False
    halves: dict[Side, Half] = field(default_factory=dict)

    def half(self, side: Side) -> Half:
        """Return the direction from `side`."""
        half = self.halves.get(side)
        if half is None:
            half = self.halves[side] = Half()
        return half

    def opposite_side(self, side: Side) -> Side:
        """Return the other end."""
        return self.sides[1] if side == self.sides[0] else self.sides[0]

    @property
    def size(self) -> int:
        """The number of bytes in memory."""
        return sum(half.size for half in self.halves.values())

    def is_idle_at(self, moment: datetime | None) -> bool:
        """Whether `moment` is too far from its last packet, before or after it, to belong to one handshake."""
        return moment is not None and self.last_seen is not None and abs(moment - self.last_seen) > _IDLE_TIME


class Connections:
    """The connections of all captures: the files of a rotation show one connection in parts.

    Attributes:
        skipped: Packets beyond the limits on connections or memory, by file.
    """

    def __init__(self, limits: Limits, on_end: Callable[[Connection], None]) -> None:
        """Begin without connections; `on_end` is called with each connection when no more of it is expected."""
        self._limits = limits
        self._on_end = on_end
        self._open: dict[frozenset[Side], Connection] = {}
        self._held = 0
        self.skipped: dict[str, int] = {}

    def add(self, segment: Segment, at: datetime | None, file: str) -> None:
        """Add a segment, which was read from `file`."""
        source, target = (segment.source, segment.source_port), (segment.target, segment.target_port)
        key = frozenset((source, target))
        connection = self._open.get(key)
        if connection and self._is_another(connection.half(source), segment, connection, at):
            self._close(key)
            connection = None
        if connection is None:
            if len(self._open) >= self._limits.capture_connections:
                self._make_room(at)
            if len(self._open) >= self._limits.capture_connections or self._is_full(at):
                self._skip_packet(file)
                return
            connection = Connection((source, target), file, at, at)
        # The latest connection is last, so that the idle ones are first.
        self._open.pop(key, None)
        self._open[key] = connection
        self._add(connection, source, segment, at, file)

    def close_all(self) -> None:
        """End all connections."""
        for key in list(self._open):
            self._close(key)

    def _is_another(self, half: Half, segment: Segment, connection: Connection, at: datetime | None) -> bool:
        syn = bool(segment.flags & SYN)
        is_another = syn and half.is_another(segment.number, self._limits.capture_stream_bytes)
        return is_another or ((syn or bool(segment.data)) and connection.is_idle_at(at))

    def _add(self, connection: Connection, source: Side, segment: Segment, at: datetime | None, file: str) -> None:
        half = connection.half(source)
        half.has_packets = True
        connection.was_cut = connection.was_cut or segment.missing > 0
        if at is not None:
            connection.first_seen = at if connection.first_seen is None else min(connection.first_seen, at)
            connection.last_seen = at
        if segment.flags & ACK and segment.acknowledged:  # generated packets have 0 here
            connection.half(connection.opposite_side(source)).acknowledge(
                segment.acknowledged, self._limits.capture_stream_bytes
            )
        if segment.flags & SYN:
            half.set_begin(segment.number)
            connection.client = connection.opposite_side(source) if segment.flags & ACK else source
        elif segment.data and self._is_full(at):
            self._skip_packet(file)
        else:
            self._held += half.add(segment, self._limits.capture_stream_bytes)

    def _close(self, key: frozenset[Side]) -> None:
        connection = self._open.pop(key)
        self._held -= connection.size
        for half in connection.halves.values():
            half.fill_gaps(self._limits.capture_stream_bytes)
        self._on_end(connection)

    def _make_room(self, at: datetime | None) -> None:
        oldest = next(iter(self._open), None)
        if oldest is not None and self._open[oldest].is_idle_at(at):
            self._close(oldest)

    def _is_full(self, at: datetime | None) -> bool:
        if self._held >= self._limits.capture_buffered_bytes:
            self._make_room(at)
        return self._held >= self._limits.capture_buffered_bytes

    def _skip_packet(self, file: str) -> None:
        self.skipped[file] = self.skipped.get(file, 0) + 1
