"""Text from certificates and boxes is untrusted: what could steer a terminal, hide, or reorder is shown as an escape instead."""

from __future__ import annotations

import json
import re
import unicodedata

from remediate.model.identity import Fingerprint

_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that draw nothing, or a blank that is no space (Unicode: Default_Ignorable_Code_Point, and U+2800).
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")
MAX_CHARACTERS = 300


def clean(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return `text` on one line with every control, bidirectional and invisible character escaped, cut at `limit` characters."""
    shown = "".join(character if _harmless(character) else _escaped(character) for character in text[: limit + 1])
    return shown if len(text) <= limit else f"{shown[:limit]}…"


def terminal_json(document: str) -> str:
    """Return JSON text whose characters that a terminal would obey, hide or reorder by are written as ``\\uXXXX``.

    The JSON value stays the same: outside of its strings JSON has none of these characters but line breaks, which stay (RFC 8259, 7).
    """
    return _NOT_PLAIN.sub(lambda match: match[0] if _harmless(match[0]) else _json_escape(match[0]), document)


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def _harmless(character: str) -> bool:
    if character.isascii():
        return character.isprintable()
    category = unicodedata.category(character)
    variation = "\ufe00" <= character <= "\ufe0f"
    return category not in _HARMFUL and category != "Zs" and character not in _INVISIBLE and not variation


def _escaped(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def short(fingerprint: Fingerprint) -> str:
    """Return a fingerprint as it is recognised on a screen: ``sha256:12345678…abcdef``. Never for approving."""
    return f"{fingerprint[:15]}…{fingerprint[-6:]}"
