"""The questions of the solver about trust."""

from __future__ import annotations

from remediate import Certificate, Policy
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.verifier import OpenSslAnswers
from tests.pki import NOW, Entity, issue

NODE = "node.lab"
FEW = "were tried"

root = issue("Exact root", ca=True)
issuing = issue("Exact issuing", root, ca=True)
leaf = issue(NODE, issuing, names=(NODE,))
unreadable = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), root.private_key, root.name)
removing = Policy(allow_removal=True)


def test_a_list_without_a_self_issued_certificate_accepts_nothing() -> None:
    oracle = TrustOracle([issuing.certificate], OpenSslAnswers(NOW))
    assert not oracle.may_accept((leaf.certificate, issuing.certificate))
    assert TrustOracle([issuing.certificate, root.certificate], OpenSslAnswers(NOW)).may_accept((leaf.certificate,))


def test_an_issuer_has_the_name_and_the_key() -> None:
    # Given the issuing CA, its cross-certificate, and a CA of that name with another key
    twin = issue("Exact issuing", root, ca=True, key_name="another")
    cross = issue("Exact issuing", issue("Another root", ca=True), ca=True)
    oracle = TrustOracle([root.certificate, issuing.certificate, twin.certificate, cross.certificate], OpenSslAnswers(NOW))
    assert set(oracle.issuers(leaf.certificate)) == {issuing.certificate, cross.certificate}
    assert oracle.issuers(root.certificate) == ()
