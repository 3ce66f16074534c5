"""Extensions as OpenSSL reads them: one that it cannot read, or finds twice, is absent."""

from __future__ import annotations

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate.model.library import openssl
from remediate.openssl import extensions
from remediate.openssl.x509 import X509
from tests.der import SAN, alternative, called, certificate, extension
from tests.pki import issue


def test_names_usage_and_the_issuers_address_are_read() -> None:
    usage, url = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), "http://pki.test/ca.crt"
    leaf = issue("a.test", issue("Root", ca=True), names=("a.test", "b.test"), usage=usage, issuer_urls=(url,)).certificate
    handle = X509(openssl(), leaf.der)

    assert extensions.dns_names(handle) == (b"a.test", b"b.test")
    assert extensions.ip_addresses(handle) == ()
    assert extensions.extended_key_usages(handle) == tuple(purpose.dotted_string for purpose in usage)
    assert extensions.issuer_addresses(handle) == (url.encode(),)


@pytest.mark.parametrize(
    "broken",
    [(), (extension(SAN, b"\xff\xff"),), (alternative(b"a.test"), alternative(b"b.test"))],
    ids=["none", "cut", "twice"],
)
def test_an_extension_that_is_broken_or_twice_is_absent(broken: tuple[bytes, ...]) -> None:
    handle = X509(openssl(), certificate(called("a"), extensions=broken).der)

    assert extensions.dns_names(handle) == ()
    assert extensions.issuer_addresses(handle) == ()
