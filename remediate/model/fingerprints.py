"""Fingerprints in every spelling that OpenSSL, OpenSSH and Expressway print."""

from __future__ import annotations

import re

from remediate.model.identity import Fingerprint

_CERTIFICATE = re.compile(
    r"\s*(?:sha(?:2?-)?256(?:\s+fingerprint|\([^()]*\))?\s*[:=]\s*)?([0-9a-f]{64}|[0-9a-f]{2}(?:[: ][0-9a-f]{2}){31})\s*",
    re.IGNORECASE,
)
"""``sha256:HEX``, ``sha256 Fingerprint=AB:CD:…``, ``SHA256 Fingerprint=…``, ``SHA2-256(FILE)= HEX``, ``AB:CD:…``, ``SHA-256: …``."""
_HOST_KEY = re.compile(
    r"\s*(?:\d+\s+|[A-Z0-9]+\s+key\s+fingerprint\s+is:?\s+|(?:debug1:\s+)?Server\s+host\s+key:\s+\S+\s+)?(SHA256:[A-Za-z0-9+/]{43})[=.]?(?:\s.*)?"
)
"""``SHA256:BASE64``, and whole lines: ``256 SHA256:BASE64 comment (ED25519)`` of ``ssh-keygen -lf``, ``ED25519 key fingerprint is
SHA256:BASE64.`` of ``ssh``, ``debug1: Server host key: ssh-ed25519 SHA256:BASE64`` of ``ssh -v``."""


def read_fingerprint(text: str) -> Fingerprint | None:
    """Return the SHA-256 fingerprint of a certificate in one spelling; None where `text` is none."""
    match = _CERTIFICATE.fullmatch(text)
    return Fingerprint(f"sha256:{re.sub('[: ]', '', match[1]).lower()}") if match else None


def read_host_key(text: str) -> str | None:
    """Return the SHA-256 fingerprint of an SSH host key in one spelling; None where `text` is none."""
    match = _HOST_KEY.fullmatch(text)
    return match[1] if match else None
