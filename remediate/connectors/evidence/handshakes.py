"""What a TLS handshake says in the clear (RFC 5246, RFC 8446): hello, choice, certificates, alerts. Nothing is decrypted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.frames import text_of
from remediate.connectors.evidence.streams import Connection, Half
from remediate.connectors.text import address_in
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.evidence import TLS_1_3, Alert, Handshake, Side
from remediate.model.limits import Limits

_ALERT, _HANDSHAKE = 21, 22
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_REQUEST = 1, 2, 11, 13
_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_HOST_NAME: Final = 0
_MOST_ALERTS: Final = 4
_MOST_SUITES: Final = 400


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

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size_of_length: int) -> bytes:
        return self.take(self.number(size_of_length))

    @property
    def left(self) -> int:
        return len(self._data) - self._at


@dataclass(slots=True)
class _Sent:
    """What one side sent."""

    hello: bytes | None = None
    answer: bytes | None = None
    certificates: bytes | None = None
    asks: bool = False
    alerts: list[int] = field(default_factory=list)
    broken: bool = False


def handshake_of(connection: Connection, limits: Limits) -> Handshake | None:
    """Return what `connection` shows of a handshake; None where it has none."""
    sent = {side: _sent(half) for side, half in connection.halves.items()}
    client = next((side for side, one in sent.items() if one.hello is not None), None)
    server = next((side for side, one in sent.items() if one.answer is not None and side != client), None)
    if client is None and server is None:
        return None
    client = client or (connection.other if server == connection.one else connection.one)
    server = server or (connection.other if client == connection.one else connection.one)
    asked, answered = sent.get(client, _Sent()), sent.get(server, _Sent())
    name, offered = _hello(asked.hello)
    version, suite = _answer(answered.answer)
    chain, unreadable = _chain(answered.certificates if version != TLS_1_3 else None, limits)
    went_on = version is not None and version != TLS_1_3 and client in connection.halves and connection.halves[client].encrypted
    gaps = asked.broken or answered.broken or any(half.waiting for half in connection.halves.values())
    return Handshake(
        text_of(client[0]), text_of(server[0]), server[1], name, offered, version, suite, chain,
        unreadable=unreadable, asks=answered.asks, alerts=_alerts(asked, answered), went_on=went_on, incomplete=gaps,
        first=connection.at, last=connection.at,
    )  # fmt: skip


def _alerts(client: _Sent, server: _Sent) -> tuple[Alert, ...]:
    sides: tuple[tuple[Side, _Sent], ...] = (("client", client), ("server", server))
    return tuple(dict.fromkeys(Alert(side, code) for side, one in sides for code in one.alerts[:_MOST_ALERTS]))


def _sent(half: Half) -> _Sent:
    sent, messages = _Sent(), bytearray()
    for kind, body in _records(half):
        if kind == _HANDSHAKE:
            messages += body
        elif kind == _ALERT and len(body) == 2:
            sent.alerts.append(body[1])
    for kind, body in _messages(bytes(messages), sent):
        if kind == _CLIENT_HELLO:
            sent.hello = sent.hello or body
        elif kind == _SERVER_HELLO:
            # A second one follows a request to try again (RFC 8446, 4.1.4).
            sent.answer = body
        elif kind == _CERTIFICATE:
            sent.certificates = body if sent.certificates is None else sent.certificates
        elif kind == _CERTIFICATE_REQUEST:
            sent.asks = True
    return sent


def _records(half: Half) -> Iterator[tuple[int, bytes]]:
    reader = _Bytes(bytes(half.data))
    try:
        while reader.left:
            kind, _, body = reader.number(1), reader.number(2), reader.vector(2)
            yield kind, body
    except _Short:
        return


def _messages(data: bytes, sent: _Sent) -> Iterator[tuple[int, bytes]]:
    reader = _Bytes(data)
    try:
        while reader.left:
            kind = reader.number(1)
            yield kind, reader.vector(3)
    except _Short:
        sent.broken = True


def _hello(body: bytes | None) -> tuple[str | None, tuple[int, ...]]:
    """The server name and the suites of a ClientHello."""
    if body is None:
        return None, ()
    reader, suites = _Bytes(body), tuple[int, ...]()
    try:
        reader.take(34)
        reader.vector(1)
        listed = reader.vector(2)
        suites = tuple(int.from_bytes(listed[at : at + 2], "big") for at in range(0, min(len(listed), 2 * _MOST_SUITES), 2))
        reader.vector(1)
        return _name_in(_extension(reader, _SERVER_NAME)), suites
    except _Short:
        return None, suites


def _answer(body: bytes | None) -> tuple[int | None, int | None]:
    """The version and the suite of a ServerHello."""
    if body is None:
        return None, None
    reader = _Bytes(body)
    try:
        version = reader.number(2)
        reader.take(32)
        reader.vector(1)
        suite = reader.number(2)
        reader.take(1)
        chosen = _extension(reader, _SUPPORTED_VERSIONS)
        return (int.from_bytes(chosen, "big") if chosen and len(chosen) == 2 else version), suite
    except _Short:
        return None, None


def _extension(reader: _Bytes, wanted: int) -> bytes | None:
    if not reader.left:
        return None
    inside = _Bytes(reader.vector(2))
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
    return address_in(name.decode("ascii", errors="replace")) if kind == _HOST_NAME else None


def _chain(body: bytes | None, limits: Limits) -> tuple[tuple[Certificate, ...], bool]:
    """The certificates of a Certificate message up to TLS 1.2, and whether it holds something else."""
    if body is None:
        return (), False
    found: list[Certificate] = []
    try:
        listed = _Bytes(_Bytes(body).vector(3))
        while listed.left and len(found) < limits.max_chain_certificates:
            found.append(Certificate.from_der(listed.vector(3)))
    except (_Short, CertificateError):
        return (), True
    return tuple(found), False
