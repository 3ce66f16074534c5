"""The self-test of an OpenSSL: what a library answers otherwise than the appliance's is named."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.library import openssl
from remediate.openssl.selftest import failed_self_tests


def test_the_self_test_names_what_a_library_gets_wrong() -> None:
    # Given this Python's library, taken for a 1.1.1: nothing is corrected then, and 3.x differs from 1.1.1
    uncorrected = replace(openssl(), is_3_or_later=False)
    assert {"a SHA-1 signature", "explicit EC parameters", "an issuer that is no CA"} <= set(failed_self_tests(uncorrected))
    assert failed_self_tests(openssl()) == ()
