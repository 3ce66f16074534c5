"""A certificate: its DER, its fingerprint, and what it says of itself for a person and for the planner.

Its facts are what the appliance's OpenSSL reads in it, each by itself and only when asked for; the verdict on it is in
`remediate.trust`. One that OpenSSL cannot read still has an identity; its facts are then empty, never invented.
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
from remediate.openssl import extensions
from remediate.openssl.x509 import X509, Unreadable, x509

_V = TypeVar("_V")

_BEGIN = "-----BEGIN "
_DASHES = "-----"
_LONGEST_LABEL = 64
_LABEL = re.compile(r"[A-Z0-9 ]+")
# OpenSSL reads certificates under both labels (pem.h: PEM_STRING_X509, PEM_STRING_X509_OLD).
CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_LARGEST = Limits().max_certificate_bytes
_SIZED_KEYS = frozenset({"rsa", "ecdsa", "dsa"})
_IP_LENGTHS = frozenset({4, 16})


@dataclass(frozen=True, eq=False)
class Certificate:
    """An X.509 certificate. Two are equal when their DER is.

    Attributes:
        der: the DER, as sent or stored.
    """

    der: bytes

    # By hand, since certificates are keys everywhere: the generated ones build a tuple of the fields each time.
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
        if len(der) > _LARGEST:
            raise CertificateError(f"A certificate of {len(der)} bytes is over the limit of {_LARGEST} bytes.")
        if not _is_one_sequence(der):
            raise CertificateError(f"These {len(der)} bytes are not a DER certificate (not one whole ASN.1 SEQUENCE).")
        return cls(bytes(der))

    @classmethod
    def from_pem(cls, pem: str | bytes) -> Certificate:
        """Return the only certificate in `pem`. Raises CertificateError when it holds none, several, or anything secret."""
        found = cls.all_from_pem(pem)
        if len(found) != 1:
            raise CertificateError(f"Expected one certificate, found {len(found)}.")
        return found[0]

    @classmethod
    def all_from_pem(cls, pem: str | bytes) -> tuple[Certificate, ...]:
        """Return every certificate in `pem`, in order; text between the blocks is skipped, as OpenSSL does.

        Raises:
            CertificateError: a block is not a certificate (a private key above all) or is broken. Names the block's number,
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

    def _say(self, read: Callable[[X509], _V], otherwise: _V) -> _V:
        """What `read` finds in the certificate as OpenSSL reads it; `otherwise` where it cannot read it at all."""
        try:
            handle = x509(openssl(), self.der)
        except Unreadable:
            return otherwise
        return read(handle)

    @cached_property
    def readable(self) -> bool:
        """OpenSSL can read it. Where it cannot, the facts below are empty."""
        return self._say(lambda _: True, otherwise=False)

    @cached_property
    def subject(self) -> str:
        """The subject as RFC 4514 text, control characters escaped; empty when it is empty or unreadable."""
        return self._say(lambda handle: str(handle.subject), "")

    @cached_property
    def issuer(self) -> str:
        """The issuer as RFC 4514 text."""
        return self._say(lambda handle: str(handle.issuer), "")

    @cached_property
    def common_name(self) -> str:
        """The first common name of the subject; empty when there is none."""
        return self._say(lambda handle: _text(handle.subject.common_name), "")

    @cached_property
    def issuer_common_name(self) -> str:
        """The first common name of the issuer; empty when there is none."""
        return self._say(lambda handle: _text(handle.issuer.common_name), "")

    @cached_property
    def san_dns(self) -> tuple[str, ...]:
        """The dNSNames of the subject alternative name, in order."""
        names: tuple[bytes, ...] = self._say(extensions.dns_names, ())
        return tuple(_text(name) for name in names)

    @cached_property
    def san_ip(self) -> tuple[str, ...]:
        """The IP addresses of the subject alternative name, as text, in order."""
        packed: tuple[bytes, ...] = self._say(extensions.ip_addresses, ())
        return tuple(str(ipaddress.ip_address(one)) for one in packed if len(one) in _IP_LENGTHS)

    @cached_property
    def extended_key_usages(self) -> tuple[str, ...] | None:
        """The purposes that it is restricted to, as dotted object identifiers; None where it is restricted to none."""
        return self._say(extensions.extended_key_usages, None)

    @cached_property
    def not_before(self) -> datetime | None:
        """First moment of validity, aware; None when it cannot be said (year 0 and the like)."""
        return self._say(lambda handle: handle.not_before, None)

    @cached_property
    def not_after(self) -> datetime | None:
        """End of validity, aware; OpenSSL holds the certificate expired at exactly this second."""
        return self._say(lambda handle: handle.not_after, None)

    @cached_property
    def serial(self) -> int | None:
        """The serial number."""
        return self._say(lambda handle: handle.serial, None)

    @cached_property
    def key_family(self) -> str:
        """``rsa``, ``ecdsa``, ``ed25519``, ``ed448``, ``dsa`` or ``unknown``."""
        return self._say(lambda handle: handle.key_family, "unknown")

    @cached_property
    def key_bits(self) -> int | None:
        """Size of an RSA, DSA or EC key in bits; None for others."""
        return self._say(lambda handle: handle.key_bits, None) if self.key_family in _SIZED_KEYS else None

    @cached_property
    def signature_hash(self) -> str:
        """``sha256``, ``sha1`` …; empty for signatures without a digest of their own."""
        return self._say(lambda handle: handle.signature_hash, "")

    @cached_property
    def subject_key_id(self) -> str | None:
        """Subject key identifier, hex."""
        identifier = self._say(extensions.subject_key_id, None)
        return identifier.hex() if identifier else None

    @cached_property
    def authority_key_id(self) -> str | None:
        """Key identifier of the authority key identifier, hex."""
        identifier = self._say(extensions.authority_key_id, None)
        return identifier.hex() if identifier else None

    @cached_property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name, as OpenSSL compares names."""
        return self._say(lambda handle: handle.subject.same_as(handle.issuer), otherwise=False)

    @cached_property
    def self_signed(self) -> bool:
        """Self-issued, and its signature verifies under its own key."""
        return self.self_issued and self._say(lambda handle: handle.signed(handle), otherwise=False)

    @cached_property
    def is_ca(self) -> bool:
        """Its basic constraints say CA:TRUE. (OpenSSL also accepts some roots without; see docs/verdict.md.)"""
        return self._say(extensions.is_ca, otherwise=False)

    def has_key_of(self, other: Certificate) -> bool:
        """Both hold one public key."""
        mine = self._say(lambda handle: handle.key_info, b"")
        return bool(mine) and mine == other._say(lambda handle: handle.key_info, b"")

    def named_as_issuer_of(self, other: Certificate) -> bool:
        """Its subject is what `other` names as its issuer, as OpenSSL compares names. An empty name names nobody."""

        def named(mine: X509, its: X509) -> bool:
            return len(mine.subject) > 0 and mine.subject.same_as(its.issuer)

        return self._say(lambda mine: other._say(lambda its: named(mine, its), otherwise=False), otherwise=False)

    def issued(self, other: Certificate) -> bool:
        """OpenSSL takes it for the issuer of `other`, and the signature of `other` is by its key."""

        def made(mine: X509, its: X509) -> bool:
            return mine.may_have_issued(its) and mine.signed(its)

        return self.named_as_issuer_of(other) and self._say(
            lambda mine: other._say(lambda its: made(mine, its), otherwise=False), otherwise=False
        )

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint[:19]}…, {self.subject!r})"


@dataclass(frozen=True, slots=True)
class PemBlock:
    """A PEM block in a text.

    Attributes:
        number: counted from 1.
        line: the line of its BEGIN, counted from 1.
    """

    number: int
    line: int
    label: str
    body: str

    def broken(self, why: str) -> CertificateError:
        """Return (not raise) the error that says `why` it cannot be read."""
        return CertificateError(f"PEM block {self.number} is broken (line {self.line}): {why}")

    def misplaced(self, what: str) -> str:
        """Return the sentence that says `what` stands here in a certificate's place."""
        return f"PEM block {self.number} is {what}, not a certificate (line {self.line})."

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
        raise block.broken(f"{error}.") from error


def pem_blocks(text: str) -> Iterator[PemBlock]:
    """Give every block in turn. Raises CertificateError where a block does not end before the next begins."""
    number, line, counted, begin = 1, 1, 0, text.find(_BEGIN)
    while begin >= 0:
        line, counted = line + text.count("\n", counted, begin), begin
        label, _, _ = text[begin + len(_BEGIN) : begin + len(_BEGIN) + _LONGEST_LABEL].partition(_DASHES)
        body = begin + len(_BEGIN) + len(label) + len(_DASHES)
        end_line = f"-----END {label}-----"
        end = text.find(end_line, body)
        following = text.find(_BEGIN, body)
        if not _LABEL.fullmatch(label) or end < 0 or 0 <= following < end:
            raise CertificateError(f"PEM block {number} has no matching END line (it begins in line {line}).")
        yield PemBlock(number, line, label, text[body:end])
        number, begin = number + 1, following


def _is_one_sequence(der: bytes) -> bool:
    """Whether `der` is one definite-length SEQUENCE with nothing behind it (X.690, 8.1)."""
    if len(der) < 4 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    octets = der[1] & 0x7F
    return 1 <= octets <= 4 and len(der) == 2 + octets + int.from_bytes(der[2 : 2 + octets], "big")


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="backslashreplace")
