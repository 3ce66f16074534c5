"""The few extensions of a certificate that matter here, as OpenSSL reads them: one that it cannot read, or finds twice, is absent."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from ctypes import c_int, c_void_p
from typing import Final, TypeVar

from remediate.openssl.x509 import X509, string_bytes

_V = TypeVar("_V")

# obj_mac.h, x509v3.h
_SUBJECT_ALT_NAME: Final = 85
_BASIC_CONSTRAINTS: Final = 87
_EXTENDED_KEY_USAGE: Final = 126
_AUTHORITY_INFORMATION_ACCESS: Final = 177
_CA_ISSUERS: Final = b"1.3.6.1.5.5.7.48.2"
_GEN_DNS: Final = 2
_GEN_URI: Final = 6
_GEN_IP: Final = 7
_LONGEST_OID: Final = 128
_MOST_USAGES: Final = 32
_MOST_DESCRIPTIONS: Final = 32


class _GeneralName(ctypes.Structure):
    _fields_ = [("type", c_int), ("value", c_void_p)]


class _AccessDescription(ctypes.Structure):
    _fields_ = [("method", c_void_p), ("location", c_void_p)]


class _BasicConstraints(ctypes.Structure):
    _fields_ = [("ca", c_int), ("path_length", c_void_p)]


def dns_names(handle: X509) -> tuple[bytes, ...]:
    """Return the dNSNames of the subject alternative name, in order."""
    return _alternative_names(handle, _GEN_DNS)


def ip_addresses(handle: X509) -> tuple[bytes, ...]:
    """Return the IP addresses of the subject alternative name, packed, in order."""
    return _alternative_names(handle, _GEN_IP)


def _alternative_names(handle: X509, kind: int) -> tuple[bytes, ...]:
    lib = handle.lib

    def names(stack: int) -> Iterator[bytes]:
        for position in range(lib.OPENSSL_sk_num(stack)):
            name = _GeneralName.from_address(lib.OPENSSL_sk_value(stack, position))
            if name.type == kind:
                yield string_bytes(lib, name.value)

    return _read(handle, _SUBJECT_ALT_NAME, lambda stack: tuple(names(stack)), lib.GENERAL_NAMES_free) or ()


def is_ca(handle: X509) -> bool:
    """Return whether the basic constraints hold CA:TRUE."""
    free = handle.lib.BASIC_CONSTRAINTS_free
    return bool(_read(handle, _BASIC_CONSTRAINTS, lambda value: _BasicConstraints.from_address(value).ca, free))


def extended_key_usages(handle: X509) -> tuple[str, ...] | None:
    """Return the object identifiers of the extended key usage, dotted, at most 32; None where there is no such extension."""
    lib = handle.lib

    def usages(stack: int) -> Iterator[str]:
        text = ctypes.create_string_buffer(_LONGEST_OID)
        for position in range(min(lib.OPENSSL_sk_num(stack), _MOST_USAGES)):
            if lib.OBJ_obj2txt(text, _LONGEST_OID, lib.OPENSSL_sk_value(stack, position), 1) > 0:
                yield text.value.decode("ascii", errors="replace")

    return _read(handle, _EXTENDED_KEY_USAGE, lambda stack: tuple(usages(stack)), lib.EXTENDED_KEY_USAGE_free)


def issuer_addresses(handle: X509) -> tuple[bytes, ...]:
    """Return where the issuer's certificate can be fetched (RFC 5280, 4.2.2.1: caIssuers), in order; of 32 entries at most."""
    lib = handle.lib

    def addresses(stack: int) -> Iterator[bytes]:
        text = ctypes.create_string_buffer(_LONGEST_OID)
        for position in range(min(lib.OPENSSL_sk_num(stack), _MOST_DESCRIPTIONS)):
            description = _AccessDescription.from_address(lib.OPENSSL_sk_value(stack, position))
            name = _GeneralName.from_address(description.location)
            if (
                name.type == _GEN_URI
                and lib.OBJ_obj2txt(text, _LONGEST_OID, description.method, 1) > 0
                and text.value == _CA_ISSUERS
            ):
                yield string_bytes(lib, name.value)

    return (
        _read(handle, _AUTHORITY_INFORMATION_ACCESS, lambda stack: tuple(addresses(stack)), lib.AUTHORITY_INFO_ACCESS_free)
        or ()
    )


def _read(handle: X509, nid: int, read: Callable[[int], _V], free: Callable[[int], None]) -> _V | None:
    value = handle.lib.X509_get_ext_d2i(handle.pointer, nid, None, None)
    if not value:
        handle.lib.ERR_clear_error()
        return None
    try:
        return read(value)
    finally:
        free(value)
