"""Evidence to findings: what failed, why, and what to do. Pure, as all of the planner."""

from __future__ import annotations

from datetime import datetime

from remediate.model.diagnosis import Diagnosis, SeenEndpoint, Standing
from remediate.model.evidence import Evidence
from remediate.planner.diagnosis.capture_endpoints import seen_endpoints
from remediate.planner.diagnosis.correlation import Servers
from remediate.planner.diagnosis.findings import Finder
from remediate.planner.diagnosis.log_refusals import told_by
from remediate.trust.chain_verifier import Chain

__all__ = ["diagnose"]

_ORDER: tuple[Standing, ...] = ("refused", "tolerated", "unknown", "accepted")


def diagnose(evidence: Evidence, trusted: Chain | None, now: datetime) -> Diagnosis:
    """Return the findings in `evidence`, the gravest first.

    Args:
        trusted: the trusted CA list of the peer, to judge by what captures show; None where it is not known.
        now: the aware moment to judge at where a capture has no clock.
    """
    finder = Finder(trusted, now)
    seen = seen_endpoints(evidence.handshakes, trusted, now)
    servers = Servers(seen)
    findings, used = [], set[SeenEndpoint]()
    for told in told_by(evidence):
        known, there = servers.matching(told)
        used.update(there)
        elsewhere = None if there else servers.under_another_name(known)
        findings.append(finder.of_what_was_told(known, there, elsewhere))
    findings += [finder.of_what_was_seen(one) for one in seen if one not in used]
    return Diagnosis(tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.standing))), evidence)
