"""The workaround on a cluster: turned on or off as a person would."""

from __future__ import annotations

from dataclasses import replace

from remediate.executor.workaround import (
    PeerVerification,
    set_workaround,
)
from tests.executor.clusters import CORPORATE, IMP, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


def turn(desk: Desk, cluster: MemoryCluster, *, on: bool, force: bool = False) -> tuple[PeerVerification, ...]:
    environment = cluster.environment(lock_directory=desk.home / "locks")
    return set_workaround(
        cluster.access, on=on, state_dir=desk.state_dir, force=force, sink=desk.events.append, environment=environment
    )


def healed() -> MemoryCluster:
    """The story without the ECDSA twin, where every peer trusts what is needed."""
    cluster = story()
    cluster.endpoints = tuple(replace(endpoint, presented={"rsa": endpoint.presented["rsa"]}) for endpoint in cluster.endpoints)
    for device in cluster.devices:
        device.trusted = [CORPORATE.certificate, IMP.certificate]
    return cluster
