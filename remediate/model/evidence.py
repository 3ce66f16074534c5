"""Evidence of failed TLS handshakes from logs and captures: counted, bounded, and without anything that a client sent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, Literal

from remediate.model.archived_peer import ArchivedPeer
from remediate.model.certificate import Certificate

LogKind = Literal["chain", "name", "connection", "sip", "sip-name"]
Side = Literal["client", "server"]
View = Literal["peer", "edge", "client"]
OpenSSLGeneration = Literal["1.1.1", "3.x"]

TLS_1_3: Final = 0x0304


@dataclass(frozen=True, slots=True)
class LogTime:
    """A time in a log.

    Attributes:
        text: The time as the log spells it.
        at: The aware moment; None where the log names no year or no zone.
    """

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoggedFailure:
    """Log lines that report the same failure.

    Attributes:
        kind: ``chain``: certificate verification failed; ``name``: SNI not in certificate; ``connection``: the ERROR line of 8.x;
            ``sip``: the SIP process could not set up TLS to another system; ``sip-name``: the certificate lacks that system's name.
        peer: The host in the prefix of the line; None without one.
        address: The host name or IP address that the request was for; of kind ``name`` the one that was looked for in the certificate.
            Untrusted text, like everything here.
        port: Set only where exactly one request for this address was under way.
        error: OpenSSL's text, in its own spelling.
        depth: The depth in the chain; None where the line has none.
        enforced: True for ``Action=Terminate``; False where the workaround was on and the request continued.
        alert: The number of the TLS alert by which the server ended the handshake; None where the line reports none.
        requests: The smallest number of requests that explains the lines; a retry repeats the line.
        sni: The name that the traffic server asked the node for, where the request was for another one.
        server: The host of the request, likewise.
    """

    kind: LogKind
    peer: str | None
    address: str
    ip: str | None
    port: int | None
    error: str
    depth: int | None
    enforced: bool
    alert: int | None = None
    lines: int = 1
    requests: int = 1
    first_seen: LogTime | None = None
    last_seen: LogTime | None = None
    sni: str | None = None
    server: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the line has for the node."""
        return tuple(dict.fromkeys(name for name in (self.address, self.server, self.sni) if name))


@dataclass(frozen=True, slots=True)
class OtherProcessFailures:
    """Lines about failed TLS handshakes of a process that is not the traffic server: counted, not judged.

    Attributes:
        peer: The host in the prefix of the lines; None without one.
        process: The name of the process, without its number.
    """

    peer: str | None
    process: str
    lines: int = 1
    first_seen: LogTime | None = None
    last_seen: LogTime | None = None


@dataclass(frozen=True, slots=True)
class BadGateway:
    """Requests of outside clients that were answered with 502, by the target in their URL.

    Attributes:
        view: Whose log shows it: that of an Expressway-C, of an Expressway-E, or of a client.
        tunnel_down: An Expressway-E gave the 502 itself, because its tunnel to the Expressway-C was down.
    """

    peer: str | None
    address: str
    port: int
    requests: int = 1
    first_seen: LogTime | None = None
    last_seen: LogTime | None = None
    view: View = "peer"
    tunnel_down: bool = False


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """Requests that a node answered over TLS, whatever its answer: so its certificate was accepted, or not verified."""

    peer: str | None
    address: str
    port: int
    requests: int = 1
    first_seen: LogTime | None = None
    last_seen: LogTime | None = None


@dataclass(frozen=True, slots=True)
class OpenSSLSign:
    """Lines of a peer whose error numbers or spelling show which OpenSSL it runs."""

    peer: str | None
    generation: OpenSSLGeneration
    lines: int = 1
    first_seen: LogTime | None = None
    last_seen: LogTime | None = None


_ALERT_NAMES: Final = {
    10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate",
    44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
    49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 109: "missing_extension", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip
_CERTIFICATE_ALERTS: Final = frozenset({42, 43, 44, 45, 46, 48, 49, 116})
_INTERNAL_ERROR: Final = 80
"""The alert of OpenSSL 3.x where the program refuses what OpenSSL accepts, such as the traffic server's rule for names.

1.1.1 sends certificate_unknown. Observed in captures of a traffic server 9.2.
"""
_HARMLESS_ALERTS: Final = frozenset({0, 90, 100})  # close_notify, user_canceled, no_renegotiation


def alert_name(code: int) -> str:
    """Return the name of a TLS alert, in words."""
    return _ALERT_NAMES.get(code, f"number {code}").replace("_", " ")


def alert_code(name: str) -> int | None:
    """Return the number of the TLS alert with this name, in words; None for an unknown name."""
    return next((code for code, alert in _ALERT_NAMES.items() if alert.replace("_", " ") == name), None)


@dataclass(frozen=True, slots=True)
class Alert:
    """A TLS alert that was sent in the clear (RFC 8446, 6)."""

    sender: Side
    code: int

    @property
    def text(self) -> str:
        """Its name and number."""
        return f"{_ALERT_NAMES.get(self.code, 'alert')} ({self.code})"

    @property
    def is_about_certificate(self) -> bool:
        """Whether the sender refused the certificates that the other side presented."""
        is_program_error = self.sender == "client" and self.code == _INTERNAL_ERROR
        return self.code in _CERTIFICATE_ALERTS or is_program_error

    @property
    def is_fatal(self) -> bool:
        """Whether the alert ends the handshake."""
        return self.code not in _HARMLESS_ALERTS


@dataclass(frozen=True, slots=True)
class Handshake:
    """TLS handshakes of a capture that show the same.

    Attributes:
        server_name: The SNI of the ClientHello.
        offered_suites: The cipher suites of the ClientHello, in its order; empty where none was captured.
        version: The version in the ServerHello; None without one.
        suite: The cipher suite in the ServerHello.
        chain: The server's Certificate message in the clear, leaf first, as sent.
        client_chain: The client's Certificate message in the clear, leaf first, as sent; empty where the client presented none, or
            where it cannot be seen.
        malformed: A Certificate message of the server was captured, and its content is no certificate.
        requests_client_certificate: The server sent a CertificateRequest.
        alerts: Alerts in the clear, as far as they were captured.
        client_accepted: The client sent encrypted records, so it had accepted the certificates (up to TLS 1.2; False where this
            cannot be decided).
        incomplete: Bytes of the handshake are missing from the capture.
        captured_side: The only side whose packets were captured; None where both sides' were.
    """

    client_ip: str
    server_ip: str
    port: int
    server_name: str | None = None
    offered_suites: tuple[int, ...] = ()
    version: int | None = None
    suite: int | None = None
    chain: tuple[Certificate, ...] = ()
    client_chain: tuple[Certificate, ...] = ()
    malformed: bool = False
    requests_client_certificate: bool = False
    alerts: tuple[Alert, ...] = ()
    client_accepted: bool = False
    incomplete: bool = False
    captured_side: Side | None = None
    connections: int = 1
    first_seen: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnreadSource:
    """A file, an archive member or a part of them that was not read.

    Attributes:
        path: The path of the file, and behind it the names of members.
        reason: The reason, as the end of a sentence.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of what a diagnosis can rest on, and of what was passed over.

    They tell "nothing was refused" apart from "there was nothing to check".

    Attributes:
        traffic_server_lines: Lines that a traffic server wrote.
        joined_messages: Messages that were joined from wrapped or escaped text.
        unread_refusals: Places with the words of a refusal that could not be joined to a message.
        other_failures: Failed TLS handshakes that other processes logged.
        unknown_bad_gateways: Answers with 502 of which the log does not show the node.
        tls_records: TLS records in captures, of any type.
        cut_packets: Packets that a snapshot length cut.
        ip_fragments: IP fragments that could not be reassembled.
        encapsulated_packets: Packets in a tunnel of an unsupported type.
        unreadable_packets: Packets that are broken, or of an unsupported link type.
    """

    traffic_server_lines: int = 0
    joined_messages: int = 0
    unread_refusals: int = 0
    other_failures: int = 0
    tls_records: int = 0
    cut_packets: int = 0
    ip_fragments: int = 0
    encapsulated_packets: int = 0
    unreadable_packets: int = 0
    unknown_bad_gateways: int = 0

    @property
    def has_unread_packets(self) -> bool:
        """Whether packets could not be read, or not to their end."""
        return bool(self.cut_packets or self.ip_fragments or self.encapsulated_packets or self.unreadable_packets)

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was gathered from files.

    Attributes:
        logs_read: The number of text files that were read.
        captures_read: The number of captures that were read.
        lines_read: The number of lines in the text files.
        packets_read: The number of packets in the captures.
        other_failures: Failures of processes that are not the traffic server.
        answered_requests: Requests that nodes answered.
        archived_peers: The peers whose diagnostic archives were read.
        openssl_signs: The generations of OpenSSL that the peers' own lines show.
    """

    logged_failures: tuple[LoggedFailure, ...] = ()
    bad_gateways: tuple[BadGateway, ...] = ()
    handshakes: tuple[Handshake, ...] = ()
    unread_sources: tuple[UnreadSource, ...] = ()
    logs_read: int = 0
    captures_read: int = 0
    lines_read: int = 0
    packets_read: int = 0
    coverage: Coverage = Coverage()
    other_failures: tuple[OtherProcessFailures, ...] = ()
    answered_requests: tuple[AnsweredRequest, ...] = ()
    archived_peers: tuple[ArchivedPeer, ...] = ()
    openssl_signs: tuple[OpenSSLSign, ...] = ()

    def find_openssl(self, host: str) -> OpenSSLGeneration | None:
        """Return the generation of OpenSSL that the latest lines of `host` show; None where none does."""
        signs = [sign for sign in self.openssl_signs if (sign.peer or "").partition(".")[0].casefold() == host.casefold()]
        if len({sign.generation for sign in signs}) > 1 and not all(sign.last_seen and sign.last_seen.at for sign in signs):
            return None
        return max(signs, key=lambda sign: str(sign.last_seen and sign.last_seen.at)).generation if signs else None
