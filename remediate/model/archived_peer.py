"""A peer as the files of its diagnostic archive show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from remediate.model.certificate import Certificate


@dataclass(frozen=True, slots=True)
class ArchivedPeer:
    """One peer in one archive. None anywhere means that the archive has no such file, or none that can be read.

    Attributes:
        host: The host name in the names of the files.
        source: The archive, for messages.
        stamp: When logging began, by the names of the files; they have no zone.
        trusted: The trusted CA list, in its order.
        revocation_lists: The CRLs in that list, as PEM.
        server_chain: Its own certificate, and the chain where it follows.
        client_chain: Its certificate as a client (X15.5 and later).
        settings: Some paths of ``xConfiguration`` to their values; no secret is among them.
        version: Such as ``X14.2.1``.
        system_name: What its administrators call it.
    """

    host: str
    source: str
    stamp: datetime | None = None
    trusted: tuple[Certificate, ...] | None = None
    revocation_lists: tuple[str, ...] = ()
    server_chain: tuple[Certificate, ...] | None = None
    client_chain: tuple[Certificate, ...] | None = None
    settings: Mapping[str, str] | None = None
    version: str | None = None
    system_name: str | None = None

    @property
    def ip_addresses(self) -> tuple[str, ...]:
        """The addresses of its network interfaces."""
        settings = self.settings or {}
        return tuple(settings[path] for path in ADDRESS_PATHS if settings.get(path))


ADDRESS_PATHS = tuple(f"Ethernet {number} IP V{version} Address" for number in (1, 2) for version in (4, 6))
