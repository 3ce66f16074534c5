"""The workaround: on every peer, read back, no claim about a peer that was not read, no way off that breaks clients (promise 6)."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

import pytest

from remediate.executor.identity import Operator
from remediate.executor.journal.store import FILE_NAME
from remediate.executor.journal.switches import find_workarounds_left_on, load_last_switches
from remediate.executor.lock import hold_cluster, peer_lock_paths
from remediate.executor.workaround import (
    ClientsWouldBreak,
    NotVerified,
    most_serious_code,
    read_verification,
)
from remediate.model.access import PeerAccess
from remediate.model.errors import LockHeld
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.snapshot import DiscoveryGap
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.workarounds import healed, turn
from tests.pki import NOW


def test_on_is_verification_off_on_every_peer_the_primary_first(desk: Desk) -> None:
    cluster = story()
    flags = turn(desk, cluster, on=True)
    assert [(flag.verification, flag.problem, flag.has_written) for flag in flags] == [(False, None, True)] * 3
    assert cluster.writes[0].peer == cluster.device(1).address
    assert [status.verification for status in read_verification(cluster.access, environment=cluster.environment())] == [
        False
    ] * 3


def test_on_twice_writes_once_and_off_restores_the_start(desk: Desk) -> None:
    cluster = healed()
    turn(desk, cluster, on=True)
    again = turn(desk, cluster, on=True)
    assert (most_serious_code(again), len(cluster.writes)) == (0, 3)
    assert most_serious_code(turn(desk, cluster, on=False)) == 0
    assert cluster.state() == healed().state()


def test_off_is_refused_and_names_each_endpoint_to_be_lost(desk: Desk) -> None:
    # Given a cluster where the workaround is all that lets clients through
    cluster = story()
    turn(desk, cluster, on=True)

    with pytest.raises(ClientsWouldBreak) as refused:
        turn(desk, cluster, on=False)

    assert refused.value.exit_code == 7
    assert "cucm.example.test:6972: self-signed-untrusted" in str(refused.value)
    assert "imp.example.test:8443: self-signed-untrusted" in str(refused.value)
    assert "cucm.example.test:8443: issuer-unknown, “unable to get local issuer certificate” (from expc3" in str(refused.value)
    assert "--force" in refused.value.next_step
    assert {device.verify for device in cluster.devices} == {False}
    assert most_serious_code(turn(desk, cluster, on=False, force=True)) == 0
    assert {device.verify for device in cluster.devices} == {True}


def test_off_is_refused_where_an_endpoint_cannot_be_looked_at(desk: Desk) -> None:
    cluster = healed()
    turn(desk, cluster, on=True)
    unreachable = replace(cluster.endpoints[0], presented={}, error="unreachable: connection refused")
    cluster.endpoints = (unreachable, *cluster.endpoints[1:])

    with pytest.raises(NotVerified, match=r"cucm\.example\.test:6972: unreachable") as refused:
        turn(desk, cluster, on=False)

    assert refused.value.exit_code == 4
    assert {device.verify for device in cluster.devices} == {False}


def test_off_is_refused_where_a_peer_cannot_be_read(desk: Desk) -> None:
    # Given a peer that lacks what clients need, and does not answer while the cluster is looked at
    cluster = healed()
    cluster.device(3).trusted = []
    turn(desk, cluster, on=True)
    cluster.device(3).up = False

    def come_back(point: str) -> None:
        cluster.device(3).up = cluster.device(3).up or point.startswith("before verify")

    cluster.tap = come_back

    # When the workaround is to end, Then it does nowhere: a flag may replicate to the peer that nobody judged
    with pytest.raises(NotVerified, match=re.escape("every endpoint: unreachable: it is down (from expc3")):
        turn(desk, cluster, on=False)
    assert {device.verify for device in cluster.devices} == {False}


def test_off_is_refused_where_discovery_could_not_ask(desk: Desk) -> None:
    cluster = healed()
    turn(desk, cluster, on=True)
    cluster.undiscovered = (DiscoveryGap("cucm.example.test", "axl", "not-asked", incomplete=True, message="AXL is away."),)

    with pytest.raises(NotVerified, match=r"could not find: AXL is away\.") as refused:
        turn(desk, cluster, on=False)

    assert refused.value.exit_code == 4
    assert {device.verify for device in cluster.devices} == {False}
    cluster.undiscovered = (replace(cluster.undiscovered[0], incomplete=False),)
    assert most_serious_code(turn(desk, cluster, on=False)) == 0


def test_off_looks_at_what_verifies_nothing_now_and_at_nothing_else(desk: Desk) -> None:
    # Given one peer with the workaround, which has all it needs, beside peers that refuse already
    cluster = story()
    cluster.endpoints = cluster.endpoints[1:2]
    cluster.device(1).verify = False

    assert most_serious_code(turn(desk, cluster, on=False)) == 0
    assert cluster.state() == story().state()


def test_a_run_that_holds_the_lock_keeps_both_switches_out(desk: Desk) -> None:
    cluster = healed()
    operator = Operator("alice", "bastion", 7)
    with hold_cluster(cluster.access, desk.state_dir, desk.home / "locks", operator=operator, ticket="CHG1", now=lambda: NOW):
        for on in (True, False):
            with pytest.raises(LockHeld, match="alice on bastion"):
                turn(desk, cluster, on=on)
    assert cluster.sent_count == 0


def test_a_run_under_other_peer_names_blocks_both_switches(desk: Desk) -> None:
    # Given a run at work on these devices, whose inventory names one of them by its address
    cluster, shared = healed(), desk.home / "locks"
    elsewhere = replace(cluster.access, name="paris", peers=(PeerAccess(Address("192.0.2.1")),))
    opened = cluster.open_peers(cluster.access, Limits(), writable=True)
    with hold_cluster(
        elsewhere, desk.home / "elsewhere", shared, operator=Operator("alice", "bastion", 7), ticket=None, now=lambda: NOW
    ) as lock:
        lock.acquire(peer_lock_paths(opened, shared))
        for on in (True, False):
            with pytest.raises(LockHeld, match="alice on bastion"):
                turn(desk, cluster, on=on)
    assert cluster.sent_count == 0


def test_a_peer_that_is_down_ends_the_switch_with_8(desk: Desk) -> None:
    cluster = story()
    cluster.device(2).up = False
    assert most_serious_code(turn(desk, cluster, on=True)) == 8
    assert most_serious_code(read_verification(cluster.access, environment=cluster.environment())) == 4


def test_a_version_that_does_not_offer_it_is_reported(desk: Desk) -> None:
    cluster = story()
    cluster.device(2).verify = None
    flags = turn(desk, cluster, on=True)
    assert most_serious_code(flags) == 8
    assert "does not offer" in str(flags[1].problem)
    assert most_serious_code(read_verification(cluster.access, environment=cluster.environment())) == 0


def test_a_lost_answer_is_read_back_and_an_ignored_write_fails(desk: Desk) -> None:
    cluster = story()
    cluster.faults = {1: "drop-answer", 2: "drop-request"}
    assert most_serious_code(turn(desk, cluster, on=True)) == 0
    cluster.faults = {cluster.sent_count + 2: "ignore"}
    flags = turn(desk, cluster, on=False, force=True)
    assert (most_serious_code(flags), flags[1].verification) == (8, False)


def test_a_flag_that_is_overwritten_after_it_was_set_ends_with_8(desk: Desk) -> None:
    # Given a primary whose replication overwrites the flag of another peer
    cluster = story()

    def overwrite(point: str) -> None:
        if point == "after verify False on expc3.example.test":
            cluster.device(2).verify = True

    cluster.tap = overwrite
    flags = turn(desk, cluster, on=True)
    assert (flags[1].verification, flags[1].exit_code) == (True, 8)


def test_a_switch_that_a_peer_ignores_is_a_partial_run(desk: Desk) -> None:
    cluster = story()
    cluster.faults = {2: "ignore"}
    turn(desk, cluster, on=True)
    [run] = desk.journal().runs()
    assert (run.state, run.exit_code) == ("partial", 8)


def test_where_nothing_is_switched_no_run_is_recorded(desk: Desk) -> None:
    turn(desk, story(), on=False, force=True)
    assert desk.journal().runs() == ()


def test_a_broken_journal_does_not_prevent_the_last_resort(desk: Desk) -> None:
    # Given a journal of a newer version, which this one must not touch
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    db = sqlite3.connect(desk.state_dir / FILE_NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    # When the workaround is turned on
    flags = turn(desk, cluster, on=True)
    # Then it is on, and it says that nobody can look that up
    assert most_serious_code(flags) == 0
    assert any("no record of who did it" in text for text in desk.messages("warning"))
    assert load_last_switches(desk.state_dir) == {}


def test_a_peer_silent_after_the_write_is_not_known(desk: Desk) -> None:
    # Given a second peer that answers nothing any more once it was written to
    cluster = story()

    def fall_silent(point: str) -> None:
        if point == "after verify False on expc2.example.test":
            cluster.device(2).down_for = 1_000

    cluster.tap = fall_silent
    # When the workaround is turned on
    flags = turn(desk, cluster, on=True)
    # Then nothing is claimed of that peer, and how a person does it is said
    assert [(flag.verification, flag.exit_code) for flag in flags] == [(False, 0), (None, 8), (False, 0)]
    assert "xConfiguration EdgeConfigServer VerifyOriginServer: Off" in str(flags[1].problem)


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_apply_reminds_of_the_workaround(desk: Desk, *, dry_run: bool) -> None:
    cluster = story()
    cluster.device(3).verify = False
    desk.apply(cluster, plan_for(cluster), dry_run=dry_run)
    assert [text for text in desk.messages("reminder") if "The workaround is on (expc3.example.test)" in text]


def test_an_end_that_was_not_read_back_leaves_the_workaround_open(desk: Desk) -> None:
    # Given the workaround, and an end of it whose answer is lost
    cluster = healed()
    turn(desk, cluster, on=True)
    cluster.unreadable_after = frozenset({"verify True"})
    assert most_serious_code(turn(desk, cluster, on=False)) == 8
    # Then verification may still be off
    assert find_workarounds_left_on(desk.state_dir)["edge"][0].read_back is None
