"""JSON and fingerprints as a terminal may show them."""

from __future__ import annotations

import json
import re

from remediate.model.identity import Fingerprint
from remediate.model.text import is_harmless

_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def terminal_json(document: str) -> str:
    """Return JSON text whose characters that a terminal would obey, hide or reorder by are written as ``\\uXXXX``.

    The JSON value stays the same: outside of its strings JSON has none of these characters but line breaks, which stay (RFC 8259, 7).
    """
    return _NOT_PLAIN.sub(lambda match: match[0] if is_harmless(match[0]) else _json_escape(match[0]), document)


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def short(fingerprint: Fingerprint) -> str:
    """Return a fingerprint as it is recognised on a screen: ``sha256:12345678…abcdef``. Never for approving."""
    return f"{fingerprint[:15]}…{fingerprint[-6:]}"
