"""A rollback that restarts: only where it is told to, only what needs it, by the rules of every restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.result import RestartOptions
from remediate.executor.rollback_restart import RollbackRestarts
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.health import PeerAlarm
from remediate.model.identity import CipherList
from remediate.model.restart import Restart
from tests.executor.clusters import fronted, plan_for, restarts, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster

ROLLING, IF_NEEDED = RollbackRestarts("rolling"), RollbackRestarts("if-needed")


def in_effect(desk: Desk, cluster: MemoryCluster) -> MemoryCluster:
    """Apply the plan of the cluster with restarts, so that every peer works with the new list."""
    desk.apply(cluster, plan_for(cluster), restart="rolling")
    assert restarts(cluster) == ["expc1", "expc2", "expc3"]
    cluster.writes.clear()
    return cluster


def needing_restart(desk: Desk) -> MemoryCluster:
    """Peers that have loaded the list of the run, and go on with it until they restart."""
    cluster = in_effect(desk, fronted())
    for device in cluster.devices:
        device.loaded = list(device.trusted)
    return cluster


def test_a_rollback_restarts_nothing_unless_asked_to(desk: Desk) -> None:
    cluster = in_effect(desk, story().run_since_long())
    result = desk.rollback(cluster)
    assert (result.state, result.exit_code, restarts(cluster)) == ("rolled-back", 11, [])


def test_rolling_restarts_what_does_not_work_with_its_lists_again(desk: Desk) -> None:
    cluster = in_effect(desk, story().run_since_long())
    result = desk.rollback(cluster, restarts=ROLLING)
    assert (result.state, result.exit_code, restarts(cluster)) == ("rolled-back", 0, ["expc1", "expc2", "expc3"])
    assert {effect.state.value for effect in result.effects} == {"yes"}
    assert cluster.state() == story().state()


def test_peers_that_never_loaded_the_run_do_not_restart(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster), restart="never")
    result = desk.rollback(cluster, restarts=ROLLING)
    assert (result.exit_code, restarts(cluster)) == (0, [])


def test_if_needed_restarts_where_clients_still_get_through(desk: Desk) -> None:
    cluster = needing_restart(desk)
    result = desk.rollback(cluster, restarts=IF_NEEDED)
    assert (result.state, result.exit_code, restarts(cluster)) == ("rolled-back", 0, ["expc1", "expc2", "expc3"])


def test_if_needed_without_a_word_on_calls_restarts_nothing(desk: Desk) -> None:
    cluster = needing_restart(desk)
    result = desk.rollback(cluster, restarts=RollbackRestarts("if-needed", RestartOptions(calls=None)))
    assert (result.exit_code, restarts(cluster)) == (11, [])


@pytest.mark.parametrize("choice", ["rolling", "if-needed"])
def test_a_guard_that_fails_leaves_an_open_step(desk: Desk, choice: Restart) -> None:
    cluster = needing_restart(desk)
    cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("25026", "Restart required"),))
    result = desk.rollback(cluster, restarts=RollbackRestarts(choice))
    assert (result.state, result.exit_code, restarts(cluster)) == ("rolled-back", 8, [])
    assert "restart-required: alarm 25026" in result.open_steps[0].text
    assert desk.journal().run("last").exit_code == 8


def test_calls_that_do_not_end_leave_the_peers_in_service(desk: Desk) -> None:
    cluster = in_effect(desk, story().run_since_long())
    device = cluster.device(1)
    device.health, device.drains_after = replace(device.health, calls=2), None
    result = desk.rollback(cluster, restarts=ROLLING)
    assert (result.exit_code, restarts(cluster), device.health.maintenance) == (8, [], False)


def test_a_second_rollback_repeats_no_restart(desk: Desk) -> None:
    # Given a rollback with restarts, after which somebody else changed the cipher list
    cluster = in_effect(desk, story().run_since_long())
    desk.rollback(cluster, restarts=ROLLING)
    cluster.elapsed_s += 60
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList("HIGH")
    # When it is rolled back again, Then what was undone is still in effect
    result = desk.rollback(cluster, restarts=ROLLING)
    assert (result.exit_code, restarts(cluster)) == (0, ["expc1", "expc2", "expc3"])
