"""The diagnosis of evidence: failures, their causes and advice. Pure, like all of the planner."""

from __future__ import annotations

from datetime import datetime

from remediate.model.certificate import Chain
from remediate.model.diagnosis import CapturedEndpoint, Diagnosis, FindingStatus
from remediate.model.evidence import Evidence
from remediate.planner.diagnosis.capture_endpoints import group_endpoints
from remediate.planner.diagnosis.correlation import EndpointIndex
from remediate.planner.diagnosis.findings import FindingBuilder
from remediate.planner.diagnosis.grouping import join_alike
from remediate.planner.diagnosis.log_refusals import group_refusals
from remediate.planner.diagnosis.trusted_lists import TrustedLists

__all__ = ["diagnose"]

_ORDER: tuple[FindingStatus, ...] = ("refused", "tolerated", "unknown", "accepted")


def diagnose(evidence: Evidence, trusted: Chain | None, now: datetime) -> Diagnosis:
    """Return the findings in `evidence`, the most serious first.

    Args:
        evidence: The failures in logs and the handshakes in captures.
        trusted: The trusted CA list by which captures are judged; None: that of each peer in its archive, where there is one.
        now: The aware moment to judge at where a capture has no clock.
    """
    lists = TrustedLists(trusted, evidence.archived_peers)
    builder = FindingBuilder(lists, now)
    endpoints = group_endpoints(evidence.handshakes, lists, now)
    index = EndpointIndex(endpoints)
    findings, matched = [], set[CapturedEndpoint]()
    for logged_refusal in group_refusals(evidence):
        refusal, captured = index.match(logged_refusal)
        matched.update(captured)
        substitute = None if captured else index.find_under_another_name(refusal)
        findings.append(builder.from_log(refusal, captured, substitute))
    findings += [builder.from_capture(endpoint) for endpoint in endpoints if endpoint not in matched]
    findings = join_alike(sorted(findings, key=lambda finding: _ORDER.index(finding.status)))
    return Diagnosis(tuple(findings), evidence)
