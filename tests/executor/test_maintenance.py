"""Maintenance mode: turned on and read back, turned off, and what an earlier run left on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from remediate.executor.identity import Operator
from remediate.executor.journal.restarts import load_open_maintenance
from remediate.executor.journal.store import Journal
from remediate.executor.maintenance import Maintenance, warn_of_maintenance_left_on
from remediate.executor.steps import RunEvents
from remediate.model.health import Health
from remediate.model.limits import Limits
from tests.executor.clusters import story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


@pytest.fixture
def cluster() -> MemoryCluster:
    """Return a cluster of one peer that started long ago and is not in maintenance mode."""
    cluster = story(peers=1).run_since_long()
    cluster.device(1).health = replace(cluster.device(1).health, maintenance=False)
    return cluster


@pytest.fixture
def maintenance(desk: Desk, cluster: MemoryCluster) -> Iterator[Maintenance]:
    """Yield the switch on that cluster, with a journal."""
    with Journal(desk.state_dir, writable=True, now=cluster.now) as journal:
        events = RunEvents(desk.events.append, cluster.name)
        yield Maintenance(journal, cluster.name, cluster.environment(), Limits(), events)


def turn_on(maintenance: Maintenance, cluster: MemoryCluster) -> tuple[int, str]:
    [peer] = cluster.open_peers(cluster.access, Limits(), writable=True).peers
    run = maintenance.journal.begin_without_plan(
        "restart", cluster.name, [peer.address], operator=Operator("anna", "jump", 1), ticket=None
    )
    return maintenance.turn_on(peer, Health(), run)


def test_maintenance_stays_in_the_journal_until_read_as_off(maintenance: Maintenance, cluster: MemoryCluster) -> None:
    [peer] = cluster.open_peers(cluster.access, Limits(), writable=True).peers

    number, problem = turn_on(maintenance, cluster)

    assert (problem, peer.health().maintenance) == ("", True)
    assert [record.peer for record in load_open_maintenance(maintenance.journal, cluster.name)] == [peer.address]
    assert maintenance.turn_off(peer, number)
    assert peer.health().maintenance is False
    assert not load_open_maintenance(maintenance.journal, cluster.name)


def test_maintenance_mode_that_an_earlier_run_left_on_is_ended(maintenance: Maintenance, cluster: MemoryCluster) -> None:
    turn_on(maintenance, cluster)
    opened = cluster.open_peers(cluster.access, Limits(), writable=True)

    assert maintenance.end_left_on(opened.peers) == ()

    assert opened.peers[0].health().maintenance is False
    assert not load_open_maintenance(maintenance.journal, cluster.name)


def test_a_peer_that_is_down_leaves_a_manual_step(maintenance: Maintenance, cluster: MemoryCluster, desk: Desk) -> None:
    turn_on(maintenance, cluster)

    [step] = maintenance.end_left_on([])

    assert (step.peer, step.open) == (cluster.device(1).address, True)
    assert "`xConfiguration SystemUnit Maintenance Mode: Off`" in step.text
    warn_of_maintenance_left_on(maintenance.journal, cluster.name, maintenance.events)
    assert len(desk.messages("warning")) == 1
