"""Diagnostic logging of one peer over REST (X12.6.3 and later).

Requests and answers are those of public clients: ``PUT {"Mode": "start", "TCPDump": "on"}`` on the primary starts it on every peer,
``stop`` there ends it; ``collect`` and ``download`` are per peer, and GET has ``DownLoadStatus``. Another method (POST) is used where
the peer describes that. A new log replaces the one that the peer holds (Administrator Guide X15.5, diagnostics).
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from remediate.connectors.evidence.content_kind import HEAD, is_archive
from remediate.connectors.expressway.capabilities import Capabilities
from remediate.connectors.expressway.rest import DIAGNOSTIC_LOGGING, RestSession
from remediate.connectors.unexpected_answer import describe_body
from remediate.model.errors import NotOffered, ObservationError
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.text import mask_and_escape

_READY: Final = "ready to download"
_BUSY: Final = re.compile(r"\b(?:in progress|running|started|active|collecting)\b", re.IGNORECASE)
_IDLE: Final = re.compile(r"\b(?:not|no|never|stopped|idle)\b", re.IGNORECASE)
_MAX_STATUS: Final = 200


class DiagnosticLogging:
    """The diagnostic logging of one peer.

    Raises:
        NotOffered: The peer describes its interface, and this is no part of it.
    """

    def __init__(self, session: RestSession, address: Address, offered: Capabilities, limits: Limits) -> None:
        if offered.described and offered.logging_method is None:
            raise _not_offered(address)
        self._session, self._address, self._limits = session, address, limits
        self._method = offered.logging_method or "PUT"

    def status(self) -> str:
        """Return the status in the peer's own words; empty where it has none. Raises NotOffered, ObservationError."""
        try:
            objects = self._session.get_objects(DIAGNOSTIC_LOGGING)
        except NotOffered as error:
            raise _not_offered(self._address) from error
        values = [str(value) for record in objects for key, value in record.items() if "status" in key.casefold() and value]
        return mask_and_escape("; ".join(values), _MAX_STATUS)

    def is_busy(self) -> bool:
        """Return whether the status reports a logging or a collection in progress; its wording is not documented."""
        status = self.status()
        return bool(_BUSY.search(status)) and not _IDLE.search(status)

    def is_ready(self) -> bool:
        """Return whether a collected log can be downloaded."""
        status = self.status()
        return _READY in status.casefold() and not _IDLE.search(status)

    def start(self, *, tcpdump: bool) -> None:
        """Start logging on every peer of the cluster; to be called on the primary. Raises as `RestSession.write`."""
        self._write({"Mode": "start", "TCPDump": "on" if tcpdump else "off"})

    def stop(self) -> None:
        """Stop logging on every peer of the cluster; to be called on the primary. Raises as `RestSession.write`."""
        self._write({"Mode": "stop"})

    def collect(self) -> None:
        """Begin to collect the log of this peer, once it was stopped. Raises as `RestSession.write`."""
        self._write({"Mode": "collect"})

    def download(self, file: BinaryIO) -> None:
        """Write the collected log to `file`, which is read back and must be an archive.

        It is requested again within the limits where the answer breaks off. The name that the peer gives it is not looked at.

        Raises:
            ObservationError: There is no whole archive.
            NotOffered, LoginRefused, AccessError, PinMismatch: As `RestSession.download`.
        """
        for attempt in range(self._limits.read_attempts):
            file.seek(0)
            file.truncate()
            try:
                self._session.download(self._method, DIAGNOSTIC_LOGGING, {"Mode": "download"}, file)
                break
            except ObservationError:
                if attempt + 1 == self._limits.read_attempts:
                    raise
        file.flush()
        file.seek(0)
        head = file.read(HEAD)
        if not is_archive(head):
            raise ObservationError(
                f"{self._address} answers the download of its diagnostic log with "
                f"{describe_body(head.decode(errors='replace'))}, which is not an archive."
            )

    def _write(self, body: dict[str, str | int]) -> None:
        try:
            self._session.write(self._method, DIAGNOSTIC_LOGGING, json=body)
        except NotOffered as error:
            raise _not_offered(self._address) from error


def _not_offered(address: Address) -> NotOffered:
    return NotOffered(
        f"{address} does not offer diagnostic logging over REST.",
        next_step=f"On the primary, open {DIAGNOSTIC_LOGGING_PAGE}: start a log, wait for requests, stop it. Collect and download it "
        "on each peer, and give the archives to `remediate diagnose`.",
    )
