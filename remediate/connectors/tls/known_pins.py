"""Web certificates that were recognised by their pin, kept to compare their issuer with that of a successor.

A fingerprint does not tell who issued a certificate. So one that matched its pin is kept in the state directory, if there is
one; what is read back is the certificate of that very fingerprint, or nothing.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from remediate.machine.files import read_regular_file
from remediate.machine.private_files import make_private_folder, write_private_file
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.identity import Fingerprint
from remediate.model.text import mask_and_escape

FOLDER = "pinned"
"""In the state directory."""
_MAX_BYTES = 100 * 1024
_MAX_NAME = 200
_folder: Path | None = None


def keep_in(state_dir: Path) -> None:
    """Keep certificates in this state directory from now on; one that is not there is not made."""
    global _folder  # noqa: PLW0603 - one place for a process, like the secrets that messages mask
    _folder = state_dir / FOLDER


def keep(certificate: bytes) -> None:
    """Keep a certificate, given as DER, that matched its pin. What cannot be written is not kept."""
    if _folder is None or not _folder.parent.is_dir():
        return
    with suppress(OSError, CertificateError):
        matched = Certificate.from_der(certificate)
        path = _path(_folder, matched.fingerprint)
        if not path.exists():
            make_private_folder(_folder)
            write_private_file(path, matched.pem)


def find(fingerprint: Fingerprint) -> Certificate | None:
    """Return the certificate of this fingerprint, where it was kept."""
    if _folder is None:
        return None
    try:
        certificate = Certificate.from_pem(read_regular_file(_path(_folder, fingerprint), _MAX_BYTES))
    except (OSError, CertificateError):
        return None
    return certificate if certificate.fingerprint == fingerprint else None


def describe_successor(pinned: Fingerprint, presented: bytes) -> str:
    """Return sentences on the certificate, given as DER, that is presented in the place of the pinned one."""
    try:
        certificate = Certificate.from_der(presented)
    except CertificateError:
        return "The presented one cannot be read."
    until = f", valid until {certificate.not_after:%Y-%m-%d}" if certificate.not_after else ""
    sentence = (
        f"The presented one is of {_name(certificate.subject)} and names {_name(certificate.issuer)} as its issuer{until}."
    )
    earlier = find(pinned)
    if earlier is None:
        return f"{sentence} It is not known here whether the pinned one had the same issuer."
    if earlier.issuer == certificate.issuer:
        return f"{sentence} The pinned one named the same issuer, so it may have been renewed; a name alone proves nothing."
    return f"{sentence} The pinned one named another issuer, {_name(earlier.issuer)}."


def _path(folder: Path, fingerprint: Fingerprint) -> Path:
    return folder / f"{fingerprint.removeprefix('sha256:')}.pem"


def _name(name: str) -> str:
    return mask_and_escape(name, _MAX_NAME) or "an empty name"
