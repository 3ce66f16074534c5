"""Failures of the SIP process are findings of their own kind: with SIP's remedies, and never mixed with the traffic server's."""

from __future__ import annotations

import pytest

from remediate.model.diagnosis import Finding
from remediate.model.evidence import BadGateway, Evidence, LoggedFailure, LogKind
from remediate.model.verdict import Cause
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW
from tests.planner.diagnosis.builders import HOST, IP, make_failure


def make_sip_failure(error: str, kind: LogKind = "sip", alert: int | None = None) -> LoggedFailure:
    return LoggedFailure(kind, "vcsc", HOST, IP, 5061, error, None, enforced=True, alert=alert)


def diagnose_line(line: LoggedFailure) -> Finding:
    (finding,) = diagnose(Evidence((line,)), None, NOW).findings
    return finding


@pytest.mark.parametrize(
    ("line", "cause", "words"),
    [
        (make_sip_failure("self signed certificate"), Cause.SELF_SIGNED_UNTRUSTED, "CallManager certificate"),
        (make_sip_failure("unable to get local issuer certificate"), Cause.ISSUER_UNKNOWN, "trust its CA"),
        (make_sip_failure("certificate has expired"), Cause.EXPIRED, "renew it"),
        (make_sip_failure("unsupported certificate purpose"), Cause.CHAIN_INVALID, "reissue it"),
        (make_sip_failure("not my name", "sip-name"), Cause.NAME_MISMATCH, "peer address of the zone"),
        (make_sip_failure("tlsv1 alert unknown ca", alert=48), Cause.HANDSHAKE_FAILED, "to the node, as CallManager-trust."),
        (make_sip_failure("wrong version number"), Cause.HANDSHAKE_FAILED, "port of the zone"),
    ],
)
def test_each_failure_of_sip_has_its_remedy(line: LoggedFailure, cause: Cause, words: str) -> None:
    finding = diagnose_line(line)

    assert finding.verdict
    assert (finding.process, finding.ports, finding.status, finding.verdict.cause) == ("sip", (5061,), "refused", cause)
    assert words in " ".join(finding.advice)
    assert finding.remarks[0].startswith("The SIP process (tvcs) logged this")
    assert finding.commands == ()


def test_sip_and_traffic_server_findings_are_separate() -> None:
    evidence = Evidence((make_failure(), make_sip_failure("self signed certificate")), (BadGateway("vcsc", HOST, 5061),))

    findings = diagnose(evidence, None, NOW).findings

    assert [(finding.process, len(finding.logged_failures)) for finding in findings] == [("traffic-server", 1), ("sip", 1)]
    assert [len(finding.bad_gateways) for finding in findings] == [1, 0]
