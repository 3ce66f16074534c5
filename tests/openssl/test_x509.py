"""Certificates as OpenSSL reads them: the same facts by every library."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.x509 import X509
from tests.der import called, certificate
from tests.libraries import openssl_35, openssl_111
from tests.pki import issue


@pytest.mark.parametrize("library", [openssl_35, openssl_111], ids=["3.5", "1.1.1w"])
def test_every_library_reads_the_same_facts(library: Callable[[], Libcrypto]) -> None:
    for source in (issue("leaf.test", issue("Root", ca=True), names=("a.test",)).certificate, certificate(called("a_b"))):
        handle = X509(library(), source.der)
        assert (str(handle.subject), str(handle.issuer)) == (source.subject, source.issuer)
        assert (handle.not_before, handle.not_after, handle.serial) == (source.not_before, source.not_after, source.serial)
        assert (handle.key_family, handle.key_bits) == ("ecdsa", 256)
        assert (handle.subject.same_as(handle.issuer), handle.has_signed(handle)) == (source.self_issued, source.self_signed)
