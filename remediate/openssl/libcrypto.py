"""The library: the libcrypto of this Python, and the few of its functions that are called.

A certificate's facts and its verdict come from one and the same library, so that they never tell two stories. The appliance runs
OpenSSL 1.1.1; `openssl111` makes the answers of a 3.x those of 1.1.1 (docs/decisions/0003-openssl.md has the numbers).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import sys
from collections.abc import Iterable
from ctypes import POINTER, c_char_p, c_int, c_long, c_size_t, c_uint32, c_ulong, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# These keep their signatures from 1.1.1 to 4.0, and their names but for those in _RENAMED; types are (result, arguments).
_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "OpenSSL_version": (c_char_p, [c_int]),
    "OpenSSL_version_num": (c_ulong, []),
    "ERR_clear_error": (None, []),
    "CRYPTO_free": (None, [c_void_p, c_char_p, c_int]),
    "d2i_X509": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "X509_free": (None, [c_void_p]),
    "X509_get_subject_name": (c_void_p, [c_void_p]),
    "X509_get_issuer_name": (c_void_p, [c_void_p]),
    "X509_get0_notBefore": (c_void_p, [c_void_p]),
    "X509_get0_notAfter": (c_void_p, [c_void_p]),
    "X509_get0_serialNumber": (c_void_p, [c_void_p]),
    "X509_get0_pubkey": (c_void_p, [c_void_p]),
    "X509_get_signature_info": (c_int, [c_void_p, POINTER(c_int), POINTER(c_int), POINTER(c_int), POINTER(c_uint32)]),
    "X509_check_issued": (c_int, [c_void_p, c_void_p]),
    "X509_verify": (c_int, [c_void_p, c_void_p]),
    "EVP_PKEY_base_id": (c_int, [c_void_p]),
    "EVP_PKEY_bits": (c_int, [c_void_p]),
    "EVP_PKEY_missing_parameters": (c_int, [c_void_p]),
    "d2i_PKCS7": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "X509_get_X509_PUBKEY": (c_void_p, [c_void_p]),
    "i2d_X509_PUBKEY": (c_int, [c_void_p, POINTER(c_void_p)]),
    "i2d_X509": (c_int, [c_void_p, POINTER(c_void_p)]),
    "OBJ_obj2nid": (c_int, [c_void_p]),
    "PKCS7_free": (None, [c_void_p]),
    "X509_PUBKEY_get0_param": (c_int, [POINTER(c_void_p), c_void_p, c_void_p, c_void_p, c_void_p]),
    "X509_subject_name_hash": (c_ulong, [c_void_p]),
    "X509_issuer_name_hash": (c_ulong, [c_void_p]),
    "X509_get_ext_d2i": (c_void_p, [c_void_p, c_int, c_void_p, c_void_p]),
    "X509_NAME_cmp": (c_int, [c_void_p, c_void_p]),
    "X509_NAME_entry_count": (c_int, [c_void_p]),
    "X509_NAME_print_ex": (c_int, [c_void_p, c_void_p, c_int, c_ulong]),
    "X509_NAME_get_index_by_NID": (c_int, [c_void_p, c_int, c_int]),
    "X509_NAME_get_entry": (c_void_p, [c_void_p, c_int]),
    "X509_NAME_ENTRY_get_data": (c_void_p, [c_void_p]),
    "ASN1_STRING_to_UTF8": (c_int, [POINTER(c_void_p), c_void_p]),
    "ASN1_STRING_get0_data": (c_void_p, [c_void_p]),
    "ASN1_STRING_length": (c_int, [c_void_p]),
    "ASN1_STRING_type": (c_int, [c_void_p]),
    "ASN1_TIME_to_tm": (c_int, [c_void_p, c_void_p]),
    "BASIC_CONSTRAINTS_free": (None, [c_void_p]),
    "BIO_s_mem": (c_void_p, []),
    "BIO_new": (c_void_p, [c_void_p]),
    "BIO_free": (c_int, [c_void_p]),
    "BIO_ctrl_pending": (c_size_t, [c_void_p]),
    "BIO_read": (c_int, [c_void_p, c_void_p, c_int]),
    "AUTHORITY_INFO_ACCESS_free": (None, [c_void_p]),
    "EXTENDED_KEY_USAGE_free": (None, [c_void_p]),
    "GENERAL_NAMES_free": (None, [c_void_p]),
    "OBJ_obj2txt": (c_int, [c_void_p, c_int, c_void_p, c_int]),
    "OPENSSL_sk_new_null": (c_void_p, []),
    "OPENSSL_sk_push": (c_int, [c_void_p, c_void_p]),
    "OPENSSL_sk_num": (c_int, [c_void_p]),
    "OPENSSL_sk_value": (c_void_p, [c_void_p, c_int]),
    "OPENSSL_sk_free": (None, [c_void_p]),
    "X509_STORE_new": (c_void_p, []),
    "X509_STORE_free": (None, [c_void_p]),
    "X509_STORE_add_cert": (c_int, [c_void_p, c_void_p]),
    "X509_STORE_get0_param": (c_void_p, [c_void_p]),
    "X509_STORE_CTX_new": (c_void_p, []),
    "X509_STORE_CTX_free": (None, [c_void_p]),
    "X509_STORE_CTX_init": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "X509_STORE_CTX_set_time": (None, [c_void_p, c_ulong, ctypes.c_int64]),
    "X509_STORE_CTX_get_error": (c_int, [c_void_p]),
    "X509_STORE_CTX_get_error_depth": (c_int, [c_void_p]),
    "X509_STORE_CTX_get0_chain": (c_void_p, [c_void_p]),
    "X509_STORE_CTX_set_verify_cb": (None, [c_void_p, c_void_p]),
    "X509_VERIFY_PARAM_set_auth_level": (None, [c_void_p, c_int]),
    "X509_VERIFY_PARAM_set_depth": (None, [c_void_p, c_int]),
    "X509_VERIFY_PARAM_set_flags": (c_int, [c_void_p, c_ulong]),
    "X509_VERIFY_PARAM_set_purpose": (c_int, [c_void_p, c_int]),
    "X509_VERIFY_PARAM_set_trust": (c_int, [c_void_p, c_int]),
    "X509_verify_cert": (c_int, [c_void_p]),
    "X509_verify_cert_error_string": (c_char_p, [c_long]),
    "X509_get_signature_nid": (c_int, [c_void_p]),
    "X509_get_extension_flags": (c_uint32, [c_void_p]),
    "X509_get_pathlen": (c_long, [c_void_p]),
    "X509_get_ext_by_NID": (c_int, [c_void_p, c_int, c_int]),
    "X509_get_ext": (c_void_p, [c_void_p, c_int]),
    "X509_EXTENSION_get_critical": (c_int, [c_void_p]),
    "X509_cmp_time": (c_int, [c_void_p, POINTER(c_long)]),
    "X509_up_ref": (c_int, [c_void_p]),
    "X509_STORE_set_get_issuer": (None, [c_void_p, c_void_p]),
    "X509_STORE_set_check_issued": (None, [c_void_p, c_void_p]),
}

_ONLY_IN_3: dict[str, tuple[object, list[object]]] = {"EVP_PKEY_is_a": (c_int, [c_void_p, c_char_p])}

_RENAMED = {"EVP_PKEY_base_id": "EVP_PKEY_get_base_id", "EVP_PKEY_bits": "EVP_PKEY_get_bits"}
"""What 3.x calls by another name; its headers define the old one as a macro."""

_VERSION_3 = 0x3000_0000
_DLOPEN_MODE = getattr(os, "RTLD_LOCAL", 0) | getattr(os, "RTLD_NOW", 0)  # Windows has neither
_OWN_NAME = r"[/\\]libcrypto[.-](so\.)?{major}(-x64)?(\.dylib|\.dll)?$"
"""File name of a libcrypto of the interpreter's own version, on each system."""


@dataclass(frozen=True, eq=False)
class Libcrypto:
    """A loaded libcrypto. Two are the same only when they are the same object.

    Attributes:
        lib: Its functions, typed.
        version: Such as ``OpenSSL 1.1.1w  11 Sep 2023``.
        is_3_or_later: Its answers have to be corrected to those of 1.1.1 (`openssl111`).
    """

    lib: ctypes.CDLL
    version: str
    is_3_or_later: bool

    def error_text(self, code: int) -> str:
        """Return the library's own text for ``X509_V_ERR_*`` `code`."""
        return str(self.lib.X509_verify_cert_error_string(code).decode(errors="replace"))


@cache
def default_libcrypto() -> Libcrypto:
    """Return the libcrypto that this Python's own ``ssl`` module uses.

    Raises:
        NoLibraryError: This machine has no libcrypto that can be loaded.
    """
    return first_of(_paths_of_the_interpreter())


class NoLibraryError(Exception):
    """No OpenSSL libcrypto can be loaded on this machine."""


def first_of(paths: Iterable[str]) -> Libcrypto:
    """Return the first of `paths` that is a libcrypto.

    Raises:
        NoLibraryError: None of them is.
    """
    for path in paths:
        openssl = load(path)
        if openssl is not None:
            return openssl
    raise NoLibraryError


def _paths_of_the_interpreter() -> list[str]:
    """Return paths of the libcrypto that Python's own ``ssl`` uses: mapped into this process first, then by its versioned name."""
    import ssl

    major = ssl.OPENSSL_VERSION_INFO[0]
    mapped = [path for path in _mapped_libraries() if re.search(_OWN_NAME.format(major=major), path)]
    # Never an unversioned name on macOS: the system aborts a process that loads its own libcrypto.
    versioned = [f"libcrypto.so.{major}", f"libcrypto.{major}.dylib", f"libcrypto-{major}-x64.dll", f"libcrypto-{major}.dll"]
    by_system = ctypes.util.find_library("crypto") if sys.platform.startswith("linux") else None
    return list(dict.fromkeys([*mapped, *versioned, *([by_system] if by_system else [])]))


def _mapped_libraries() -> list[str]:
    """Return the paths of the libraries that are loaded into this process; none where the system does not tell."""
    if sys.platform == "darwin":
        system = ctypes.CDLL("/usr/lib/libSystem.B.dylib")
        image_count, image_name = getattr(system, "_dyld_image_count"), getattr(system, "_dyld_get_image_name")  # noqa: B009
        image_name.restype = c_char_p
        return [os.fsdecode(image_name(number)) for number in range(image_count())]
    maps = Path("/proc/self/maps")
    return [line.split()[-1] for line in maps.read_text().splitlines() if "/" in line] if maps.exists() else []


def load(path: str) -> Libcrypto | None:
    """Return the libcrypto at `path`; None where it is none, or lacks a function that is needed."""
    try:
        lib = ctypes.CDLL(path, mode=_DLOPEN_MODE)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(lib, name if name not in _RENAMED or hasattr(lib, name) else _RENAMED[name])
            setattr(lib, name, function)
            function.restype, function.argtypes = result, arguments
        for name, (result, arguments) in _ONLY_IN_3.items():
            if hasattr(lib, name):
                function = getattr(lib, name)
                function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return Libcrypto(lib, lib.OpenSSL_version(0).decode(), is_3_or_later=lib.OpenSSL_version_num() >= _VERSION_3)
