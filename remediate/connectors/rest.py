"""The REST interface of one Expressway peer: one account, one place that can write, one meaning for each answer.

Documented: Basic authentication; ``/api/provisioning``, with ``/api/v1/provisioning`` as an equivalent spelling; answers mostly
``{"Message": text or list}``. No wording is relied upon: any 2xx is a yes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn, Self

from remediate.connectors.http import Account, Answer, HttpClient
from remediate.connectors.text import visible
from remediate.connectors.tls_check import check_for
from remediate.model.access import PeerAccess
from remediate.model.errors import (
    AccessError,
    LoginRefused,
    NotOffered,
    ObservationError,
    OutcomeUnknown,
    WriteForbidden,
    WriteRefused,
)
from remediate.model.limits import Limits
from remediate.model.secret import Secret

BASES = ("/api/provisioning", "/api/v1/provisioning")
TRUSTED_CA = "/certs/root"
_NOT_THERE = frozenset({404, 405, 501})


class RestSession:
    """One peer's REST interface.

    Args:
        writable: without it, anything but GET raises WriteForbidden before a byte leaves.
    """

    def __init__(self, access: PeerAccess, account: Account, limits: Limits, *, writable: bool) -> None:
        self._where, self._writable, self._password = f"The REST interface of {access.address}", writable, account.password
        self._username = account.username
        self._http = HttpClient(self._where, access.address, access.rest_port, check_for(access.tls), limits, account=account)
        self._base: str | None = None
        self._refused = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def log_in(self) -> None:
        """Find the base path, which also shows whether the account is let in. Raises as `get` does."""
        self.get(TRUSTED_CA)

    def clock(self) -> datetime | None:
        """Return the box's own clock, to the second; None when it does not say. Raises as `get` does."""
        answer = self._get(f"{self._base or BASES[0]}/sysinfo")
        self._raise_for_access(answer)
        return answer.date

    def page(self, path: str) -> str:
        """Return the text at an absolute path, such as ``/api/raml``. Raises as `get` does."""
        return self._checked(self._get(path), path).text

    def get(self, resource: str) -> str:
        """Return the text of a resource below the base path.

        Raises:
            LoginRefused: at once, and for every further request of this session.
            AccessError: the account has no API access.
            NotOffered: this version has no such resource.
            ObservationError, PinMismatch: see `HttpClient.get`.
        """
        bases = (self._base,) if self._base else BASES
        answer = self._get(bases[0] + resource)
        for base in bases[1:]:
            if answer.status == 404:
                answer = self._get(base + resource)
                bases = (base,)
        if answer.ok:
            self._base = bases[0]
        return self._checked(answer, resource).text

    def get_objects(self, resource: str) -> list[dict[str, Any]]:
        """Return the JSON objects of a resource; a single one as a list of one. Raises as `get`, and on anything but JSON."""
        text = self.get(resource)
        try:
            found = json.loads(text or "[]")
        except (ValueError, RecursionError) as error:
            raise ObservationError(f"{self._where}: what stands at {resource} is not JSON: {visible(text, 80)}") from error
        return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]

    def write(
        self,
        method: str,
        resource: str,
        *,
        json: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        secret: Secret | None = None,
        read_s: float | None = None,
    ) -> None:
        """Ask for one change, once. Should the box repeat `secret` in its answer, no message shows it.

        Raises:
            WriteForbidden: this session may not write; nothing left this machine.
            WriteRefused: the box said no, in its own words.
            NotOffered, LoginRefused, PinMismatch, ObservationError: nothing was done.
            OutcomeUnknown: the answer was lost, or was an error of the box itself (5xx).
        """
        if not self._writable:
            raise WriteForbidden(f"{self._where}: {method} {resource} was stopped: this session may only read.")
        self._stop_if_refused()
        if self._base is None:
            self.log_in()
        answer = self._http.send(method, f"{self._base}{resource}", json=json, files=files, read_s=read_s)
        if not answer.ok:
            self._refusal(Answer(answer.status, _without(secret, answer.body)), f"{method} {resource}")

    def _get(self, path: str) -> Answer:
        self._stop_if_refused()
        return self._http.get(path)

    def _checked(self, answer: Answer, resource: str) -> Answer:
        self._raise_for_access(answer)
        if answer.status in _NOT_THERE:
            raise NotOffered(f"{self._where} does not offer {resource} (HTTP {answer.status}).")
        if not answer.ok:
            raise ObservationError(f"{self._where} answers {resource} with HTTP {answer.status}: {self._message(answer)}")
        return answer

    def _refusal(self, answer: Answer, asked: str) -> NoReturn:
        self._raise_for_access(answer)
        if answer.status in _NOT_THERE:
            raise NotOffered(f"{self._where} does not offer {asked} (HTTP {answer.status}).")
        if answer.status >= 500:
            raise OutcomeUnknown(f"{self._where} answers {asked} with HTTP {answer.status}: {self._message(answer)}")
        raise WriteRefused(f"{self._where} refuses {asked} (HTTP {answer.status}): {self._message(answer)}")

    def _raise_for_access(self, answer: Answer) -> None:
        if answer.status == 401:
            self._refused = True
            self._stop_if_refused()
        if answer.status == 403:
            raise AccessError(
                f"{self._where} lets {self._username} in but not use it (HTTP 403): {self._message(answer)}",
                next_step="Give this administrator account API access (Users > Administrator accounts), or use one that has it.",
            )

    def _stop_if_refused(self) -> None:
        if self._refused:
            raise LoginRefused(f"{self._where} refuses the login of {self._username} (HTTP 401).")

    def _message(self, answer: Answer) -> str:
        """What the box said, verbatim but for what a terminal would obey, and for the password should it be in there."""
        try:
            found = json.loads(answer.text)
        except (ValueError, RecursionError):
            found = answer.text
        said = found.get("Message", found) if isinstance(found, dict) else found
        text = "; ".join(map(str, said)) if isinstance(said, list) else str(said)
        return visible(_without(self._password, text.encode()).decode(errors="replace")) or "no further word"


def _without(secret: Secret | None, text: bytes) -> bytes:
    return text.replace(secret.reveal().encode(), b"***") if secret and secret.reveal() else text
