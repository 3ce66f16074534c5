"""The OpenSSL library that answers, and a machine without one."""

from __future__ import annotations

import ctypes.util
import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate import Certificate
from remediate.model.library import openssl
from remediate.openssl import extensions
from remediate.openssl.libcrypto import Libcrypto, NoLibraryError, first_of
from remediate.openssl.openssl111 import IssuerChoice
from remediate.openssl.selftest import failed_self_tests
from remediate.openssl.trust_store import TrustStore
from remediate.openssl.x509 import X509, Unreadable
from remediate.trust.openssl import common_name, dns_names, error_text, name_hashes
from remediate.trust.openssl3 import openssl_3_refusal
from remediate.trust.underlying_fault import leaf_can_pass
from tests.der import called, certificate
from tests.libraries import openssl_35, openssl_111
from tests.pki import NOW, issue

UNREADABLE = Certificate.from_der(b"\x30\x03\x02\x01\x01")


def test_the_librarys_version_is_that_of_pythons_ssl() -> None:
    assert openssl().version.startswith("OpenSSL 3.")
    assert openssl().version.split()[1] == ssl.OPENSSL_VERSION.split()[1]


def test_what_is_no_libcrypto_is_passed_over() -> None:
    libc = ctypes.util.find_library("c")
    assert libc
    assert first_of(["/no/such/file.so", libc, ctypes.util.find_library("crypto") or ""]).version.startswith("OpenSSL")
    with pytest.raises(NoLibraryError):
        first_of(["/no/such/file.so", libc])


def test_the_self_test_names_what_a_library_gets_wrong() -> None:
    # Given this Python's library, taken for a 1.1.1: nothing is corrected then, and 3.x differs from 1.1.1
    uncorrected = replace(openssl(), is_3_or_later=False)
    assert {"a SHA-1 signature", "explicit EC parameters", "an issuer that is no CA"} <= set(failed_self_tests(uncorrected))
    assert failed_self_tests(openssl()) == ()


def test_an_interrupt_inside_a_callback_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given two issuers of one name, so that the choice is made in a callback, and Ctrl-C at that moment
    def interrupted(*_arguments: object) -> int:
        raise KeyboardInterrupt

    twins = [issue("Twin", ca=True, key_name=number) for number in ("one", "two")]
    leaf = issue("leaf.test", twins[1]).certificate
    store = TrustStore(openssl(), [twin.certificate.der for twin in twins])
    monkeypatch.setattr(IssuerChoice, "_pick", interrupted)
    # Then it is raised, instead of reading as an issuer that was not found
    with pytest.raises(KeyboardInterrupt):
        store.verify([leaf.der], int(NOW.timestamp()))


def test_errors_have_openssls_own_words() -> None:
    assert error_text(20) == "unable to get local issuer certificate"


def test_what_openssl_cannot_read_has_no_names() -> None:
    with pytest.raises(Unreadable):
        X509(openssl(), UNREADABLE.der)
    assert dns_names(UNREADABLE) == ()
    assert common_name(UNREADABLE) is None
    assert name_hashes(UNREADABLE).subject == name_hashes(UNREADABLE).issuer == -1
    assert leaf_can_pass(UNREADABLE, NOW)
    assert openssl_3_refusal([UNREADABLE], [], NOW) == "it cannot read one of the certificates"


def test_a_certificate_that_is_for_something_else_can_pass_nowhere() -> None:
    for usage, passes in ((ExtendedKeyUsageOID.SERVER_AUTH, True), (ExtendedKeyUsageOID.CLIENT_AUTH, False)):
        leaf = issue("leaf.test", issue("Root", ca=True), names=("leaf.test",), usage=(usage,)).certificate
        assert leaf_can_pass(leaf, NOW) is passes


def test_a_certificate_without_a_common_name() -> None:
    nameless = issue(None).certificate
    assert common_name(nameless) is None
    assert name_hashes(nameless).subject == name_hashes(nameless).issuer


@pytest.mark.parametrize("library", [openssl_35, openssl_111], ids=["3.5", "1.1.1w"])
def test_every_library_reads_the_same_facts(library: Callable[[], Libcrypto]) -> None:
    for source in (issue("leaf.test", issue("Root", ca=True), names=("a.test",)).certificate, certificate(called("a_b"))):
        handle = X509(library(), source.der)
        assert (str(handle.subject), str(handle.issuer)) == (source.subject, source.issuer)
        assert (handle.not_before, handle.not_after, handle.serial) == (source.not_before, source.not_after, source.serial)
        assert (handle.key_family, handle.key_bits, handle.signature_hash) == ("ecdsa", 256, "sha256")
        assert (handle.subject.same_as(handle.issuer), handle.signed(handle)) == (source.self_issued, source.self_signed)
        assert extensions.authority_key_id(handle) == (
            bytes.fromhex(source.authority_key_id) if source.authority_key_id else None
        )
