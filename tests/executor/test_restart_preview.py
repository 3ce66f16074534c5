"""The preview of a restart: guards and calls of each peer, and nothing written."""

from __future__ import annotations

from dataclasses import replace

from remediate.executor.result import RestartOptions
from remediate.model.restart import Guard
from tests.executor.conftest import Desk
from tests.executor.restart_orders import FIRST, SECOND, THIRD, apply, old_story, preview


def test_a_preview_shows_guards_and_calls_and_writes_nothing(desk: Desk) -> None:
    cluster = old_story()
    cluster.device(2).health = replace(cluster.device(2).health, calls=7, registrations=120)
    cluster.device(3).says = {"own_address": None}
    report = preview(desk, cluster, everywhere=True)
    assert [(peer.peer, peer.calls, peer.registrations) for peer in report.peers] == [
        (FIRST, 0, 0),
        (SECOND, 7, 120),
        (THIRD, 0, 0),
    ]
    assert [bool(peer.obstacles) for peer in report.peers] == [False, False, True]
    assert (report.exit_code, report.is_single, cluster.sent_count) == (8, False, 0)
    assert not desk.state_dir.exists()


def test_a_preview_of_healthy_peers_ends_well(desk: Desk) -> None:
    cluster = old_story()
    apply(desk, cluster)
    cluster.sent_count = 0
    report = preview(desk, cluster)
    assert (report.exit_code, len(report.peers), cluster.sent_count) == (0, 3, 0)
    assert all(peer.effect.state.value == "not-known" for peer in report.peers)


def test_an_assumption_lets_a_preview_pass_the_guard(desk: Desk) -> None:
    cluster = old_story()
    cluster.device(1).says = {"replication_behind": None}
    assert preview(desk, cluster, everywhere=True).exit_code == 8
    options = RestartOptions(assume=frozenset({Guard.REPLICATION}))
    assert preview(desk, cluster, everywhere=True, restarts=options).exit_code == 0
