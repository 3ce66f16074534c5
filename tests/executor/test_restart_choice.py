"""The peers that a restart takes: by name, all, or those that wait for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.model.errors import UsageError
from remediate.model.identity import Address
from tests.executor.conftest import Desk
from tests.executor.restart_orders import FIRST, SECOND, THIRD, apply, old_story, preview, restarted, run


def test_a_restart_takes_peers_written_to_since_their_start(desk: Desk) -> None:
    cluster = old_story()
    apply(desk, cluster)
    cluster.elapsed_s += 60
    cluster.device(2).health = replace(cluster.device(2).health, started_at=cluster.now())
    cluster.elapsed_s += 60
    result = run(desk, cluster)
    assert (result.exit_code, result.state, restarted(cluster)) == (0, "applied", ["expc1", "expc3"])
    assert {effect.peer: (effect.state.value, str(effect.source)) for effect in result.effects} == {
        FIRST: ("yes", "start"),
        THIRD: ("yes", "start"),
    }
    # When it is asked again, Then none waits, and there is no run for that
    again = run(desk, cluster)
    assert (again.exit_code, again.run_id, again.has_written) == (0, "", False)
    assert restarted(cluster) == ["expc1", "expc3"]


def test_a_restart_takes_the_peers_that_are_named_or_all(desk: Desk) -> None:
    cluster = old_story()
    assert run(desk, cluster, peers=(Address("EXPC2.example.test"),)).exit_code == 0
    assert restarted(cluster) == ["expc2"]
    run(desk, cluster, everywhere=True)
    assert restarted(cluster) == ["expc2", "expc1", "expc2", "expc3"]


def test_a_restart_takes_no_peer_that_was_not_asked_about(desk: Desk) -> None:
    cluster = old_story()
    peers = frozenset(peer.peer for peer in preview(desk, cluster).peers)
    # When a run of somebody else writes while the person answers
    apply(desk, cluster)

    result = run(desk, cluster, offered_peers=peers)

    assert (peers, result.run_id, restarted(cluster)) == (frozenset(), "", [])


def test_the_primary_goes_first(desk: Desk) -> None:
    cluster = old_story()
    cluster.named_primary = SECOND
    run(desk, cluster, everywhere=True)
    assert restarted(cluster) == ["expc2", "expc1", "expc3"]


def test_a_peer_that_the_cluster_does_not_have_is_refused(desk: Desk) -> None:
    cluster = old_story()
    with pytest.raises(UsageError, match="has no peer expc9; it has expc1"):
        run(desk, cluster, peers=(Address("expc9"),))
    with pytest.raises(UsageError, match="expc9"):
        preview(desk, cluster, peers=(Address("expc9"),))
    assert cluster.sent_count == 0
