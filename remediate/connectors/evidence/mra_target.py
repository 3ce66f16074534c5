"""The target in a URL of Mobile and Remote Access: base64 of ``domain/scheme/address/port``, as the first part of the path."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from remediate.connectors.text import parse_address

_FIRST_PART: Final = re.compile(r"(?:[a-z]{2,5}://[^/\s]{1,300})?/([A-Za-z0-9_=-]{12,600})(?=[/?\s\"]|$)", re.IGNORECASE)
_PARTS: Final = 4
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client's request is to go. The domain and the rest of the URL are nobody's business here."""

    address: str
    port: int


def target_in(url: str) -> Target | None:
    """Return the target of an MRA URL; None where it is another one."""
    found = _FIRST_PART.match(url)
    if not found:
        return None
    encoded = found[1].rstrip("=")
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return _target_of(decoded.split("/"))


def _target_of(parts: list[str]) -> Target | None:
    if len(parts) != _PARTS or parts[1] not in {"http", "https"}:
        return None
    address, port = parse_address(parts[2]), parts[3]
    if address is None or not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) <= _HIGHEST_PORT):
        return None
    return Target(address, int(port))
