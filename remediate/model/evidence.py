"""What logs and captures show of failed handshakes: counted, bounded, and free of what clients said in them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, Literal

from remediate.model.certificate import Certificate

LogKind = Literal["chain", "name", "connection", "sip", "sip-name"]
Side = Literal["client", "server"]

TLS_1_3: Final = 0x0304


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a log has it.

    Attributes:
        written: as it stands there.
        at: aware; None where the log names no year or no zone.
    """

    written: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """Lines of a log that say the same.

    Attributes:
        kind: ``chain``: certificate verification failed; ``name``: SNI not in certificate; ``connection``: the ERROR line of 8.x;
            ``sip``: the SIP process could not set up TLS to another system; ``sip-name``: for its name is not in the certificate.
        peer: the host in the line's prefix; None where it has none.
        address: the host name or IP address that the request was for. Untrusted text, as everything here.
        port: only where exactly one request for this address was under way.
        error: OpenSSL's text, in its own spelling.
        depth: None where the line has none.
        alert: the number of the TLS alert by which the server ended the handshake; None where the line tells of none.
        enforced: ``Action=Terminate``; False: the workaround was on and the request went on.
        requests: how many requests that were at the least; a retry repeats the line.
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
    first: Moment | None = None
    last: Moment | None = None


@dataclass(frozen=True, slots=True)
class OtherFailures:
    """Lines of a process that is not the traffic server which tell of failed TLS handshakes: counted, and not judged.

    Attributes:
        peer: the host in the lines' prefix; None where they have none.
        process: its name, without a number.
    """

    peer: str | None
    process: str
    lines: int = 1
    first: Moment | None = None
    last: Moment | None = None


@dataclass(frozen=True, slots=True)
class BadGateway:
    """Requests of clients outside that were answered with 502, by the target in their URL."""

    peer: str | None
    address: str
    port: int
    requests: int = 1
    first: Moment | None = None
    last: Moment | None = None


_ALERTS: Final = {
    10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate",
    44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
    49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 109: "missing_extension", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip
_ABOUT_A_CERTIFICATE: Final = frozenset({42, 43, 44, 45, 46, 48, 49, 116})
_REFUSED_BY_THE_PROGRAM: Final = 80
"""internal_error, which OpenSSL 3.x sends where the program refuses what OpenSSL accepts: the traffic server's rule for names, say.
(1.1.1 sends certificate_unknown.) Seen in captures of a traffic server 9.2."""
_NO_FAILURES: Final = frozenset({0, 90, 100})  # close_notify, user_canceled, no_renegotiation


def alert_name(code: int) -> str:
    """Return the name of a TLS alert, in words."""
    return _ALERTS.get(code, f"number {code}").replace("_", " ")


def alert_code(name: str) -> int | None:
    """Return the number of the TLS alert with this name, in words; None where there is none."""
    return next((code for code, known in _ALERTS.items() if known.replace("_", " ") == name), None)


@dataclass(frozen=True, slots=True)
class Alert:
    """A TLS alert that was sent in the clear (RFC 8446, 6)."""

    by: Side
    code: int

    @property
    def text(self) -> str:
        """Its name and number."""
        return f"{_ALERTS.get(self.code, 'alert')} ({self.code})"

    @property
    def about_a_certificate(self) -> bool:
        """Whether the side that sent it did not like what the other presented."""
        by_the_program = self.by == "client" and self.code == _REFUSED_BY_THE_PROGRAM
        return self.code in _ABOUT_A_CERTIFICATE or by_the_program

    @property
    def ends_it(self) -> bool:
        """Whether the handshake failed by it."""
        return self.code not in _NO_FAILURES


@dataclass(frozen=True, slots=True)
class Handshake:
    """TLS handshakes of a capture that show the same.

    Attributes:
        client: IP address.
        server: IP address.
        server_name: the SNI of the client's hello.
        offered: cipher suites of the client's hello, in its order; empty where no hello was captured.
        version: what the server chose; None where it did not answer.
        suite: what the server chose.
        chain: what the server presented in the clear, leaf first, as sent.
        client_certificate: the chain that the client presented in the clear, leaf first, as sent; empty where it presented none, or
            where it cannot be seen.
        unreadable: the server's certificates were seen, and are none.
        asks: the server asked for a certificate of the client.
        alerts: in the clear, as far as they were captured.
        went_on: the client went on encrypted, so it had accepted the certificates (up to TLS 1.2; False where it cannot be said).
        incomplete: bytes of the handshake are missing from the capture.
        only_side: the only side whose packets were captured; None where both sides' were.
    """

    client: str
    server: str
    port: int
    server_name: str | None = None
    offered: tuple[int, ...] = ()
    version: int | None = None
    suite: int | None = None
    chain: tuple[Certificate, ...] = ()
    client_certificate: tuple[Certificate, ...] = ()
    unreadable: bool = False
    asks: bool = False
    alerts: tuple[Alert, ...] = ()
    went_on: bool = False
    incomplete: bool = False
    only_side: Side | None = None
    connections: int = 1
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be looked at, and why. `where` is text: a path, and the names of members behind it."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class LookedAt:
    """How much there was of what a diagnosis can rest on, and of what it had to pass over.

    "Nothing was refused" and "nothing was there to look at" are two answers; these numbers tell them apart.

    Attributes:
        traffic_server_lines: lines that a traffic server wrote.
        joined_messages: messages that were put together from a text that had been wrapped or packed.
        unread_refusals: places with the words of a refusal from which no message could be put together.
        other_failures: failed TLS handshakes that other processes logged.
        tls_records: TLS records of captures, whatever they hold.
        cut_packets: packets of which the capture holds the beginning only (a snapshot length).
        ip_fragments: IP fragments that were not put together again.
        encapsulated_packets: packets in a tunnel that is not understood.
        unreadable_packets: packets that are broken, or of a link type that is not understood.
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

    @property
    def has_passed_over_packets(self) -> bool:
        """Whether there were packets that could not be read, or not whole."""
        return bool(self.cut_packets or self.ip_fragments or self.encapsulated_packets or self.unreadable_packets)

    def plus(self, more: LookedAt) -> LookedAt:
        """Return the sums of both."""
        return LookedAt(*(getattr(self, field.name) + getattr(more, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was gathered.

    Attributes:
        logs: how many logs were read.
        captures: how many captures were read.
        other_failures: of processes that are not the traffic server.
    """

    logged: tuple[Logged, ...] = ()
    bad_gateways: tuple[BadGateway, ...] = ()
    handshakes: tuple[Handshake, ...] = ()
    unread: tuple[Unread, ...] = ()
    logs: int = 0
    captures: int = 0
    lines: int = 0
    packets: int = 0
    looked_at: LookedAt = LookedAt()
    other_failures: tuple[OtherFailures, ...] = ()
