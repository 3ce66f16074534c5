"""A certificate: its DER, its fingerprint, and what it says of itself for a person and for the planner.

What OpenSSL makes of it is asked of OpenSSL, in `remediate.trust`. Here a certificate that cannot be read further than its
frame (hostile, or broken in an extension) still has an identity; its facts are then empty, never invented.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from remediate.model.errors import CertificateError
from remediate.model.identity import Fingerprint
from remediate.model.limits import Limits

_T = TypeVar("_T", bound=x509.ExtensionType)
_V = TypeVar("_V")

_BEGIN = "-----BEGIN "
_DASHES = "-----"
_LONGEST_LABEL = 64
_LABEL = re.compile(r"[A-Z0-9 ]+")
# OpenSSL reads certificates under both labels (pem.h: PEM_STRING_X509, PEM_STRING_X509_OLD).
_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_LARGEST = Limits().max_certificate_bytes
_KEY_NAMES: tuple[tuple[type, str], ...] = (
    (rsa.RSAPublicKey, "rsa"),
    (ec.EllipticCurvePublicKey, "ecdsa"),
    (ed25519.Ed25519PublicKey, "ed25519"),
    (ed448.Ed448PublicKey, "ed448"),
    (dsa.DSAPublicKey, "dsa"),
)


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
        return tuple(cls._from_block(number, *block) for number, block in enumerate(_pem_blocks(text), start=1))

    @classmethod
    def _from_block(cls, number: int, label: str, body: str) -> Certificate:
        if label not in _LABELS:
            secret = " Remove it: a private key must never be in this file." if "PRIVATE KEY" in label else ""
            raise CertificateError(f"PEM block {number} is a {label}, not a certificate.{secret}")
        try:
            return cls.from_der(binascii.a2b_base64("".join(body.split()), strict_mode=True))
        except (binascii.Error, CertificateError) as error:
            raise CertificateError(f"PEM block {number} is broken: {error}") from error

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """``sha256:HEX`` of the DER."""
        return Fingerprint("sha256:" + hashlib.sha256(self.der).hexdigest())

    @cached_property
    def pem(self) -> str:
        """PEM with 64 columns and exactly one newline at the end."""
        body = "\n".join(textwrap.wrap(base64.b64encode(self.der).decode(), 64))
        return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"

    @cached_property
    def _parsed(self) -> x509.Certificate | None:
        return _quietly(lambda: x509.load_der_x509_certificate(self.der))

    def _say(self, read: Callable[[x509.Certificate], _V], otherwise: _V) -> _V:
        parsed = self._parsed
        answer = None if parsed is None else _quietly(lambda: read(parsed))
        return otherwise if answer is None else answer

    def _extension(self, kind: type[_T]) -> _T | None:
        return self._say(lambda parsed: parsed.extensions.get_extension_for_class(kind).value, None)

    @cached_property
    def subject(self) -> str:
        """The subject as RFC 4514 text; empty when it is empty or unreadable."""
        return self._say(lambda parsed: parsed.subject.rfc4514_string(), "")

    @cached_property
    def issuer(self) -> str:
        """The issuer as RFC 4514 text."""
        return self._say(lambda parsed: parsed.issuer.rfc4514_string(), "")

    @cached_property
    def common_name(self) -> str:
        """The first common name of the subject; empty when there is none."""
        return self._say(lambda parsed: _first_common_name(parsed.subject), "")

    @cached_property
    def issuer_common_name(self) -> str:
        """The first common name of the issuer; empty when there is none."""
        return self._say(lambda parsed: _first_common_name(parsed.issuer), "")

    @cached_property
    def san_dns(self) -> tuple[str, ...]:
        """The dNSNames of the subject alternative name, in order."""
        san = self._extension(x509.SubjectAlternativeName)
        return tuple(san.get_values_for_type(x509.DNSName)) if san else ()

    @cached_property
    def san_ip(self) -> tuple[str, ...]:
        """The IP addresses of the subject alternative name, as text, in order."""
        san = self._extension(x509.SubjectAlternativeName)
        return tuple(str(address) for address in san.get_values_for_type(x509.IPAddress)) if san else ()

    @cached_property
    def not_before(self) -> datetime | None:
        """First moment of validity, aware; None when it cannot be said (year 0 and the like)."""
        return self._say(lambda parsed: parsed.not_valid_before_utc, None)

    @cached_property
    def not_after(self) -> datetime | None:
        """End of validity, aware; OpenSSL holds the certificate expired at exactly this second."""
        return self._say(lambda parsed: parsed.not_valid_after_utc, None)

    @cached_property
    def serial(self) -> int | None:
        """The serial number."""
        return self._say(lambda parsed: parsed.serial_number, None)

    @cached_property
    def key_family(self) -> str:
        """``rsa``, ``ecdsa``, ``ed25519``, ``ed448``, ``dsa`` or ``unknown``."""
        key = self._say(lambda parsed: parsed.public_key(), None)
        return next((name for kind, name in _KEY_NAMES if isinstance(key, kind)), "unknown")

    @cached_property
    def key_bits(self) -> int | None:
        """Size of an RSA, DSA or EC key in bits; None for others."""
        key = self._say(lambda parsed: parsed.public_key(), None)
        return key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey) else None

    @cached_property
    def signature_hash(self) -> str:
        """``sha256``, ``sha1`` …; empty for signatures without a digest of their own."""
        algorithm = self._say(lambda parsed: parsed.signature_hash_algorithm, None)
        return algorithm.name if algorithm else ""

    @cached_property
    def subject_key_id(self) -> str | None:
        """Subject key identifier, hex."""
        extension = self._extension(x509.SubjectKeyIdentifier)
        return extension.digest.hex() if extension else None

    @cached_property
    def authority_key_id(self) -> str | None:
        """Key identifier of the authority key identifier, hex."""
        extension = self._extension(x509.AuthorityKeyIdentifier)
        return extension.key_identifier.hex() if extension and extension.key_identifier else None

    @cached_property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self._say(lambda parsed: parsed.subject == parsed.issuer, otherwise=False)

    @cached_property
    def self_signed(self) -> bool:
        """Self-issued, and its signature verifies under its own key."""
        return self.self_issued and self._say(_signed_by_itself, otherwise=False)

    @cached_property
    def is_ca(self) -> bool:
        """Its basic constraints say CA:TRUE. (OpenSSL also accepts some roots without; see docs/verdict.md.)"""
        extension = self._extension(x509.BasicConstraints)
        return bool(extension and extension.ca)

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint[:19]}…, {self.subject!r})"


def _pem_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Give label and body of every block. Raises CertificateError where a block does not end before the next begins."""
    number, begin = 1, text.find(_BEGIN)
    while begin >= 0:
        label, _, _ = text[begin + len(_BEGIN) : begin + len(_BEGIN) + _LONGEST_LABEL].partition(_DASHES)
        body = begin + len(_BEGIN) + len(label) + len(_DASHES)
        end_line = f"-----END {label}-----"
        end = text.find(end_line, body)
        following = text.find(_BEGIN, body)
        if not _LABEL.fullmatch(label) or end < 0 or 0 <= following < end:
            raise CertificateError(f"PEM block {number} has no matching END line.")
        yield label, text[body:end]
        number, begin = number + 1, following


def _is_one_sequence(der: bytes) -> bool:
    """Whether `der` is one definite-length SEQUENCE with nothing behind it (X.690, 8.1)."""
    if len(der) < 4 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    octets = der[1] & 0x7F
    return 1 <= octets <= 4 and len(der) == 2 + octets + int.from_bytes(der[2 : 2 + octets], "big")


def _quietly(read: Callable[[], _V]) -> _V | None:
    """What `read` gives, or None where the certificate does not allow an answer; without the library's warnings about it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except (
        ValueError,
        TypeError,
        OverflowError,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        return None
    except Exception as error:
        # cryptography raises UnsupportedAlgorithm and friends for keys it does not know; they derive straight from Exception.
        if type(error).__module__.startswith("cryptography"):
            return None
        raise


def _first_common_name(name: x509.Name) -> str:
    values = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(values[0].value) if values else ""


def _signed_by_itself(parsed: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        parsed.verify_directly_issued_by(parsed)
    except InvalidSignature:
        return False
    return True
