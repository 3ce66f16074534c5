"""OpenSSL's answers for this project's certificates: verification against a trusted CA list, and names as OpenSSL reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from remediate.model.certificate import Certificate
from remediate.model.library import openssl
from remediate.openssl import extensions
from remediate.openssl.error_texts import error_text
from remediate.openssl.trust_store import DEPTH_LIMIT, SECURITY_LEVEL, V_OK, V_UNSPECIFIED, TrustStore
from remediate.openssl.x509 import Unreadable, x509

__all__ = [
    "DEPTH_LIMIT",
    "SECURITY_LEVEL",
    "V_OK",
    "V_UNSPECIFIED",
    "Built",
    "NameHashes",
    "TrustedList",
    "broken_list_text",
    "common_name",
    "dns_names",
    "error_text",
    "is_readable",
    "name_hashes",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Built:
    """OpenSSL's answer for one presented chain.

    Attributes:
        code: ``X509_V_ERR_*`` of the first error, as 1.1.1 counts; 0 when the chain is good.
        depth: Position of the first error; 0 when the chain is good.
        chain: The certificates that OpenSSL put together, leaf first, as far as it came.
    """

    code: int
    depth: int
    chain: tuple[Certificate, ...]


class TrustedList:
    """A peer's trusted CA list, loaded in its order. Reusable for any number of chains, from several threads.

    Attributes:
        broken: The number of the first entry that OpenSSL cannot read, counted from 1; None where it reads them all.
    """

    def __init__(
        self,
        trusted: Sequence[Certificate],
        *,
        as_the_appliance: bool = True,
        ends_anywhere: bool = False,
        for_clients: bool = False,
    ) -> None:
        """Load the list.

        Args:
            trusted: In the list's order.
            as_the_appliance: Answer as 1.1.1 does; otherwise the library answers for itself.
            ends_anywhere: A chain may end in any trusted certificate, which no traffic server allows: for `underlying_fault`.
            for_clients: The list is a server's, and the chains are those of its clients.
        """
        self._members = {certificate.der: certificate for certificate in trusted}
        ders = [certificate.der for certificate in trusted]
        self._store = TrustStore(
            openssl(), ders, as_openssl_111=as_the_appliance, partial_chains=ends_anywhere, for_clients=for_clients
        )
        self.broken = self._store.broken

    def verify(self, presented: Sequence[Certificate], at: datetime) -> Built:
        """Return OpenSSL's answer for `presented` (leaf first, as sent) at the aware moment `at`.

        Raises:
            Unreadable: OpenSSL cannot parse one of the presented certificates.
        """
        by_der = {certificate.der: certificate for certificate in presented}
        result = self._store.verify([certificate.der for certificate in presented], int(at.timestamp() // 1))
        chain = tuple(by_der[der] if der in by_der else self._members[der] for der in result.chain)
        return Built(result.code, result.depth, chain)


def broken_list_text(number: int) -> str:
    """Return the error of a list whose entry `number` cannot be read; OpenSSL has no error code for it."""
    return f"the trusted CA list holds a certificate that cannot be read: number {number}"


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
        return x509(library, issuer.der).signed(x509(library, certificate.der))
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
