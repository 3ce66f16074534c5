"""Failed TLS handshakes in the logs of other processes of an Expressway: those of SIP are parsed, all others counted."""

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
"""The words of a failed TLS handshake in lines of any process; only the form of SIP's lines is known."""

_FIELD: Final = re.compile(r"\b(?P<name>Event|Service|Dst-ip|Dst-port|Detail|Common-name)=\s?\"(?P<value>[^\"]{0,300})\"")
_OUTBOUND_FAILURE: Final = "Outbound TLS Negotiation Error"
_WRONG_NAME: Final = "certificate identity was unacceptable"
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class SipFailure:
    """A failed TLS handshake of the SIP process of an Expressway with another system.

    Attributes:
        address: The name that the process expected, or the IP address.
        error: OpenSSL's text, or the process's own.
        is_about_the_name: The certificate does not have the expected name.
        alert: The number of the TLS alert that the other system sent; None where it sent none.
    """

    address: str
    ip: str
    port: int
    error: str
    is_about_the_name: bool
    alert: int | None


def is_sip_failure(line: str) -> bool:
    """Whether `line` reports a failed outbound connection of SIP, complete or not."""
    return _OUTBOUND_FAILURE in line


def parse_sip_failure(line: str) -> SipFailure | None:
    """Return the failed outbound connection in `line`; None for other lines.

    Inbound connections are not read: on an Expressway-E, unknown hosts make them fail all day.
    """
    fields = {match["name"]: match["value"].strip() for match in _FIELD.finditer(line)}
    port, ip = fields.get("Dst-port", ""), fields.get("Dst-ip", "")
    is_valid_port = port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) <= _MAX_PORT
    if fields.get("Event") != _OUTBOUND_FAILURE or not is_valid_port or not is_ip(ip) or not fields.get("Detail"):
        return None
    error = " ".join(fields["Detail"].split())
    _, _, alert = error.partition(" alert ")
    return SipFailure(
        parse_address(fields.get("Common-name", "")) or ip, ip, int(port), error,
        is_about_the_name=_WRONG_NAME in error, alert=alert_code(alert),
    )  # fmt: skip
