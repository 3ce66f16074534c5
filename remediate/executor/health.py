"""The health of the peers of a cluster, read so that a session that a restart or a long wait broke hides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields

from remediate.executor.guards import ClusterHealth
from remediate.executor.ports import PeerPort
from remediate.model.errors import AccessError, NotOffered, ObservationError
from remediate.model.health import Health
from remediate.model.identity import Address


def read_cluster_health(peers: Iterable[PeerPort], unreachable: Mapping[Address, str]) -> ClusterHealth:
    """Return the status of every peer now; a peer of which REST or the shell does not answer is silent.

    Raises:
        LoginRefused: At once; no other peer is asked.
    """
    answering: dict[Address, Health] = {}
    silent = dict(unreachable)
    for peer in peers:
        health, reason = read_peer_health(peer)
        if reason:
            silent[peer.address] = reason
        else:
            answering[peer.address] = health
    return ClusterHealth(answering, silent)


def complete_cluster_health(
    readings: Mapping[Address, Health], peers: Iterable[PeerPort], unreachable: Mapping[Address, str]
) -> ClusterHealth:
    """Return the status of every peer, for those in `readings` as it was just read; the others are asked.

    Raises:
        LoginRefused: At once; no other peer is asked.
    """
    every = tuple(peers)
    usable = {address: health for address, health in readings.items() if not _is_empty(health)}
    remainder = read_cluster_health([peer for peer in every if peer.address not in usable], unreachable)
    answers = {**usable, **remainder.peers}
    return ClusterHealth({peer.address: answers[peer.address] for peer in every if peer.address in answers}, remainder.silent)


def read_alarms(peers: Iterable[PeerPort]) -> dict[Address, frozenset[str]]:
    """Return the numbers of the alarms that are raised, on each peer of which they can be read now. Raises nothing."""
    raised: dict[Address, frozenset[str]] = {}
    for peer in peers:
        with suppress(ObservationError, AccessError):
            numbers = peer.health({"alarms"}).alarm_numbers
            raised |= {} if numbers is None else {peer.address: numbers}
    return raised


def read_peer_health(peer: PeerPort) -> tuple[Health, str]:
    """Return the status of a peer, and why it does not answer; empty: both REST and the shell do.

    Raises:
        LoginRefused: At once.
    """
    health, reason = _read_once(peer)
    if not reason:
        return health, ""
    peer.reconnect()
    return _read_once(peer)


def _read_once(peer: PeerPort) -> tuple[Health, str]:
    try:
        health = peer.health()
        if _is_empty(health):
            return health, next(iter((health.unread or {}).values()), "its health was not observed")
        with suppress(NotOffered):
            peer.publishers()  # over REST
    except ObservationError as error:
        return Health(), str(error)
    return health, ""


def _is_empty(health: Health) -> bool:
    """Return whether nothing of it was read: its shell does not answer."""
    return all(getattr(health, entry.name) is None for entry in fields(health) if entry.name not in {"unread", "upgrade"})
