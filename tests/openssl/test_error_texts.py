"""The texts of OpenSSL's errors."""

from __future__ import annotations

from remediate.openssl.error_texts import error_text


def test_errors_have_openssls_own_words() -> None:
    assert error_text(20) == "unable to get local issuer certificate"
