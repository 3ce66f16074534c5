"""Captures, from their packets to handshakes, and what of them could not be looked at."""

from __future__ import annotations

import io
from collections import Counter
from enum import Enum

from remediate.connectors.evidence.content_kind import Kind
from remediate.connectors.evidence.frames import Frames
from remediate.connectors.evidence.pcap import packets
from remediate.connectors.evidence.tally import Tally
from remediate.connectors.evidence.tcp_streams import Connection, Connections
from remediate.connectors.evidence.tls_handshakes import Reading, read_connection
from remediate.model.evidence import LookedAt, Unread
from remediate.model.limits import Limits
from remediate.model.text import count


class _Unseen(Enum):
    """Why a connection does not show what became of its handshake; the value is what follows "in 3 connections"."""

    INCOMPLETE = (
        "packets of the TLS handshake are missing, so that it is not seen what was presented or how it ended: "
        "give all files of this capture, or capture again"
    )
    CUT = (
        "packets of the TLS handshake were cut when they were captured, so that it is not seen what was presented or how it ended: "
        "capture again with whole packets (tcpdump -s 0)"
    )
    CLIENT_ONLY = "only what the client sent was captured, not what was presented: capture again where both directions pass"
    SERVER_ONLY = "only what the server sent was captured, not how it ended: capture again where both directions pass"
    HEADLESS = (
        "the beginning is missing, so that nothing tells whether it is TLS: capture again with whole packets (tcpdump -s 0)"
    )
    SIDES_UNKNOWN = "a part of a TLS handshake is seen, but not which side is the server: capture again from its beginning"


class Conversations:
    """Reads captures one after the other into a tally. A connection may go on from one file into another, in any order.

    Attributes:
        packets: how many packets were read.
        unread: what could not be looked at, of connections only after `finish`.
    """

    def __init__(self, limits: Limits, tally: Tally) -> None:
        self._limits = limits
        self._tally = tally
        self._connections = Connections(limits, self._ended)
        self._unseen = Counter[tuple[str, _Unseen]]()
        self._records = 0
        self.packets = 0
        self.unread: list[Unread] = []

    def read(self, name: str, kind: Kind, stream: io.BufferedReader) -> None:
        """Read one capture.

        Raises:
            CannotRead: the file is broken, or ends too early. What came before counts.
        """
        frames = Frames()
        try:
            for packet in packets(kind, stream, self._limits):
                self.packets += 1
                segment = frames.segment_of(packet)
                if segment:
                    self._connections.take(segment, packet.at, name)
        finally:
            self._count(frames)
            self.unread += _unread_packets(name, frames)

    def finish(self) -> None:
        """End all connections: no capture is read after this."""
        self._connections.close_all()
        self._tally.count(LookedAt(tls_records=self._records))
        for name, packets_left in self._connections.left_out.items():
            reason = f"{count(packets_left, 'packet')} belong to more connections than are looked at"
            self.unread.append(Unread(name, reason))
        for (name, why), number in self._unseen.items():
            self.unread.append(Unread(name, f"in {count(number, 'connection')} {why.value}"))

    def _ended(self, connection: Connection) -> None:
        reading = read_connection(connection, self._limits)
        self._records += reading.records
        if reading.handshake:
            self._tally.handshake(reading.handshake)
        why = _why_unseen(connection, reading)
        if why:
            self._unseen[connection.file, why] += 1

    def _count(self, frames: Frames) -> None:
        unreadable = sum(frames.unreadable.values())
        self._tally.count(
            LookedAt(
                cut_packets=frames.cut,
                ip_fragments=frames.lone_fragments,
                encapsulated_packets=frames.in_unread_tunnels,
                unreadable_packets=unreadable - frames.in_unread_tunnels,
            )
        )


def _why_unseen(connection: Connection, reading: Reading) -> _Unseen | None:
    """Why `reading` does not show what became of a handshake; None where it does, and where nothing is missing."""
    if reading.headless:
        return _Unseen.HEADLESS
    if reading.sides_unknown:
        return _Unseen.SIDES_UNKNOWN
    handshake = reading.handshake
    if handshake is None or handshake.went_on:
        return None
    if (handshake.chain or handshake.unreadable) and any(alert.ends_it for alert in handshake.alerts):
        return None
    if handshake.only_side:
        return _Unseen.CLIENT_ONLY if handshake.only_side == "client" else _Unseen.SERVER_ONLY
    if not handshake.incomplete:
        return None
    return _Unseen.CUT if connection.was_cut else _Unseen.INCOMPLETE


def _unread_packets(name: str, frames: Frames) -> list[Unread]:
    unread = [
        Unread(name, f"{count(number, 'packet')} could not be read: {what} is {why}")
        for (what, why), number in sorted(frames.unreadable.items())
    ]
    if frames.lone_fragments:
        unread.append(Unread(name, f"of {count(frames.lone_fragments, 'IP fragment')} the rest of the packet is missing"))
    return unread
