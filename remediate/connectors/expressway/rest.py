"""The REST interface of one Expressway peer: one account, one method that writes, one meaning for each answer.

Documented: Basic authentication; ``/api/provisioning``, with ``/api/v1/provisioning`` as an equivalent spelling; answers mostly
``{"Message": text or list}``. No wording is relied upon: any 2xx means success.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO, NoReturn

from remediate.connectors.closing import Closing
from remediate.connectors.http import Account, Answer, Files, HttpClient
from remediate.connectors.tls.pinning import make_tls_check
from remediate.connectors.unexpected_answer import describe_body, describe_redirect, is_html
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
from remediate.model.identity import host_and_port
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import quote

BASE_PATHS = ("/api/provisioning", "/api/v1/provisioning")
TRUSTED_CA = "/certs/root"
CLUSTER_PEERS = "/common/cluster/peers"
DIAGNOSTIC_LOGGING = "/common/diagnosticlogging"
_PROXY_ADVICE = (
    "Something else answers there: give the peer's own address and the port of its web administration (`rest_port`), not "
    "those of a proxy or single sign-on"
)
_PIN_ADVICE = (
    "Compare this fingerprint on the peer itself, then put it in the inventory as `tls: {fingerprint: …}`, or its CA as "
    "`tls: {ca: PATH}`. `remediate doctor -i INVENTORY --pins` prints the pins of every peer."
)
_NOT_OFFERED_STATUSES = frozenset({404, 405, 501})


class UnexpectedRedirect(ObservationError):
    """The answer is a redirect, and none is followed."""


class RestSession(Closing):
    """One peer's REST interface.

    Args:
        access: Address, port and pin of the peer.
        account: For Basic authentication.
        limits: On time and size.
        writable: Without it, anything but GET raises WriteForbidden before a byte is sent.
        logs: Diagnostic logging may be written all the same.
    """

    def __init__(self, access: PeerAccess, account: Account, limits: Limits, *, writable: bool, logs: bool = False) -> None:
        self._where = f"The REST interface of {host_and_port(access.address, access.rest_port)}"
        self._writable, self._password = writable, account.password
        self._logs = logs
        self._username = account.username
        self._host, self._port = access.address, access.rest_port
        self._http = HttpClient(
            self._where,
            access.address,
            access.rest_port,
            make_tls_check(access.tls),
            limits,
            account=account,
            pin_advice=_PIN_ADVICE,
        )
        self._base: str | None = None
        self._refused = self._logged_in = False

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def log_in(self) -> str:
        """Prove that an Expressway accepts this account, by an answer that nothing else gives: its certificates, or its peers.

        A 2xx alone proves nothing: a login page has it too. The content of the list is not judged here.

        Returns:
            The text of its trusted CA list.

        Raises:
            ObservationError: This is no REST interface of an Expressway.
            LoginRefused, AccessError, PinMismatch: As `get`.
        """
        try:
            text = self.get(TRUSTED_CA)
        except NotOffered as error:
            raise ObservationError(
                f"{self._where} does not have the API of an Expressway (HTTP 404). "
                "If web administration is on another port, set `rest_port` in the inventory."
            ) from error
        if not _holds_pem(text) and not self._names_peers():
            raise ObservationError(f"{self._where} answers {TRUSTED_CA} with {describe_body(text)}. {_PROXY_ADVICE}.")
        self._logged_in = True
        return text

    def read_clock(self) -> datetime | None:
        """Return the peer's clock, to the second; None when it does not send it. Raises as `get` does."""
        answer = self._get(f"{self._base or BASE_PATHS[0]}/sysinfo")
        self._raise_for_access(answer)
        return answer.date

    def get_page(self, path: str) -> str:
        """Return the text at an absolute path, such as ``/api/raml``. Raises as `get` does."""
        return self._require_success(self._get(path), path).text

    def get(self, resource: str) -> str:
        """Return the text of a resource below the base path.

        Raises:
            LoginRefused: At once, and for every further request of this session.
            AccessError: The account has no API access.
            NotOffered: This version has no such resource.
            ObservationError, PinMismatch: See `HttpClient.get`.
        """
        bases = (self._base,) if self._base else BASE_PATHS
        answer = self._get(bases[0] + resource)
        for base in bases[1:]:
            if answer.status == 404:
                answer = self._get(base + resource)
                bases = (base,)
        if answer.ok:
            self._base = bases[0]
        return self._require_success(answer, resource).text

    def get_objects(self, resource: str) -> list[dict[str, Any]]:
        """Return the JSON objects of a resource; a single object as a list of one.

        Raises:
            ObservationError: The answer is anything but JSON objects: an empty answer is no empty list.
            LoginRefused, AccessError, NotOffered, PinMismatch: As `get`.
        """
        text = self.get(resource)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            advice = f" {_PROXY_ADVICE}." if is_html(text) else ""
            raise ObservationError(
                f"{self._where} answers {resource} with {describe_body(text)}, which is not JSON.{advice}"
            ) from error
        objects = document if isinstance(document, list) else [document]
        if not all(isinstance(member, dict) for member in objects):
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
        """Request one change, once. Should the peer repeat `secret` in its answer, no message shows it.

        Raises:
            WriteForbidden: This session may not write; nothing was sent.
            WriteRefused: The peer refused; its own words are in the message.
            NotOffered, LoginRefused, PinMismatch, ObservationError: Nothing was changed.
            OutcomeUnknown: The answer was lost, or was an error of the peer itself (5xx), a redirect, or a web page: something else
                may have answered, before or after the peer.
        """
        self._prepare_write(method, resource)
        answer = self._http.send(
            method, f"{self._base}{resource}", json=json, data=data, files=files, headers=headers, read_s=read_s
        )
        if answer.ok and is_html(answer.text):
            raise OutcomeUnknown(
                f"{self._where} answers {method} {resource} with {describe_body(answer.text)}, so it is not known "
                "whether it was done."
            )
        if not answer.ok:
            self._raise_for_write(replace(answer, body=_remove_secret(secret, answer.body)), f"{method} {resource}")

    def download(self, method: str, resource: str, json: Mapping[str, str | int], file: BinaryIO) -> None:
        """Request a file, once, and write it to `file`. Nothing is changed on the peer.

        Raises:
            WriteForbidden: This session may not send such a request; nothing was sent.
            ObservationError: There is no whole answer; `file` may have a part of it.
            NotOffered, LoginRefused, AccessError, PinMismatch: Nothing was received.
        """
        self._prepare_write(method, resource)
        self._require_success(self._http.download(method, f"{self._base}{resource}", json, file), resource)

    def _prepare_write(self, method: str, resource: str) -> None:
        """Raise WriteForbidden where this session may not send the request; then log in, once."""
        if not (self._writable or (self._logs and resource == DIAGNOSTIC_LOGGING)):
            raise WriteForbidden(f"{self._where}: {method} {resource} was blocked: this session is read-only.")
        self._stop_if_refused()
        if not self._logged_in:
            self.log_in()

    def _get(self, path: str) -> Answer:
        self._stop_if_refused()
        return self._http.get(path)

    def _names_peers(self) -> bool:
        """Return whether the resource of the cluster peers has the shape that an Expressway gives it."""
        try:
            return any("PeerAddress" in record for record in self.get_objects(CLUSTER_PEERS))
        except (ObservationError, NotOffered):
            return False

    def _require_success(self, answer: Answer, resource: str) -> Answer:
        self._raise_for_access(answer)
        if answer.is_redirect:
            raise UnexpectedRedirect(f"{self._where} answers {resource} with {self._describe_redirect(answer)}")
        if answer.status in _NOT_OFFERED_STATUSES:
            raise NotOffered(f"{self._where} does not offer {resource} (HTTP {answer.status}).")
        if not answer.ok:
            raise ObservationError(f"{self._where} answers {resource} with HTTP {answer.status}: {self._read_message(answer)}")
        return answer

    def _raise_for_write(self, answer: Answer, request: str) -> NoReturn:
        self._raise_for_access(answer)
        if answer.is_redirect:
            raise OutcomeUnknown(f"{self._where} answers {request} with {self._describe_redirect(answer)}")
        if answer.status in _NOT_OFFERED_STATUSES:
            raise NotOffered(f"{self._where} does not offer {request} (HTTP {answer.status}).")
        if answer.status >= 500:
            raise OutcomeUnknown(f"{self._where} answers {request} with HTTP {answer.status}: {self._read_message(answer)}")
        raise WriteRefused(f"{self._where} refuses {request} (HTTP {answer.status}): {self._read_message(answer)}")

    def _raise_for_access(self, answer: Answer) -> None:
        if answer.status == 401:
            self._refused = True
            self._stop_if_refused()
        if answer.status == 403:
            raise AccessError(
                (
                    f"{self._where} accepts the login of {self._username} but denies it access (HTTP 403): "
                    f"{self._read_message(answer)}"
                ),
                next_step=f"Give this administrator account API access ({ADMINISTRATOR_ACCOUNTS_PAGE}), or use one that has it.",
            )

    def _stop_if_refused(self) -> None:
        if self._refused:
            raise LoginRefused(f"{self._where} refuses the login of {self._username} (HTTP 401).")

    def _describe_redirect(self, answer: Answer) -> str:
        redirect = describe_redirect(answer.status, answer.location, self._host, self._port)
        return _remove_secret(self._password, redirect.encode()).decode(errors="replace")

    def _read_message(self, answer: Answer) -> str:
        """Return the words of the peer, verbatim, safe to print, and without the password."""
        try:
            content = json.loads(answer.text)
        except (ValueError, RecursionError):
            content = answer.text
        if is_html(answer.text):
            return describe_body(_remove_secret(self._password, answer.text.encode()).decode(errors="replace"))
        message = content.get("Message", content) if isinstance(content, dict) else content
        text = "; ".join(map(str, message)) if isinstance(message, list) else str(message)
        words = _remove_secret(self._password, text.encode()).decode(errors="replace")
        return quote(words) if words.strip() else "no further details"


def _holds_pem(text: str) -> bool:
    return "-----BEGIN " in text and not is_html(text)


def _remove_secret(secret: Secret | None, text: bytes) -> bytes:
    return text.replace(secret.reveal().encode(), b"***") if secret and secret.reveal() else text
