"""The peers that `remediate restart` takes: by name, all of them, or those that wait for a restart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from remediate.executor.effect.decision import decide_effect
from remediate.executor.effect.evidence import gather_evidence
from remediate.executor.guards import ClusterHealth
from remediate.executor.journal.store import Journal
from remediate.executor.ports import ClusterPort
from remediate.executor.result import RestartOptions
from remediate.executor.window import Window
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.errors import UsageError
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.text import join_words


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """What a caller asks for.

    Attributes:
        peers: These peers; empty: those that are not known to work with what was written to them.
        everywhere: Every peer.
        restarts: How a peer is restarted.
        window: Begin nothing outside of it, or that would not end within it; None: at any time.
        ticket: The change ticket, for the lock and the journal.
        offered_peers: No others than these, which a person was asked about; None: nobody was asked.
    """

    peers: tuple[Address, ...] = ()
    everywhere: bool = False
    restarts: RestartOptions = RestartOptions()
    window: Window | None = None
    ticket: str | None = None
    offered_peers: frozenset[Address] | None = None


def choose_peers(
    journal: Journal, request: RestartRequest, opened: ClusterPort, cluster: ClusterHealth
) -> tuple[PeerEffect, ...]:
    """Return the effect on each peer to restart, the primary first; a peer that does not answer may be among them.

    Raises:
        UsageError: The cluster has no such peer.
    """
    members = [*(peer.address for peer in opened.peers), *opened.unreachable]
    _refuse_unknown(request.peers, members)
    ordered = sorted(members, key=lambda address: address != opened.primary)
    candidates = (
        ordered if request.offered_peers is None else [address for address in ordered if address in request.offered_peers]
    )
    effects = [decide_by_start(journal, address, cluster.peers.get(address, Health())) for address in candidates]
    if request.everywhere:
        return tuple(effects)
    if request.peers:
        names = {address.casefold() for address in request.peers}
        return tuple(effect for effect in effects if effect.peer.casefold() in names)
    return tuple(effect for effect in effects if effect.state is not EffectState.YES)


def decide_by_start(journal: Journal, peer: Address, health: Health) -> PeerEffect:
    """Return whether a peer works with what was written to it, by the journal and by its start."""
    return decide_effect(gather_evidence(journal, peer, health.started_at, why_no_client="no client request was sent"))


def _refuse_unknown(chosen: Collection[Address], members: Sequence[Address]) -> None:
    names = {address.casefold() for address in members}
    unknown = [address for address in chosen if address.casefold() not in names]
    if unknown:
        raise UsageError(
            f"--peer: the cluster has no peer {join_words(unknown)}; it has {join_words(members)}.",
            next_step="Nothing was done. Give the address as it is in the inventory, or in the cluster's own list.",
        )
