"""Switches of the workaround in the journal: who turned it, when, and what was read back."""

from __future__ import annotations

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.store import UnknownRun
from remediate.executor.journal.switches import find_workarounds_left_on, load_last_switches
from remediate.executor.workaround import (
    most_serious_code,
    read_verification,
)
from tests.executor.clusters import story
from tests.executor.conftest import Desk
from tests.executor.workarounds import healed, turn


def test_the_journal_keeps_who_switched_each_peer_last(desk: Desk) -> None:
    # Given the workaround, turned on by somebody at some time
    cluster = story()
    turn(desk, cluster, on=True)
    # When its status is asked
    flags = read_verification(cluster.access, state_dir=desk.state_dir, environment=cluster.environment())
    # Then it says who and when, for each peer, and what was read back
    assert [flag.last and (flag.last.peer, flag.last.requested, flag.last.read_back, flag.last.user) for flag in flags] == [
        (device.address, False, False, identify_operator().user) for device in cluster.devices
    ]
    # And it is a run without a plan, which no rollback undoes
    [run] = desk.journal().runs()
    assert (run.kind, run.plan, run.state, run.exit_code) == ("workaround", None, "applied", 0)
    assert run.peers == tuple(device.address for device in cluster.devices)
    with pytest.raises(UnknownRun):
        desk.journal().run("last", with_plan=True)


def test_the_journal_keeps_an_ignored_switch_as_it_was_read_back(desk: Desk) -> None:
    cluster = story()
    cluster.faults = {2: "ignore"}
    turn(desk, cluster, on=True)
    read_back = {peer: last.read_back for peer, last in load_last_switches(desk.state_dir)["edge"].items()}
    assert list(read_back.values()) == [False, True, False]
    texts = [str(switch) for switch in load_last_switches(desk.state_dir)["edge"].values()]
    assert [text.endswith("but still read back as on") for text in texts] == [False, True, False]


def test_a_switch_reads_as_one_sentence(desk: Desk) -> None:
    cluster = story()
    turn(desk, cluster, on=True)
    texts = {str(switch) for switch in load_last_switches(desk.state_dir)["edge"].values()}
    assert texts == {f"turned off by {identify_operator().user} on {identify_operator().host} at 2026-11-23T10:00:00Z"}


def test_the_journal_knows_a_workaround_left_on_until_it_is_off(desk: Desk) -> None:
    cluster = healed()
    turn(desk, cluster, on=True)
    assert [switch.peer for switch in find_workarounds_left_on(desk.state_dir)["edge"]] == [
        device.address for device in cluster.devices
    ]
    turn(desk, cluster, on=False)
    assert find_workarounds_left_on(desk.state_dir) == {}


def test_a_switch_whose_answer_was_lost_may_be_on(desk: Desk) -> None:
    # Given a device that does it, and answers nothing any more
    cluster = story(1)
    cluster.unreadable_after = frozenset({"verify False"})
    assert most_serious_code(turn(desk, cluster, on=True)) == 8
    # Then it is not taken for off
    assert [switch.read_back for switch in find_workarounds_left_on(desk.state_dir)["edge"]] == [None]
    assert str(find_workarounds_left_on(desk.state_dir)["edge"][0]).endswith("not read back")
