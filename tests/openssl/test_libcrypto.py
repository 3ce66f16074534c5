"""The OpenSSL library that answers, and a machine without one."""

from __future__ import annotations

import ctypes.util

import pytest

from remediate.openssl.libcrypto import NoLibraryError, first_of


def test_what_is_no_libcrypto_is_passed_over() -> None:
    libc = ctypes.util.find_library("c")
    assert libc
    assert first_of(["/no/such/file.so", libc, ctypes.util.find_library("crypto") or ""]).version.startswith("OpenSSL")
    with pytest.raises(NoLibraryError):
        first_of(["/no/such/file.so", libc])
