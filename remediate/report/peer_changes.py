"""The changes of a plan by peer; what several peers get alike is listed once."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.model.identity import Address
from remediate.model.plan import Action, Plan, RemoveCertificate, TrustCertificate
from remediate.model.text import count
from remediate.report.names import name_peers
from remediate.report.view import group_actions, peers_of


@dataclass(frozen=True, slots=True)
class PeerChanges:
    """The changes that some peers get alike.

    Attributes:
        peers: Empty: the cluster as a whole.
        groups: The actions, those that do the same with other certificates together.
    """

    peers: tuple[Address, ...]
    groups: tuple[tuple[Action, ...], ...]


def group_by_peers(plan: Plan) -> tuple[PeerChanges, ...]:
    """Return each change of `plan` once, under the peers that get it; the changes of most peers first, of the cluster last."""
    actions: dict[tuple[Address, ...], list[Action]] = {}
    for action in plan.actions:
        actions.setdefault(peers_of(action), []).append(action)
    ordered = sorted(actions, key=lambda peers: (not peers, -len(peers)))
    return tuple(PeerChanges(peers, group_actions(actions[peers])) for peers in ordered)


def count_by_peers(plan: Plan) -> tuple[str, ...]:
    """Return how many certificates each peer gets and loses, a sentence for peers alike."""
    peers: dict[tuple[int, int], list[Address]] = {}
    for peer in plan.base:
        own = [action for action in plan.actions if peer in peers_of(action)]
        added = sum(isinstance(action, TrustCertificate) for action in own)
        removed = sum(isinstance(action, RemoveCertificate) for action in own)
        peers.setdefault((added, removed), []).append(peer)
    names = name_peers(plan.base, plan.system_names)
    return tuple(
        f"{', '.join(names[peer] for peer in alike)}: {count(added, 'certificate')} to add, {removed} to remove"
        for (added, removed), alike in peers.items()
    )
