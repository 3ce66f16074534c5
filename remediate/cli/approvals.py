"""Fingerprints that a person vouches for on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.cli.files import read_text
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from remediate.model.identity import Fingerprint

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
_AS_OPENSSL_PRINTS_IT = re.compile(r"^sha-?256 Fingerprint=", re.IGNORECASE)  # openssl x509 -fingerprint -sha256


def approved_fingerprints(given: Iterable[str], file: Path | None) -> frozenset[Fingerprint]:
    """Return the fingerprints of ``--approve`` and ``--approve-file``.

    Raises:
        UsageError: one of them is no ``sha256:HEX``.
    """
    approved = {_fingerprint(text, "--approve") for text in given}
    if file:
        for number, line in enumerate(read_text(file).splitlines(), start=1):
            if text := line.partition("#")[0].strip():
                approved.add(_fingerprint(text, f"{file}:{number}"))
    return frozenset(approved)


def _fingerprint(text: str, place: str) -> Fingerprint:
    from remediate.model.identity import Fingerprint

    head, _, digits = _AS_OPENSSL_PRINTS_IT.sub("sha256:", text.strip()).partition(":")
    normal = f"{head.lower()}:{digits.replace(':', '').lower()}"
    if not _FINGERPRINT.fullmatch(normal):
        raise UsageError(
            f"{place}: `{text}` is not `sha256:` and the 64 hexadecimal digits of a certificate's SHA-256.",
            next_step="Copy the whole fingerprint: `remediate show PLAN` prints the ones that need approval.",
        )
    return Fingerprint(normal)
