"""The underlying fault: what OpenSSL would refuse next, were the chain trusted as far as it goes."""

from __future__ import annotations

from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate.trust.underlying_fault import leaf_can_pass
from tests.pki import NOW, issue


def test_a_certificate_that_is_for_something_else_can_pass_nowhere() -> None:
    for usage, passes in ((ExtendedKeyUsageOID.SERVER_AUTH, True), (ExtendedKeyUsageOID.CLIENT_AUTH, False)):
        leaf = issue("leaf.test", issue("Root", ca=True), names=("leaf.test",), usage=(usage,)).certificate
        assert leaf_can_pass(leaf, NOW) is passes
