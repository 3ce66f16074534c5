"""Replication in the lab: up to two minutes of lab time, drawn for each peer and change; a peer that is late raises its alarm."""

from __future__ import annotations

from pathlib import Path

from remediate.lab.lab import Lab
from remediate.model.expressway import REVERSE_PROXY_CIPHERS

_ALARM = "20009"
_LEAF = f"Ciphers {REVERSE_PROXY_CIPHERS} Value"


def set_ciphers(lab: Lab, value: str) -> None:
    lab.cluster.set_leaf(lab.peers[0], _LEAF, value)


def draw_lags(lab: Lab, number: int) -> list[float]:
    return [lab.cluster.lag_s(lab.peers[1].address) for _ in range(number)]


def alarms(lab: Lab, number: int) -> set[str]:
    return {alarm.number for alarm in lab.peers[number].condition.raised}


def test_no_two_replications_take_the_same_time(story: Lab) -> None:
    lags = draw_lags(story, 50)
    assert len(set(lags)) == 50
    assert all(0 < lag <= story.faults.two_minutes_s for lag in lags)


def test_two_labs_of_one_scenario_draw_the_same(tmp_path: Path) -> None:
    with Lab(tmp_path / "first", "healthy", judge=False) as first, Lab(tmp_path / "second", "healthy", judge=False) as second:
        assert draw_lags(first, 3) == draw_lags(second, 3)


def test_a_peer_in_time_raises_no_alarm(story: Lab) -> None:
    set_ciphers(story, "ALL")
    assert story.cluster.settle()
    assert [peer.leaves[_LEAF] for peer in story.peers] == ["ALL"] * 3
    assert [_ALARM in alarms(story, number) for number in range(3)] == [False] * 3


def test_a_late_peer_raises_its_alarm_until_it_has_caught_up(story: Lab) -> None:
    story.faults.two_minutes_s = 0.02
    story.faults.replicate_late(story.peers[2].address, 0.3)
    set_ciphers(story, "ALL")
    numbers: set[str] = set()
    while not story.cluster.settle(0.01):
        numbers |= alarms(story, 2)
        assert _ALARM not in alarms(story, 1)
    assert _ALARM in numbers
    assert (story.peers[2].leaves[_LEAF], _ALARM in alarms(story, 2)) == ("ALL", False)
