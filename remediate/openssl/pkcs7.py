"""PKCS#7 (RFC 2315): the certificates of a signed message, which is how Windows CAs hand out a chain (``certnew.p7b``).

OpenSSL reads it, not a parser of ours, and not cryptography, which refuses the whole file for one letter that a string type does
not allow (docs/decisions/0002-dependencies.md). Each level of the structure may be absent in a hostile file, so none is followed
before it is looked at.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_long, c_void_p
from typing import Final

from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.x509 import encode_der

_NID_SIGNED: Final = 22  # obj_mac.h: NID_pkcs7_signed
_OID_SIGNED: Final = bytes.fromhex("06092a864886f70d010702")
_OID_WITHIN: Final = 24
"""Behind a SEQUENCE header of at most six bytes the type comes first; a BER writer pads nothing."""


class _Pkcs7(ctypes.Structure):
    """pkcs7.h: PKCS7, as far as 1.1.1 and 4.0 agree on it."""

    _fields_ = [
        ("der", c_void_p),
        ("length", c_long),
        ("state", c_int),
        ("detached", c_int),
        ("type", c_void_p),
        ("content", c_void_p),
    ]


class _SignedData(ctypes.Structure):
    """pkcs7.h: PKCS7_SIGNED, as far as it is needed."""

    _fields_ = [("version", c_void_p), ("digests", c_void_p), ("certificates", c_void_p)]


def is_signed_data(content: bytes) -> bool:
    """Whether `content` begins as PKCS#7 signed data does, DER or BER."""
    return content[:1] == b"\x30" and _OID_SIGNED in content[:_OID_WITHIN]


def certificates_of(openssl: Libcrypto, content: bytes) -> tuple[bytes, ...] | None:
    """Return the DER of each certificate in the signed data `content`, in its order; None where OpenSSL cannot read it."""
    lib = openssl.lib
    pointer = lib.d2i_PKCS7(None, ctypes.byref(c_char_p(content)), len(content))
    lib.ERR_clear_error()
    if not pointer:
        return None
    try:
        message = _Pkcs7.from_address(pointer)
        if not message.type or lib.OBJ_obj2nid(message.type) != _NID_SIGNED or not message.content:
            return None
        stack = _SignedData.from_address(message.content).certificates
        count = lib.OPENSSL_sk_num(stack) if stack else 0
        return tuple(encode_der(lib, lib.i2d_X509, lib.OPENSSL_sk_value(stack, position)) for position in range(count))
    finally:
        lib.PKCS7_free(pointer)
