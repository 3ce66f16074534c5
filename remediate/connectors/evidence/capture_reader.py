"""The reader of captures: from packets to handshakes, with the parts that could not be read."""

from __future__ import annotations

import io
from collections import Counter
from enum import Enum

from remediate.connectors.evidence.content_kind import Kind
from remediate.connectors.evidence.frames import FrameDecoder
from remediate.connectors.evidence.pcap import read_packets
from remediate.connectors.evidence.tally import Tally
from remediate.connectors.evidence.tcp_streams import Connection, Connections
from remediate.connectors.evidence.tls_handshakes import ConnectionReading, read_connection
from remediate.model.evidence import Coverage, UnreadSource
from remediate.model.limits import Limits
from remediate.model.text import count


class _GapReason(Enum):
    """Why the outcome of a handshake is not in the capture; the value ends the sentence "in 3 connections ..."."""

    INCOMPLETE = (
        "packets of the TLS handshake are missing, so the certificates or the end of it are not known: "
        "give all files of this capture, or capture again"
    )
    CUT = (
        "packets of the TLS handshake were truncated, so the certificates or the end of it are not known: "
        "capture again with whole packets (tcpdump -s 0)"
    )
    CLIENT_ONLY = "only packets of the client were captured, without certificates: capture again where both directions pass"
    SERVER_ONLY = (
        "only packets of the server were captured, without the end of the handshake: capture again where both directions pass"
    )
    HEADLESS = "the beginning is missing, so it is not known whether it is TLS: capture again with whole packets (tcpdump -s 0)"
    SIDES_UNKNOWN = (
        "a part of a TLS handshake was captured, but it is not known which side is the server: capture again from its beginning"
    )


class CaptureReader:
    """Reads captures one after the other into a tally; a connection may be spread over files, in any order.

    Attributes:
        packets: The number of packets that were read.
        unread_sources: The parts that could not be read; those of connections only after `finish`.
    """

    def __init__(self, limits: Limits, tally: Tally) -> None:
        self._limits = limits
        self._tally = tally
        self._connections = Connections(limits, self._record_connection)
        self._gaps = Counter[tuple[str, _GapReason]]()
        self._records = 0
        self.packets = 0
        self.unread_sources: list[UnreadSource] = []

    def read(self, name: str, kind: Kind, stream: io.BufferedReader) -> None:
        """Read one capture.

        Raises:
            CannotRead: The file is broken or ends too early. The packets before count.
        """
        frames = FrameDecoder()
        try:
            for packet in read_packets(kind, stream, self._limits):
                self.packets += 1
                segment = frames.find_segment(packet)
                if segment:
                    self._connections.add(segment, packet.at, name)
        finally:
            self._count_packets(frames)
            self.unread_sources += _describe_unread_packets(name, frames)

    def finish(self) -> None:
        """End all connections. No capture may be read after this."""
        self._connections.close_all()
        self._tally.add_coverage(Coverage(tls_records=self._records))
        for name, packets in self._connections.skipped.items():
            reason = f"{count(packets, 'packet')} are beyond the limit on connections"
            self.unread_sources.append(UnreadSource(name, reason))
        for (name, gap_reason), number in self._gaps.items():
            self.unread_sources.append(UnreadSource(name, f"in {count(number, 'connection')} {gap_reason.value}"))

    def _record_connection(self, connection: Connection) -> None:
        reading = read_connection(connection, self._limits)
        self._records += reading.records
        if reading.handshake:
            self._tally.add_handshake(reading.handshake)
        gap_reason = _find_gap_reason(connection, reading)
        if gap_reason:
            self._gaps[connection.file, gap_reason] += 1

    def _count_packets(self, frames: FrameDecoder) -> None:
        unreadable = sum(frames.unreadable.values())
        self._tally.add_coverage(
            Coverage(
                cut_packets=frames.cut_packets,
                ip_fragments=frames.unassembled_fragments,
                encapsulated_packets=frames.unread_tunnel_packets,
                unreadable_packets=unreadable - frames.unread_tunnel_packets,
            )
        )


def _find_gap_reason(connection: Connection, reading: ConnectionReading) -> _GapReason | None:
    """Return why the outcome of the handshake is not known; None where it is, and where nothing is missing."""
    if reading.headless:
        return _GapReason.HEADLESS
    if reading.sides_unknown:
        return _GapReason.SIDES_UNKNOWN
    gap_reason = _GapReason.CUT if connection.was_cut else _GapReason.INCOMPLETE
    if reading.cut_short:
        return gap_reason
    handshake = reading.handshake
    if handshake is None or handshake.client_accepted:
        return None
    if (handshake.chain or handshake.malformed) and any(alert.is_fatal for alert in handshake.alerts):
        return None
    if handshake.captured_side:
        return _GapReason.CLIENT_ONLY if handshake.captured_side == "client" else _GapReason.SERVER_ONLY
    return gap_reason if handshake.incomplete else None


def _describe_unread_packets(name: str, frames: FrameDecoder) -> list[UnreadSource]:
    sources = [
        UnreadSource(name, f"{count(number, 'packet')} could not be read: {kind} is {reason}")
        for (kind, reason), number in sorted(frames.unreadable.items())
    ]
    fragments = frames.unassembled_fragments
    if fragments:
        sources.append(UnreadSource(name, f"{count(fragments, 'IP fragment')} could not be reassembled"))
    return sources
