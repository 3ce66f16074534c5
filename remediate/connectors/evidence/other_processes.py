"""Failed TLS handshakes that other processes of an Expressway log: those of SIP are read, those of the rest are counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remediate.connectors.text import parse_address
from remediate.model.evidence import alert_code
from remediate.model.identity import is_ip

TRAFFIC_SERVER: Final = "traffic_server"
FAILURE_WORDS: Final = (
    b"TLS Negotiation Error",
    b"certificate verify failed",
    b"certificate verification failed",
    b"self signed certificate",
    b"self-signed certificate",
    b"local issuer certificate",
    b"certificate identity was unacceptable",
    b"SSL routines",
    b"Failed to establish SSL connection",
    b"SSLHandshakeException",
)
"""What a line of any process has that tells of a failed TLS handshake. Its form is known only of SIP's."""

_FIELD: Final = re.compile(r"\b(?P<name>Event|Service|Dst-ip|Dst-port|Detail|Common-name)=\"(?P<value>[^\"]{0,300})\"")
_OUTBOUND: Final = "Outbound TLS Negotiation Error"
_ANOTHER_NAME: Final = "certificate identity was unacceptable"
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class SipFailure:
    """TLS from the SIP process of an Expressway to another system that failed.

    Attributes:
        address: the name that the process asked for, or the IP address.
        error: OpenSSL's text, or the process's own.
        is_about_the_name: it is the name that the certificate does not have.
        alert: the number of the TLS alert that the other system sent; None where it sent none.
    """

    address: str
    ip: str
    port: int
    error: str
    is_about_the_name: bool
    alert: int | None


def is_of_sip(line: str) -> bool:
    """Whether `line` begins to tell of a connection of SIP that Expressway began, and that failed."""
    return _OUTBOUND in line


def sip_failure_in(line: str) -> SipFailure | None:
    """Return what `line` tells of a connection that Expressway began; None where it is another line.

    Connections from outside are not read: on an Expressway-E, strangers make them fail all day.
    """
    fields = {found["name"]: found["value"].strip() for found in _FIELD.finditer(line)}
    port, ip = fields.get("Dst-port", ""), fields.get("Dst-ip", "")
    is_port = port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) <= _HIGHEST_PORT
    if fields.get("Event") != _OUTBOUND or not is_port or not is_ip(ip) or not fields.get("Detail"):
        return None
    error = " ".join(fields["Detail"].split())
    _, _, alert = error.partition(" alert ")
    return SipFailure(
        parse_address(fields.get("Common-name", "")) or ip, ip, int(port), error,
        is_about_the_name=_ANOTHER_NAME in error, alert=alert_code(alert),
    )  # fmt: skip
