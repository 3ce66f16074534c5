"""Which OpenSSL answers, and what happens where there is none."""

from __future__ import annotations

import ctypes.util

import pytest

from remediate import Certificate, RemediateError
from remediate.trust.libcrypto import appliance, first_of, modern
from remediate.trust.modern import refused_by_openssl_3
from remediate.trust.openssl import X509, Unreadable, common_name, dns_names, error_text, name_hashes
from tests.pki import NOW, issue

UNREADABLE = Certificate.from_der(b"\x30\x03\x02\x01\x01")


def test_1_1_1_answers_for_the_appliance_and_3_beside_it() -> None:
    other = modern()
    assert appliance().version.startswith("OpenSSL 1.1.1w")
    assert other is not None
    assert other.version.startswith("OpenSSL 3.")


def test_what_is_no_libcrypto_is_passed_over() -> None:
    libc = ctypes.util.find_library("c")
    assert libc
    assert first_of(["/no/such/file.so", libc, ctypes.util.find_library("crypto") or ""]).version.startswith("OpenSSL")
    with pytest.raises(RemediateError, match="No OpenSSL libcrypto"):
        first_of(["/no/such/file.so", libc])


def test_errors_have_openssls_own_words() -> None:
    assert error_text(20) == "unable to get local issuer certificate"


def test_what_openssl_cannot_read_has_no_names() -> None:
    with pytest.raises(Unreadable):
        X509(appliance(), UNREADABLE)
    assert dns_names(UNREADABLE) == ()
    assert common_name(UNREADABLE) is None
    assert name_hashes(UNREADABLE).subject == name_hashes(UNREADABLE).issuer == -1
    assert refused_by_openssl_3([UNREADABLE], [], NOW) == "it cannot read one of the certificates"


def test_a_certificate_without_a_common_name() -> None:
    nameless = issue(None).certificate
    assert common_name(nameless) is None
    assert name_hashes(nameless).subject == name_hashes(nameless).issuer
