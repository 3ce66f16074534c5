"""The trust store: a list in OpenSSL's hands, and chains against it."""

from __future__ import annotations

from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate.model.library import openssl
from remediate.openssl.trust_store import V_OK, TrustStore
from tests.pki import NOW, issue

AT = int(NOW.timestamp())
ROOT = issue("Root", ca=True)
ISSUING = issue("Issuing", ROOT, ca=True)
LEAF = issue("leaf.test", ISSUING)
CHAIN = [LEAF.certificate.der, ISSUING.certificate.der]


def test_a_chain_is_built_up_to_the_root_of_the_list() -> None:
    result = TrustStore(openssl(), [ROOT.certificate.der]).verify(CHAIN, AT)

    assert result == (V_OK, 0, (*CHAIN, ROOT.certificate.der))


def test_an_empty_list_refuses_where_the_chain_ends() -> None:
    result = TrustStore(openssl(), []).verify(CHAIN, AT)

    assert result == (20, 1, tuple(CHAIN))


def test_one_store_answers_for_many_chains() -> None:
    store = TrustStore(openssl(), [ROOT.certificate.der])
    for_clients = issue("leaf.test", ISSUING, usage=(ExtendedKeyUsageOID.CLIENT_AUTH,)).certificate.der

    assert [store.verify(chain, AT)[0] for chain in (CHAIN, [for_clients, CHAIN[1]], CHAIN)] == [V_OK, 26, V_OK]
