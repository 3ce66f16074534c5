"""The guards of a restart, each judged from what the peers say of themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remediate.executor.guards import (
    ClusterHealth,
    GuardFinding,
    GuardState,
    find_failing,
    find_not_looked_at,
    judge_guards,
)
from remediate.model.alarms import RESTART_REQUIRED_ALARMS
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address
from remediate.model.restart import ASSUMABLE, Guard

FIRST, SECOND = Address("expc1.example.test"), Address("expc2.example.test")
GOOD = Health(
    alarms=(),
    calls=0,
    maintenance=False,
    upgrade=UpgradeState.NONE,
    replication_behind=False,
    cluster_peers=(FIRST, SECOND),
)
HOLDS, FAILS, UNKNOWN = GuardState.HOLDS, GuardState.FAILS, GuardState.NOT_LOOKED_AT


def pair(first: dict[str, Any] | None = None, second: dict[str, Any] | None = None) -> ClusterHealth:
    """Two healthy peers, but for what is given."""
    peers = {FIRST: replace(GOOD, own_address=FIRST), SECOND: replace(GOOD, own_address=SECOND)}
    return ClusterHealth({FIRST: replace(peers[FIRST], **first or {}), SECOND: replace(peers[SECOND], **second or {})})


def single(**changes: Any) -> ClusterHealth:
    """A cluster of one peer."""
    return ClusterHealth({FIRST: replace(GOOD, cluster_peers=(), replication_behind=None, **changes)})


def finding(guard: Guard, cluster: ClusterHealth, alarms_before: tuple[str, ...] | None = ()) -> GuardFinding:
    """What is entry of one guard of the first peer."""
    return next(entry for entry in judge_guards(FIRST, cluster, alarms_before) if entry.guard is guard)


def alarms(*numbers: int) -> dict[str, Any]:
    return {"alarms": tuple(PeerAlarm(str(number), "Something") for number in numbers)}


def test_every_guard_holds_on_a_healthy_cluster() -> None:
    findings = judge_guards(FIRST, pair(), ())
    assert [(entry.guard, entry.state) for entry in findings] == [(guard, HOLDS) for guard in Guard]
    assert all(entry.lets_restart and entry.description.endswith(".") for entry in findings)
    assert all(entry.state is HOLDS for entry in judge_guards(FIRST, single(), ()))


def test_without_a_reading_a_guard_neither_holds_nor_fails() -> None:
    findings = judge_guards(FIRST, ClusterHealth({FIRST: Health(), SECOND: Health()}), None)
    assert [entry.state for entry in findings] == [HOLDS, *[UNKNOWN] * 6]
    assert find_failing(findings) == ()
    assert len(find_not_looked_at(findings)) == 6


def test_a_silent_peer_fails_peers_up() -> None:
    cluster = ClusterHealth({FIRST: replace(GOOD, own_address=FIRST)}, {SECOND: "connection refused."})
    entry = finding(Guard.PEERS_UP, cluster)
    assert (entry.state, entry.description) == (FAILS, "Does not answer: expc2.example.test: connection refused.")
    assert finding(Guard.REPLICATION, cluster).state is UNKNOWN


def test_a_peer_that_only_the_cluster_lists_leaves_peers_up_open() -> None:
    entry = finding(Guard.PEERS_UP, pair({"cluster_peers": (FIRST, SECOND, Address("192.0.2.3"))}))
    assert (entry.state, "3 peers, but only 2 could be reached" in entry.description) == (UNKNOWN, True)


@pytest.mark.parametrize("number", [20003, 20009, 20026])
def test_a_cluster_alarm_on_any_peer_fails_alarms(number: int) -> None:
    entry = finding(Guard.ALARMS, pair(second=alarms(number)))
    assert (entry.state, entry.description) == (FAILS, f"expc2.example.test: alarm {number} (Something).")


def test_an_alarm_of_something_else_fails_nothing() -> None:
    findings = judge_guards(FIRST, pair(alarms(25002, 15030)), ())
    assert all(entry.state is HOLDS for entry in findings)


def test_restart_required_alarms_do_not_fail_alarms() -> None:
    assert {"20007", "20020", "15028", "25026"} <= RESTART_REQUIRED_ALARMS
    assert finding(Guard.ALARMS, pair(alarms(20020))).state is HOLDS


def test_alarms_unread_on_one_peer_are_not_looked_at() -> None:
    entry = finding(Guard.ALARMS, pair(second={"alarms": None}))
    assert (entry.state, entry.description) == (UNKNOWN, "The alarms were not observed on expc2.example.test.")


@pytest.mark.parametrize(
    ("behind", "state"), [(True, FAILS), (None, UNKNOWN), (False, HOLDS)], ids=["behind", "unread", "up-to-date"]
)
def test_replication_counts_on_every_peer(behind: bool | None, state: GuardState) -> None:
    assert finding(Guard.REPLICATION, pair(second={"replication_behind": behind})).state is state


def test_a_single_peer_whose_list_is_unread_may_replicate() -> None:
    cluster = ClusterHealth({FIRST: replace(GOOD, cluster_peers=None, replication_behind=None)})
    assert finding(Guard.REPLICATION, cluster).state is UNKNOWN


@pytest.mark.parametrize(
    ("upgrade", "state"),
    [(UpgradeState.STAGED, FAILS), (UpgradeState.UNDER_WAY, FAILS), (None, UNKNOWN), (UpgradeState.NONE, HOLDS)],
)
def test_an_upgrade_on_any_peer_fails_upgrade(upgrade: UpgradeState | None, state: GuardState) -> None:
    assert finding(Guard.UPGRADE, pair(second={"upgrade": upgrade})).state is state


def test_own_address_must_be_in_the_peers_own_list() -> None:
    assert finding(Guard.OWN_ADDRESS, pair()).state is HOLDS
    absent = finding(Guard.OWN_ADDRESS, pair({"own_address": None}))
    assert (absent.state, "factory defaults" in absent.description) == (FAILS, True)
    unread = finding(Guard.OWN_ADDRESS, pair({"own_address": None, "unread": {"own_address": "HTTP 403."}}))
    assert (unread.state, "(HTTP 403)" in unread.description) == (UNKNOWN, True)
    assert finding(Guard.OWN_ADDRESS, pair({"cluster_peers": None})).state is UNKNOWN


def test_an_empty_list_in_a_cluster_of_several_fails() -> None:
    assert finding(Guard.OWN_ADDRESS, pair({"cluster_peers": (), "own_address": None})).state is FAILS
    assert finding(Guard.OWN_ADDRESS, single()).state is HOLDS


def test_own_address_does_not_depend_on_other_peers() -> None:
    assert finding(Guard.OWN_ADDRESS, pair(second={"own_address": None})).state is HOLDS


def test_a_pending_change_of_others_fails_restart_required() -> None:
    pending = pair(alarms(25026))
    assert finding(Guard.RESTART_REQUIRED, pending, ("25026",)).state is FAILS
    assert finding(Guard.RESTART_REQUIRED, pending, ("15028",)).state is HOLDS
    assert finding(Guard.RESTART_REQUIRED, pending, None).state is UNKNOWN
    assert finding(Guard.RESTART_REQUIRED, pair(second=alarms(25026)), ("25026",)).state is HOLDS


def test_without_a_pending_change_the_alarms_before_do_not_matter() -> None:
    assert finding(Guard.RESTART_REQUIRED, pair(), None).state is HOLDS
    assert finding(Guard.RESTART_REQUIRED, pair({"alarms": None})).state is UNKNOWN


@pytest.mark.parametrize("position", ["first", "second"])
def test_maintenance_mode_on_any_peer_fails_maintenance(position: str) -> None:
    assert finding(Guard.MAINTENANCE, pair(**{position: {"maintenance": True}})).state is FAILS
    assert finding(Guard.MAINTENANCE, pair(**{position: {"maintenance": None}})).state is UNKNOWN
    assert finding(Guard.MAINTENANCE, pair(**{position: {"maintenance": None, **alarms(15015)}})).state is FAILS


@pytest.mark.parametrize("guard", Guard)
def test_only_an_unseen_guard_can_be_assumed(guard: Guard) -> None:
    unseen = ClusterHealth({FIRST: Health(cluster_peers=(FIRST, SECOND, Address("192.0.2.3"))), SECOND: Health()})
    findings = {entry.guard: entry for entry in judge_guards(FIRST, unseen, None, frozenset(Guard))}
    # Its list of the cluster was read, and its own address is not in it: that fails, and is never assumed
    may_restart = guard in ASSUMABLE
    assert findings[guard].lets_restart is may_restart
    assert findings[guard].assumed is may_restart


def test_a_guard_that_fails_is_never_assumed() -> None:
    cluster = ClusterHealth(
        {
            FIRST: replace(
                GOOD, **alarms(20004, 25026), maintenance=True, replication_behind=True, upgrade=UpgradeState.STAGED
            ),
        },
        {SECOND: "it is down"},
    )
    findings = judge_guards(FIRST, cluster, ("25026",), frozenset(Guard))
    assert [entry.state for entry in findings] == [FAILS] * 7
    assert not any(entry.assumed or entry.lets_restart for entry in findings)
