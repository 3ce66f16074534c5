"""The first flight of a TLS 1.2 server: its hello and its certificates, in the clear, read without a key exchange.

What it shows is not proven: anyone can send a certificate whose key somebody else holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from remediate.connectors.tls.handshake import (
    ALERT_RECORD,
    HANDSHAKE_RECORD,
    MAX_RECEIVED_BYTES,
    FailureReason,
    HandshakeFailure,
    ReceivedChain,
    explain_alert,
)
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.limits import Limits

GOODBYE = bytes.fromhex("1503030002015a 15030300020100")
"""The alerts ``user_canceled`` and ``close_notify`` (RFC 5246, 7.2), so that the server knows that nothing is wrong."""

_RECORD_HEAD, _MESSAGE_HEAD = 5, 4
_SERVER_HELLO, _CERTIFICATE = 2, 11
_TLS_1_2 = b"\x03\x03"
_OTHER_VERSION = HandshakeFailure(FailureReason.OTHER_VERSION, "it has no TLS version in common with us")
_NOT_TLS = HandshakeFailure(FailureReason.NOT_TLS, "what answers there is not TLS")
_NO_CERTIFICATE = HandshakeFailure(FailureReason.BROKEN, "it sends no certificate")
_UNREADABLE = HandshakeFailure(FailureReason.BROKEN, "it sends a certificate that cannot be read")


@dataclass(slots=True)
class FirstFlight:
    """What a server sent so far."""

    limits: Limits
    _records: bytearray = field(default_factory=bytearray)
    _messages: bytearray = field(default_factory=bytearray)
    _received: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was received."""
        return self._received == 0

    def feed(self, data: bytes) -> ReceivedChain | HandshakeFailure | None:
        """Take what was received; return the chain, or why there is none; None: more is to come."""
        self._received += len(data)
        if self._received > MAX_RECEIVED_BYTES:
            return HandshakeFailure(FailureReason.RESET, "the connection was closed or reset during the TLS handshake")
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

    def _read_messages(self) -> ReceivedChain | HandshakeFailure | None:
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

    def _read_chain(self, body: bytes) -> ReceivedChain | HandshakeFailure:
        certificates: list[Certificate] = []
        place, end = 3, min(len(body), 3 + int.from_bytes(body[:3], "big"))
        while place + 3 <= end:
            length = int.from_bytes(body[place : place + 3], "big")
            if len(certificates) == self.limits.max_chain_certificates:
                return HandshakeFailure(FailureReason.BROKEN, f"it sends more than {len(certificates)} certificates")
            try:
                certificates.append(Certificate.from_der(body[place + 3 : place + 3 + length]))
            except CertificateError:
                return _UNREADABLE
            place += 3 + length
        return ReceivedChain(tuple(certificates), "TLSv1.2") if certificates else _NO_CERTIFICATE
