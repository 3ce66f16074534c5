"""What a diagnosis comes to: that nothing was refused is said only of what could be looked at."""

from __future__ import annotations

import pytest

from remediate.model.diagnosis import Outcome
from remediate.model.evidence import Evidence, LookedAt, Unread
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW
from tests.planner.diagnosis.builders import ACCEPTED, REFUSED, logged

SOMETHING = (Unread("log", "it ends too early"),)


@pytest.mark.parametrize(
    ("evidence", "outcome", "complete"),
    [
        (Evidence(), "nothing-to-look-at", True),
        (Evidence(lines=900, packets=900), "nothing-to-look-at", True),
        (Evidence(looked_at=LookedAt(tls_records=9)), "nothing-to-look-at", True),
        (Evidence(looked_at=LookedAt(other_failures=9)), "nothing-to-look-at", True),
        (Evidence(looked_at=LookedAt(traffic_server_lines=1)), "no-failures", True),
        (Evidence(handshakes=(ACCEPTED,), looked_at=LookedAt(cut_packets=1)), "no-failures", True),
        (Evidence(handshakes=(ACCEPTED,), unread=SOMETHING), "could-not-be-read", False),
        (Evidence(unread=SOMETHING), "could-not-be-read", False),
        (Evidence(looked_at=LookedAt(cut_packets=1)), "could-not-be-read", False),
        (Evidence(looked_at=LookedAt(ip_fragments=1)), "could-not-be-read", False),
        (Evidence(looked_at=LookedAt(encapsulated_packets=1)), "could-not-be-read", False),
        (Evidence(looked_at=LookedAt(unreadable_packets=1)), "could-not-be-read", False),
        (Evidence((logged(),)), "failures", True),
        (Evidence((logged(),), unread=SOMETHING), "failures", False),
        (Evidence(handshakes=(REFUSED,)), "failures", True),
    ],
)
def test_the_outcome(evidence: Evidence, outcome: Outcome, complete: bool) -> None:
    found = diagnose(evidence, None, NOW)

    assert (found.outcome, found.complete) == (outcome, complete)


def test_what_was_looked_at_adds_up() -> None:
    both = LookedAt(traffic_server_lines=1, tls_records=2).plus(LookedAt(tls_records=3, cut_packets=4))

    assert both == LookedAt(traffic_server_lines=1, tls_records=5, cut_packets=4)
