"""JSON and fingerprints as a terminal may show them, and streams whose reader has gone away."""

from __future__ import annotations

import json
import os
import re
from typing import IO

from remediate.model.identity import Fingerprint
from remediate.model.text import is_harmless

_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def terminal_json(document: str) -> str:
    r"""Return JSON text in which characters that a terminal would obey, hide or reorder by are written as ``\uXXXX``.

    The JSON value stays the same: outside of its strings JSON has none of these characters but line breaks, which stay
    (RFC 8259, section 7).
    """
    return _NOT_PLAIN.sub(lambda match: match[0] if is_harmless(match[0]) else _escape_json(match[0]), document)


def _escape_json(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def short_fingerprint(fingerprint: Fingerprint) -> str:
    """Return a fingerprint as it is recognised on a screen: ``sha256:12345678…abcdef``. Never for approving."""
    return f"{fingerprint[:15]}…{fingerprint[-6:]}"


def discard_output(stream: IO[str]) -> None:
    """Discard whatever is still written to `stream`, whose reader has gone away (``| head``)."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, stream.fileno())
    os.close(null_device)
