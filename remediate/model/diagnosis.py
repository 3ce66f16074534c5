"""A diagnosis: findings, each with its evidence, its cause, and advice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from remediate.model.certificate import Certificate
from remediate.model.evidence import Alert, BadGateway, Evidence, LoggedFailure
from remediate.model.identity import KeyFamily
from remediate.model.verdict import Verdict

FindingStatus = Literal["refused", "tolerated", "unknown", "accepted"]
Process = Literal["traffic-server", "sip"]
Outcome = Literal["failures", "no-failures", "nothing-to-look-at", "could-not-be-read"]


@dataclass(frozen=True, slots=True)
class AlertCount:
    """A TLS alert, and the number of connections in which it was sent."""

    alert: Alert
    connections: int


@dataclass(frozen=True, slots=True)
class CapturedChain:
    """A chain that a server presented in a capture.

    Attributes:
        trusted: The trusted CA list that it was judged by; None without a list.
        verdict: The verdict by that list; None without a list.
        remarks: Remarks that need no list: names, dates, missing issuers.
        alerts: Alerts in the connections in which the chain was presented.
        accepted_connections: The number of connections in which the client accepted the chain.
    """

    certificates: tuple[Certificate, ...]
    verdict: Verdict | None
    remarks: tuple[str, ...]
    alerts: tuple[AlertCount, ...]
    accepted_connections: int
    connections: int
    first_seen: datetime | None
    last_seen: datetime | None
    trusted: tuple[Certificate, ...] | None = None

    @property
    def is_refused(self) -> bool:
        """Whether a client ended a handshake because of this chain."""
        return self.refusal_alert is not None

    @property
    def refusal_alert(self) -> Alert | None:
        """The alert by which a client refused this chain; None where no client did."""
        return next(
            (count.alert for count in self.alerts if count.alert.sender == "client" and count.alert.is_about_certificate), None
        )


@dataclass(frozen=True, slots=True)
class CapturedEndpoint:
    """A TLS server in a capture, under one name that clients asked for.

    Attributes:
        server_name: The SNI that clients sent; None where they sent none.
        address: The connection address: the SNI, or the IP address where the ClientHello has none; None where no ClientHello was
            captured.
        versions: The negotiated versions, as numbers of the protocol.
        suites: The negotiated cipher suites, by OpenSSL's names.
        preferred_families: The key families that the clients' hellos list first.
        requests_client_certificate: Whether the server sent a CertificateRequest.
        accepted_connections: Connections in which the client accepted the presented chain.
        resumed_connections: Connections that resumed a session: nothing was presented or verified in them.
        tls13_connections: Connections of TLS 1.3, which encrypts certificates.
        incomplete_connections: Connections of which the capture lacks bytes.
        malformed_connections: Connections in which the server presented something else than certificates.
        unanswered_connections: Connections with a ClientHello and no answer.
        client_chains: The chains that clients presented, each once, leaf first.
    """

    server_ip: str
    port: int
    server_name: str | None
    address: str | None
    client_ips: tuple[str, ...]
    connections: int
    versions: tuple[int, ...]
    suites: tuple[str, ...]
    preferred_families: tuple[KeyFamily, ...]
    chains: tuple[CapturedChain, ...]
    alerts: tuple[AlertCount, ...]
    requests_client_certificate: bool
    accepted_connections: int
    resumed_connections: int
    tls13_connections: int
    incomplete_connections: int
    malformed_connections: int
    unanswered_connections: int
    first_seen: datetime | None
    last_seen: datetime | None
    client_chains: tuple[tuple[Certificate, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A refusal, or an accepted certificate, at one endpoint.

    Attributes:
        address: The connection address where it is known, else the server's IP address.
        ports: The port, or several that a capture shows to be refused alike; empty where the port is not known.
        possible_ports: The candidates where the port is one of several.
        status: ``tolerated``: the certificate would be refused, and the connection continued because verification was off or another
            list was used.
        verdict: The reason of the refusal; None where there is none, or where it is not known.
        captured_endpoints: The endpoint in captures.
        remarks: Facts that a reader needs before the advice.
        commands: Commands to run next.
        process: The process of the peer that refused. A capture counts as the traffic server's.
        nodes: The findings, one for each endpoint, that this one represents; address and ports are those of the first. Empty where it
            represents itself alone.
    """

    address: str
    ip: str | None
    ports: tuple[int, ...]
    status: FindingStatus
    verdict: Verdict | None
    logged_failures: tuple[LoggedFailure, ...] = ()
    bad_gateways: tuple[BadGateway, ...] = ()
    captured_endpoints: tuple[CapturedEndpoint, ...] = ()
    possible_ports: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    process: Process = "traffic-server"
    nodes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, the most serious first, and their evidence."""

    findings: tuple[Finding, ...]
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def outcome(self) -> Outcome:
        """The result as a whole; "no failures" needs evidence that could be read."""
        evidence, coverage = self.evidence, self.evidence.coverage
        if any(finding.status in {"refused", "tolerated"} for finding in self.findings):
            return "failures"
        if evidence.unread_sources:
            return "could-not-be-read"
        if coverage.traffic_server_lines or evidence.handshakes:
            return "no-failures"
        return "could-not-be-read" if coverage.has_unread_packets else "nothing-to-look-at"

    @property
    def is_complete(self) -> bool:
        """Whether everything could be read."""
        return not self.evidence.unread_sources and self.outcome != "could-not-be-read"
