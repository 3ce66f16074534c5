"""OpenSSL's texts, back to its numbers, and suites by their numbers."""

from __future__ import annotations

import ssl

import pytest

from remediate.trust.openssl import error_text
from remediate.trust.suites import preferred_family, suite_name
from remediate.trust.texts import code_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("self signed certificate", 18),
        ("self-signed certificate", 18),
        ("self signed certificate in certificate chain", 19),
        ("self-signed certificate in certificate chain", 19),
        ("unable to get local issuer certificate", 20),
        ("unable to get issuer certificate", 2),
        ("unable to verify the first certificate", 21),
        ("certificate has expired", 10),
        ("certificate is not yet valid", 9),
        ("certificate signature failure", 7),
        ("certificate chain too long", 22),
        ("invalid CA certificate", 24),
        ("unsupported certificate purpose", 26),
        ("unsuitable certificate purpose", 26),
        ("path length constraint exceeded", 25),
        ("CA signature digest algorithm too weak", 68),
        ("something that OpenSSL never says", None),
        ("", None),
    ],
)
def test_every_spelling_has_its_number(text: str, code: int | None) -> None:
    assert code_of(text) == code


def test_every_text_of_the_appliance_comes_back_to_its_number_or_one_with_the_same_text() -> None:
    texts = {code: error_text(code) for code in range(2, 80) if "unknown" not in error_text(code)}

    assert len(texts) > 50
    assert {code: error_text(code_of(text) or 0) for code, text in texts.items()} == texts


def test_suites_have_names_and_ask_for_a_family() -> None:
    rsa, ecdsa, tls13 = 0xC030, 0xC02C, 0x1302

    assert suite_name(rsa) == "ECDHE-RSA-AES256-GCM-SHA384"
    assert suite_name(0x0A0A) == "0x0A0A"
    assert (preferred_family([tls13, rsa, ecdsa]), preferred_family([ecdsa, rsa])) == ("rsa", "ecdsa")
    assert preferred_family([tls13, 0x0A0A]) is None
    assert ssl.HAS_TLSv1_2
