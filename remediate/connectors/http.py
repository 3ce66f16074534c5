"""HTTPS to one server: it trusts exactly what it was told to, with limits on time and size (see `exchange`).

No environment variable has a say: no proxies, no ``REQUESTS_CA_BUNDLE``, no ``SSL_CERT_FILE``, no netrc. No redirect is followed.
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
from types import TracebackType
from typing import Self

from remediate.connectors.exchange import Connection, Deadline, NotPlain, OtherCertificate, Reply, TooLarge, connect
from remediate.connectors.text import reason_of
from remediate.connectors.tls.pinning import TlsCheck
from remediate.model.errors import ObservationError, OutcomeUnknown, PinMismatch, RemediateError
from remediate.model.limits import Limits
from remediate.model.masking import remember
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape

Files = Mapping[str, tuple[str, bytes, str]]
"""Of a form: field name to file name, content and media type."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account for Basic authentication."""

    username: str
    password: Secret

    def __post_init__(self) -> None:
        # What is sent is one word, in which a short password is not recognised by itself.
        remember(self.password.reveal(), self.username)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        body: whole, and within the limit.
        date: the server's own clock; None where it does not say.
        location: where a redirect points, as the server wrote it; None where it does not say.
    """

    status: int
    body: bytes
    date: datetime | None = None
    location: str | None = None

    @property
    def ok(self) -> bool:
        """Any 2xx: which one means what is not documented."""
        return 200 <= self.status < 300

    @property
    def redirects(self) -> bool:
        """Any 3xx: none is followed."""
        return 300 <= self.status < 400

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")


class Unanswered(ObservationError):
    """No connection, or it broke, or it took too long: a read may be tried again."""


class HttpClient:
    """A session with one server.

    Args:
        where: how messages name the server.
        host: where the connection goes.
        server_name: the name to expect and to ask for, where it is not `host`.
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
    ) -> None:
        self._where, self._host, self._port, self._server_name = where, host, port, server_name or host
        self._check, self._limits, self._account = check, limits, account
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def get(self, path: str) -> Answer:
        """Return the answer to a GET, asked again within the limits when the connection failed. All attempts share one deadline.

        Raises:
            PinMismatch: another server than the one expected; nothing was sent.
            ObservationError: no usable answer.
        """
        deadline = Deadline.after(self._limits.connect_s + self._limits.read_s)
        for _ in range(self._limits.read_attempts - 1):
            try:
                return self._once("GET", path, {}, None, deadline, self._limits.read_s)
            except Unanswered:
                if deadline.end <= time.monotonic() + self._limits.read_pause_s:
                    raise
                time.sleep(self._limits.read_pause_s)
        return self._once("GET", path, {}, None, deadline, self._limits.read_s)

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
        """Send something once, on a new connection, so that a stale one cannot lose it.

        Raises:
            PinMismatch, ObservationError: nothing was sent.
            OutcomeUnknown: it may have been sent and done; the answer was lost.
        """
        self.close()
        kind, body = _content(json, data, files)
        seconds = read_s or self._limits.read_s
        deadline = Deadline.after(self._limits.connect_s + seconds)
        return self._once(method, path, {**kind, **(headers or {})}, body, deadline, seconds)

    def _once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, deadline: Deadline, read_s: float
    ) -> Answer:
        connection = self._open(deadline)
        limit = self._limits.max_response_bytes
        try:
            reply = connection.exchange(
                method, path, {**self._headers(), **headers}, body, deadline=deadline.within(read_s), limit=limit
            )
        except Exception as error:
            # Whatever it was, the request may have been sent before it.
            self.close()
            raise self._lost(method, path, error, connection.received, read_s) from error
        except BaseException:
            self.close()
            raise
        return Answer(reply.status, reply.body, _date_in(reply), reply.headers.get("location"))

    def _open(self, deadline: Deadline) -> Connection:
        """The connection of this session, or a new one where it has none that can be used."""
        if self._connection and self._connection.usable():
            return self._connection
        self.close()
        limits = self._limits
        try:
            self._connection = connect(
                self._host, self._port, self._check, self._server_name, deadline.within(limits.connect_s)
            )
        except OtherCertificate as error:
            shown = f"sha256:{error.presented}"
            raise PinMismatch(f"{self._where} presents another certificate than {self._check.what}: {shown}.") from error
        except ssl.SSLCertVerificationError as error:
            reason = mask_and_escape(error.verify_message or str(error))
            raise PinMismatch(f"{self._where} does not verify under {self._check.what}: {reason}.") from error
        except TimeoutError as error:
            raise Unanswered(f"{self._where} cannot be reached: no answer within {limits.connect_s:g} s.") from error
        except Exception as error:
            # Whatever it was, nothing was sent.
            raise Unanswered(f"{self._where} cannot be reached: {reason_of(error)}.") from error
        return self._connection

    def _headers(self) -> dict[str, str]:
        headers = {
            "Host": authority(self._server_name, self._port).removesuffix(":443"),
            "Accept": "*/*",
            # A compressed answer could be larger than any limit says.
            "Accept-Encoding": "identity",
            "User-Agent": "remediate",
            "X-CSRF-Header": "remediate",
        }
        if self._account:
            # The one line that reveals the password.
            login = f"{self._account.username}:{self._account.password.reveal()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        return headers

    def _lost(self, method: str, path: str, error: Exception, received: int, read_s: float) -> RemediateError:
        """The error for an exchange that was begun and not ended well."""
        kind: type[ObservationError] = Unanswered
        if isinstance(error, TimeoutError):
            why = f"the answer to {path} was not finished within {read_s:g} s" if received else "no answer in time"
        elif isinstance(error, TooLarge):
            kind, why = ObservationError, f"the answer to {path} is larger than {error.limit} bytes"
        elif isinstance(error, NotPlain):
            kind = ObservationError
            why = f"the answer to {path} is encoded (`{mask_and_escape(str(error), 40)}`), although plain text was asked for"
        elif isinstance(error, IncompleteRead):
            why = "the connection was closed or reset"
        else:
            why = reason_of(error)
        if method == "GET":
            return kind(f"{self._where} did not answer as it should: {why}.")
        return OutcomeUnknown(f"{self._where} was asked to change something, and its answer was lost: {why}.")


def _content(
    json: Mapping[str, str | int] | None, data: bytes | None, files: Files | None
) -> tuple[dict[str, str], bytes | None]:
    """The header that names the kind of a body, and the body."""
    if json is not None:
        return {"Content-Type": "application/json"}, json_module.dumps(json).encode()
    if files:
        boundary = secrets.token_hex(16)
        return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, _form(files, boundary)
    return {}, data


def _form(files: Files, boundary: str) -> bytes:
    """A form with files (RFC 7578)."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for field, (name, content, kind) in files.items()
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def _date_in(reply: Reply) -> datetime | None:
    """The ``Date`` of an answer (RFC 9110, 6.6.1), aware."""
    try:
        moment = parsedate_to_datetime(reply.headers.get("date", ""))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def authority(host: str, port: int) -> str:
    """Return ``host:port`` as a URL has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
