"""What evidence comes to: findings, each with what was logged and captured of it, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from remediate.model.certificate import Certificate
from remediate.model.evidence import Alert, BadGateway, Evidence, Logged
from remediate.model.identity import KeyFamily
from remediate.model.verdict import Verdict

Standing = Literal["refused", "tolerated", "unknown", "accepted"]


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """A TLS alert and in how many connections it was sent."""

    alert: Alert
    connections: int


@dataclass(frozen=True, slots=True)
class SeenChain:
    """A chain that a server presented in a capture.

    Attributes:
        verdict: by the trusted CA list that was given; None without one.
        built: the chain that OpenSSL put together, leaf first; empty without a list.
        remarks: what can be said of it, list or not: names, dates, what it lacks.
        alerts: in the connections in which it was presented.
        went_on: connections in which the client accepted it.
    """

    certificates: tuple[Certificate, ...]
    verdict: Verdict | None
    built: tuple[Certificate, ...]
    remarks: tuple[str, ...]
    alerts: tuple[AlertSeen, ...]
    went_on: int
    connections: int
    first: datetime | None
    last: datetime | None

    @property
    def refused(self) -> bool:
        """Whether a client ended a handshake over it."""
        return self.refusing is not None

    @property
    def refusing(self) -> Alert | None:
        """The alert by which a client ended a handshake over it."""
        return next((one.alert for one in self.alerts if one.alert.by == "client" and one.alert.about_a_certificate), None)


@dataclass(frozen=True, slots=True)
class SeenEndpoint:
    """A TLS server as a capture shows it.

    Attributes:
        server: IP address.
        server_name: what clients asked for (SNI); None where they named nothing.
        address: the connection address: what clients named, or the IP address where their hello names nothing; None where no hello was
            captured.
        clients: IP addresses.
        versions: what was chosen, as on the wire.
        suites: OpenSSL's names of what was chosen.
        prefers: which key family the clients' hellos ask for first.
        went_on: connections in which the client accepted what was presented.
        resumed: connections that took up an earlier session: nothing was presented in them, and nothing verified.
        encrypted: connections under TLS 1.3, in which certificates cannot be seen.
        incomplete: connections of which the capture lacks bytes.
        unanswered: connections with a hello and no answer to it.
    """

    server: str
    port: int
    server_name: str | None
    address: str | None
    clients: tuple[str, ...]
    connections: int
    versions: tuple[int, ...]
    suites: tuple[str, ...]
    prefers: tuple[KeyFamily, ...]
    chains: tuple[SeenChain, ...]
    alerts: tuple[AlertSeen, ...]
    asks: bool
    went_on: int
    resumed: int
    encrypted: int
    incomplete: int
    unreadable: int
    unanswered: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was refused, or let pass, at one endpoint.

    Attributes:
        address: the connection address, as far as it is known; else the server's IP address.
        ports: the port, or several that a capture shows to be refused alike; none where nothing says.
        possible_ports: where it is one of several, and nothing says which.
        standing: ``tolerated``: it would be refused, and went on because verification was off or another list was used.
        verdict: why it is refused; None where it is not, or nobody can say.
        remarks: what to know before the advice.
        commands: what to type next.
    """

    address: str
    ip: str | None
    ports: tuple[int, ...]
    standing: Standing
    verdict: Verdict | None
    logged: tuple[Logged, ...] = ()
    bad_gateways: tuple[BadGateway, ...] = ()
    seen: tuple[SeenEndpoint, ...] = ()
    possible_ports: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, the gravest first, and what they rest on."""

    findings: tuple[Finding, ...]
    evidence: Evidence = field(default_factory=Evidence)
