"""Failures of the SIP process are findings of their own kind: with SIP's remedies, and never mixed with the traffic server's."""

from __future__ import annotations

import pytest

from remediate.model.diagnosis import Finding
from remediate.model.evidence import BadGateway, Evidence, Logged, LogKind
from remediate.model.verdict import Cause
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW
from tests.planner.diagnosis.builders import HOST, IP, logged


def sip(error: str, kind: LogKind = "sip", alert: int | None = None) -> Logged:
    return Logged(kind, "vcsc", HOST, IP, 5061, error, None, enforced=True, alert=alert)


def finding(line: Logged) -> Finding:
    (found,) = diagnose(Evidence((line,)), None, NOW).findings
    return found


@pytest.mark.parametrize(
    ("line", "cause", "words"),
    [
        (sip("self signed certificate"), Cause.SELF_SIGNED_UNTRUSTED, "CallManager certificate"),
        (sip("unable to get local issuer certificate"), Cause.ISSUER_UNKNOWN, "Trust its CA"),
        (sip("certificate has expired"), Cause.EXPIRED, "renew it"),
        (sip("unsupported certificate purpose"), Cause.CHAIN_INVALID, "reissue it"),
        (sip("not my name", "sip-name"), Cause.NAME_MISMATCH, "peer address of the zone"),
        (sip("tlsv1 alert unknown ca", alert=48), Cause.HANDSHAKE_FAILED, "tomcat-trust and CallManager-trust"),
        (sip("wrong version number"), Cause.HANDSHAKE_FAILED, "port of the zone"),
    ],
)
def test_each_failure_of_sip_has_its_remedy(line: Logged, cause: Cause, words: str) -> None:
    found = finding(line)

    assert found.verdict
    assert (found.process, found.ports, found.standing, found.verdict.cause) == ("sip", (5061,), "refused", cause)
    assert words in " ".join(found.advice)
    assert found.remarks[0].startswith("The SIP process (tvcs) says so")
    assert found.commands == ()


def test_it_is_not_mixed_with_the_traffic_server() -> None:
    evidence = Evidence((logged(), sip("self signed certificate")), (BadGateway("vcsc", HOST, 5061),))

    found = diagnose(evidence, None, NOW).findings

    assert [(one.process, len(one.logged)) for one in found] == [("traffic-server", 1), ("sip", 1)]
    assert [len(one.bad_gateways) for one in found] == [1, 0]
