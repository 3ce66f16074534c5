"""One TLS handshake: the chain that a server presents to one offer. Nothing is verified; the handshake is completed.

pyOpenSSL gives the chain as it was sent through a public interface on every Python, and its own OpenSSL can be allowed, connection by
connection, to accept weak and old servers. It works on memory here, so that one thread can make many handshakes at once
(`event_loop`), and so that an alert is read from the wire instead of from an error text.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from OpenSSL import SSL, crypto

from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.identity import CipherList, KeyFamily, is_ip
from remediate.model.limits import Limits
from remediate.model.text import quote

FAMILY_ALONE: Mapping[KeyFamily, CipherList] = {"rsa": CipherList("aRSA:!eNULL"), "ecdsa": CipherList("aECDSA:!eNULL")}
FAMILY_FIRST: Mapping[KeyFamily, CipherList] = {
    "rsa": CipherList("aRSA:aECDSA:!eNULL"),
    "ecdsa": CipherList("aECDSA:aRSA:!eNULL"),
}
"""Both families, the key first."""

HANDSHAKE_RECORD, ALERT_RECORD = 22, 21
_FLIGHT_BYTES = 64 * 1024
_SERVER_HELLO, _TLS_1_2 = 2, b"\x03\x03"
_NO_SHARED_CIPHER = frozenset({40, 71})  # handshake_failure, insufficient_security (RFC 5246, 7.2)
_PROTOCOL_VERSION = 70
_COULD_SPEAK_1_3 = b"DOWNGRD\x01"


class FailureReason(StrEnum):
    """Why a handshake gave no chain."""

    REFUSED = "connection refused"
    NO_NAME = "its name does not resolve"
    UNREACHABLE = "no connection"
    TIMED_OUT = "not finished in time"
    RESET = "closed or reset during the handshake"
    SILENT = "closed without an answer"
    NO_SHARED_CIPHER = "no shared cipher"
    OTHER_VERSION = "no shared TLS version"
    NOT_TLS = "not TLS"
    BROKEN = "broken handshake"
    NOT_OFFERABLE = "cipher list unknown here"
    SPECIAL_ADDRESS = "resolves to an address that is accepted only from the inventory"


NO_CONNECTION = frozenset(
    {FailureReason.REFUSED, FailureReason.NO_NAME, FailureReason.UNREACHABLE, FailureReason.SPECIAL_ADDRESS}
)
"""There was no connection, so another offer could not be sent either."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the client offers.

    Attributes:
        ciphers: OpenSSL cipher list for TLS 1.2 and older.
        lowest: Lowest TLS version, as OpenSSL numbers it.
        highest: Highest TLS version, as OpenSSL numbers it.
    """

    ciphers: str
    lowest: int = SSL.TLS1_2_VERSION
    highest: int = SSL.TLS1_2_VERSION


@dataclass(frozen=True, slots=True)
class ReceivedChain:
    """The chain that a server presented.

    Attributes:
        certificates: As sent, leaf first.
        tls_version: The version that was agreed on.
        suite: The cipher suite that was agreed on, as OpenSSL names it.
        proves_1_3: Under TLS 1.2: the server says that it accepts TLS 1.3 (RFC 8446, 4.1.3).
    """

    certificates: tuple[Certificate, ...]
    tls_version: str
    suite: str = ""
    proves_1_3: bool = False


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """A handshake that gave no chain.

    Attributes:
        detail: One clause for a message.
    """

    reason: FailureReason
    detail: str


Answer: TypeAlias = ReceivedChain | HandshakeFailure
"""Of a server to an offer."""


def make_hello(offer: Offer, server_name: str) -> bytes:
    """Return the hello of an offer as it goes over the wire. Raises SSL.Error for a list that this OpenSSL does not know."""
    connection = _make_connection(offer, server_name)
    with suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(_FLIGHT_BYTES)


def _make_connection(offer: Offer, server_name: str) -> SSL.Connection:
    connection = SSL.Connection(_make_context(offer), None)
    if server_name and not is_ip(server_name):
        connection.set_tlsext_host_name(server_name.rstrip(".").encode())
    connection.set_connect_state()
    return connection


@lru_cache(maxsize=64)
def _make_context(offer: Offer) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_min_proto_version(offer.lowest)
    context.set_max_proto_version(offer.highest)
    # Level 0: this client observes what a server presents, however weak.
    ciphers = offer.ciphers if "@SECLEVEL" in offer.ciphers else f"{offer.ciphers}:@SECLEVEL=0"
    context.set_cipher_list(ciphers.encode())
    return context


def list_suites(offer: Offer) -> list[str]:
    """Return the suites of an offer, in its order. Raises SSL.Error for a list that this OpenSSL does not know."""
    return SSL.Connection(_make_context(offer), None).get_cipher_list()


@lru_cache(maxsize=1024)
def read_certificate(der: bytes) -> Certificate:
    """Return the certificate in `der`; one that many ports present is read once. Raises CertificateError."""
    return Certificate.from_der(der)


class Handshake:
    """One handshake, as an exchange (`target.Exchange`)."""

    def __init__(self, offer: Offer, server_name: str, limits: Limits) -> None:
        """Prepare it.

        Args:
            offer: TLS versions and cipher list.
            server_name: Goes into the SNI when it is a name.
            limits: On the number of certificates.

        Raises:
            SSL.Error: This OpenSSL does not know the cipher list.
        """
        self._connection, self._limits = _make_connection(offer, server_name), limits
        self._first = b""
        self._last = b""

    def begin(self) -> bytes | Answer:
        """Return the hello."""
        return self._advance()

    def feed(self, data: bytes) -> bytes | Answer:
        """Take what was received; return the next flight, which may be empty, or the answer."""
        self._first, self._last = (self._first + data)[:11], data[-7:]
        self._connection.bio_write(data)
        return self._advance()

    def finish(self) -> bytes:
        """Return the last flight, which a server of TLS 1.3 waits for."""
        return self._take_flight()

    def _advance(self) -> bytes | Answer:
        """Go as far as the received data allows."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return self._take_flight()
        except SSL.Error as error:
            return self._explain_error(error)
        return self._receive_chain()

    def _take_flight(self) -> bytes:
        """Return what OpenSSL has to say; no flight of a client without a certificate is as long as one read."""
        try:
            return self._connection.bio_read(_FLIGHT_BYTES)
        except SSL.WantReadError:
            return b""

    def _receive_chain(self) -> Answer:
        received = self._connection.get_peer_cert_chain() or []
        if len(received) > self._limits.max_chain_certificates:
            return HandshakeFailure(FailureReason.BROKEN, f"it sends {len(received)} certificates")
        try:
            certificates = tuple(read_certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, x509)) for x509 in received)
        except (CertificateError, crypto.Error):
            return HandshakeFailure(FailureReason.BROKEN, "it sends a certificate that cannot be read")
        if not certificates:
            return HandshakeFailure(FailureReason.BROKEN, "it sends no certificate")
        connection = self._connection
        proves_1_3 = (connection.server_random() or b"").endswith(_COULD_SPEAK_1_3)
        return ReceivedChain(
            certificates, connection.get_protocol_version_name(), connection.get_cipher_name() or "", proves_1_3
        )

    def _explain_error(self, error: SSL.Error) -> Answer:
        kind = self._first[0] if self._first else 0
        if kind == ALERT_RECORD and len(self._first) >= 7:
            return explain_alert(self._first[6])
        if kind != HANDSHAKE_RECORD:
            return HandshakeFailure(FailureReason.NOT_TLS, "the answer is not TLS")
        if self._first[5:6] == bytes([_SERVER_HELLO]) and self._first[9:11] < _TLS_1_2:
            return HandshakeFailure(FailureReason.OTHER_VERSION, "it has no TLS version in common with this machine")
        if self._last[:1] == bytes([ALERT_RECORD]) and self._connection.get_peer_cert_chain():
            # It requires a client certificate: it refused after it had presented its own and proven that it holds the key.
            return self._receive_chain()
        reason = quote(error.args[0][-1][-1]) if error.args and error.args[0] else "no reason given"
        return HandshakeFailure(FailureReason.BROKEN, f"OpenSSL says: {reason}")


def explain_alert(number: int) -> HandshakeFailure:
    """Return the failure for an alert that is the first record of the server, and so its whole answer to the offer."""
    if number in _NO_SHARED_CIPHER:
        return HandshakeFailure(FailureReason.NO_SHARED_CIPHER, "it has no cipher in common with this machine")
    if number == _PROTOCOL_VERSION:
        return HandshakeFailure(FailureReason.OTHER_VERSION, "it has no TLS version in common with this machine")
    return HandshakeFailure(FailureReason.BROKEN, f"it answers with TLS alert {number}")
