"""What OpenSSL reads in a certificate: its names and their hashes, its key, and who signed it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from remediate.model.certificate import Certificate
from remediate.model.library import openssl
from remediate.openssl import extensions
from remediate.openssl.x509 import Unreadable, x509


def is_readable(certificate: Certificate) -> bool:
    """Return whether OpenSSL can parse `certificate`."""
    return name_hashes(certificate) is not _UNREADABLE


@dataclass(frozen=True, slots=True)
class NameHashes:
    """OpenSSL's 32-bit hashes of a certificate's canonical subject and issuer names (``openssl x509 -subject_hash``)."""

    subject: int
    issuer: int


_UNREADABLE = NameHashes(-1, -1)


@lru_cache(maxsize=65_536)
def name_hashes(certificate: Certificate) -> NameHashes:
    """Return the name hashes of `certificate`; -1 twice where it cannot be parsed."""
    library = openssl()
    try:
        handle = x509(library, certificate.der)
    except Unreadable:
        return _UNREADABLE
    # The handle, not its pointer alone: what it points to is freed with it.
    return NameHashes(library.lib.X509_subject_name_hash(handle.pointer), library.lib.X509_issuer_name_hash(handle.pointer))


def is_self_issued(certificate: Certificate) -> bool:
    """Return whether `certificate` is readable and names itself as its issuer, as OpenSSL compares names."""
    names = name_hashes(certificate)
    return names.subject == names.issuer and names is not _UNREADABLE


@lru_cache(maxsize=65_536)
def key_info(certificate: Certificate) -> bytes:
    """Return the SubjectPublicKeyInfo of `certificate` in DER; nothing where OpenSSL cannot read it."""
    try:
        return x509(openssl(), certificate.der).key_info
    except Unreadable:
        return b""


def has_signed(issuer: Certificate, certificate: Certificate) -> bool:
    """Return whether the signature of `certificate` verifies under the key of `issuer`; not where one of them cannot be read."""
    library = openssl()
    try:
        return x509(library, issuer.der).has_signed(x509(library, certificate.der))
    except Unreadable:
        return False


@lru_cache(maxsize=65_536)
def dns_names(certificate: Certificate) -> tuple[bytes, ...]:
    """Return the dNSNames of the subject alternative name, in order, as OpenSSL reads them; none where it cannot."""
    try:
        return extensions.dns_names(x509(openssl(), certificate.der))
    except Unreadable:
        return ()


@lru_cache(maxsize=65_536)
def common_name(certificate: Certificate) -> bytes | None:
    """Return the first common name of the subject in UTF-8, as OpenSSL reads it; None where there is none or it cannot."""
    try:
        return x509(openssl(), certificate.der).subject.common_name
    except Unreadable:
        return None
