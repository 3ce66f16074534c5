"""What is judged, by what, and the answer: shared by the two judges."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal, Protocol

from remediate.model.certificate import Certificate

JudgeName = Literal["traffic_server", "openssl"]


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """What a client got.

    Attributes:
        status: 200, or 502 when the peer's traffic server would not go on.
        log_line: the line in the traffic server's log that says why; None when there is none.
        judge: who answered: a real Apache Traffic Server, or OpenSSL in its place.
    """

    status: int
    log_line: str | None
    judge: JudgeName


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint: what clients ask for, and where it really is."""

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
    """What a peer's traffic server judges by."""

    trusted: tuple[Certificate, ...]
    ciphers: str
    enforced: bool
    tls13: bool


class Judge(Protocol):
    """One peer's judge."""

    def ask(self, settings: Settings, target: Target) -> JudgeAnswer:
        """Ask for an endpoint under these settings."""

    def stop(self) -> None:
        """End what runs."""
