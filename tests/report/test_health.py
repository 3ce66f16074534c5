"""The health of a peer in sentences."""

from __future__ import annotations

from datetime import UTC, datetime

from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address
from remediate.report.health import describe_health

WELL = Health(
    started_at=datetime(2026, 11, 1, 3, 12, tzinfo=UTC),
    alarms=(),
    calls=1,
    registrations=0,
    maintenance=False,
    upgrade=UpgradeState.NONE,
    zones={"UC": True},
    tunnels={"expe1": True},
    replication_behind=False,
    cluster_peers=(Address("expc1"),),
    own_address=Address("expc1"),
    unread={},
)


def test_a_healthy_peer_needs_one_line() -> None:
    [(text, next_step)] = describe_health(WELL)

    assert text == (
        "started 2026-11-01T03:12:00Z by its uptime; no alarm; 1 call; 0 registrations; maintenance mode off; "
        "2 zones and tunnels active"
    )
    assert next_step == ""


def test_everything_that_is_wrong_has_a_next_step() -> None:
    ill = Health(
        alarms=(PeerAlarm("25026", "Restart required"), PeerAlarm("20009")),
        upgrade=UpgradeState.STAGED,
        zones={"UC": False},
        tunnels={"expe1": False},
        replication_behind=True,
        cluster_peers=(Address("expc2"),),
        unread={"calls": "It did not answer.", "registrations": "It did not answer."},
    )

    first, *findings = describe_health(ill)

    assert first == ("nothing of its health was observed", "")
    assert [text for text, _ in findings] == [
        "alarm 25026: Restart required",
        "alarm 20009: without a title",
        "an upgrade is staged: what is configured before its reboot is lost",
        "zone UC is not active",
        "SSH tunnel expe1 is not active",
        "its configuration may not be that of the cluster",
        "its own address is not in its list of the cluster's peers",
        "not observed: calls, registrations: It did not answer.",
    ]
    assert all(next_step for _, next_step in findings)
    assert "activates" in findings[0][1]


def test_an_address_that_was_not_looked_for_is_not_missing() -> None:
    unread = Health(cluster_peers=(Address("expc2"),), unread={"own_address": "It names no address."})

    assert not any("is not in its list" in text for text, _ in describe_health(unread))
