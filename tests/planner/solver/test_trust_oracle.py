"""The questions of the solver about trust."""

from __future__ import annotations

from remediate import Certificate, Policy
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import OpenSslAnswers
from tests.pki import NOW, Entity, issue

NODE = "node.lab"
FEW = "were tried"

root = issue("Exact root", ca=True)
issuing = issue("Exact issuing", root, ca=True)
leaf = issue(NODE, issuing, names=(NODE,))
unreadable = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), root.private_key, root.name)
removing = Policy(allow_removal=True)


def test_each_path_to_a_root_within_the_depth_limit_comes_once() -> None:
    # Given a chain of CAs that is longer than the appliance goes, and a short one beside it
    long = [root]
    for number in range(9):
        long.append(issue(f"Long {number}", long[-1], ca=True))
    far = issue("far.lab", long[-1]).certificate
    oracle = TrustOracle([entity.certificate for entity in (*long, issuing)], OpenSslAnswers(NOW))

    assert list(oracle.paths((far,), lambda _certificate: True)) == []
    assert list(oracle.paths((leaf.certificate,), lambda _certificate: True)) == [
        (leaf.certificate, issuing.certificate, root.certificate)
    ]
    # And of the long one, as far as the appliance goes: seven intermediates
    last, next_one = (issue("on it.lab", long[number]).certificate for number in (7, 8))
    assert [len(path) for path in oracle.paths((last,), lambda _certificate: True)] == [9]
    assert list(oracle.paths((next_one,), lambda _certificate: True)) == []
