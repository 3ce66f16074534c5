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
Process = Literal["traffic-server", "sip"]
Outcome = Literal["failures", "no-failures", "nothing-to-look-at", "could-not-be-read"]


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
        return next(
            (alert.alert for alert in self.alerts if alert.alert.by == "client" and alert.alert.about_a_certificate), None
        )


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
        client_chains: what clients presented themselves, each once, leaf first.
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
    client_chains: tuple[tuple[Certificate, ...], ...] = ()


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
        process: which process of the peer it is that did not go on. What a capture shows is taken for the traffic server's.
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
    process: Process = "traffic-server"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, the gravest first, and what they rest on."""

    findings: tuple[Finding, ...]
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def outcome(self) -> Outcome:
        """What it comes to. That nothing was refused is said only of what could be looked at."""
        evidence, looked_at = self.evidence, self.evidence.looked_at
        if any(finding.standing in {"refused", "tolerated"} for finding in self.findings):
            return "failures"
        if evidence.unread:
            return "could-not-be-read"
        if looked_at.traffic_server_lines or evidence.handshakes:
            return "no-failures"
        return "could-not-be-read" if looked_at.has_passed_over_packets else "nothing-to-look-at"

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.evidence.unread and self.outcome != "could-not-be-read"
