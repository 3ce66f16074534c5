"""One HTTPS connection, with one deadline and one size limit for each exchange, from the first byte of the status line.

The limits apply below the HTTP parser, on the socket: whatever the server sends (headers one byte a second, an endless body behind a
redirect, a flood of interim answers), it is counted and timed before anything is kept, and nothing is ever decompressed.
"""

from __future__ import annotations

import hashlib
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, BinaryIO

from remediate.connectors.tls.pinning import TlsCheck

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_HEAD_BYTES = 256 * 1024
"""For status line and headers, interim answers included. The parser itself allows 100 headers of 64 kB each."""

_CHUNK = 64 * 1024
_PLAIN_CODINGS = frozenset({"", "identity"})


class ResponseTooLarge(HTTPException):
    """The server sends more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class UnexpectedEncoding(HTTPException):
    """The server sends a coding (compression) that was not requested; `str()` is its name."""


class CertificateMismatch(ssl.SSLError):
    """The server does not present the pinned certificate.

    Attributes:
        presented: The SHA-256 of its certificate, in hexadecimal.
        certificate: That certificate as DER.
    """

    def __init__(self, presented: str, certificate: bytes) -> None:
        super().__init__("another certificate")
        self.presented = presented
        self.certificate = certificate


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline in `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> Deadline:
        """Return this deadline, or the one in `seconds` from now if that comes first."""
        return Deadline(min(self.end, time.monotonic() + seconds))

    def remaining_s(self) -> float:
        """Return the seconds that remain.

        Raises:
            TimeoutError: None remain.
        """
        remaining_s = self.end - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError("the deadline has passed")
        return remaining_s


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server.

    Attributes:
        headers: The first value of each header, by its name in lower case.
        body: Whole.
        reason: The reason phrase, as sent.
        cookies: Every value of ``Set-Cookie``, as sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str = ""
    cookies: tuple[str, ...] = ()


class Connection:
    """One TLS connection, for one exchange after another.

    Attributes:
        certificate: What the server presented, as DER.
    """

    def __init__(self, wire: ssl.SSLSocket) -> None:
        self.certificate = wire.getpeercert(binary_form=True) or b""
        self._wire = wire
        self._bounds = _BoundedSocket(wire)
        self._http = HTTPConnection("unused")  # it never connects, and each request brings its own Host
        self._http.auto_open = 0
        self._http.sock = self._bounds

    @property
    def received(self) -> int:
        """The number of bytes received since the last request."""
        return self._bounds.received

    def is_usable(self) -> bool:
        """Return whether another request may be sent: the connection is open, and nothing unrequested was received."""
        if self._http.sock is None or self._bounds.surplus or self._wire.pending():
            return False
        self._wire.settimeout(0)
        try:
            self._wire.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False

    def exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        deadline: Deadline,
        limit: int,
        file: BinaryIO | None = None,
    ) -> Reply:
        """Send one request and return the whole answer.

        Args:
            method: HTTP method.
            path: Path and query.
            headers: All headers, `Host` included.
            body: Of the request; None for no body.
            deadline: For the whole exchange.
            limit: Bytes that the body of the answer may have.
            file: Takes the body of a 2xx answer, part by part; the reply then has none.

        Raises:
            ResponseTooLarge, UnexpectedEncoding, HTTPException, OSError, ValueError: The server sent no usable answer.
            TimeoutError: The deadline has passed.
        """
        self._bounds.begin(deadline, MAX_HEAD_BYTES)
        self._http.request(method, path, body, dict(headers))
        with self._http.getresponse() as response:
            _require_plain_encoding(response)
            self._bounds.allow(limit)
            headers = _index_headers(response)
            cookies = tuple(str(value) for name, value in response.getheaders() if name.lower() == "set-cookie")
            if file is not None and 200 <= response.status < 300:
                _copy_body(response, limit, file)
                return Reply(response.status, headers, b"", response.reason, cookies)
            return Reply(response.status, headers, _read_body(response, limit), response.reason, cookies)

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self._http.sock = None
        self._wire.close()


class _BoundedSocket:
    """A socket for `http.client` that holds what is received against the deadline and the limit of the present exchange.

    Attributes:
        received: Bytes received in the present exchange.
        surplus: More was received than the answer; it could be taken for another answer.
    """

    def __init__(self, wire: ssl.SSLSocket) -> None:
        self._wire = wire
        self.surplus = False
        self.begin(Deadline(0), 0)

    def begin(self, deadline: Deadline, limit: int) -> None:
        """Start an exchange.

        Args:
            deadline: For the whole exchange.
            limit: Bytes that may be received until `allow` is called.
        """
        self._deadline, self._limit, self.received = deadline, limit, 0

    def allow(self, more: int) -> None:
        """Allow `more` further bytes to be received."""
        self._limit = self.received + more + MAX_HEAD_BYTES  # chunk sizes and trailers are no part of the body

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wire.settimeout(self._deadline.remaining_s())
            view = view[self._wire.send(view) :]

    def receive_into(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what the socket has and return the number of bytes; 0 at the end of the stream."""
        self._wire.settimeout(self._deadline.remaining_s())
        count = self._wire.recv_into(buffer)
        self.received += count
        if self.received > self._limit:
            raise ResponseTooLarge(self._limit)
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return _Reader(_Stream(self))

    def close(self) -> None:
        """Do nothing: `http.client` closes its socket while it still reads the last answer from it."""


class _Stream(io.RawIOBase):
    """The receiving half of `_BoundedSocket`. Closing it leaves the connection open.

    Attributes:
        dry: Nothing more is received.
    """

    def __init__(self, bounds: _BoundedSocket) -> None:
        self.bounds = bounds
        self.dry = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        return None if self.dry else self.bounds.receive_into(buffer)


class _Reader(io.BufferedReader):
    """The buffered reader of one answer. When it is closed, it records whether more than the answer was received."""

    def __init__(self, stream: _Stream) -> None:
        super().__init__(stream)
        self._stream = stream

    def close(self) -> None:
        if not self.closed:
            self._stream.dry = True
            self._stream.bounds.surplus = bool(self.peek(1))
        super().close()


def connect(host: str, port: int, check: TlsCheck, server_name: str, deadline: Deadline) -> Connection:
    """Open a connection to a server that `check` recognises. Only the handshake has been sent on it.

    The resolver limits how long the look-up of the name takes; everything after it ends with the deadline.

    Raises:
        CertificateMismatch, ssl.SSLCertVerificationError: It is another server.
        OSError, ValueError: There is no connection; ValueError for an impossible name.
    """
    plain = _open_tcp(host, port, deadline)
    try:
        plain.settimeout(deadline.remaining_s())
        # An end without TLS's close_notify is an error: the rest of the answer may have been cut off.
        wire = check.context.wrap_socket(plain, server_hostname=server_name.rstrip("."), suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise
    connection = Connection(wire)
    presented = hashlib.sha256(connection.certificate).hexdigest()
    if check.fingerprint and presented != check.fingerprint.removeprefix("sha256:"):
        connection.close()
        raise CertificateMismatch(presented, connection.certificate)
    return connection


def read_certificate(host: str, port: int, deadline: Deadline) -> bytes:
    """Return the certificate (DER) that a server presents, whoever it is; only a handshake is sent. Raises OSError, ValueError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = connect(host, port, TlsCheck(context, "nothing"), host, deadline)
    connection.close()
    return connection.certificate


def _open_tcp(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers; the addresses share the time that remains."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("it has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(deadline.remaining_s() / (len(addresses) - number))
            plain.connect(address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    raise failure


def _index_headers(response: HTTPResponse) -> dict[str, str]:
    """Return the first value of each header, by its name in lower case."""
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers.setdefault(name.lower(), str(value))
    return headers


def _require_plain_encoding(response: HTTPResponse) -> None:
    content = (response.getheader("Content-Encoding") or "").strip()
    transfer = (response.getheader("Transfer-Encoding") or "").strip()
    if content.lower() not in _PLAIN_CODINGS:
        raise UnexpectedEncoding(content)
    if transfer.lower() not in _PLAIN_CODINGS | {"chunked"}:
        raise UnexpectedEncoding(transfer)


def _read_body(response: HTTPResponse, limit: int) -> bytes:
    body = io.BytesIO()
    _copy_body(response, limit, body)
    return body.getvalue()


def _copy_body(response: HTTPResponse, limit: int, file: BinaryIO) -> None:
    # A part at a time: a length that the server claims is never allocated.
    size = 0
    while part := response.read(_CHUNK):
        size += len(part)
        if size > limit:
            raise ResponseTooLarge(limit)
        file.write(part)
    if response.length:
        # `read` with a size returns what there is when the server ends before the length that it announced.
        raise IncompleteRead(b"", response.length)
