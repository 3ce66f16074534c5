"""Which OpenSSL answers, and what happens where there is none."""

from __future__ import annotations

import ctypes.util

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate import Certificate, RemediateError
from remediate.openssl import extensions
from remediate.openssl.libcrypto import appliance, first_of, modern
from remediate.openssl.x509 import X509, Unreadable
from remediate.trust.openssl import TrustedList, common_name, dns_names, error_text, name_hashes
from remediate.trust.openssl3 import openssl_3_refusal
from remediate.trust.underlying_fault import leaf_can_pass
from tests.der import called, certificate
from tests.pki import NOW, Entity, issue, signed_with_sha1

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
        X509(appliance(), UNREADABLE.der)
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


def test_the_fallback_reads_the_same_facts() -> None:
    other = modern()
    assert other is not None
    for one in (issue("leaf.test", issue("Root", ca=True), names=("a.test",)).certificate, certificate(called("a_b"))):
        handle = X509(other, one.der)
        assert (str(handle.subject), str(handle.issuer)) == (one.subject, one.issuer)
        assert (handle.not_before, handle.not_after, handle.serial) == (one.not_before, one.not_after, one.serial)
        assert (handle.key_family, handle.key_bits, handle.signature_hash) == ("ecdsa", 256, "sha256")
        assert (handle.subject.same_as(handle.issuer), handle.signed(handle)) == (one.self_issued, one.self_signed)
        assert extensions.authority_key_id(handle) == (bytes.fromhex(one.authority_key_id) if one.authority_key_id else None)


ROOT = issue("Fallback root", ca=True, family="rsa")
MIDDLE = issue("Fallback CA", ROOT, ca=True, family="rsa")
NO_CA = issue("Fallback, no CA", ROOT)
OLD = signed_with_sha1(MIDDLE, ROOT)


@pytest.mark.parametrize(
    ("presented", "trusted", "code"),
    [
        ((issue("a.test", MIDDLE), MIDDLE), (ROOT,), 0),
        ((issue("b.test", MIDDLE), MIDDLE), (), 20),
        ((issue("c.test", NO_CA), NO_CA), (ROOT,), 24),
        ((issue("d.test", MIDDLE), OLD), (ROOT,), 0),
    ],
)
def test_the_fallback_judges_as_the_appliance_does(
    presented: tuple[Entity, ...], trusted: tuple[Entity, ...], code: int
) -> None:
    listed, sent = [one.certificate for one in trusted], [one.certificate for one in presented]
    for openssl in (appliance(), modern()):
        built = TrustedList(listed, openssl).verify(sent, NOW)
        assert built.code == code
