"""Signs of the OpenSSL that a peer runs: the numbers and the spelling in its own log differ between 1.1.1 and 3.x."""

from __future__ import annotations

import re
from typing import Final

from remediate.model.evidence import OpenSSLGeneration

# err.h: 1.1.1 packs library, function and reason (20 << 24), 3.x library and reason (20 << 23).
_NUMBER: Final = re.compile(r"error:\s?(?P<library>14|0[Aa])[0-9A-Fa-f]{6}:\s?SSL routines:\s?(?P<function>[^:\s]{0,80})")
_FUNCTIONS_OF_1_1: Final = re.compile(r"(?:tls|ssl3_read|ssl_|state_machine)[a-z0-9_]*")
_SPELLINGS: Final[tuple[tuple[str, OpenSSLGeneration], ...]] = (("self-signed cert", "3.x"), ("self signed cert", "1.1.1"))


def find_generation(text: str) -> OpenSSLGeneration | None:
    """Return the generation of OpenSSL that wrote the error in `text`; None where it does not show, as of 1.0.x."""
    number = _NUMBER.search(text)
    if number and number["library"] != "14":
        return "3.x"
    if number:
        return "1.1.1" if _FUNCTIONS_OF_1_1.fullmatch(number["function"]) else None
    return next((generation for spelling, generation in _SPELLINGS if spelling in text), None)
