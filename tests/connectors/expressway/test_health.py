"""The health of a peer, on the lab's real REST and SSH, and from hostile answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from remediate.connectors.expressway.alarm_text import BLOCK_NAMES, parse_alarms
from remediate.connectors.expressway.health import parse_upgrade_status, read_health
from remediate.connectors.expressway.status_text import StatusNotUnderstood, parse_blocks
from remediate.lab import Lab
from remediate.lab.condition import MRA_ZONE
from remediate.lab.faults import LOGIN_PAGE
from remediate.model.errors import LoginRefused, NotOffered, ObservationError
from remediate.model.health import PeerAlarm, UpgradeState
from remediate.model.identity import Address
from tests.connectors.support import Opener

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_peer_in_good_health_is_read_whole(lab: Lab, open_peer: Opener) -> None:
    before = datetime.now(UTC)

    health = open_peer(0).health()

    assert health.unread == {}
    assert health.uptime_s == pytest.approx(lab.peers[0].condition.uptime_s, abs=2)
    assert health.started_at is not None
    assert abs(before - health.started_at - timedelta(seconds=health.uptime_s or 0)) < timedelta(seconds=3)
    assert (health.alarms, health.calls, health.registrations, health.maintenance) == ((), 0, 0, False)
    assert health.zones == {MRA_ZONE: True, "CEtls-cucm": True}
    assert health.tunnels == {"expe1.steven.lab": True}
    assert (health.upgrade, health.replication_behind) == (UpgradeState.NONE, False)
    assert health.cluster_peers == tuple(peer.address for peer in lab.peers)
    assert health.own_address == lab.peers[0].address


def test_the_readings_write_nothing(lab: Lab, open_peer: Opener) -> None:
    open_peer(0).health()

    assert lab.requests.writes == ()


def test_what_is_wrong_is_read_as_the_peer_has_it(lab: Lab, open_peer: Opener) -> None:
    condition = lab.peers[0].condition
    condition.raise_alarm("20009", "Cluster replication error")
    condition.ordinary_calls, condition.registrations = 3, 7
    condition.zones[MRA_ZONE] = False
    condition.tunnels["expe1.steven.lab"] = False
    condition.upgrade = "UPGD_REBOOT"

    health = open_peer(0).health()

    assert health.alarms == (PeerAlarm("20009", "Cluster replication error", "Warning"),)
    assert (health.calls, health.registrations) == (3, 7)
    assert health.zones == {MRA_ZONE: False, "CEtls-cucm": True}
    assert health.tunnels == {"expe1.steven.lab": False}
    assert (health.upgrade, health.replication_behind) == (UpgradeState.STAGED, True)


def test_maintenance_mode_shows_with_its_alarm(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(1, writable=True)

    peer.set_maintenance(on=True)
    on = peer.health()
    peer.set_maintenance(on=False)
    off = peer.health()

    assert on.maintenance is True
    assert [alarm.id for alarm in on.alarms or ()] == ["15015"]
    assert (off.maintenance, off.alarms) == (False, ())


def test_a_peer_whose_neighbour_is_down_is_behind(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(0)
    lab.faults.down(lab.peers[2].address)

    assert peer.health().replication_behind is True


def test_a_restart_is_seen_in_the_uptime(lab: Lab, open_peer: Opener) -> None:
    before = open_peer(2).health()
    request_time = datetime.now(UTC)
    lab.faults.restart(lab.peers[2].address)
    assert lab.cluster.settle()

    after = open_peer(2).health()

    assert after.started_at is not None
    # An uptime is told in whole seconds.
    assert request_time - timedelta(seconds=2) < after.started_at < datetime.now(UTC)
    assert before.uptime_s is not None
    assert after.uptime_s is not None
    assert after.uptime_s < before.uptime_s


def test_a_restart_is_seen_in_the_counters_too(lab: Lab, open_peer: Opener) -> None:
    """Where uptime is that of the operating system, it does not go back when the application restarts."""
    uptime = ["*s SystemUnit:", '  Uptime: "9000"', "*s/end"]
    lab.peers[2].condition.statuses["systemunit"] = uptime
    before = open_peer(2).health()
    lab.faults.restart(lab.peers[2].address)
    assert lab.cluster.settle()

    after = open_peer(2).health()

    assert (before.uptime_s, after.uptime_s) == (9000, 9000)
    assert before.total_since_start is not None
    assert after.total_since_start is not None
    assert after.total_since_start < before.total_since_start


def test_a_wrong_clock_does_not_move_the_start(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(0)
    before = peer.health().started_at
    lab.faults.clock(lab.peers[0].address, timedelta(days=3))

    after = peer.health().started_at

    assert before is not None
    assert after is not None
    assert abs(after - before) < timedelta(seconds=3)


def test_its_own_address_may_be_missing_from_the_list(lab: Lab, open_peer: Opener) -> None:
    lab.faults.lose_own_address(1)

    health = open_peer(0).health()

    assert health.own_address is None
    assert "own_address" not in (health.unread or {})


def test_its_own_address_may_be_its_full_name(lab: Lab, open_peer: Opener) -> None:
    lab.cluster.set_leaf_everywhere("Alternates Peer 2 Address", "EXPC2.steven.lab")

    assert open_peer(1).health().own_address == "EXPC2.steven.lab"


def test_the_alarm_of_a_tunnel_counts_before_its_status(lab: Lab, open_peer: Opener) -> None:
    lab.peers[0].condition.raise_alarm("35013", "Unified Communications SSH tunnel failure")

    assert open_peer(0).health().tunnels == {"alarm 35013": False}


def test_an_upgrade_alarm_is_an_upgrade_under_way(lab: Lab, open_peer: Opener) -> None:
    lab.peers[0].condition.raise_alarm("20008", "Cluster replication error")

    assert open_peer(0).health().upgrade is UpgradeState.UNDER_WAY


def test_a_status_that_is_not_offered_is_not_observed(lab: Lab, open_peer: Opener) -> None:
    lab.peers[0].condition.offers_upgrade_status = False

    health = open_peer(0).health()

    assert health.upgrade is None
    assert "does not offer" in (health.unread or {})["upgrade"]


def test_a_login_page_in_place_of_the_status_is_not_clear(lab: Lab, open_peer: Opener) -> None:
    lab.faults.substitute(lab.peers[0].address, LOGIN_PAGE, containing="upgradestatus")

    health = open_peer(0).health()

    assert health.upgrade is None
    assert "not JSON" in (health.unread or {})["upgrade"]


def test_a_refused_login_ends_the_readings(lab: Lab, open_peer: Opener) -> None:
    lab.faults.refuse_login(lab.peers[0].address)

    with pytest.raises(LoginRefused):
        open_peer(0).health()


def test_a_peer_that_is_down_has_a_reason_for_each_reading(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(1)
    lab.faults.down(lab.peers[1].address)

    health = peer.health()

    assert set(health.unread or {}) == {
        "started_at", "uptime_s", "total_since_start", "alarms", "calls", "registrations", "maintenance", "upgrade", "zones",
        "tunnels", "replication_behind", "cluster_peers", "own_address",
    }  # fmt: skip


HOSTILE = {
    "nothing": [],
    "a page": ["<html><body>Sign in</body></html>"],
    "no end": ["*s Alarm: /"],
    "cut in a line": ["*s Alarm 1:", '  ID: "150'],
    "another element": ["*s Warnings: /", "*s/end"],
    "a block within": ["*s Alarm 1:", "*s Alarm 2:", '  ID: "15015"', "*s/end"],
    "no number": ["*s Alarm 1:", '  Title: "Something"', "*s/end"],
    "a UUID": ["*s Alarm 1:", '  ID: "9d2f7fb8-c65f-11df-bea6-6bdca8c82fc6"', "*s/end"],
    "a member that says nothing": ["*s Alarm 1: /", "*s/end"],
    "a line without a colon": ["*s Alarm 1:", "  ID 15015", "*s/end"],
    "not indented": ["*s Alarm 1:", 'ID: "15015"', "*s/end"],
    "too deep": ["*s Alarm 1:", *(f"{' ' * depth}a:" for depth in range(1, 12)), "*s/end"],
}


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_alarms_that_are_not_understood_are_not_clear(lab: Lab, open_peer: Opener, lines: list[str]) -> None:
    lab.peers[0].condition.statuses["alarm"] = lines

    health = open_peer(0).health()

    assert health.alarms is None
    assert "unknown format" in (health.unread or {})["alarms"]
    assert health.replication_behind is None
    assert health.zones


def test_alarms_in_one_block_are_read_too() -> None:
    lines = ["*s Alarms:", "  Alarm 1:", '    ID: "20009"', "  Alarm 2:", '    ID: "15015"', '    State: "Lowered"', "*s/end"]

    assert parse_alarms(parse_blocks(lines, *BLOCK_NAMES)) == (PeerAlarm("20009"),)


@pytest.mark.parametrize(
    "lines",
    [
        ["*s Zones:", "  Zone 1:", '    Name: "a"', "*s/end"],
        ["*s Zones:", "  Zone 1:", '    Name: "a"', '    Status: "Well"', "*s/end"],
        ["*s Zones:", "  Zone 1:", '    Status: "Active"', "*s/end"],
    ],
    ids=["no status", "an unknown status", "no name"],
)
def test_a_zone_without_a_known_status_is_not_observed(lab: Lab, open_peer: Opener, lines: list[str]) -> None:
    lab.peers[0].condition.statuses["zones"] = lines

    assert open_peer(0).health().zones is None


def test_the_zones_of_a_real_dump_are_read() -> None:
    """The form of Cisco's example of `xstatus` (Cisco document 118675)."""
    lines = [
        "*s Zones:", "  DefaultZone:", '    Name: "DefaultZone"', "    Bandwidth:", "      LocalUsage: 0", "  LocalZone:",
        "    DefaultSubZone:", '      Name: "DefaultSubZone"', "  Searches:", "    Current: 0", "  Zone 1:",
        '    Name: "TraversalZone"', "    Status: Active", "    Type: TraversalClient", "    TraversalClient:", "      Peer 1:",
        "        SIP:", "          Status: Active", '          Address: "192.0.2.2"', "*s/end", "", "OK",
    ]  # fmt: skip

    assert read_health(_Scripted({"xStatus Zones": lines}), lambda: NOW).zones == {"TraversalZone": True}


@pytest.mark.parametrize("element", ["calls", "registrations"])
def test_a_list_of_something_else_is_not_counted(lab: Lab, open_peer: Opener, element: str) -> None:
    lab.peers[0].condition.statuses[element] = [f"*s {element.capitalize()}:", "  History 1:", '    State: "Ended"', "*s/end"]

    assert getattr(open_peer(0).health(), element) is None


@pytest.mark.parametrize("uptime", ["5 days, 13:21", "-1", "1e9", "9" * 11, "٣"])
def test_an_uptime_that_is_no_number_of_seconds_is_unread(uptime: str) -> None:
    lines = ["*s SystemUnit: /", f'  Uptime: "{uptime}"', "*s/end", "OK"]

    assert read_health(_Scripted({"xStatus SystemUnit": lines}), lambda: NOW).started_at is None


def test_the_start_is_never_later_than_it_was() -> None:
    """Uptime is in whole seconds: a peer that says 60 may have been up for almost 61."""
    lines = ["*s SystemUnit:", "  Uptime: 60", "*s/end", "OK"]

    health = read_health(_Scripted({"xStatus SystemUnit": lines}), lambda: NOW)

    assert health.started_at == NOW - timedelta(seconds=61)
    assert health.uptime_s == 60


@pytest.mark.parametrize(
    ("page", "state"),
    [
        ("[]", UpgradeState.NONE),
        ('[{"StatusUpdateTime": "22-05-18T13-23-36", "UpgradeStatus": "UPGD_STARTED"}]', UpgradeState.UNDER_WAY),
        ('{"UpgradeStatus": "UPGD_SUCCESSFUL"}', UpgradeState.NONE),
        ('[{"UpgradeStatus": "UPGD_FILE_DOWNLOADED"}]', UpgradeState.STAGED),
        ('[{"UpgradeStatus": "UPGD_FAILED"}, {"UpgradeStatus": "UPGD_FILE_DOWNLOADING"}]', UpgradeState.UNDER_WAY),
    ],
)
def test_the_status_of_an_upgrade_is_read(page: str, state: UpgradeState) -> None:
    assert parse_upgrade_status(page) is state


@pytest.mark.parametrize(
    "page", ["", "null", "{}", "[1]", '[{"UpgradeStatus": "UPGD_NEW"}]', '[{"UpgradeStatus": 1}]', "[" * 9999]
)
def test_an_unknown_status_of_an_upgrade_is_not_understood(page: str) -> None:
    with pytest.raises(StatusNotUnderstood):
        parse_upgrade_status(page)


class _Scripted:
    """A peer that answers some commands, and no others."""

    address = Address("192.0.2.1")

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self._answers = answers

    def query(self, command: str) -> list[str]:
        if command not in self._answers:
            raise ObservationError(f"no answer to {command}")
        return self._answers[command]

    def get_page(self, path: str) -> str:
        raise NotOffered(f"no {path}")
