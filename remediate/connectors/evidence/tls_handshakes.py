"""What a TLS handshake says in the clear (RFC 5246, RFC 8446): hello, choice, certificates, alerts. Nothing is decrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remediate.connectors.evidence.ip import text_of
from remediate.connectors.evidence.tcp_streams import Connection, Side
from remediate.connectors.evidence.tls_records import Message, Sent, read_half
from remediate.connectors.text import parse_address
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.evidence import TLS_1_3, Alert, Handshake
from remediate.model.evidence import Side as TlsSide
from remediate.model.limits import Limits

_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_HOST_NAME: Final = 0
_MOST_ALERTS: Final = 4
_MOST_SUITES: Final = 400
_FIRST_SUITE_OF_TLS_1_3, _LAST_SUITE_OF_TLS_1_3 = 0x1301, 0x13FF
_FIRST_EPHEMERAL_PORT: Final = 30_000
"""Clients connect from ports above: Expressway-C from 30000 to 35999, Linux from 32768, others from 49152 (RFC 6335)."""


class _Short(Exception):
    """There are fewer bytes than a length says."""


class _Bytes:
    """Reads what TLS is made of: numbers, and what has its length before it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise _Short
        self._at += size
        return self._data[self._at - size : self._at]

    def up_to(self, size: int) -> bytes:
        """What there is of `size` bytes."""
        return self.take(min(size, self.left))

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size_of_length: int) -> bytes:
        return self.take(self.number(size_of_length))

    @property
    def left(self) -> int:
        return len(self._data) - self._at


@dataclass(frozen=True, slots=True)
class Reading:
    """What one connection shows.

    Attributes:
        handshake: None where there is none.
        records: how many TLS records were seen.
        headless: the beginning of a direction was not captured, and no handshake is known: it may have been one.
        sides_unknown: something of a handshake was seen, and nothing says which side is the server.
    """

    handshake: Handshake | None
    records: int
    headless: bool = False
    sides_unknown: bool = False


def read_connection(connection: Connection, limits: Limits) -> Reading:
    """Return what `connection` shows of a handshake. Its gaps have to be filled."""
    sent = {side: read_half(half) for side, half in connection.halves.items()}
    records = sum(one_side.records for one_side in sent.values())
    if not any(_is_handshake(one_side) for one_side in sent.values()):
        return Reading(None, records, headless=any(one_side.headless for one_side in sent.values()))
    client = _client(connection, sent)
    if client is None:
        return Reading(None, records, sides_unknown=True)
    return Reading(_handshake(connection, client, sent, limits), records)


def _is_handshake(sent: Sent) -> bool:
    failed = any(Alert("client", code).ends_it for code in sent.alerts)
    return sent.client or sent.server or sent.certificates is not None or failed


def _client(connection: Connection, sent: dict[Side, Sent]) -> Side | None:
    """The side that asked: by what was said, by the SYN, or as the one side with a port that is nobody's; None if nothing says so."""
    for side, one_side in sent.items():
        if one_side.client:
            return side
        if one_side.server:
            return connection.other(side)
    ephemeral = [side for side in connection.sides if side[1] >= _FIRST_EPHEMERAL_PORT]
    return connection.client or (ephemeral[0] if len(ephemeral) == 1 else None)


def _handshake(connection: Connection, client: Side, sent: dict[Side, Sent], limits: Limits) -> Handshake:
    server = connection.other(client)
    asked, answered = sent.get(client, Sent()), sent.get(server, Sent())
    name, offered = _hello(asked.hello)
    version, suite = _answer(answered.answer)
    chain, unreadable = _chain(answered.certificates if version != TLS_1_3 else None, limits)
    without_beginning = asked.hello is None and answered.answer is None
    before_1_3 = version != TLS_1_3 if version is not None else asked.before_1_3 or answered.before_1_3
    return Handshake(
        text_of(client[0]), text_of(server[0]), server[1], name, offered, version, suite, chain,
        client_certificate=_chain(asked.certificates if version != TLS_1_3 else None, limits)[0],
        unreadable=unreadable, asks=answered.asks, alerts=_alerts(asked, answered), went_on=before_1_3 and asked.encrypted,
        incomplete=asked.broken or answered.broken or without_beginning, only_side=_only_side(connection, client),
        first=connection.first, last=connection.first,
    )  # fmt: skip


def _only_side(connection: Connection, client: Side) -> TlsSide | None:
    seen = [side for side, half in connection.halves.items() if half.seen]
    if len(seen) != 1:
        return None
    return "client" if seen[0] == client else "server"


def _alerts(client: Sent, server: Sent) -> tuple[Alert, ...]:
    sides: tuple[tuple[TlsSide, Sent], ...] = (("client", client), ("server", server))
    return tuple(dict.fromkeys(Alert(side, code) for side, one_side in sides for code in one_side.alerts[:_MOST_ALERTS]))


def _hello(message: Message | None) -> tuple[str | None, tuple[int, ...]]:
    """The server name and the suites of a ClientHello.

    A name that is not in a hello counts only where the hello is whole: without its end, neither is known to be all.
    """
    if message is None:
        return None, ()
    reader, suites, name = _Bytes(message.body), tuple[int, ...](), None
    try:
        reader.take(34)
        reader.vector(1)
        listed = reader.vector(2)
        suites = tuple(int.from_bytes(listed[at : at + 2], "big") for at in range(0, min(len(listed), 2 * _MOST_SUITES), 2))
        reader.vector(1)
        name = _name_in(_extension(reader, _SERVER_NAME))
    except _Short:
        pass
    return name, suites if message.whole or name else ()


def _answer(message: Message | None) -> tuple[int | None, int | None]:
    """The version and the suite of a ServerHello."""
    if message is None:
        return None, None
    reader = _Bytes(message.body)
    try:
        version = reader.number(2)
        reader.take(32)
        reader.vector(1)
        suite = reader.number(2)
    except _Short:
        return None, None
    if _FIRST_SUITE_OF_TLS_1_3 <= suite <= _LAST_SUITE_OF_TLS_1_3:
        return TLS_1_3, suite  # its extension may not have been captured
    try:
        reader.take(1)
        chosen = _extension(reader, _SUPPORTED_VERSIONS)
    except _Short:
        chosen = None
    return (int.from_bytes(chosen, "big") if chosen and len(chosen) == 2 else version), suite


def _extension(reader: _Bytes, wanted: int) -> bytes | None:
    if not reader.left:
        return None
    inside = _Bytes(reader.up_to(reader.number(2)))
    while inside.left:
        kind, body = inside.number(2), inside.vector(2)
        if kind == wanted:
            return body
    return None


def _name_in(extension: bytes | None) -> str | None:
    if not extension:
        return None
    names = _Bytes(_Bytes(extension).vector(2))
    kind, name = names.number(1), names.vector(2)
    return parse_address(name.decode("ascii", errors="replace")) if kind == _HOST_NAME else None


def _chain(message: Message | None, limits: Limits) -> tuple[tuple[Certificate, ...], bool]:
    """The certificates of a Certificate message up to TLS 1.2, and whether it holds something else.

    Of a message that was not captured to its end there are none: a chain that lacks its end is judged differently.
    """
    if message is None or not message.whole:
        return (), False
    certificates: list[Certificate] = []
    try:
        listed = _Bytes(_Bytes(message.body).vector(3))
        while listed.left and len(certificates) < limits.max_chain_certificates:
            certificates.append(Certificate.from_der(listed.vector(3)))
    except (_Short, CertificateError):
        return (), True
    return tuple(certificates), False
