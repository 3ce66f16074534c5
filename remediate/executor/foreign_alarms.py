"""Which alarms of a peer are of changes by others: one that our own writes raised does not keep the peer from its restart."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from remediate.executor.guards import ClusterHealth, GuardFinding, judge_guards
from remediate.executor.journal.restarts import load_raised_alarms
from remediate.executor.journal.store import Journal
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.restart import Guard


def find_foreign_alarms(
    journal: Journal, peer: Address, started_at: datetime | None, before: Collection[str] | None
) -> frozenset[str] | None:
    """Return the alarms of `before` that no run of this tool raised; None: not known.

    A run raised those that were not there before its first write and were there after its last, as long as the peer has not started
    since. What was raised later is of others.

    Args:
        journal: The journal.
        peer: The peer.
        started_at: Its start by its own uptime; None: not observed, so that every alarm counts as one of others.
        before: The alarms before the first write of the run that restarts the peer; None: not observed.
    """
    if before is None:
        return None
    return frozenset(before) - (load_raised_alarms(journal, peer, started_at) if started_at else frozenset())


def judge_guards_now(
    journal: Journal, peer: Address, cluster: ClusterHealth, assume: Collection[Guard]
) -> tuple[GuardFinding, ...]:
    """Return what is known of each guard of `peer` for a run that would begin now."""
    health = cluster.peers.get(peer, Health())
    before = find_foreign_alarms(journal, peer, health.started_at, health.alarm_numbers)
    return judge_guards(peer, cluster, before, assume)
