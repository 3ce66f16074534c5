"""One TLS handshake: the chain that a server presents to one offer. Nothing is verified; the handshake is completed.

pyOpenSSL gives the chain as it was sent through a public interface on every Python, and its own OpenSSL can be allowed, connection by
connection, to accept weak and old servers. It works on memory here, so that the whole exchange has one time limit and one size limit,
and so that an alert is read from the wire instead of from an error text.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from OpenSSL import SSL, crypto

from remediate.connectors.addresses import SpecialAddress, connect
from remediate.connectors.text import describe_failure
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.identity import CipherList, KeyFamily, is_ip
from remediate.model.limits import Limits

MAX_RECEIVED_BYTES = 512 * 1024
"""More than any chain that OpenSSL itself takes (100 kB by default, here as on the appliance)."""

FAMILY_ALONE: Mapping[KeyFamily, CipherList] = {"rsa": CipherList("aRSA:!eNULL"), "ecdsa": CipherList("aECDSA:!eNULL")}
FAMILY_FIRST: Mapping[KeyFamily, CipherList] = {
    "rsa": CipherList("aRSA:aECDSA:!eNULL"),
    "ecdsa": CipherList("aECDSA:aRSA:!eNULL"),
}
"""Both families, the key first."""

HANDSHAKE_RECORD, ALERT_RECORD = 22, 21
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


_AT_WORK = threading.Lock()
"""Held by the handshake that computes, and free while it waits for the server. Each call into OpenSSL lets go of the interpreter's
lock, so that dozens of handshakes at once would wake each other at every call: that cost a quarter of all CPU time."""


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


def run_handshake(
    host: str, port: int, server_name: str, offer: Offer, limits: Limits, *, guarded: bool = False
) -> ReceivedChain | HandshakeFailure:
    """Return the chain that `host` presents on `port` to `offer`.

    Args:
        host: Name or address to connect to.
        port: TCP port.
        server_name: Goes into the SNI when it is a name.
        offer: TLS versions and cipher list.
        limits: On time and on the number of certificates.
        guarded: See `addresses.connect`.
    """
    try:
        with _AT_WORK:
            connection = _make_connection(offer, server_name)
    except SSL.Error:
        return HandshakeFailure(FailureReason.NOT_OFFERABLE, f"this OpenSSL does not know the cipher list {offer.ciphers}")
    try:
        with connect(host, port, limits.connect_s, guarded=guarded) as wire, _AT_WORK:
            return _HandshakeExchange(connection, wire, limits).run()
    except (OSError, UnicodeError) as error:
        return explain_no_connection(error, limits)


def make_hello(offer: Offer, server_name: str) -> bytes:
    """Return the hello of an offer as it goes over the wire. Raises SSL.Error for a list that this OpenSSL does not know."""
    connection = _make_connection(offer, server_name)
    with suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(65536)


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


def explain_no_connection(error: Exception, limits: Limits) -> HandshakeFailure:
    """Return the failure for a connection that did not come about."""
    if isinstance(error, SpecialAddress):
        return HandshakeFailure(
            FailureReason.SPECIAL_ADDRESS, "its name resolves to an address that is accepted only from the inventory"
        )
    if isinstance(error, ConnectionRefusedError):
        return HandshakeFailure(FailureReason.REFUSED, "connection refused")
    if isinstance(error, socket.gaierror | UnicodeError):
        return HandshakeFailure(FailureReason.NO_NAME, "its name does not resolve")
    if isinstance(error, TimeoutError):
        return HandshakeFailure(FailureReason.UNREACHABLE, f"no answer within {limits.connect_s:g} s")
    return HandshakeFailure(FailureReason.UNREACHABLE, describe_failure(error))


class _HandshakeExchange:
    """One handshake over one connected socket."""

    def __init__(self, connection: SSL.Connection, wire: socket.socket, limits: Limits) -> None:
        self._connection, self._wire, self._limits = connection, wire, limits
        self._deadline = time.monotonic() + limits.handshake_s
        self._first = b""
        self._received = 0
        self._last = b""

    def run(self) -> ReceivedChain | HandshakeFailure:
        try:
            while not self._is_complete():
                self._flush()
                self._read()
            self._flush()
        except TimeoutError:
            return HandshakeFailure(
                FailureReason.TIMED_OUT, f"the TLS handshake was not finished within {self._limits.handshake_s:g} s"
            )
        except OSError:
            reason = FailureReason.RESET if self._received else FailureReason.SILENT
            return HandshakeFailure(reason, "the connection was closed or reset during the TLS handshake")
        except SSL.Error as error:
            return self._explain_error(error)
        return self._receive_chain()

    def _is_complete(self) -> bool:
        """Advance the handshake as far as the received data allows; return whether it is complete."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        return True

    def _flush(self) -> None:
        """Send what OpenSSL has to say; no flight of a client without a certificate is as long as one read."""
        try:
            data = self._connection.bio_read(65536)
        except SSL.WantReadError:
            return
        self._wire.sendall(data)

    def _read(self) -> None:
        self._wire.settimeout(self._remaining_s())
        _AT_WORK.release()
        try:
            data = self._wire.recv(65536)
        finally:
            _AT_WORK.acquire()
        self._received += len(data)
        if not data or self._received > MAX_RECEIVED_BYTES:
            raise ConnectionResetError
        self._first, self._last = (self._first + data)[:11], data[-7:]
        self._connection.bio_write(data)

    def _remaining_s(self) -> float:
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        return remaining_s

    def _receive_chain(self) -> ReceivedChain | HandshakeFailure:
        received = self._connection.get_peer_cert_chain() or []
        if len(received) > self._limits.max_chain_certificates:
            return HandshakeFailure(FailureReason.BROKEN, f"it sends {len(received)} certificates")
        try:
            certificates = tuple(Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, x509)) for x509 in received)
        except (CertificateError, crypto.Error):
            return HandshakeFailure(FailureReason.BROKEN, "it sends a certificate that cannot be read")
        if not certificates:
            return HandshakeFailure(FailureReason.BROKEN, "it sends no certificate")
        connection = self._connection
        proves_1_3 = (connection.server_random() or b"").endswith(_COULD_SPEAK_1_3)
        return ReceivedChain(
            certificates, connection.get_protocol_version_name(), connection.get_cipher_name() or "", proves_1_3
        )

    def _explain_error(self, error: SSL.Error) -> ReceivedChain | HandshakeFailure:
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
        reason = error.args[0][-1][-1] if error.args and error.args[0] else "no reason given"
        return HandshakeFailure(FailureReason.BROKEN, f"OpenSSL says: {reason}")


def explain_alert(number: int) -> HandshakeFailure:
    """Return the failure for an alert that is the first record of the server, and so its whole answer to the offer."""
    if number in _NO_SHARED_CIPHER:
        return HandshakeFailure(FailureReason.NO_SHARED_CIPHER, "it has no cipher in common with this machine")
    if number == _PROTOCOL_VERSION:
        return HandshakeFailure(FailureReason.OTHER_VERSION, "it has no TLS version in common with this machine")
    return HandshakeFailure(FailureReason.BROKEN, f"it answers with TLS alert {number}")
