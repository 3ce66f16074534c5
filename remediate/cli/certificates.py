"""Files with certificates that are named on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.cli.files import read_bytes
from remediate.model.errors import CertificateError

if TYPE_CHECKING:
    from pathlib import Path

    from remediate.cli.session import Session
    from remediate.model.certificate import Certificate

_STDIN = "-"


def read_certificates(path: Path) -> tuple[Certificate, ...]:
    """Return the certificates in `path` (``-`` is stdin), in order; never none. Raises RemediateError.

    One in a PEM block that OpenSSL cannot read is among them: the verdict names it.
    """
    return _certificates(path, read_bytes(path))


def read_store(session: Session, path: Path) -> tuple[Certificate, ...]:
    """Return the trusted CA list in `path`; an empty file is an empty list, which is said. Raises RemediateError."""
    content = read_bytes(path)
    if content.strip():
        return _certificates(path, content)
    session.say(f"{path} is empty, so this is judged as by an empty trusted CA list.")
    return ()


def _certificates(path: Path, content: bytes) -> tuple[Certificate, ...]:
    from remediate.model.certificate_file import certificates_in

    try:
        return certificates_in(content, "FILE" if str(path) == _STDIN else str(path), keep_unreadable=True)
    except CertificateError as error:
        raise type(error)(f"{path}: {error}", next_step=error.next_step) from error
