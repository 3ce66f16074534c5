"""The client verifier: a peer's own certificate, as a node judges it."""

from __future__ import annotations

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate.model.certificate import Certificate
from remediate.model.toward_nodes import ClientCause
from remediate.trust.client_verifier import client_cause_of, complete_chain, verify_client
from tests.pki import NOW, YEAR, Entity, issue

ROOT = issue("Edge Root", ca=True)
ISSUING = issue("Edge Issuing", ROOT, ca=True)
OWN = issue("expc1.test", ISSUING)
TRUSTED = (ROOT.certificate, ISSUING.certificate)


def test_a_chain_is_completed_from_the_peers_own_list() -> None:
    stranger = issue("Stranger", ca=True).certificate

    assert complete_chain((OWN.certificate,), (stranger, ROOT.certificate, ISSUING.certificate)) == (
        OWN.certificate,
        ISSUING.certificate,
        ROOT.certificate,
    )
    assert complete_chain((OWN.certificate,), (stranger, ROOT.certificate)) == (OWN.certificate,)
    assert complete_chain((), TRUSTED) == ()


@pytest.mark.parametrize(
    ("own", "cause"),
    [
        (OWN, None),
        (issue("expc1.test", issue("Another", ca=True)), ClientCause.UNTRUSTED),
        (issue("expc1.test", ISSUING, starts=-2 * YEAR, lasts=YEAR), ClientCause.EXPIRED),
        (issue("expc1.test", ISSUING, usage=(ExtendedKeyUsageOID.SERVER_AUTH,)), ClientCause.EKU_MISSING),
        (issue("expc1.test", ISSUING, starts=YEAR), ClientCause.INVALID),
    ],
    ids=["good", "unknown issuer", "expired", "for servers alone", "not valid yet"],
)
def test_each_refusal_of_a_client_has_its_cause(own: Entity, cause: ClientCause | None) -> None:
    verdict = verify_client((own.certificate,), TRUSTED, NOW)
    assert verdict.ok == (verdict.code == 0) == (cause is None)
    assert cause is None or client_cause_of(verdict.code) is cause


def test_a_client_certificate_that_cannot_be_read_is_invalid() -> None:
    verdict = verify_client((Certificate.from_der(b"\x30\x03\x02\x01\x01"),), TRUSTED, NOW)
    assert (verdict.ok, client_cause_of(verdict.code), verdict.depth) == (False, ClientCause.INVALID, 0)
