"""The condition of a simulated peer: what maintenance mode and a restart do to it, and what its shell and REST say."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remediate.lab import Lab
from remediate.lab.condition import MRA_ZONE
from tests.lab.conftest import RestClient

ShellOf = Callable[[int], Any]
RestOf = Callable[[int], RestClient]
MAINTENANCE = "xConfiguration SystemUnit Maintenance Mode"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_empty_list_is_printed_as_one(shell: ShellOf) -> None:
    client = shell(0)

    assert "*s Calls: /\r\n*s/end\r\n\r\nOK" in client("xStatus Calls")
    assert "*s Alarm: /\r\n*s/end" in client("xstatus alarm")


def test_maintenance_mode_drops_the_calls_of_ce_endpoints(story: Lab, shell: ShellOf) -> None:
    condition = story.peers[0].condition
    condition.ordinary_calls, condition.ce_calls = 2, 3

    shell(0)(f"{MAINTENANCE}: on")

    assert (condition.calls, condition.dropped_calls) == (2, 3)
    assert '  ID: "15015"' in shell(0)("xStatus Alarm")
    assert [peer.condition.maintenance for peer in story.peers] == [True, False, False]


def test_the_other_calls_end_by_themselves(story: Lab, shell: ShellOf) -> None:
    condition = story.peers[0].condition
    condition.ordinary_calls, condition.drain_s = 2, 0.2

    shell(0)(f"{MAINTENANCE}: On")

    assert condition.calls == 2
    wait_until(lambda: condition.calls == 0)


def test_rest_is_back_before_zones_and_tunnels(story: Lab, rest_client: RestOf) -> None:
    peer = story.peers[1]
    story.faults.connect_s = 0.5

    story.faults.restart(peer.address)
    wait_until(lambda: bool(story.requests.outages) and story.requests.outages[0].answered is not None)
    early = (
        rest_client(1)("GET", "/api/provisioning/sysinfo").status_code,
        peer.condition.zones[MRA_ZONE],
        peer.condition.refusal,
    )
    assert story.cluster.settle()

    assert early == (200, False, "Next Hop Connection Failed")
    assert (peer.condition.zones[MRA_ZONE], peer.condition.refusal) == (True, None)


def test_a_restart_ends_calls_and_maintenance_mode(story: Lab, shell: ShellOf) -> None:
    shell(2)(f"{MAINTENANCE}: On")
    condition = story.peers[2].condition
    condition.ordinary_calls = 4
    condition.raise_alarm("25026")
    condition.raise_alarm("20004", "Cluster communication failure")

    story.faults.restart(story.peers[2].address)
    assert story.cluster.settle()

    assert (condition.calls, condition.maintenance, condition.uptime_s) == (0, False, 0)
    assert [alarm.number for alarm in condition.raised] == ["20004"]
    assert [outage.cut_calls for outage in story.requests.outages] == [4]
    assert f'{MAINTENANCE}: "Off"' in shell(2)(MAINTENANCE)


def test_a_tunnel_may_stay_down(story: Lab) -> None:
    condition = story.peers[0].condition
    condition.stays_down.add("expe1.steven.lab")

    story.faults.restart(story.peers[0].address)
    assert story.cluster.settle()

    assert condition.tunnels == {"expe1.steven.lab": False}
    assert condition.zones[MRA_ZONE] is True


def test_the_log_knows_how_many_peers_were_away_at_once(story: Lab) -> None:
    for peer in story.peers[:2]:
        story.faults.restart(peer.address)
        assert story.cluster.settle()
    one_by_one = story.requests.most_away_at_once
    for peer in story.peers[1:]:
        story.faults.restart(peer.address)
    assert story.cluster.settle()

    assert (one_by_one, story.requests.most_away_at_once) == (1, 2)


@pytest.mark.parametrize("base", ["/api", "/api/v1"])
def test_rest_gives_the_status_of_an_upgrade(story: Lab, rest_client: RestOf, base: str) -> None:
    path = f"{base}/status/common/upgradestatus"
    assert rest_client(0)("GET", path).json() == []

    story.peers[0].condition.upgrade = "UPGD_STARTED"

    assert rest_client(0)("GET", path).json()[0]["UpgradeStatus"] == "UPGD_STARTED"


def test_crowded_peers_describe_themselves_in_flow_style(tmp_path: Path) -> None:
    with Lab(tmp_path, "crowded", judge=False) as lab:
        client = RestClient(lab, lab.peers[0])
        page = client("GET", "/api/provisioning/certs/root").text
        description = client("GET", "/api/raml").text
        client.close()

    assert page.count("-----BEGIN CERTIFICATE-----") == 302
    assert "CN=Bystander Root CA 7\n-----BEGIN CERTIFICATE-----" in page
    assert "Sha256Fingerprint" in description
    assert "get: {" in description
