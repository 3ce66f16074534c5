"""Fingerprints in every spelling that OpenSSL, OpenSSH and Expressway print."""

from __future__ import annotations

import re

from remediate.model.identity import Fingerprint

_CERTIFICATE = re.compile(
    r"\s*(?:sha-?256(?:\s+fingerprint)?\s*[:=]\s*)?([0-9a-f]{64}|[0-9a-f]{2}(?:[: ][0-9a-f]{2}){31})\s*", re.IGNORECASE
)
"""``sha256:HEX``, ``sha256 Fingerprint=AB:CD:…``, ``SHA256 Fingerprint=…``, ``AB:CD:…``, ``SHA-256: …``."""
_HOST_KEY = re.compile(r"\s*(?:\d+\s+)?(SHA256:[A-Za-z0-9+/]{43})=?(?:\s.*)?")
"""``SHA256:BASE64``, and the whole line of ``ssh-keygen -lf``: ``256 SHA256:BASE64 comment (ED25519)``."""


def read_fingerprint(text: str) -> Fingerprint | None:
    """Return the SHA-256 fingerprint of a certificate in one spelling; None where `text` is none."""
    match = _CERTIFICATE.fullmatch(text)
    return Fingerprint(f"sha256:{re.sub('[: ]', '', match[1]).lower()}") if match else None


def read_host_key(text: str) -> str | None:
    """Return the SHA-256 fingerprint of an SSH host key in one spelling; None where `text` is none."""
    match = _HOST_KEY.fullmatch(text)
    return match[1] if match else None
