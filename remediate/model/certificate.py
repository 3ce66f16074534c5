"""The certificate: its DER, its fingerprint and its facts.

The facts are what OpenSSL reads in it, each by itself and on first use; the verdict on it is in `remediate.trust`. A certificate
that OpenSSL cannot read still has an identity; its facts are then empty, never invented.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from remediate.model.errors import CertificateError
from remediate.model.identity import Fingerprint
from remediate.model.library import openssl
from remediate.model.limits import Limits
from remediate.model.text import quote
from remediate.openssl import extensions
from remediate.openssl.x509 import X509, Unreadable, x509

_V = TypeVar("_V")

_BEGIN = "-----BEGIN "
_DASHES = "-----"
_MAX_LABEL = 64
_LABEL = re.compile(r"[A-Z0-9 ]+")
# OpenSSL reads certificates under both labels (pem.h: PEM_STRING_X509, PEM_STRING_X509_OLD).
CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_MAX_BYTES = Limits().max_certificate_bytes
_SIZED_KEYS = frozenset({"rsa", "ecdsa", "dsa"})
_IP_LENGTHS = frozenset({4, 16})


@dataclass(frozen=True, eq=False)
class Certificate:
    """An X.509 certificate. Two are equal when their DER is.

    Attributes:
        der: The DER, as sent or stored.
    """

    der: bytes

    # Written out, since certificates are keys everywhere: the generated ones build a tuple of the fields each time.
    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Certificate) and self.der == other.der)

    def __hash__(self) -> int:
        return hash(self.der)

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Return the certificate in `der`.

        Raises:
            CertificateError: `der` is not one whole ASN.1 SEQUENCE, or is over the limit. What is inside is OpenSSL's to judge.
        """
        if len(der) > _MAX_BYTES:
            raise CertificateError(f"A certificate of {len(der)} bytes is over the limit of {_MAX_BYTES} bytes.")
        if measure_sequence(der) != len(der):
            raise CertificateError(f"These {len(der)} bytes are not a DER certificate (not one whole ASN.1 SEQUENCE).")
        return cls(bytes(der))

    @classmethod
    def from_pem(cls, pem: str | bytes) -> Certificate:
        """Return the only certificate in `pem`. Raises CertificateError when it holds none, several, or anything secret."""
        certificates = cls.all_from_pem(pem)
        if len(certificates) != 1:
            raise CertificateError(f"Expected one certificate, found {len(certificates)}.")
        return certificates[0]

    @classmethod
    def all_from_pem(cls, pem: str | bytes) -> tuple[Certificate, ...]:
        """Return every certificate in `pem`, in order; text between the blocks is skipped, as OpenSSL does.

        Raises:
            CertificateError: A block is not a certificate (a private key above all) or is broken. Names the block's number,
                and never prints the block.
        """
        text = pem.decode("utf-8", errors="replace") if isinstance(pem, bytes) else pem
        return tuple(block.certificate() for block in pem_blocks(text))

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """``sha256:HEX`` of the DER."""
        return Fingerprint("sha256:" + hashlib.sha256(self.der).hexdigest())

    @cached_property
    def pem(self) -> str:
        """PEM with 64 columns and exactly one newline at the end."""
        body = "\n".join(textwrap.wrap(base64.b64encode(self.der).decode(), 64))
        return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"

    def _read(self, read: Callable[[X509], _V], otherwise: _V) -> _V:
        """Return what `read` makes of the certificate as OpenSSL parsed it; `otherwise` where it cannot parse it."""
        try:
            handle = x509(openssl(), self.der)
        except Unreadable:
            return otherwise
        return read(handle)

    @cached_property
    def readable(self) -> bool:
        """Whether OpenSSL can read it. Where it cannot, the facts below are empty."""
        return self._read(lambda _: True, otherwise=False)

    @cached_property
    def subject(self) -> str:
        """The subject as RFC 4514 text, control characters escaped; empty when it is empty or unreadable."""
        return self._read(lambda handle: str(handle.subject), "")

    @cached_property
    def issuer(self) -> str:
        """The issuer as RFC 4514 text."""
        return self._read(lambda handle: str(handle.issuer), "")

    @cached_property
    def common_name(self) -> str:
        """The first common name of the subject; empty when there is none."""
        return self._read(lambda handle: _text(handle.subject.common_name), "")

    @cached_property
    def san_dns(self) -> tuple[str, ...]:
        """The dNSNames of the subject alternative name, in order."""
        names: tuple[bytes, ...] = self._read(extensions.dns_names, ())
        return tuple(_text(name) for name in names)

    @cached_property
    def san_ip(self) -> tuple[str, ...]:
        """The IP addresses of the subject alternative name, as text, in order."""
        packed: tuple[bytes, ...] = self._read(extensions.ip_addresses, ())
        return tuple(str(ipaddress.ip_address(address)) for address in packed if len(address) in _IP_LENGTHS)

    @cached_property
    def extended_key_usages(self) -> tuple[str, ...] | None:
        """The purposes that it is restricted to, as dotted object identifiers; None where it is restricted to none."""
        return self._read(extensions.extended_key_usages, None)

    @cached_property
    def issuer_addresses(self) -> tuple[str, ...]:
        """The URLs of its issuer's certificate (caIssuers), in order. Untrusted text."""
        addresses: tuple[bytes, ...] = self._read(extensions.issuer_addresses, ())
        return tuple(_text(address) for address in addresses)

    @cached_property
    def not_before(self) -> datetime | None:
        """First moment of validity, aware; None when it cannot be represented (year 0 and the like)."""
        return self._read(lambda handle: handle.not_before, None)

    @cached_property
    def not_after(self) -> datetime | None:
        """End of validity, aware; OpenSSL holds the certificate expired at exactly this second."""
        return self._read(lambda handle: handle.not_after, None)

    @cached_property
    def serial(self) -> int | None:
        """The serial number."""
        return self._read(lambda handle: handle.serial, None)

    @cached_property
    def key_family(self) -> str:
        """``rsa``, ``ecdsa``, ``ed25519``, ``ed448``, ``dsa`` or ``unknown``."""
        return self._read(lambda handle: handle.key_family, "unknown")

    @cached_property
    def key_bits(self) -> int | None:
        """Size of an RSA, DSA or EC key in bits; None for others."""
        return self._read(lambda handle: handle.key_bits, None) if self.key_family in _SIZED_KEYS else None

    @cached_property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name, as OpenSSL compares names."""
        return self._read(lambda handle: handle.subject.same_as(handle.issuer), otherwise=False)

    @cached_property
    def self_signed(self) -> bool:
        """Whether it is self-issued and its signature verifies under its own key."""
        return self.self_issued and self._read(lambda handle: handle.has_signed(handle), otherwise=False)

    @cached_property
    def is_ca(self) -> bool:
        """Whether its basic constraints say CA:TRUE. OpenSSL also accepts some roots without, see docs/verdict.md."""
        return self._read(extensions.is_ca, otherwise=False)

    def has_key_of(self, other: Certificate) -> bool:
        """Return whether both hold one public key."""
        key = self._read(lambda handle: handle.key_info, b"")
        return bool(key) and key == other._read(lambda handle: handle.key_info, b"")

    def is_named_as_issuer_of(self, other: Certificate) -> bool:
        """Return whether its subject is the issuer in `other`, as OpenSSL compares names. An empty name is no issuer's."""

        def is_named(issuer: X509, issued: X509) -> bool:
            return len(issuer.subject) > 0 and issuer.subject.same_as(issued.issuer)

        return self._compare(other, is_named)

    def has_issued(self, other: Certificate) -> bool:
        """Return whether OpenSSL takes it for the issuer of `other`, and the signature of `other` is by its key."""

        def has_signed(issuer: X509, issued: X509) -> bool:
            return issuer.may_have_issued(issued) and issuer.has_signed(issued)

        return self.is_named_as_issuer_of(other) and self._compare(other, has_signed)

    def _compare(self, other: Certificate, holds: Callable[[X509, X509], bool]) -> bool:
        """Return whether `holds` is true of both as OpenSSL reads them; False where it cannot read one of them."""
        return self._read(
            lambda handle: other._read(lambda other_handle: holds(handle, other_handle), otherwise=False), otherwise=False
        )

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint[:19]}…, {self.subject!r})"


Chain = tuple[Certificate, ...]
"""Certificates, the leaf first where they are presented, in the list's order where they are trusted."""


@dataclass(frozen=True, slots=True)
class PemBlock:
    """A PEM block in a text.

    Attributes:
        number: Counted from 1.
        line: The line of its BEGIN, counted from 1.
    """

    number: int
    line: int
    label: str
    body: str

    def broken(self, why: str) -> CertificateError:
        """Return (not raise) the error for a block that cannot be read, with the reason `why`."""
        return CertificateError(f"PEM block {self.number} is broken (line {self.line}): {why}")

    def misplaced(self, name: str) -> str:
        """Return the sentence for a block that is `name` (with its article) where a certificate belongs."""
        return f"PEM block {self.number} is {name}, not a certificate (line {self.line})."

    def certificate(self) -> Certificate:
        """Return the certificate in it. Raises CertificateError."""
        if self.label not in CERTIFICATE_LABELS:
            secret = " Remove it: a private key must never be in this file." if "PRIVATE KEY" in self.label else ""
            raise CertificateError(f"{self.misplaced(f'a {self.label}')}{secret}")
        der = der_of_block(self)
        try:
            return Certificate.from_der(der)
        except CertificateError as error:
            raise self.broken(str(error)) from error


def der_of_block(block: PemBlock) -> bytes:
    """Return what `block` encodes. Raises CertificateError where its body is not base64."""
    body = "".join(block.body.split())
    if not body.isascii():
        raise block.broken("it holds a character that is not ASCII.")
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError as error:
        raise block.broken(f"{quote(str(error))}.") from error


def pem_blocks(text: str) -> Iterator[PemBlock]:
    """Yield every block in turn. Raises CertificateError where a block does not end before the next begins."""
    number, line, counted, begin = 1, 1, 0, text.find(_BEGIN)
    while begin >= 0:
        line, counted = line + text.count("\n", counted, begin), begin
        label, _, _ = text[begin + len(_BEGIN) : begin + len(_BEGIN) + _MAX_LABEL].partition(_DASHES)
        body = begin + len(_BEGIN) + len(label) + len(_DASHES)
        end_line = f"-----END {label}-----"
        end = text.find(end_line, body)
        following = text.find(_BEGIN, body)
        if not _LABEL.fullmatch(label) or end < 0 or 0 <= following < end:
            raise CertificateError(f"PEM block {number} has no matching END line (it begins in line {line}).")
        yield PemBlock(number, line, label, text[body:end])
        number, begin = number + 1, following


def measure_sequence(content: bytes) -> int | None:
    """Return how long the definite-length SEQUENCE is that `content` begins with; None where it begins with none (X.690, 8.1)."""
    if len(content) < 4 or content[0] != 0x30:
        return None
    if content[1] < 0x80:
        return 2 + content[1]
    octets = content[1] & 0x7F
    return 2 + octets + int.from_bytes(content[2 : 2 + octets], "big") if 1 <= octets <= 4 else None


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="backslashreplace")
