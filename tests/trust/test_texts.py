"""OpenSSL's error texts, and their numbers."""

from __future__ import annotations

import pytest

from remediate.openssl.error_texts import error_text
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


def test_every_text_of_the_appliance_has_a_number_of_that_text() -> None:
    texts = {code: error_text(code) for code in range(2, 80) if "unknown" not in error_text(code)}

    assert len(texts) > 50
    assert {code: error_text(code_of(text) or 0) for code, text in texts.items()} == texts
