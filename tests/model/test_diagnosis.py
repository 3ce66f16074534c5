"""What a diagnosis comes to: that nothing was refused is said only of what could be looked at."""

from __future__ import annotations

import pytest

from remediate.model.diagnosis import Outcome
from remediate.model.evidence import Coverage, Evidence, UnreadSource
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW
from tests.planner.diagnosis.builders import ACCEPTED, REFUSED, make_failure

UNREAD = (UnreadSource("log", "it is truncated"),)


@pytest.mark.parametrize(
    ("evidence", "outcome", "complete"),
    [
        (Evidence(), "nothing-to-look-at", True),
        (Evidence(lines_read=900, packets_read=900), "nothing-to-look-at", True),
        (Evidence(coverage=Coverage(tls_records=9)), "nothing-to-look-at", True),
        (Evidence(coverage=Coverage(other_failures=9)), "nothing-to-look-at", True),
        (Evidence(coverage=Coverage(traffic_server_lines=1)), "no-failures", True),
        (Evidence(handshakes=(ACCEPTED,), coverage=Coverage(cut_packets=1)), "no-failures", True),
        (Evidence(handshakes=(ACCEPTED,), unread_sources=UNREAD), "could-not-be-read", False),
        (Evidence(unread_sources=UNREAD), "could-not-be-read", False),
        (Evidence(coverage=Coverage(cut_packets=1)), "could-not-be-read", False),
        (Evidence(coverage=Coverage(ip_fragments=1)), "could-not-be-read", False),
        (Evidence(coverage=Coverage(encapsulated_packets=1)), "could-not-be-read", False),
        (Evidence(coverage=Coverage(unreadable_packets=1)), "could-not-be-read", False),
        (Evidence((make_failure(),)), "failures", True),
        (Evidence((make_failure(),), unread_sources=UNREAD), "failures", False),
        (Evidence(handshakes=(REFUSED,)), "failures", True),
    ],
)
def test_the_outcome(evidence: Evidence, outcome: Outcome, complete: bool) -> None:
    diagnosis = diagnose(evidence, None, NOW)

    assert (diagnosis.outcome, diagnosis.is_complete) == (outcome, complete)


def test_coverage_adds_up() -> None:
    both = Coverage(traffic_server_lines=1, tls_records=2) + Coverage(tls_records=3, cut_packets=4)

    assert both == Coverage(traffic_server_lines=1, tls_records=5, cut_packets=4)
