"""The X.509 certificate as OpenSSL parses it, field by field.

OpenSSL reads what stricter readers refuse whole (an underscore in a PrintableString is common), and the verdict rests on what it
reads. So the facts are read by it too, and a field that it cannot read leaves the others as they are.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_void_p
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from remediate.openssl.libcrypto import Libcrypto

_NID_UNDEFINED: Final = 0
_NID_COMMON_NAME: Final = 13
_NEGATIVE: Final = 0x100  # asn1.h: V_ASN1_NEG
_CHECK_ISSUED_OK: Final = 0  # X509_V_OK
# asn1.h, x509.h: RFC 4514 text in UTF-8 with control characters escaped, short names, what is unknown as a hex dump.
_ESCAPED_2253, _ESCAPED_CONTROLS, _UTF8, _DUMP_UNKNOWN, _DUMP_DER = 0x1, 0x2, 0x10, 0x100, 0x200
_COMMA_PLUS, _LAST_FIRST, _DUMP_UNKNOWN_FIELDS = 1 << 16, 1 << 20, 1 << 24
_RFC_4514: Final = (
    (_ESCAPED_2253 | _ESCAPED_CONTROLS | _UTF8 | _DUMP_UNKNOWN | _DUMP_DER) | _COMMA_PLUS | _LAST_FIRST | _DUMP_UNKNOWN_FIELDS
)
_LARGER_THAN_A_TM: Final = 32
_FIRST_TM_YEAR: Final = 1900
_KEY_FAMILIES: Final = {6: "rsa", 912: "rsa", 408: "ecdsa", 1087: "ed25519", 1088: "ed448", 116: "dsa"}  # by NID; 912: RSA-PSS


class Unreadable(ValueError):
    """A certificate that OpenSSL cannot parse, named by its fingerprint. A TLS stack gives up on a chain that holds it."""


class X509:
    """A certificate as one OpenSSL parsed it. Freed with this object."""

    def __init__(self, openssl: Libcrypto, der: bytes) -> None:
        """Parse it. Raises Unreadable."""
        self.lib = openssl.lib
        pointer = self.lib.d2i_X509(None, ctypes.byref(c_char_p(der)), len(der))
        if not pointer:
            self.lib.ERR_clear_error()
            raise Unreadable("sha256:" + hashlib.sha256(der).hexdigest())
        self.pointer: int = pointer

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self.lib.X509_free(self.pointer)

    @property
    def subject(self) -> Name:
        """The subject."""
        return Name(self, self.lib.X509_get_subject_name(self.pointer))

    @property
    def issuer(self) -> Name:
        """The issuer's name."""
        return Name(self, self.lib.X509_get_issuer_name(self.pointer))

    @property
    def not_before(self) -> datetime | None:
        """First moment of validity; None where it is no time, or none that Python has."""
        return self._moment(self.lib.X509_get0_notBefore(self.pointer))

    @property
    def not_after(self) -> datetime | None:
        """End of validity; None where it is no time, or none that Python has."""
        return self._moment(self.lib.X509_get0_notAfter(self.pointer))

    def _moment(self, time: int) -> datetime | None:
        broken_down = (c_int * _LARGER_THAN_A_TM)()
        if not self.lib.ASN1_TIME_to_tm(time, broken_down):
            self.lib.ERR_clear_error()
            return None
        second, minute, hour, day, month, year = broken_down[:6]
        try:
            return datetime(_FIRST_TM_YEAR + year, month + 1, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None

    @property
    def serial(self) -> int:
        """The serial number."""
        number = self.lib.X509_get0_serialNumber(self.pointer)
        value = int.from_bytes(string_bytes(self.lib, number), "big")
        return -value if self.lib.ASN1_STRING_type(number) & _NEGATIVE else value

    @property
    def key_family(self) -> str:
        """``rsa``, ``ecdsa``, ``ed25519``, ``ed448``, ``dsa`` or ``unknown``."""
        key = self._key()
        # A key that OpenSSL 3.x cannot read whole (DSA without parameters, SM2) still names its algorithm.
        kind = (self.lib.EVP_PKEY_base_id(key) if key else _NID_UNDEFINED) or self._key_algorithm()
        return _KEY_FAMILIES.get(kind, "unknown")

    @property
    def key_bits(self) -> int | None:
        """Size of the key in bits; None where it is not understood, or is without parameters."""
        key = self._key()
        # A DSA key may leave its parameters to those of its issuer (RFC 3279, 2.3.2): 1.1.1 reads the size of such a key through a
        # null pointer (openssl pull request 13611).
        if not key or self.lib.EVP_PKEY_missing_parameters(key):
            return None
        size = int(self.lib.EVP_PKEY_bits(key))
        return size if size > 0 else None

    @property
    def key_info(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        return encode_der(self.lib, self.lib.i2d_X509_PUBKEY, self.lib.X509_get_X509_PUBKEY(self.pointer))

    def _key_algorithm(self) -> int:
        """Return the NID of the algorithm in the SubjectPublicKeyInfo; 0 where it is none that OpenSSL knows."""
        algorithm = c_void_p()
        info = self.lib.X509_get_X509_PUBKEY(self.pointer)
        if not info or not self.lib.X509_PUBKEY_get0_param(ctypes.byref(algorithm), None, None, None, info):
            return _NID_UNDEFINED
        return int(self.lib.OBJ_obj2nid(algorithm)) if algorithm.value else _NID_UNDEFINED

    def _key(self) -> int | None:
        key: int | None = self.lib.X509_get0_pubkey(self.pointer)
        if not key:
            self.lib.ERR_clear_error()
        return key

    def may_have_issued(self, other: X509) -> bool:
        """Return whether OpenSSL could take this one for the issuer of `other` while it builds a chain: names, key ids, key usage."""
        return bool(self.lib.X509_check_issued(self.pointer, other.pointer) == _CHECK_ISSUED_OK)

    def has_signed(self, other: X509) -> bool:
        """Return whether the signature of `other` verifies under the key of this one."""
        key = self._key()
        good = bool(key) and self.lib.X509_verify(other.pointer, key) == 1
        self.lib.ERR_clear_error()
        return good


class Name:
    """A subject or an issuer."""

    def __init__(self, holder: X509, pointer: int) -> None:
        """`pointer` is inside `holder`, which this keeps alive."""
        self._holder, self._lib, self._pointer = holder, holder.lib, pointer

    def same_as(self, other: Name) -> bool:
        """Return whether OpenSSL takes them for one name: case, blanks and string types do not count."""
        return bool(self._lib.X509_NAME_cmp(self._pointer, other._pointer) == 0)

    def __len__(self) -> int:
        """Return how many attributes it has; an empty name names no one."""
        return int(self._lib.X509_NAME_entry_count(self._pointer))

    def __str__(self) -> str:
        """RFC 4514 text, the most specific first; control characters are escaped in it."""
        output = self._lib.BIO_new(self._lib.BIO_s_mem())
        try:
            self._lib.X509_NAME_print_ex(output, self._pointer, 0, _RFC_4514)
            self._lib.ERR_clear_error()
            length = self._lib.BIO_ctrl_pending(output)
            text = ctypes.create_string_buffer(length)
            self._lib.BIO_read(output, text, length)
            return text.raw.decode(errors="backslashreplace")
        finally:
            self._lib.BIO_free(output)

    @property
    def common_name(self) -> bytes | None:
        """The first common name in UTF-8; None where there is none, or one that is no text."""
        position = self._lib.X509_NAME_get_index_by_NID(self._pointer, _NID_COMMON_NAME, -1)
        if position < 0:
            return None
        text = c_void_p()
        value = self._lib.X509_NAME_ENTRY_get_data(self._lib.X509_NAME_get_entry(self._pointer, position))
        length = self._lib.ASN1_STRING_to_UTF8(ctypes.byref(text), value)
        if length < 0:
            self._lib.ERR_clear_error()
            return None
        try:
            return ctypes.string_at(text, length) if text.value else b""
        finally:
            self._lib.CRYPTO_free(text, None, 0)


@lru_cache(maxsize=65_536)
def x509(openssl: Libcrypto, der: bytes) -> X509:
    """Return `der` parsed by `openssl`; parsed once however often it is used. Raises Unreadable."""
    return X509(openssl, der)


def string_bytes(lib: ctypes.CDLL, string: int) -> bytes:
    """Return what the ASN1_STRING at `string` holds."""
    data, length = lib.ASN1_STRING_get0_data(string), lib.ASN1_STRING_length(string)
    return ctypes.string_at(data, length) if data and length > 0 else b""


def encode_der(lib: ctypes.CDLL, encode: Callable[[int, object], int], value: int) -> bytes:
    """Return the DER that `encode`, an ``i2d`` function, makes of `value`; nothing where it cannot."""
    output = c_void_p()
    length = encode(value, ctypes.byref(output)) if value else 0
    if length <= 0 or not output.value:
        lib.ERR_clear_error()
        return b""
    try:
        return ctypes.string_at(output, length)
    finally:
        lib.CRYPTO_free(output, None, 0)
