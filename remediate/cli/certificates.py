"""Files with certificates that are named on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.cli.files import read_bytes
from remediate.model.errors import CertificateError

if TYPE_CHECKING:
    from pathlib import Path

    from remediate.model.certificate import Certificate


def read_certificates(path: Path) -> tuple[Certificate, ...]:
    """Return the certificates in `path` (``-`` is stdin), PEM or one DER, in order; none in an empty file. Raises RemediateError."""
    from remediate.model.certificate import Certificate

    try:
        return Certificate.all_from(read_bytes(path))
    except CertificateError as error:
        raise CertificateError(f"{path}: {error}") from error
