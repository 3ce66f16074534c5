"""HTTPS to one box: a session that trusts exactly what it was told to, with limits on time and size.

No environment variable has a say: no proxies, no ``REQUESTS_CA_BUNDLE``, no netrc. No redirect is followed.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter

from remediate.connectors.text import reason_of, visible
from remediate.connectors.tls_check import TlsCheck
from remediate.model.errors import ObservationError, OutcomeUnknown, PinMismatch, RemediateError
from remediate.model.limits import Limits
from remediate.model.secret import Secret

_CHUNK = 64 * 1024
_PRESENTED = re.compile(r'got "([0-9a-f]{64})"')
"""What urllib3 says of a fingerprint that does not match (urllib3.util.ssl_.assert_fingerprint)."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account for Basic authentication."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is whole, and within the limit; `date` is the server's own clock, None where it does not say."""

    status: int
    body: bytes
    date: datetime | None = None

    @property
    def ok(self) -> bool:
        """Any 2xx: which one means what is not documented."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")


class _Adapter(HTTPAdapter):
    """requests' adapter, but what is trusted is decided by a TlsCheck alone."""

    def __init__(self, check: TlsCheck, server_name: str | None) -> None:
        self._check, self._server_name = check, server_name
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:  # noqa: FBT001, FBT002  the base class's signature
        if self._check.fingerprint:
            pool_kwargs["assert_fingerprint"] = self._check.fingerprint.removeprefix("sha256:")
        if self._server_name:
            pool_kwargs["server_hostname"] = self._server_name
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._check.context, **pool_kwargs)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Add nothing: the base class would load certifi's authorities into our context."""


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
        self._where, self._base = where, f"https://{authority(host, port)}"
        self._check, self._limits, self._account = check, limits, account
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", _Adapter(check, server_name))
        # Compressed answers could be larger than any limit says.
        self._session.headers.update({"Accept-Encoding": "identity", "X-CSRF-Header": "remediate"})
        if server_name:
            self._session.headers["Host"] = authority(server_name, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def get(self, path: str) -> Answer:
        """Return the answer to a GET, asked again within the limits when the connection failed.

        Raises:
            PinMismatch: another server than the one expected; nothing was sent.
            ObservationError: no usable answer.
        """
        for _ in range(self._limits.read_attempts - 1):
            try:
                return self._once("GET", path, read_s=self._limits.read_s)
            except Unanswered:
                time.sleep(self._limits.read_pause_s)
        return self._once("GET", path, read_s=self._limits.read_s)

    def send(
        self,
        method: str,
        path: str,
        *,
        read_s: float | None = None,
        json: Mapping[str, str] | None = None,
        data: bytes | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send something once, on a new connection, so that a stale one cannot lose it.

        Raises:
            PinMismatch, ObservationError: nothing was sent.
            OutcomeUnknown: it may have been sent and done; the answer was lost.
        """
        self._session.close()
        content = {"json": json, "data": data, "files": files, "headers": headers}
        return self._once(method, path, read_s=read_s or self._limits.read_s, **content)

    def _once(self, method: str, path: str, *, read_s: float, **content: Any) -> Answer:
        timeouts = (self._limits.connect_s, read_s)
        try:
            with self._session.request(
                method, self._base + path, auth=self._sign, timeout=timeouts, stream=True, allow_redirects=False, **content
            ) as response:
                return Answer(response.status_code, self._bounded(response, path, read_s), _date_in(response))
        except requests.RequestException as error:
            raise self._meaning(error, method) from error
        except urllib3.exceptions.HTTPError as error:
            raise self._lost(method, reason_of(error)) from error

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The one line that reveals the password. requests itself would encode it as Latin-1."""
        if self._account:
            login = (self._account.username.encode(), self._account.password.reveal().encode())
            requests.auth.HTTPBasicAuth(*login)(request)
        return request

    def _bounded(self, response: requests.Response, path: str, read_s: float) -> bytes:
        deadline, limit, body = time.monotonic() + read_s, self._limits.max_response_bytes, bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > limit:
                raise self._lost(
                    str(response.request.method), f"the answer to {path} is larger than {limit} bytes", again=False
                )
            if time.monotonic() > deadline:
                raise self._lost(str(response.request.method), f"the answer to {path} was not finished within {read_s:g} s")
        return bytes(body)

    def _meaning(self, error: requests.RequestException, method: str) -> RemediateError:
        if isinstance(error, requests.exceptions.SSLError) and (mismatch := self._mismatch(error)):
            return mismatch
        if isinstance(error, requests.ConnectTimeout):
            return Unanswered(f"{self._where} cannot be reached: no answer within {self._limits.connect_s:g} s.")
        if _never_connected(error):
            return Unanswered(f"{self._where} cannot be reached: {reason_of(error)}.")
        return self._lost(method, reason_of(error))

    def _lost(self, method: str, why: str, *, again: bool = True) -> RemediateError:
        if method == "GET":
            kind = Unanswered if again else ObservationError
            return kind(f"{self._where} did not answer as it should: {why}.")
        return OutcomeUnknown(f"{self._where} was asked to change something, and its answer was lost: {why}.")

    def _mismatch(self, error: requests.exceptions.SSLError) -> PinMismatch | None:
        """The error for a server that is not the one expected; None when TLS failed for another reason."""
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        inner = reason.args[0] if isinstance(reason, urllib3.exceptions.SSLError) and reason.args else None
        if isinstance(inner, ssl.SSLCertVerificationError):
            said = visible(inner.verify_message or str(inner))
            return PinMismatch(f"{self._where} does not verify under {self._check.what}: {said}.")
        if self._check.fingerprint and isinstance(inner, str):
            # Every other SSLError of urllib3's own wraps one of the ssl module.
            presented = _PRESENTED.search(inner)
            shown = f": sha256:{presented[1]}" if presented else ""
            return PinMismatch(f"{self._where} presents another certificate than {self._check.what}{shown}.")
        return None


def _date_in(response: requests.Response) -> datetime | None:
    """The ``Date`` of an answer (RFC 9110, 6.6.1), aware."""
    try:
        moment = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _never_connected(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def authority(host: str, port: int) -> str:
    """Return ``host:port`` as a URL has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
