"""The REST interface of one Expressway peer: one account, one place that can write, one meaning for each answer.

Documented: Basic authentication; ``/api/provisioning``, with ``/api/v1/provisioning`` as an equivalent spelling; answers mostly
``{"Message": text or list}``. No wording is relied upon: any 2xx is a yes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn, Self

from remediate.connectors.body import describe_body, is_html
from remediate.connectors.http import Account, Answer, Files, HttpClient
from remediate.connectors.redirect import describe_redirect
from remediate.connectors.tls.pinning import check_for
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
from remediate.model.expressway import ADMINISTRATOR_ACCOUNTS_PAGE
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape

BASES = ("/api/provisioning", "/api/v1/provisioning")
TRUSTED_CA = "/certs/root"
CLUSTER_PEERS = "/common/cluster/peers"
_SOMETHING_ELSE = (
    "Something else answers there: give the peer's own address and the port of its web administration (`rest_port`), "
    "past any proxy or single sign-on"
)
_NOT_THERE = frozenset({404, 405, 501})


class Redirected(ObservationError):
    """The answer points elsewhere; nothing is followed."""


class RestSession:
    """One peer's REST interface.

    Args:
        writable: without it, anything but GET raises WriteForbidden before a byte leaves.
    """

    def __init__(self, access: PeerAccess, account: Account, limits: Limits, *, writable: bool) -> None:
        self._where, self._writable, self._password = f"The REST interface of {access.address}", writable, account.password
        self._username = account.username
        self._host, self._port = access.address, access.rest_port
        self._http = HttpClient(self._where, access.address, access.rest_port, check_for(access.tls), limits, account=account)
        self._base: str | None = None
        self._refused = self._logged_in = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def log_in(self) -> None:
        """Prove that an Expressway lets this account in, by an answer that nothing else gives: its certificates, or its peers.

        A 2xx alone proves nothing: a login page has one. What the list holds is not judged here. Raises as `get` does, but
        ObservationError where this is no REST interface of an Expressway.
        """
        try:
            text = self.get(TRUSTED_CA)
        except NotOffered as error:
            raise ObservationError(
                f"{self._where} does not have the API of an Expressway on port {self._port} (HTTP 404). "
                "If web administration is on another port, set `rest_port` in the inventory."
            ) from error
        if not _holds_pem(text) and not self._names_peers():
            raise ObservationError(f"{self._where} answers {TRUSTED_CA} with {describe_body(text)}. {_SOMETHING_ELSE}.")
        self._logged_in = True

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
        """Return the JSON objects of a resource; a single one as a list of one.

        Raises as `get`, and ObservationError on anything but JSON objects: an empty answer is no empty list.
        """
        text = self.get(resource)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            advice = f" {_SOMETHING_ELSE}." if is_html(text) else ""
            raise ObservationError(
                f"{self._where} answers {resource} with {describe_body(text)}, which is not JSON.{advice}"
            ) from error
        objects = document if isinstance(document, list) else [document]
        if not all(isinstance(each, dict) for each in objects):
            raise ObservationError(f"{self._where} answers {resource} with no list of objects: {describe_body(text)}.")
        return objects

    def write(
        self,
        method: str,
        resource: str,
        *,
        json: Mapping[str, str | int] | None = None,
        data: bytes | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        secret: Secret | None = None,
        read_s: float | None = None,
    ) -> None:
        """Ask for one change, once. Should the box repeat `secret` in its answer, no message shows it.

        Raises:
            WriteForbidden: this session may not write; nothing left this machine.
            WriteRefused: the box said no, in its own words.
            NotOffered, LoginRefused, PinMismatch, ObservationError: nothing was done.
            OutcomeUnknown: the answer was lost, or was an error of the box itself (5xx), a redirect, or a web page: something
                else may have answered, before or after the peer.
        """
        if not self._writable:
            raise WriteForbidden(f"{self._where}: {method} {resource} was stopped: this session may only read.")
        self._stop_if_refused()
        if not self._logged_in:
            self.log_in()
        answer = self._http.send(
            method, f"{self._base}{resource}", json=json, data=data, files=files, headers=headers, read_s=read_s
        )
        if answer.ok and is_html(answer.text):
            raise OutcomeUnknown(
                f"{self._where} answers {method} {resource} with {describe_body(answer.text)}, so whether it was done is not known."
            )
        if not answer.ok:
            self._refusal(replace(answer, body=_without(secret, answer.body)), f"{method} {resource}")

    def _get(self, path: str) -> Answer:
        self._stop_if_refused()
        return self._http.get(path)

    def _names_peers(self) -> bool:
        """Whether the cluster's peers come as an Expressway gives them."""
        try:
            return any("PeerAddress" in each for each in self.get_objects(CLUSTER_PEERS))
        except (ObservationError, NotOffered):
            return False

    def _checked(self, answer: Answer, resource: str) -> Answer:
        self._raise_for_access(answer)
        if answer.redirects:
            raise Redirected(f"{self._where} answers {resource} with {self._redirect(answer)}")
        if answer.status in _NOT_THERE:
            raise NotOffered(f"{self._where} does not offer {resource} (HTTP {answer.status}).")
        if not answer.ok:
            raise ObservationError(f"{self._where} answers {resource} with HTTP {answer.status}: {self._message(answer)}")
        return answer

    def _refusal(self, answer: Answer, asked: str) -> NoReturn:
        self._raise_for_access(answer)
        if answer.redirects:
            raise OutcomeUnknown(f"{self._where} answers {asked} with {self._redirect(answer)}")
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
                next_step=f"Give this administrator account API access ({ADMINISTRATOR_ACCOUNTS_PAGE}), or use one that has it.",
            )

    def _stop_if_refused(self) -> None:
        if self._refused:
            raise LoginRefused(f"{self._where} refuses the login of {self._username} (HTTP 401).")

    def _redirect(self, answer: Answer) -> str:
        said = describe_redirect(answer.status, answer.location, self._host, self._port)
        return _without(self._password, said.encode()).decode(errors="replace")

    def _message(self, answer: Answer) -> str:
        """What the box said, verbatim but for what a terminal would obey, and for the password should it be in there."""
        try:
            found = json.loads(answer.text)
        except (ValueError, RecursionError):
            found = describe_body(answer.text) if is_html(answer.text) else answer.text
        said = found.get("Message", found) if isinstance(found, dict) else found
        text = "; ".join(map(str, said)) if isinstance(said, list) else str(said)
        return mask_and_escape(_without(self._password, text.encode()).decode(errors="replace")) or "no further word"


def _holds_pem(text: str) -> bool:
    return "-----BEGIN " in text and not is_html(text)


def _without(secret: Secret | None, text: bytes) -> bytes:
    return text.replace(secret.reveal().encode(), b"***") if secret and secret.reveal() else text
