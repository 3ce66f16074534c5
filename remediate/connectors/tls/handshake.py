"""One TLS handshake: what a server shows for one offer. Nothing is verified; the handshake is full.

pyOpenSSL, because it gives the chain as it was sent through a public interface on every Python, and because its own OpenSSL can
be told, connection by connection, to look at weak and old servers. It works on memory here, so that the whole exchange has one
time limit and one size limit, and so that an alert can be read from the wire instead of from an error text.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from OpenSSL import SSL, crypto

from remediate.connectors.addresses import SpecialAddress, connect
from remediate.connectors.text import reason_of
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.identity import is_ip
from remediate.model.limits import Limits

MAX_RECEIVED = 512 * 1024
"""More than any chain that OpenSSL itself takes (100 kB unless told otherwise, here as on the appliance)."""

_HANDSHAKE, _ALERT, _SERVER_HELLO, _TLS_1_2 = 22, 21, 2, b"\x03\x03"
_NO_SHARED_CIPHER = frozenset({40, 71})  # handshake_failure, insufficient_security (RFC 5246, 7.2)
_PROTOCOL_VERSION = 70


class Why(StrEnum):
    """Why a handshake showed nothing."""

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
    SPECIAL_ADDRESS = "leads to an address that only the inventory may name"


NO_CONNECTION = frozenset({Why.REFUSED, Why.NO_NAME, Why.UNREACHABLE, Why.SPECIAL_ADDRESS})
"""There was not even a connection, so another offer would not be heard either."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the client says it can do: TLS versions as OpenSSL's numbers, and a cipher list for TLS 1.2 and older."""

    ciphers: str
    lowest: int = SSL.TLS1_2_VERSION
    highest: int = SSL.TLS1_2_VERSION


@dataclass(frozen=True, slots=True)
class Seen:
    """The server's chain as sent, leaf first, and the TLS version agreed on."""

    chain: tuple[Certificate, ...]
    version: str


@dataclass(frozen=True, slots=True)
class NotSeen:
    """No chain. `detail` is one clause for a person."""

    why: Why
    detail: str


def handshake(host: str, port: int, server_name: str, offer: Offer, limits: Limits, *, guarded: bool = False) -> Seen | NotSeen:
    """Return what `host` shows on `port` to `offer`. `server_name` goes into the SNI when it is a name.

    Args:
        guarded: see `addresses.connect`.
    """
    try:
        connection = SSL.Connection(_context(offer), None)
    except SSL.Error:
        return NotSeen(Why.NOT_OFFERABLE, f"this OpenSSL does not know the cipher list {offer.ciphers}")
    if not is_ip(server_name):
        connection.set_tlsext_host_name(server_name.rstrip(".").encode())
    connection.set_connect_state()
    try:
        with connect(host, port, limits.connect_s, guarded=guarded) as wire:
            return _Exchange(connection, wire, limits).run()
    except (OSError, UnicodeError) as error:
        return _no_connection(error, limits)


@lru_cache(maxsize=64)
def _context(offer: Offer) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_min_proto_version(offer.lowest)
    context.set_max_proto_version(offer.highest)
    # Level 0: what is judged is not how strong it is here, but what is there.
    ciphers = offer.ciphers if "@SECLEVEL" in offer.ciphers else f"{offer.ciphers}:@SECLEVEL=0"
    context.set_cipher_list(ciphers.encode())
    return context


def _no_connection(error: Exception, limits: Limits) -> NotSeen:
    if isinstance(error, SpecialAddress):
        return NotSeen(Why.SPECIAL_ADDRESS, "its name leads to an address that only the inventory may name")
    if isinstance(error, ConnectionRefusedError):
        return NotSeen(Why.REFUSED, "connection refused")
    if isinstance(error, socket.gaierror | UnicodeError):
        return NotSeen(Why.NO_NAME, "its name does not resolve")
    if isinstance(error, TimeoutError):
        return NotSeen(Why.UNREACHABLE, f"no answer within {limits.connect_s:g} s")
    return NotSeen(Why.UNREACHABLE, reason_of(error))


class _Exchange:
    """One handshake over one connected socket."""

    def __init__(self, connection: SSL.Connection, wire: socket.socket, limits: Limits) -> None:
        self._connection, self._wire, self._limits = connection, wire, limits
        self._deadline = time.monotonic() + limits.handshake_s
        self._first = b""
        self._received = 0
        self._last = b""

    def run(self) -> Seen | NotSeen:
        try:
            while not self._advanced():
                self._flush()
                self._read()
            self._flush()
        except TimeoutError:
            return NotSeen(Why.TIMED_OUT, f"the TLS handshake was not finished within {self._limits.handshake_s:g} s")
        except OSError:
            why = Why.RESET if self._received else Why.SILENT
            return NotSeen(why, "the connection was closed or reset during the TLS handshake")
        except SSL.Error as error:
            return self._refused(error)
        return self._seen()

    def _advanced(self) -> bool:
        """Whether the handshake is complete."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        return True

    def _flush(self) -> None:
        try:
            while True:
                self._wire.settimeout(self._left())
                self._wire.sendall(self._connection.bio_read(65536))
        except SSL.WantReadError:
            return

    def _read(self) -> None:
        self._wire.settimeout(self._left())
        data = self._wire.recv(65536)
        self._received += len(data)
        if not data or self._received > MAX_RECEIVED:
            raise ConnectionResetError
        self._first, self._last = (self._first + data)[:11], data[-7:]
        self._connection.bio_write(data)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _seen(self) -> Seen | NotSeen:
        found = self._connection.get_peer_cert_chain() or []
        if len(found) > self._limits.max_chain_certificates:
            return NotSeen(Why.BROKEN, f"it sends {len(found)} certificates")
        try:
            chain = tuple(Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, one)) for one in found)
        except (CertificateError, crypto.Error):
            return NotSeen(Why.BROKEN, "it sends a certificate that cannot be read")
        if not chain:
            return NotSeen(Why.BROKEN, "it sends no certificate")
        return Seen(chain, self._connection.get_protocol_version_name())

    def _refused(self, error: SSL.Error) -> Seen | NotSeen:
        kind = self._first[0] if self._first else 0
        if kind == _ALERT and len(self._first) >= 7:
            return self._alert(self._first[6])
        if kind != _HANDSHAKE:
            return NotSeen(Why.NOT_TLS, "what answers there is not TLS")
        if self._first[5:6] == bytes([_SERVER_HELLO]) and self._first[9:11] < _TLS_1_2:
            return NotSeen(Why.OTHER_VERSION, "it has no TLS version in common with us")
        if self._last[:1] == bytes([_ALERT]) and self._connection.get_peer_cert_chain():
            # It wants a certificate of ours: it refused after it had shown its own and proven that it holds the key.
            return self._seen()
        said = error.args[0][-1][-1] if error.args and error.args[0] else "no reason given"
        return NotSeen(Why.BROKEN, f"OpenSSL says: {said}")

    def _alert(self, number: int) -> NotSeen:
        """From the first record that came: the server answered our hello with no more than this."""
        if number in _NO_SHARED_CIPHER:
            return NotSeen(Why.NO_SHARED_CIPHER, "it has no cipher in common with us")
        if number == _PROTOCOL_VERSION:
            return NotSeen(Why.OTHER_VERSION, "it has no TLS version in common with us")
        return NotSeen(Why.BROKEN, f"it answers with TLS alert {number}")
