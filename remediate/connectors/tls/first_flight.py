"""The first flights of TLS 1.2: the hello of a client, and that of a server with its certificates, in the clear.

What it shows is not proven: anyone can send a certificate whose key somebody else holds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Self

from remediate.connectors.tls.handshake import (
    ALERT_RECORD,
    HANDSHAKE_RECORD,
    Answer,
    FailureReason,
    HandshakeFailure,
    Offer,
    ReceivedChain,
    explain_alert,
    make_hello,
    read_certificate,
)
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.limits import Limits

GOODBYE = bytes.fromhex("1503030002015a 15030300020100")
"""The alerts ``user_canceled`` and ``close_notify`` (RFC 5246, 7.2), so that the server knows that nothing is wrong."""

_RECORD_HEAD, _MESSAGE_HEAD = 5, 4
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = 1, 2, 11
_RANDOM_BYTES = 32
_TLS_1_0, _TLS_1_2 = b"\x03\x01", b"\x03\x03"
_OTHER_VERSION = HandshakeFailure(FailureReason.OTHER_VERSION, "it has no TLS version in common with this machine")
_NOT_TLS = HandshakeFailure(FailureReason.NOT_TLS, "the answer is not TLS")
_NO_CERTIFICATE = HandshakeFailure(FailureReason.BROKEN, "it sends no certificate")
_UNREADABLE = HandshakeFailure(FailureReason.BROKEN, "it sends a certificate that cannot be read")


@dataclass(frozen=True, slots=True)
class HelloTemplate:
    """The hello that OpenSSL makes for an offer, to be sent to many servers, each with a random and a server name of its own.

    Attributes:
        version: The version of the hello.
        choices: What stands between the random and the extensions: session, suites, compression.
        extensions: Without the server name.
    """

    version: bytes
    choices: bytes
    extensions: bytes

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Make the template of an offer of TLS 1.2. Raises SSL.Error for a list that this OpenSSL does not know."""
        hello = make_hello(offer, "")[_RECORD_HEAD + _MESSAGE_HEAD :]
        choices = start = 2 + _RANDOM_BYTES
        start += 1 + hello[start]
        start += 2 + int.from_bytes(hello[start : start + 2], "big")
        start += 1 + hello[start]
        return cls(hello[:2], hello[choices:start], hello[start + 2 :])

    def make(self, server_name: str) -> bytes:
        """Return a hello as it goes over the wire; an empty server name goes into none."""
        extensions = _make_server_name(server_name.rstrip(".").encode()) + self.extensions if server_name else self.extensions
        body = self.version + os.urandom(_RANDOM_BYTES) + self.choices + len(extensions).to_bytes(2, "big") + extensions
        message = bytes([_CLIENT_HELLO]) + len(body).to_bytes(3, "big") + body
        return bytes([HANDSHAKE_RECORD]) + _TLS_1_0 + len(message).to_bytes(2, "big") + message


def _make_server_name(name: bytes) -> bytes:
    """Return the extension ``server_name`` (RFC 6066, 3)."""
    entry = b"\0" + len(name).to_bytes(2, "big") + name
    names = len(entry).to_bytes(2, "big") + entry
    return b"\0\0" + len(names).to_bytes(2, "big") + names


@dataclass(slots=True)
class FirstFlight:
    """What a server sent so far."""

    limits: Limits
    _records: bytearray = field(default_factory=bytearray)
    _messages: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Answer | None:
        """Take what was received; return the chain, or why there is none; None: more is to come."""
        self._records += data
        while len(self._records) >= _RECORD_HEAD:
            kind, length = self._records[0], int.from_bytes(self._records[3:5], "big")
            if kind not in {HANDSHAKE_RECORD, ALERT_RECORD}:
                return _NOT_TLS
            if len(self._records) < _RECORD_HEAD + length:
                return None
            body = bytes(self._records[_RECORD_HEAD : _RECORD_HEAD + length])
            del self._records[: _RECORD_HEAD + length]
            if kind == ALERT_RECORD:
                return explain_alert(body[1]) if len(body) > 1 else _NOT_TLS
            self._messages += body
            if answer := self._read_messages():
                return answer
        return _NOT_TLS if self._records and self._records[0] not in {HANDSHAKE_RECORD, ALERT_RECORD} else None

    def _read_messages(self) -> Answer | None:
        while len(self._messages) >= _MESSAGE_HEAD:
            kind, length = self._messages[0], int.from_bytes(self._messages[1:4], "big")
            if len(self._messages) < _MESSAGE_HEAD + length:
                return None
            body = bytes(self._messages[_MESSAGE_HEAD : _MESSAGE_HEAD + length])
            del self._messages[: _MESSAGE_HEAD + length]
            if kind == _CERTIFICATE:
                return self._read_chain(body)
            if kind != _SERVER_HELLO:
                return _NO_CERTIFICATE
            if body[:2] != _TLS_1_2:
                return _OTHER_VERSION
        return None

    def _read_chain(self, body: bytes) -> Answer:
        chain: list[Certificate] = []
        place, end = 3, min(len(body), 3 + int.from_bytes(body[:3], "big"))
        while place + 3 <= end:
            length = int.from_bytes(body[place : place + 3], "big")
            if len(chain) == self.limits.max_chain_certificates:
                return HandshakeFailure(FailureReason.BROKEN, f"it sends more than {len(chain)} certificates")
            try:
                chain.append(read_certificate(body[place + 3 : place + 3 + length]))
            except CertificateError:
                return _UNREADABLE
            place += 3 + length
        return ReceivedChain(tuple(chain), "TLSv1.2") if chain else _NO_CERTIFICATE
