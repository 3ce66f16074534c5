"""The health of a peer."""

from __future__ import annotations

from remediate.model.health import Health, PeerAlarm


def test_alarms_that_were_not_read_have_no_numbers() -> None:
    assert Health().alarm_numbers is None
    assert Health(alarms=(PeerAlarm("20009", "Cluster replication error", "Warning"),)).alarm_numbers == frozenset({"20009"})
