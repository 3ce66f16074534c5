"""Cipher suites by their numbers on the wire: their names, and the certificate that each asks for."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from remediate.model.identity import KeyFamily
from remediate.trust.ciphers import AUTHENTICATION


@dataclass(frozen=True, slots=True)
class Suite:
    """OpenSSL's name, and the key family that it authenticates with; None under TLS 1.3, and where it is neither."""

    name: str
    family: KeyFamily | None


def suite_name(number: int) -> str:
    """Return what OpenSSL calls the suite `number`; the number in hex where it does not know it."""
    suite = _suites().get(number)
    return suite.name if suite else f"0x{number:04X}"


def preferred_family(offered: Sequence[int]) -> KeyFamily | None:
    """Return the key family that a client with these suites, in its order, asks for first (TLS 1.2)."""
    suites = (_suites().get(number) for number in offered)
    return next((suite.family for suite in suites if suite and suite.family), None)


@cache
def _suites() -> dict[int, Suite]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return {suite["id"] & 0xFFFF: Suite(suite["name"], AUTHENTICATION.get(suite["auth"])) for suite in context.get_ciphers()}
