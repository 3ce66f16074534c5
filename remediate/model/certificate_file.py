"""Certificate files as people have them: PEM, DER or PKCS#7, with the byte order marks, blanks and line ends of every system.

What a peer or a server sends is read by `Certificate` itself, and more strictly.
"""

from __future__ import annotations

import binascii
import codecs
from typing import Final

from remediate.model import file_kinds
from remediate.model.certificate import CERTIFICATE_LABELS, Certificate, PemBlock, der_of_block, measure_sequence, pem_blocks
from remediate.model.errors import CertificateError, NoCertificate
from remediate.model.file_kinds import FileKind
from remediate.model.library import openssl
from remediate.openssl.pkcs7 import certificates_of, is_signed_data

_PKCS7_LABELS: Final = frozenset({"PKCS7", "CMS", "PKCS #7 SIGNED DATA"})
_REVOCATION_LIST: Final = "X509 CRL"
"""Beside certificates it is left out: a peer's own list may hold it (Expressway Administrator Guide, security)."""
_READ_LABELS: Final = CERTIFICATE_LABELS | _PKCS7_LABELS
_ARMOUR: Final = "-----BEGIN "
_LONG_LENGTHS: Final = range(0x80, 0x85)
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENOUGH_TO_TELL: Final = 64


def certificates_in(content: bytes, file: str, *, keep_unreadable: bool = False) -> tuple[Certificate, ...]:
    """Return every certificate in the content of a file, in order.

    Args:
        content: As read from the file.
        file: Its name, for commands in the error's next step.
        keep_unreadable: Whether to keep a PEM certificate that OpenSSL cannot read: a peer's own list may hold such a one, which
            the verdict names.

    Raises:
        NoCertificate: It is something else, which is named with the command that converts it.
        CertificateError: It holds a secret, or beside certificates something broken or something else than a CRL. The block is
            named by number and line.
    """
    if not content.strip(b"\0 \t\r\n"):
        raise _refuse(file_kinds.EMPTY, file)
    if kind := file_kinds.kind_of_binary(content):
        raise _refuse(kind, file)
    if content[0] == 0x30 and len(content) > 1 and (content[1] in _LONG_LENGTHS or _is_der(content)):
        return _from_der(content, file)
    text = _as_text(content)
    if _ARMOUR in text:
        return _from_pem(text, file, keep_unreadable=keep_unreadable)
    return _from_der(_without_armour(text, file), file)


def _refuse(kind: FileKind, file: str) -> CertificateError:
    error = CertificateError if kind.secret else NoCertificate
    return error(f"There is no certificate in it: it is {kind.name}.", next_step=kind.remedy_for(file))


def _is_der(content: bytes) -> bool:
    try:
        Certificate.from_der(content)
    except CertificateError:
        return False
    return True


def _trim_line_end(content: bytes) -> bytes:
    """Return `content` without an end of line behind a certificate, whose own last byte may be one."""
    length = measure_sequence(content)
    return content[:length] if length is not None and not content[length:].strip(b"\r\n") else content


def _from_der(content: bytes, file: str) -> tuple[Certificate, ...]:
    if is_signed_data(content):
        return _from_pkcs7(content, file)
    kind = file_kinds.kind_of_der(content)
    if kind:
        raise _refuse(kind, file)
    certificate = Certificate.from_der(_trim_line_end(content))
    if not certificate.readable:
        raise _refuse(file_kinds.OTHER_DER, file)
    return (certificate,)


def _from_pkcs7(content: bytes, file: str) -> tuple[Certificate, ...]:
    certificates = certificates_of(openssl(), content)
    if certificates is None:
        raise _refuse(file_kinds.PKCS7_BROKEN, file)
    if not certificates:
        raise _refuse(file_kinds.PKCS7_EMPTY, file)
    return tuple(Certificate.from_der(der) for der in certificates)


def _from_pem(text: str, file: str, *, keep_unreadable: bool) -> tuple[Certificate, ...]:
    blocks = tuple(pem_blocks(text))
    certificates: list[Certificate] = []
    for block in blocks:
        if block.label in _READ_LABELS:
            certificates.extend(_from_block(block, file, keep_unreadable=keep_unreadable))
            continue
        alone = not any(block.label in _READ_LABELS for block in blocks)
        if block.label == _REVOCATION_LIST and not alone:
            continue
        kind = file_kinds.kind_of_label(block.label)
        error = NoCertificate if alone and not kind.secret else CertificateError
        raise error(block.misplaced(kind.name), next_step=kind.remedy_for(file))
    return tuple(certificates)


def _from_block(block: PemBlock, file: str, *, keep_unreadable: bool) -> tuple[Certificate, ...]:
    der = der_of_block(block)
    if is_signed_data(der):
        return _from_pkcs7(der, file)
    if kind := file_kinds.kind_of_der(der):
        raise CertificateError(block.misplaced(kind.name), next_step=kind.remedy_for(file))
    certificate = block.certificate()
    if not certificate.readable and not keep_unreadable:
        raise block.broken("OpenSSL cannot read it as a certificate.")
    return (certificate,)


def _as_text(content: bytes) -> str:
    """Return the text of a file, also in UTF-16, which Windows writes with and without a byte order mark."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    start = content[: 2 * _ENOUGH_TO_TELL]
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if zeros and not zeros.strip(b"\0"):
            return content.decode(encoding, errors="replace")
    return content.decode(errors="replace")


def _without_armour(text: str, file: str) -> bytes:
    """Return the DER of a file that is base64 and nothing else."""
    if not file_kinds.is_base64(text):
        raise _refuse(file_kinds.kind_of_text(text), file)
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError as error:
        raise _refuse(file_kinds.UNKNOWN, file) from error
