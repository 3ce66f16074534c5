"""The health of a peer: what two readings show."""

from __future__ import annotations

import pytest

from remediate.model.health import Health, PeerAlarm, shows_restart


@pytest.mark.parametrize(
    ("before", "after", "restarted"),
    [
        (Health(uptime_s=600.0), Health(uptime_s=5.0), True),
        (Health(uptime_s=600.0), Health(uptime_s=700.0), False),
        (Health(total_since_start=9), Health(total_since_start=0), True),
        (Health(uptime_s=600.0), Health(total_since_start=0), False),
        (Health(), Health(), False),
    ],
)
def test_a_restart_shows_in_what_counts_from_the_start(before: Health, after: Health, restarted: bool) -> None:
    assert shows_restart(before, after) is restarted


def test_alarms_that_were_not_read_have_no_numbers() -> None:
    assert Health().alarm_numbers is None
    assert Health(alarms=(PeerAlarm("20009", "Cluster replication error", "Warning"),)).alarm_numbers == frozenset({"20009"})
