"""Certificates: identity, strict reading, facts."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from remediate import Certificate, verify_chain
from remediate.model.errors import CertificateError
from tests import der
from tests.pki import NOW, issue

root = issue("Root", ca=True)
leaf = issue("leaf.test", root, names=("a.test", "b.test"), family="rsa")


def test_identity_is_the_digest_of_the_der() -> None:
    again = Certificate.from_pem(leaf.certificate.pem)
    assert again == leaf.certificate
    assert hash(again) == hash(leaf.certificate)
    assert again.fingerprint.startswith("sha256:")
    assert Certificate.from_der(again.der).fingerprint == again.fingerprint


def test_pem_ends_in_exactly_one_newline_whatever_was_read() -> None:
    messy = "some text\r\n" + leaf.certificate.pem.replace("\n", "\r\n").rstrip() + "\nmore text"
    assert Certificate.from_pem(messy).pem == leaf.certificate.pem
    assert leaf.certificate.pem.endswith("-----END CERTIFICATE-----\n")


def test_the_older_header_is_read_too() -> None:
    assert Certificate.from_pem(leaf.certificate.pem.replace("CERTIFICATE", "X509 CERTIFICATE")) == leaf.certificate


def test_facts() -> None:
    example = leaf.certificate
    assert (example.common_name, example.issuer) == ("leaf.test", "CN=Root,O=Lab")
    assert (example.san_dns, example.san_ip) == (("a.test", "b.test"), ())
    assert (example.key_family, example.key_bits, example.is_ca, example.self_signed) == ("rsa", 2048, False, False)
    assert root.certificate.self_signed
    assert root.certificate.is_ca
    assert "leaf.test" in repr(example)


def test_self_issued_is_not_yet_self_signed() -> None:
    impostor = issue("Root", root, key_name="another key", ca=True)
    assert impostor.certificate.self_issued
    assert not impostor.certificate.self_signed


def test_a_private_key_is_refused_and_never_printed() -> None:
    secret = leaf.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(CertificateError, match="PEM block 2 is a PRIVATE KEY") as refused:
        Certificate.all_from_pem(leaf.certificate.pem + secret)
    assert secret.splitlines()[1] not in str(refused.value)


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        ("", "found 0"),
        (leaf.certificate.pem * 2, "found 2"),
        ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", "PEM block 1 is broken"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "PEM block 1 is broken"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "PEM block 1 has no matching END line"),
        (leaf.certificate.pem.rstrip() + leaf.certificate.pem.replace("-----END CERTIFICATE-----", ""), "no matching END"),
    ],
)
def test_a_broken_file_is_reported_with_the_number_of_the_block(pem: str, says: str) -> None:
    with pytest.raises(CertificateError, match=says):
        Certificate.from_pem(pem)


def test_sizes_are_limited() -> None:
    with pytest.raises(CertificateError, match="over the limit"):
        Certificate.from_der(b"\x30" * 110_000)


def test_what_cannot_be_read_has_an_identity_and_empty_facts() -> None:
    odd = Certificate.from_der(b"\x30\x03\x02\x01\x01")
    assert (odd.subject, odd.common_name, odd.san_dns, odd.not_after, odd.key_family) == ("", "", (), None, "unknown")
    assert (odd.serial, odd.key_bits, odd.is_ca) == (None, None, False)


def test_a_block_that_is_not_ascii_is_a_documented_error() -> None:
    # Given letters that no base64 has, visible or not
    for letter in ("é", "\u200b", "\ufeff", "😀"):
        with pytest.raises(CertificateError, match=r"PEM block 1 is broken \(line 1\): it holds a character that is not ASCII"):
            Certificate.from_pem(leaf.certificate.pem.replace("MII", f"M{letter}II", 1))
    with pytest.raises(CertificateError, match="PEM block 1 is broken"):
        Certificate.from_pem(leaf.certificate.pem.encode().replace(b"MII", b"M\xe9II", 1))


def test_a_certificate_of_100_kb_is_judged() -> None:
    # Given a certificate nearly as long as OpenSSL takes for a whole chain
    certificate = der.certificate(der.called("long.test"), extensions=(der.alternative(b"a" * 102_000),))
    assert len(certificate.der) > 102_000

    assert verify_chain([Certificate.from_pem(certificate.pem)], [certificate], "long.test", NOW).ok
    with pytest.raises(CertificateError, match="over the limit of 102400 bytes"):
        Certificate.from_der(b"\x30\x83\x01\x90\x00" + bytes(102_400))
