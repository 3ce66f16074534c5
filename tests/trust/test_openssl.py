"""OpenSSL's names for this project's certificates."""

from __future__ import annotations

import pytest

from remediate import Certificate
from remediate.model.library import openssl
from remediate.openssl.x509 import X509, Unreadable
from remediate.trust.openssl import common_name, dns_names, name_hashes
from remediate.trust.openssl3 import openssl_3_refusal
from remediate.trust.underlying_fault import leaf_can_pass
from tests.pki import NOW, issue

UNREADABLE = Certificate.from_der(b"\x30\x03\x02\x01\x01")


def test_what_openssl_cannot_read_has_no_names() -> None:
    with pytest.raises(Unreadable):
        X509(openssl(), UNREADABLE.der)
    assert dns_names(UNREADABLE) == ()
    assert common_name(UNREADABLE) is None
    assert name_hashes(UNREADABLE).subject == name_hashes(UNREADABLE).issuer == -1
    assert leaf_can_pass(UNREADABLE, NOW)
    assert openssl_3_refusal([UNREADABLE], [], NOW) == "it cannot read one of the certificates"


def test_a_certificate_may_have_no_common_name() -> None:
    nameless = issue(None).certificate
    assert common_name(nameless) is None
    assert name_hashes(nameless).subject == name_hashes(nameless).issuer
