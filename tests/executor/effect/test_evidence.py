"""What the journal knows of a write before any client is asked."""

from __future__ import annotations

from dataclasses import replace

from tests.executor.clusters import plan_for
from tests.executor.conftest import Desk
from tests.executor.effect.looks import fronted, look, states
from tests.pki import NOW


def test_client_answers_of_an_apply_count_without_asking_again(desk: Desk) -> None:
    cluster = fronted()
    assert desk.apply(cluster, plan_for(cluster)).exit_code == 0
    result = look(desk, cluster, ask_clients=False)
    assert (result.exit_code, states(result)) == (0, [("yes", "client")] * 3)
    assert "(seen by 2026-11-23T10:" in result.effects[0].description


def test_client_answers_of_an_apply_expire_with_a_later_write(desk: Desk) -> None:
    cluster = fronted()
    desk.apply(cluster, plan_for(cluster))
    cluster.tick(600)
    for device in cluster.devices:
        device.front = False
        device.health = replace(device.health, started_at=NOW.replace(minute=5))
    assert desk.rollback(cluster).exit_code == 11
    assert states(look(desk, cluster)) == [("not-known", "start")] * 3
