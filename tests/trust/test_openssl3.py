"""OpenSSL 3.x beside 1.1.1: asked for every chain, and quoted where it refuses."""

from __future__ import annotations

from remediate.trust.openssl3 import openssl_3_refusal
from tests.pki import NOW
from tests.trust.chains import own


def test_openssl_3_is_asked_where_it_would_differ() -> None:
    assert openssl_3_refusal([own.certificate], [own.certificate], NOW) is None
    assert openssl_3_refusal([own.certificate], [], NOW) in {"self-signed certificate", "self signed certificate"}
