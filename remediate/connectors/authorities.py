"""CA certificates in the files and folders that the operator names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from remediate.machine.files import FileTooLarge, list_files, read_regular_file
from remediate.model.certificate import Certificate
from remediate.model.certificate_file import certificates_in
from remediate.model.errors import CertificateError, InventoryError, NoCertificate

_NEXT_STEP = "Give a file with CA certificates (PEM, DER or PKCS#7), or a folder of them, and run the command again."
_MAX_CA_FILE_BYTES = 64 * 1024 * 1024
"""Twenty times as much as the longest trusted CA list that is read takes as PEM."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """CA certificates that were read.

    Attributes:
        certificates: Each once, in the order of the files.
        passed_over: One sentence for each file of a folder that holds no certificate, with what converts it.
    """

    certificates: tuple[Certificate, ...]
    passed_over: tuple[str, ...]


def read_authorities(paths: Iterable[Path]) -> Authorities:
    """Read the certificates in `paths`; of a folder, those of every file that is not hidden, by name.

    Raises:
        InventoryError: There is no such file or folder, or it cannot be read.
        CertificateError: A file that is named itself holds none, or no file of a folder does. A broken certificate and a private
            key are refused in any file.
    """
    distinct: dict[Certificate, None] = {}
    passed_over: list[str] = []
    for path in paths:
        certificates, sentences = _read_folder(path) if _is_folder(path) else (_read_file(path), ())
        distinct |= dict.fromkeys(certificates)
        passed_over.extend(sentences)
    return Authorities(tuple(distinct), tuple(passed_over))


def _read_folder(folder: Path) -> tuple[list[Certificate], list[str]]:
    certificates: list[Certificate] = []
    refused: list[NoCertificate] = []
    for file in _files_in(folder):
        try:
            certificates.extend(_read_file(file))
        except NoCertificate as error:
            refused.append(error)
    if not certificates and refused:
        raise NoCertificate(" ".join(str(error) for error in refused), next_step=refused[0].next_step)
    if not certificates:
        raise InventoryError(f"{folder}: this folder of CA certificates has no file.", next_step=_NEXT_STEP)
    return certificates, [f"{error} {error.next_step}" for error in refused]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # reading it raises with the reason
        return False


def _files_in(folder: Path) -> tuple[Path, ...]:
    try:
        return list_files(folder, lambda file: file.is_file() and not file.name.startswith("."))
    except OSError as error:
        raise InventoryError(f"{folder}: cannot be read: {error.strerror}.", next_step=_NEXT_STEP) from error


def _read_file(file: Path) -> tuple[Certificate, ...]:
    try:
        content = read_regular_file(file, _MAX_CA_FILE_BYTES)
    except FileNotFoundError as error:
        raise InventoryError(f"{file}: no such file or folder of CA certificates.", next_step=_NEXT_STEP) from error
    except FileTooLarge as error:
        raise NoCertificate(f"{file}: {error.strerror}, so it is not a file of certificates.", next_step=_NEXT_STEP) from error
    except OSError as error:
        raise InventoryError(f"{file}: cannot be read: {error.strerror}.", next_step=_NEXT_STEP) from error
    try:
        return certificates_in(content, str(file))
    except CertificateError as error:
        raise type(error)(f"{file}: {error}", next_step=error.next_step) from error
