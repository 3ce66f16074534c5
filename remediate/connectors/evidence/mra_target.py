"""The target in the URL of an MRA request: base64 of ``domain/scheme/address/port``, as the first part of the path."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from remediate.connectors.text import parse_address

_FIRST_SEGMENT: Final = re.compile(r"(?:[a-z]{2,5}://[^/\s]{1,300})?/([A-Za-z0-9_=-]{12,600})(?=[/?\s\"]|$)", re.IGNORECASE)
_FIELDS: Final = 4
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Target:
    """The server that a client's request is for; the domain and the rest of the URL are not kept."""

    address: str
    port: int


def parse_target(url: str) -> Target | None:
    """Return the target of an MRA URL; None for other URLs."""
    match = _FIRST_SEGMENT.match(url)
    if not match:
        return None
    text = match[1].rstrip("=")
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return _parse_fields(decoded.split("/"))


def _parse_fields(fields: list[str]) -> Target | None:
    if len(fields) != _FIELDS or fields[1] not in {"http", "https"}:
        return None
    address, port = parse_address(fields[2]), fields[3]
    if address is None or not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) <= _MAX_PORT):
        return None
    return Target(address, int(port))
