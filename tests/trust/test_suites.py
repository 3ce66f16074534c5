"""Cipher suites by their numbers."""

from __future__ import annotations

import ssl

from remediate.trust.suites import preferred_family, suite_name


def test_suites_have_names_and_ask_for_a_family() -> None:
    rsa, ecdsa, tls13 = 0xC030, 0xC02C, 0x1302

    assert suite_name(rsa) == "ECDHE-RSA-AES256-GCM-SHA384"
    assert suite_name(0x0A0A) == "0x0A0A"
    assert (preferred_family([tls13, rsa, ecdsa]), preferred_family([ecdsa, rsa])) == ("rsa", "ecdsa")
    assert preferred_family([tls13, 0x0A0A]) is None
    assert ssl.HAS_TLSv1_2
