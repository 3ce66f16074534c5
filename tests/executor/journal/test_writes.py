"""What the journal knows of the writes to one peer: when, whether undone, whether restarted since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from remediate.executor.journal.schema import MIGRATIONS
from remediate.executor.journal.store import FILE_NAME, Journal
from remediate.executor.journal.writes import PeerWrites, load_writes
from remediate.model.canonical import parse_rfc3339
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import crash
from tests.executor.memory import MemoryCluster
from tests.executor.old_journals import take_back_to
from tests.pki import NOW

FIRST, SECOND, THIRD = (Address(f"expc{number}.example.test") for number in (1, 2, 3))


def writes(desk: Desk, peer: Address) -> tuple[PeerWrites, ...]:
    with desk.journal() as journal:
        return load_writes(journal, peer)


def apply(desk: Desk, cluster: MemoryCluster, **options: Any) -> str:
    return desk.apply(cluster, plan_for(cluster), **options).run_id


def test_a_peer_that_nothing_was_written_to_has_no_writes(desk: Desk) -> None:
    apply(desk, story())
    assert writes(desk, Address("expc9.example.test")) == ()


def test_a_replicated_cipher_list_is_a_write_from_when_it_was_seen(desk: Desk) -> None:
    # Given a cluster that needs some looks until the other peers have the primary's cipher list
    cluster = story()
    cluster.lag = 3
    # When a plan is applied, Then each peer's last write is the moment at which it had the list
    run = apply(desk, cluster)
    [first], [second] = writes(desk, FIRST), writes(desk, SECOND)
    assert (first.run, first.first_at, first.last_at) == (run, NOW, NOW)
    assert second.last_at is not None
    assert second.last_at > NOW


def test_replication_that_was_not_seen_may_come_until_its_limit(desk: Desk) -> None:
    # Given an apply that stopped before it saw a cipher list replicated
    cluster = story()
    cluster.lag = 10_000
    result = desk.apply(cluster, plan_for(cluster), on_failure="stop")
    assert result.state == "partial"
    [second] = writes(desk, SECOND)
    assert second.last_at is not None
    assert second.last_at >= NOW + timedelta(seconds=150)


def test_an_undone_run_is_undone_for_every_peer(desk: Desk) -> None:
    cluster = story()
    apply(desk, cluster)
    cluster.tick(600)
    desk.rollback(cluster)
    for peer in (FIRST, SECOND, THIRD):
        [entry] = writes(desk, peer)
        assert entry.is_undone
        assert entry.last_at is not None
        assert entry.last_at >= NOW + timedelta(seconds=600)


@pytest.mark.parametrize("version", [len(MIGRATIONS), len(MIGRATIONS) - 1])
def test_what_a_rollback_left_is_not_undone(desk: Desk, version: int) -> None:
    # Given a run whose cipher list another administrator changed before the rollback, in a journal of today or of the version before
    cluster = story(1)
    desk.apply(cluster, plan_for(cluster))
    cluster.devices[0].ciphers[REVERSE_PROXY_CIPHERS] = CipherList("aRSA:aECDSA")
    desk.rollback(cluster)
    take_back_to(desk.state_dir / FILE_NAME, version)
    # Then not all of it is undone, however it is read: as it is, or migrated
    for writable in (False, True):
        with Journal(desk.state_dir, writable=writable) as journal:
            assert [entry.is_undone for entry in load_writes(journal, FIRST)] == [False]


def test_a_rollback_that_sends_nothing_is_no_write(desk: Desk) -> None:
    # Given a run on peers that do not offer removal
    cluster = story()
    for device in cluster.devices:
        device.removal = False
    desk.apply(cluster, plan_for(cluster, ciphers="keep"))
    # When it is rolled back later, Then nothing was sent, and the last write stays that of the run
    cluster.tick(600)
    assert desk.rollback(cluster).state == "partial"
    for peer in (FIRST, SECOND, THIRD):
        assert [entry.last_at for entry in writes(desk, peer)] == [NOW]


def test_an_undo_without_an_answer_may_come_until_the_rollback_ends(desk: Desk) -> None:
    # Given a run, and a rollback after whose first write the peer is gone
    cluster = story(1)
    run = desk.apply(cluster, plan_for(cluster, ciphers="keep")).run_id
    cluster.tick(600)
    cluster.unreadable_after = frozenset(f"remove {certificate}" for certificate in cluster.certificates)
    assert desk.rollback(cluster).state == "partial"
    # Then it may have written until it ended
    with desk.journal() as journal:
        assert [writes.last_at for writes in load_writes(journal, FIRST)] == [parse_rfc3339(journal.run(run).ended_at or "")]


def test_a_restart_of_this_tool_is_known_until_the_next_write(desk: Desk) -> None:
    cluster = story()
    apply(desk, cluster, restart="rolling")
    assert [entry.is_restarted for entry in writes(desk, SECOND)] == [True]
    desk.rollback(cluster)
    assert [entry.is_restarted for entry in writes(desk, SECOND)] == [False]


def test_a_run_whose_process_died_may_still_write(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    crash(lambda: desk.apply(cluster, plan), cluster, 60)
    with desk.journal() as journal:
        run = journal.run("last")
        assert run.state == "running"
        assert [entry.last_at for entry in load_writes(journal, FIRST)] == [None]
        assert [entry.last_at for entry in load_writes(journal, FIRST, own_run=run.id)] == [NOW]


def test_runs_are_found_whatever_the_cluster_is_called_by_now(desk: Desk) -> None:
    run = apply(desk, story())
    assert [entry.run for entry in writes(desk, Address(FIRST.upper()))] == [run]


@pytest.mark.parametrize("fault", ["refuse", "drop-request"])
def test_a_write_that_may_have_reached_the_peer_counts(desk: Desk, fault: str) -> None:
    # Given a first write that the peer refuses, or whose answer is lost
    cluster = story(1)
    cluster.faults = {1: fault, 2: fault}
    desk.apply(cluster, plan_for(cluster), on_failure="stop")
    [entry] = writes(desk, FIRST)
    assert entry.is_undone is (fault == "refuse")
