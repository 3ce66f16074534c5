"""A look at the effect on a cluster with clients, and what it shows."""

from __future__ import annotations

from dataclasses import replace

from remediate.executor.effect.cluster import ClusterEffects, observe_effects
from tests.executor.clusters import story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


def fronted() -> MemoryCluster:
    """The story, up since long, with a way for clients through each peer."""
    cluster = story().run_since_long()
    for device in cluster.devices:
        device.front = True
    return cluster


def look(desk: Desk, cluster: MemoryCluster, *, ask_clients: bool = True) -> ClusterEffects:
    """What is seen now; the snapshot has the health of each peer, as a real one has."""
    health = {device.address: device.health for device in cluster.devices}
    snapshot = cluster.snapshot()
    peers = tuple(replace(peer, health=health[peer.address]) for peer in snapshot.peers)
    return observe_effects(
        cluster.access,
        replace(snapshot, peers=peers),
        state_dir=desk.state_dir,
        ask_clients=ask_clients,
        environment=cluster.environment(),
    )


def states(result: ClusterEffects) -> list[tuple[str, str | None]]:
    return [(effect.state.value, effect.source.value if effect.source else None) for effect in result.effects]
