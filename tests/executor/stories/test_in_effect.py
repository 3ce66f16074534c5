"""In effect, on the lab: real peers, clients through a real front, uptime over a real shell, and what the lab truly serves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from remediate.connectors.collect import collect
from remediate.executor.effect.cluster import ClusterEffects, observe_effects
from remediate.model.effect import PeerEffect
from tests.executor.bench import QUICK, Bench

pytestmark = pytest.mark.lab


def without_mra(story: Bench) -> Bench:
    """The operator whose inventory has no way for a client."""
    peers = tuple(replace(peer, mra=None) for peer in story.cluster.peers)
    story.cluster = replace(story.cluster, peers=peers)
    return story


def verify(story: Bench, *, ask_clients: bool = True) -> ClusterEffects:
    return observe_effects(
        story.cluster,
        collect(story.cluster, limits=QUICK),
        state_dir=story.home / "state",
        ask_clients=ask_clients,
        limits=QUICK,
        environment=story.environment,
    )


def wait_for(story: Bench, look: Callable[[], ClusterEffects]) -> ClusterEffects:
    """Look again until every peer answers, for as long as a restart may take."""
    deadline = time.monotonic() + QUICK.restart_s
    while time.monotonic() < deadline and any(peer.error for peer in collect(story.cluster, limits=QUICK).peers):
        time.sleep(0.1)
    return look()


def states(effects: tuple[PeerEffect, ...]) -> list[tuple[str, str | None]]:
    return [(effect.state.value, effect.source.value if effect.source else None) for effect in effects]


def test_a_peer_that_needs_a_restart_is_in_effect_after_it(bench: Callable[[str], Bench]) -> None:
    # Given a second peer whose traffic server goes on with its old list until it restarts
    story = bench("story")
    plan = story.plan()
    second = story.lab.peers[1]
    story.lab.faults.trust_waits_for_restart(second.address)
    # When the plan is applied without a restart, Then it is written, and not in effect there
    result = story.apply(plan, restart="never")
    assert (result.exit_code, result.state) == (11, "applied")
    assert states(result.effects) == [("yes", "client"), ("no", "client"), ("yes", "client")]
    # And verify says that clients are refused although the list accepts
    refused = verify(story)
    assert (refused.exit_code, states(refused.effects)[1]) == (8, ("no", "client"))
    assert "refused" in {view.state.value for pair, view in refused.client_views.items() if pair.peer == second.address}
    # When a person restarts it, Then it is in effect
    story.lab.faults.restart(second.address)
    healed = wait_for(story, lambda: verify(story, ask_clients=False))
    assert (healed.exit_code, states(healed.effects)[1]) == (0, ("yes", "start"))


def test_a_cluster_without_a_way_for_clients_ends_11(bench: Callable[[str], Bench]) -> None:
    story = without_mra(bench("story"))
    plan = story.plan()
    result = story.apply(plan)
    assert (result.exit_code, states(result.effects)) == (11, [("not-known", "start")] * 3)
    assert (verify(story).exit_code, states(verify(story).effects)) == (11, [("not-known", "start")] * 3)


def test_the_start_of_a_restarted_peer_settles_it(bench: Callable[[str], Bench]) -> None:
    story = without_mra(bench("story"))
    result = story.apply(story.plan(), restart="rolling")
    assert (result.exit_code, states(result.effects)) == (10, [("yes", "start")] * 3)
    assert verify(story).exit_code == 0


def test_a_rollback_on_peers_that_never_restarted_is_in_effect(bench: Callable[[str], Bench]) -> None:
    story = without_mra(bench("stale"))
    result = story.apply(story.plan(replace(story.cluster.policy, allow_removal=True)))
    assert result.exit_code == 11
    back = story.rollback()
    assert (back.exit_code, {state for state, _ in states(back.effects)}) == (0, {"yes"})
    assert verify(story).exit_code == 0
