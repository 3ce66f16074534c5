"""HTTPS client for one server: it trusts exactly what it is given, with limits on time and size (see `exchange`).

No environment variable is read: no proxies, no ``REQUESTS_CA_BUNDLE``, no ``SSL_CERT_FILE``, no netrc. No redirect is followed.
"""

from __future__ import annotations

import base64
import json as json_module
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead
from typing import BinaryIO

from remediate.connectors.closing import Closing
from remediate.connectors.exchange import (
    CertificateMismatch,
    Connection,
    Deadline,
    Reply,
    ResponseTooLarge,
    UnexpectedEncoding,
    connect,
    read_certificate,
)
from remediate.connectors.text import describe_failure
from remediate.connectors.tls.known_pins import describe_successor, keep
from remediate.connectors.tls.pinning import TlsCheck
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, ObservationError, OutcomeUnknown, PinMismatch, RemediateError
from remediate.model.identity import host_and_port
from remediate.model.limits import Limits
from remediate.model.masking import remember
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape

RENEWAL_ADVICE = (
    "If the certificate was renewed, `remediate doctor -i INVENTORY --pins` shows what each peer presents now, as YAML: "
    "compare the fingerprint on the peer itself first. Otherwise someone may be in the middle. A pin on a CA (`tls: "
    "{ca: PATH}`) survives a renewal."
)

Files = Mapping[str, tuple[str, bytes, str]]
"""Of a form: field name to file name, content and media type."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account for Basic authentication."""

    username: str
    password: Secret

    def __post_init__(self) -> None:
        # The header holds both in one base64 word, in which a short password alone is not recognised.
        remember(self.password.reveal(), self.username)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server.

    Attributes:
        body: Whole, and within the limit.
        date: The server's clock; None where it does not send it.
        location: Target of a redirect, as the server sent it; None where there is none.
        reason: The reason phrase, as the server sent it.
        server: What it names itself (``Server``), as it sent it.
        cookies: Every value of ``Set-Cookie``, as the server sent it.
    """

    status: int
    body: bytes
    date: datetime | None = None
    location: str | None = None
    reason: str = ""
    cookies: tuple[str, ...] = ()
    server: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is any 2xx: which of them means what is not documented."""
        return 200 <= self.status < 300

    @property
    def is_redirect(self) -> bool:
        """Whether the status is any 3xx; none is followed."""
        return 300 <= self.status < 400

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")


class NoAnswer(ObservationError):
    """There is no connection, it broke, or it took too long: a read may be repeated."""


class NoConnection(NoAnswer):
    """There is no connection; nothing was sent. With `is_silent`, nothing answered at all, not even a refusal."""

    def __init__(self, message: str, *, is_silent: bool = False) -> None:
        super().__init__(message)
        self.is_silent = is_silent


class HttpClient(Closing):
    """A session with one server.

    Args:
        where: How messages name the server.
        host: Host to connect to.
        port: Port to connect to.
        check: How the server is recognised.
        limits: On time, size and attempts.
        account: For Basic authentication.
        server_name: Name to verify and to send, where it is not `host`.
        pin_advice: Where the inventory may pin the server: what to do with the certificate that it presents, where none is pinned.
    """

    def __init__(
        self,
        where: str,
        host: str,
        port: int,
        check: TlsCheck,
        limits: Limits,
        *,
        account: Account | None = None,
        server_name: str | None = None,
        pin_advice: str | None = None,
    ) -> None:
        self._pin_advice = pin_advice
        self._where, self._host, self._port, self._server_name = where, host, port, server_name or host
        self._check, self._limits, self._account = check, limits, account
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def connect(self) -> None:
        """Open a connection, and send nothing over it.

        Raises:
            PinMismatch: It is another server than expected.
            ObservationError: There is no connection.
        """
        self._open(Deadline.after(self._limits.connect_s))

    def get_once(self, path: str) -> Answer:
        """Send a GET once, over the open connection if there is one, and return the answer.

        Raises:
            PinMismatch: It is another server than expected; nothing was sent.
            ObservationError: There is no usable answer.
        """
        deadline = Deadline.after(self._limits.connect_s + self._limits.read_s)
        return self._exchange_once("GET", path, {}, None, deadline, self._limits.read_s)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET and return the answer.

        It is repeated within the limits when the connection fails; all attempts share one deadline.

        Raises:
            PinMismatch: It is another server than expected; nothing was sent.
            ObservationError: There is no usable answer.
        """
        deadline = Deadline.after(self._limits.connect_s + self._limits.read_s)
        for _ in range(self._limits.read_attempts - 1):
            try:
                return self._exchange_once("GET", path, dict(headers or {}), None, deadline, self._limits.read_s)
            except NoAnswer:
                if deadline.end <= time.monotonic() + self._limits.read_pause_s:
                    raise
                time.sleep(self._limits.read_pause_s)
        return self._exchange_once("GET", path, dict(headers or {}), None, deadline, self._limits.read_s)

    def send(
        self,
        method: str,
        path: str,
        *,
        read_s: float | None = None,
        json: Mapping[str, str | int] | None = None,
        data: bytes | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request once, on a new connection, so that a stale one cannot lose it.

        Raises:
            PinMismatch, ObservationError: Nothing was sent.
            OutcomeUnknown: It may have been sent and carried out; the answer was lost.
        """
        self.close()
        kind, body = _encode_content(json, data, files)
        seconds = read_s or self._limits.read_s
        deadline = Deadline.after(self._limits.connect_s + seconds)
        return self._exchange_once(method, path, {**kind, **(headers or {})}, body, deadline, seconds)

    def download(self, method: str, path: str, json: Mapping[str, str | int], file: BinaryIO) -> Answer:
        """Send a request once, on a new connection, whose answer is a file; the body of a 2xx answer goes to `file`.

        The request changes nothing, so a lost answer is no unknown outcome.

        Raises:
            PinMismatch: It is another server than expected; nothing was sent.
            ObservationError: There is no whole answer; `file` may have a part of it.
        """
        self.close()
        kind, body = _encode_content(json, None, None)
        deadline = Deadline.after(self._limits.connect_s + self._limits.diagnostic_log_s)
        return self._exchange_once(method, path, kind, body, deadline, self._limits.diagnostic_log_s, file)

    def _exchange_once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: Deadline,
        read_s: float,
        file: BinaryIO | None = None,
    ) -> Answer:
        connection = self._open(deadline)
        limit = self._limits.max_response_bytes if file is None else self._limits.diagnostic_log_bytes
        try:
            reply = connection.exchange(
                method, path, {**self._headers(), **headers}, body, deadline=deadline.within(read_s), limit=limit, file=file
            )
        except Exception as error:
            # Whatever the error, the request may have been sent.
            self.close()
            changes = method != "GET" and file is None
            raise self._make_failure(path, error, connection.received, read_s, changes=changes) from error
        except BaseException:
            self.close()
            raise
        location = reply.headers.get("location")
        server = reply.headers.get("server", "")
        return Answer(reply.status, reply.body, _parse_date(reply), location, reply.reason, reply.cookies, server)

    def _open(self, deadline: Deadline) -> Connection:
        """Return the open connection of this session, or open a new one where it cannot be used."""
        if self._connection and self._connection.is_usable():
            return self._connection
        self.close()
        limits = self._limits
        try:
            self._connection = connect(
                self._host, self._port, self._check, self._server_name, deadline.within(limits.connect_s)
            )
        except CertificateMismatch as error:
            presented = f"sha256:{error.presented}"
            message = f"{self._where} presents another certificate than {self._check.description}: {presented}."
            if self._check.fingerprint:
                message += f" {describe_successor(self._check.fingerprint, error.certificate)}"
            raise PinMismatch(message, next_step=RENEWAL_ADVICE) from error
        except ssl.SSLCertVerificationError as error:
            reason = mask_and_escape(error.verify_message or str(error))
            message = f"{self._where} does not verify under {self._check.description}: {reason}."
            if self._pin_advice:
                message = f"{message} {self._describe_presented()}".rstrip()
            raise PinMismatch(message, next_step=self._pin_advice) from error
        except TimeoutError as error:
            message = f"{self._where} cannot be reached: no answer within {limits.connect_s:g} s."
            raise NoConnection(message, is_silent=True) from error
        except Exception as error:
            # Whatever the error, nothing was sent.
            raise NoConnection(f"{self._where} cannot be reached: {describe_failure(error)}.") from error
        if self._check.fingerprint:
            keep(self._connection.certificate)
        return self._connection

    def _describe_presented(self) -> str:
        """Return a sentence on the certificate of a server that nothing pins; empty where it does not show one that can be read."""
        try:
            der = read_certificate(self._host, self._port, Deadline.after(self._limits.connect_s))
            certificate = Certificate.from_der(der)
        except (OSError, ValueError, CertificateError):
            return ""
        subject = mask_and_escape(certificate.subject, 200)
        return f"It presents {certificate.fingerprint} of {subject}."

    def _headers(self) -> dict[str, str]:
        headers = {
            "Host": host_and_port(self._server_name, self._port).removesuffix(":443"),
            "Accept": "*/*",
            # A compressed answer could be larger than any limit.
            "Accept-Encoding": "identity",
            "User-Agent": "remediate",
            "X-CSRF-Header": "remediate",
        }
        if self._account:
            # The one line that reveals the password.
            login = f"{self._account.username}:{self._account.password.reveal()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        return headers

    def _make_failure(self, path: str, error: Exception, received: int, read_s: float, *, changes: bool) -> RemediateError:
        """Return the error for an exchange that began and failed; `changes`: it was to change something."""
        kind: type[ObservationError] = NoAnswer
        if isinstance(error, TimeoutError):
            why = f"the answer to {path} was not finished within {read_s:g} s" if received else "no answer in time"
        elif isinstance(error, ResponseTooLarge):
            kind, why = ObservationError, f"the answer to {path} is larger than {error.limit} bytes"
        elif isinstance(error, UnexpectedEncoding):
            kind = ObservationError
            why = f"the answer to {path} is encoded (`{mask_and_escape(str(error), 40)}`), although plain text was requested"
        elif isinstance(error, IncompleteRead):
            why = "the connection was closed or reset"
        else:
            why = describe_failure(error)
        if not changes:
            return kind(f"{self._where} gave an unexpected answer: {why}.")
        return OutcomeUnknown(f"{self._where} was sent a change, but its answer was lost: {why}.")


def _encode_content(
    json: Mapping[str, str | int] | None, data: bytes | None, files: Files | None
) -> tuple[dict[str, str], bytes | None]:
    """Return the content type header of a body, and the body."""
    if json is not None:
        return {"Content-Type": "application/json"}, json_module.dumps(json).encode()
    if files:
        boundary = secrets.token_hex(16)
        return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, _encode_form(files, boundary)
    return {}, data


def _encode_form(files: Files, boundary: str) -> bytes:
    """Encode a form with files (RFC 7578)."""
    parts: list[bytes] = []
    for field, (name, content, media_type) in files.items():
        head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {media_type}'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def _parse_date(reply: Reply) -> datetime | None:
    """Return the ``Date`` of an answer (RFC 9110, 6.6.1) with its time zone; None where it has none."""
    try:
        moment = parsedate_to_datetime(reply.headers.get("date", ""))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
