"""Files with certificates as people have them, and files that are something else."""

from __future__ import annotations

import base64
import codecs
import io
import zipfile
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)

from remediate import Certificate
from remediate.model.certificate_file import certificates_in
from remediate.model.errors import CertificateError, NoCertificate
from tests import der
from tests.fuzz.mutations import armoured
from tests.fuzz.samples import made_here, of_the_corpus
from tests.pki import issue, revoke_nothing
from tests.timing import assert_done_within

root = issue("Root", ca=True)
leaf = issue("leaf.test", root, names=("leaf.test",))
BOTH = (leaf.certificate, root.certificate)
MESSAGE = der.signed_data(*(certificate.der for certificate in BOTH))
PEM = leaf.certificate.pem + root.certificate.pem
KEY = ec.generate_private_key(ec.SECP256R1())


def dos(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


FORMS: dict[str, bytes] = {
    "PEM": PEM.encode(),
    "PEM with the line ends of Windows": dos(PEM),
    "PEM behind a byte order mark": codecs.BOM_UTF8 + dos(PEM),
    "PEM with leading blanks": "".join(f"   \t{line}\n" for line in PEM.splitlines()).encode(),
    "PEM in UTF-16, as Notepad writes it": codecs.BOM_UTF16_LE + dos(PEM).decode().encode("utf-16-le"),
    "PEM in UTF-16, big-endian": codecs.BOM_UTF16_BE + PEM.encode("utf-16-be"),
    "PEM in UTF-16 without a byte order mark": PEM.encode("utf-16-le"),
    "PEM between what openssl prints": b"subject=CN = leaf\n" + PEM.encode() + b"---\n",
    "PKCS#7": MESSAGE,
    "PKCS#7, as PEM": armoured(MESSAGE, "PKCS7").encode(),
    "PKCS#7, as PEM of OpenSSL's other label": armoured(MESSAGE, "CMS").encode(),
    "PKCS#7 in a certificate's armour": armoured(MESSAGE).encode(),
    "PKCS#7 as base64 without armour": dos(base64.encodebytes(MESSAGE).decode()),
    "PKCS#7 as base64 without armour in UTF-16": base64.encodebytes(MESSAGE).decode().encode("utf-16"),
    "PKCS#7 by a library": pkcs7.serialize_certificates(
        [x509.load_der_x509_certificate(certificate.der) for certificate in BOTH], Encoding.DER
    ),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_is_read(content: bytes) -> None:
    certificates = certificates_in(content, "FILE")

    # A library sorts the SET; everything else keeps the order.
    assert certificates == BOTH or (set(certificates) == set(BOTH) and content == FORMS["PKCS#7 by a library"])


def test_one_der_certificate_is_read() -> None:
    assert certificates_in(root.certificate.der, "FILE") == (root.certificate,)
    assert certificates_in(root.certificate.der + b"\r\n", "FILE") == (root.certificate,)
    assert certificates_in(base64.b64encode(root.certificate.der), "FILE") == (root.certificate,)


@pytest.mark.parametrize("last", [b"\n", b"\r\n", b"\n\n"])
def test_a_der_certificate_that_ends_like_a_line_is_read(last: bytes) -> None:
    whole = root.certificate.der[: -len(last)] + last

    assert [certificate.der for certificate in certificates_in(whole, "FILE")] == [whole]
    assert [certificate.der for certificate in certificates_in(whole + b"\r\n", "FILE")] == [whole]


def test_pkcs7_is_read_with_what_strict_readers_refuse() -> None:
    # Given a chain with an underscore in a PrintableString, for which cryptography refuses the file whole
    odd = der.certificate(der.called("cucm_pub.lab"))

    assert certificates_in(der.signed_data(odd.der, root.certificate.der), "FILE") == (odd, root.certificate)


def test_pkcs7_without_what_it_should_hold_is_refused() -> None:
    # Given signed data that is cut, hollow or of another type, which a careless reader follows into a null pointer
    signed, data = (der.tlv(der.OID, bytes.fromhex(f"2a864886f70d01070{last}")) for last in (2, 1))
    hollow = der.tlv(der.SEQUENCE, signed)
    empty = der.tlv(der.SEQUENCE, signed, der.tlv(0xA0, der.tlv(der.SEQUENCE)))
    wrong_type = der.tlv(der.SEQUENCE, data, der.tlv(0xA0, der.tlv(der.OCTETS, b"text")))
    for content in (hollow, empty, wrong_type, der.signed_data(), MESSAGE[:-9], der.signed_data(b"\x30\x03\x02\x01\x01")):
        with pytest.raises(NoCertificate, match="PKCS#7") as refused:
            certificates_in(content, "FILE")
        assert "export" in refused.value.next_step.casefold()


def request() -> x509.CertificateSigningRequest:
    return x509.CertificateSigningRequestBuilder().subject_name(leaf.name).sign(KEY, hashes.SHA256())


def archive(member: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr(member, "text")
    return held.getvalue()


def key(encoding: Encoding, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes | None = None) -> bytes:
    return KEY.private_bytes(encoding, form, BestAvailableEncryption(password) if password else NoEncryption())


def keystore() -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"name",
        root.private_key,
        x509.load_der_x509_certificate(root.certificate.der),
        None,
        BestAvailableEncryption(b"secret"),
    )


SECRETS: dict[str, bytes] = {
    "PEM": key(Encoding.PEM),
    "PEM of OpenSSL's old form": key(Encoding.PEM, PrivateFormat.TraditionalOpenSSL),
    "PEM, encrypted": key(Encoding.PEM, password=b"secret"),
    "DER": key(Encoding.DER),
    "DER of SEC 1": key(Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "DER, encrypted": key(Encoding.DER, password=b"secret"),
    "beside certificates": PEM.encode() + key(Encoding.PEM),
    "base64 alone": base64.b64encode(key(Encoding.DER)),
}


@pytest.mark.parametrize("content", SECRETS.values(), ids=SECRETS)
def test_a_private_key_is_refused_in_every_form(content: bytes) -> None:
    with pytest.raises(CertificateError, match="private key") as refused:
        certificates_in(content, "FILE")

    assert not isinstance(refused.value, NoCertificate)
    assert "must never be in this file" in refused.value.next_step


OTHERS: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "an empty file", "Export the certificate again"),
    "blanks": (b" \r\n\t", "an empty file", "Export the certificate again"),
    "PKCS#12": (keystore(), "a PKCS#12 file", "`openssl pkcs12 -in 'my file' -nokeys -out 'my file.pem'`"),
    "PKCS#12 as base64": (base64.b64encode(keystore()), "a PKCS#12 file", "openssl pkcs12"),
    "a Java keystore": (b"\xfe\xed\xfe\xed\0\0\0\2", "a Java keystore", "`keytool -list -rfc -keystore 'my file'"),
    "a request": (request().public_bytes(Encoding.PEM), "signing request (CSR)", "the CA issued"),
    "a request in DER": (request().public_bytes(Encoding.DER), "signing request (CSR)", "the CA issued"),
    "revocations": (revoke_nothing(root).public_bytes(Encoding.PEM), "revocation list (CRL)", "the CA certificate itself"),
    "revocations in DER": (
        revoke_nothing(root).public_bytes(Encoding.DER),
        "revocation list (CRL)",
        "the CA certificate itself",
    ),
    "a public key": (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "a public key",
        "certificate that holds this key",
    ),
    "a public key in DER": (
        KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "a public key",
        "certificate that holds this key",
    ),
    "an SSH key": (KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "an SSH key", "X.509"),
    "OpenSSL's trusted form": (armoured(root.certificate.der, "TRUSTED CERTIFICATE").encode(), "trusted", "openssl x509 -in"),
    "a web page": (b"\r\n<!DOCTYPE html><html><body>Log in</body>", "a web page (HTML)", "login page"),
    "a Word document": (archive("word/document.xml"), "a Word document", "plain text"),
    "an old Word document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Word document", "plain text"),
    "an archive": (archive("root.cer"), "an archive", "Unpack it"),
    "DER of something else": (der.tlv(der.SEQUENCE, der.tlv(der.INTEGER, b"\1")), "DER, but not a certificate", "asn1parse"),
    "what is printed of one": (
        b"Certificate:\n    Data:\n        Version: 3\n Serial Number: 1\n",
        "x509 -text",
        "openssl x509",
    ),
    "some text": ("schönes Wetter".encode(), "neither PEM nor DER", "Export the certificate again"),
    "a snapshot": (b'{"format": "remediate.snapshot/1"}', "a JSON document", "PEM or DER"),
    "random bytes": (bytes(range(200, 256)), "neither PEM nor DER", "Export the certificate again"),
}


@pytest.mark.parametrize(("content", "name", "next_step"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_certificate_is_named_with_a_way_out(content: bytes, name: str, next_step: str) -> None:
    with pytest.raises(NoCertificate) as refused:
        certificates_in(content, "my file")

    assert name in str(refused.value)
    assert next_step in refused.value.next_step


BROKEN: dict[str, Callable[[str], str]] = {
    "not base64": lambda block: block.replace("MII", "M!!", 1),
    "not ASCII": lambda block: block.replace("MII", "MÏI", 1),
    "with an invisible character": lambda block: block.replace("MII", "M\u200bII", 1),
    "cut": lambda block: "\n".join(block.splitlines()[:3]) + "\n" + block.splitlines()[-1] + "\n",
    "without an end": lambda block: block.replace("-----END", "-----end"),
    "unreadable": lambda _: armoured(b"\x30\x03\x02\x01\x01"),
    "a request": lambda _: request().public_bytes(Encoding.PEM).decode(),
    "a request in a certificate's armour": lambda _: armoured(request().public_bytes(Encoding.DER)),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_one_bad_block_is_named_by_number_and_line(damage: Callable[[str], str]) -> None:
    # Given a bundle whose second block is bad
    line = len(leaf.certificate.pem.splitlines()) + 2
    bundle = leaf.certificate.pem + "\n" + damage(root.certificate.pem) + leaf.certificate.pem

    with pytest.raises(CertificateError, match=rf"PEM block 2 .*line {line}\b") as refused:
        certificates_in(bundle.encode(), "FILE")
    assert not isinstance(refused.value, NoCertificate)


def test_a_peers_own_list_may_hold_what_no_one_can_read() -> None:
    unreadable = Certificate.from_der(b"\x30\x03\x02\x01\x01")

    assert certificates_in((PEM + unreadable.pem).encode(), "FILE", keep_unreadable=True) == (*BOTH, unreadable)


def test_a_crl_beside_certificates_is_left_out() -> None:
    bundle = PEM.encode() + revoke_nothing(root).public_bytes(Encoding.PEM)

    assert certificates_in(bundle, "FILE") == BOTH


def test_what_is_met_in_the_field_is_taken_for_what_it_is() -> None:
    # Given every certificate of the corpus, and keys of every kind: version 1, negative serials, odd strings
    for certificate in (*made_here(), *of_the_corpus()):
        if certificate.readable:
            assert certificates_in(certificate.der, "FILE") == (certificate,)


def test_a_long_text_is_refused_quickly() -> None:
    def read() -> None:
        for text in (b"A" * 500_000 + b"!", b" " * 500_000 + b"!", b"-----BEGIN " * 50_000, b"<" * 500_000):
            with pytest.raises(CertificateError):
                certificates_in(text, "FILE")

    assert_done_within(2, read)
