"""Questions and answers of the judges."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from remediate.model.certificate import Certificate

JudgeName = Literal["traffic_server", "openssl"]


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """Answer that a client got.

    Attributes:
        status: 200, or 502 if the peer's traffic server refused the endpoint.
        log_line: The line in the traffic server's log with the reason; None without one.
        judge: The judge that answered: a real Apache Traffic Server, or OpenSSL in its place.
    """

    status: int
    log_line: str | None
    judge: JudgeName


@dataclass(frozen=True, slots=True)
class Target:
    """Endpoint, and the address where it really listens."""

    address: str
    port: int
    connect_to: str

    @property
    def mra_path(self) -> str:
        """The first part of the path in a client's URL: domain, scheme, connection address and port in base64."""
        domain = self.address.partition(".")[2]
        return base64.b64encode(f"{domain}/https/{self.address}/{self.port}".encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a peer's traffic server.

    Attributes:
        identity_file: Its own certificate with its key, for a node that asks for one; None: it shows none.
    """

    trusted: tuple[Certificate, ...]
    ciphers: str
    enforced: bool
    tls13: bool
    identity_file: Path | None = None


class Judge(Protocol):
    """Judge of one peer."""

    def ask(self, settings: Settings, target: Target) -> JudgeAnswer:
        """Ask for an endpoint under these settings."""

    def stop(self) -> None:
        """End the judge's processes."""
