"""TLS handshakes in the clear (RFC 5246, RFC 8446): hello, choice, certificates, alerts. Nothing is decrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remediate.connectors.evidence.ip import format_ip
from remediate.connectors.evidence.tcp_streams import Connection, Side
from remediate.connectors.evidence.tls_records import Message, SentMessages, read_messages
from remediate.connectors.text import parse_address
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.evidence import TLS_1_3, Alert, Handshake
from remediate.model.evidence import Side as TlsSide
from remediate.model.limits import Limits

_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_HOST_NAME: Final = 0
_MAX_ALERTS: Final = 4
_MAX_SUITES: Final = 400
_FIRST_TLS_1_3_SUITE, _LAST_TLS_1_3_SUITE = 0x1301, 0x13FF
_FIRST_EPHEMERAL_PORT: Final = 30_000
"""The lowest port that clients connect from: Expressway-C 30000 to 35999, Linux 32768, others 49152 (RFC 6335)."""


class _TooShort(Exception):
    """Fewer bytes are left than a length field states."""


class _ByteReader:
    """A reader of the presentation language of TLS: numbers, and vectors with their length in front (RFC 8446, 3)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, size: int) -> bytes:
        if size > self.remaining:
            raise _TooShort
        self._at += size
        return self._data[self._at - size : self._at]

    def read_up_to(self, size: int) -> bytes:
        """Return `size` bytes, or all that are left."""
        return self.read(min(size, self.remaining))

    def read_number(self, size: int) -> int:
        return int.from_bytes(self.read(size), "big")

    def read_vector(self, size_of_length: int) -> bytes:
        return self.read(self.read_number(size_of_length))

    @property
    def remaining(self) -> int:
        return len(self._data) - self._at


@dataclass(frozen=True, slots=True)
class ConnectionReading:
    """The handshake of one connection, or why it is not known.

    Attributes:
        handshake: The handshake; None where none is known.
        records: The number of TLS records.
        headless: The beginning of a direction was not captured, and no handshake is known: the connection may have had one.
        sides_unknown: A part of a handshake was captured, and it is not known which side is the server.
        cut_short: TLS records that are not encrypted were captured in part, and no handshake is known.
    """

    handshake: Handshake | None
    records: int
    headless: bool = False
    sides_unknown: bool = False
    cut_short: bool = False


def read_connection(connection: Connection, limits: Limits) -> ConnectionReading:
    """Return the handshake in `connection`, whose gaps must have been filled."""
    messages = {side: read_messages(half) for side, half in connection.halves.items()}
    records = sum(sent_messages.records for sent_messages in messages.values())
    if not any(_is_handshake(sent_messages) for sent_messages in messages.values()):
        headless = any(sent_messages.headless for sent_messages in messages.values())
        # One that is encrypted began before the capture: its handshake is over.
        is_over = any(sent_messages.is_encrypted for sent_messages in messages.values())
        cut_short = not is_over and any(sent_messages.incomplete for sent_messages in messages.values())
        return ConnectionReading(None, records, headless=headless, cut_short=cut_short)
    client = _find_client(connection, messages)
    if client is None:
        return ConnectionReading(None, records, sides_unknown=True)
    return ConnectionReading(_build_handshake(connection, client, messages, limits), records)


def _is_handshake(sent_messages: SentMessages) -> bool:
    has_fatal_alert = any(Alert("client", code).is_fatal for code in sent_messages.alerts)
    return sent_messages.is_client or sent_messages.is_server or sent_messages.certificates is not None or has_fatal_alert


def _find_client(connection: Connection, messages: dict[Side, SentMessages]) -> Side | None:
    """Return the client: by its messages, by the SYN, or by the only ephemeral port; None where none of these decides."""
    for side, sent_messages in messages.items():
        if sent_messages.is_client:
            return side
        if sent_messages.is_server:
            return connection.opposite_side(side)
    ephemeral = [side for side in connection.sides if side[1] >= _FIRST_EPHEMERAL_PORT]
    return connection.client or (ephemeral[0] if len(ephemeral) == 1 else None)


def _build_handshake(connection: Connection, client: Side, messages: dict[Side, SentMessages], limits: Limits) -> Handshake:
    server = connection.opposite_side(client)
    by_client, by_server = messages.get(client, SentMessages()), messages.get(server, SentMessages())
    server_name, offered_suites = _read_client_hello(by_client.client_hello)
    version, suite = _read_server_hello(by_server.server_hello)
    chain, malformed = _read_chain(by_server.certificates if version != TLS_1_3 else None, limits)
    client_chain, _ = _read_chain(by_client.certificates if version != TLS_1_3 else None, limits)
    lacks_hellos = by_client.client_hello is None and by_server.server_hello is None
    is_before_1_3 = version != TLS_1_3 if version is not None else by_client.is_before_1_3 or by_server.is_before_1_3
    return Handshake(
        client_ip=format_ip(client[0]),
        server_ip=format_ip(server[0]),
        port=server[1],
        server_name=server_name,
        offered_suites=offered_suites,
        version=version,
        suite=suite,
        chain=chain,
        client_chain=client_chain,
        malformed=malformed,
        requests_client_certificate=by_server.requests_certificate,
        alerts=_list_alerts(by_client, by_server),
        client_accepted=is_before_1_3 and by_client.is_encrypted,
        incomplete=by_client.incomplete or by_server.incomplete or lacks_hellos,
        captured_side=_find_captured_side(connection, client),
        first_seen=connection.first_seen,
        last_seen=connection.first_seen,
    )


def _find_captured_side(connection: Connection, client: Side) -> TlsSide | None:
    captured = [side for side, half in connection.halves.items() if half.has_packets]
    if len(captured) != 1:
        return None
    return "client" if captured[0] == client else "server"


def _list_alerts(by_client: SentMessages, by_server: SentMessages) -> tuple[Alert, ...]:
    sides: tuple[tuple[TlsSide, SentMessages], ...] = (("client", by_client), ("server", by_server))
    return tuple(
        dict.fromkeys(Alert(side, code) for side, sent_messages in sides for code in sent_messages.alerts[:_MAX_ALERTS])
    )


def _read_client_hello(message: Message | None) -> tuple[str | None, tuple[int, ...]]:
    """Return the server name and the suites of a ClientHello.

    The suites of a ClientHello without a name count only where it is complete: its end may have held the name.
    """
    if message is None:
        return None, ()
    reader, suites, server_name = _ByteReader(message.body), tuple[int, ...](), None
    try:
        reader.read(34)
        reader.read_vector(1)
        vector = reader.read_vector(2)
        suites = tuple(int.from_bytes(vector[at : at + 2], "big") for at in range(0, min(len(vector), 2 * _MAX_SUITES), 2))
        reader.read_vector(1)
        server_name = _read_server_name(_find_extension(reader, _SERVER_NAME))
    except _TooShort:
        pass
    return server_name, suites if message.complete or server_name else ()


def _read_server_hello(message: Message | None) -> tuple[int | None, int | None]:
    """Return the version and the suite of a ServerHello."""
    if message is None:
        return None, None
    reader = _ByteReader(message.body)
    try:
        version = reader.read_number(2)
        reader.read(32)
        reader.read_vector(1)
        suite = reader.read_number(2)
    except _TooShort:
        return None, None
    if _FIRST_TLS_1_3_SUITE <= suite <= _LAST_TLS_1_3_SUITE:
        return TLS_1_3, suite  # the extension with the version may not have been captured
    try:
        reader.read(1)
        selected = _find_extension(reader, _SUPPORTED_VERSIONS)
    except _TooShort:
        selected = None
    return (int.from_bytes(selected, "big") if selected and len(selected) == 2 else version), suite


def _find_extension(reader: _ByteReader, number: int) -> bytes | None:
    if not reader.remaining:
        return None
    extensions = _ByteReader(reader.read_up_to(reader.read_number(2)))
    while extensions.remaining:
        kind, body = extensions.read_number(2), extensions.read_vector(2)
        if kind == number:
            return body
    return None


def _read_server_name(extension: bytes | None) -> str | None:
    if not extension:
        return None
    names = _ByteReader(_ByteReader(extension).read_vector(2))
    kind, name = names.read_number(1), names.read_vector(2)
    return parse_address(name.decode("ascii", errors="replace")) if kind == _HOST_NAME else None


def _read_chain(message: Message | None, limits: Limits) -> tuple[tuple[Certificate, ...], bool]:
    """Return the certificates of a Certificate message up to TLS 1.2, and whether its content is malformed.

    An incomplete message gives no certificates: the verdict on a chain without its end would differ.
    """
    if message is None or not message.complete:
        return (), False
    certificates: list[Certificate] = []
    try:
        entries = _ByteReader(_ByteReader(message.body).read_vector(3))
        while entries.remaining and len(certificates) < limits.max_chain_certificates:
            certificates.append(Certificate.from_der(entries.read_vector(3)))
    except (_TooShort, CertificateError):
        return (), True
    return tuple(certificates), False
