"""The return of a peer from its restart: what shows that it restarted, and what it still lacks of what it was before.

REST answers early in the boot, before zones and tunnels are up: a peer that answers is not yet a peer that serves clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from remediate.executor.operations.restart import BeforeRestart
from remediate.model.health import Health
from remediate.model.text import first_few

_JITTER = timedelta(seconds=5)
"""Two readings of one start may differ by this much: uptime is in whole seconds, and its answer takes a moment."""


def has_restarted(before: BeforeRestart, health: Health, sent_at: datetime) -> bool | None:
    """Return whether a peer started since the restart was requested at `sent_at`; None: its start was not observed.

    Counters that fell show it too, on a peer whose uptime continues through a restart of its services.
    """
    if before.total is not None and health.total_since_start is not None and health.total_since_start < before.total:
        return True
    if health.started_at is None:
        return None
    if health.started_at == before.started_at:
        return False  # one start, whatever became of this machine's clock since
    if health.started_at >= sent_at:
        return True
    return before.started_at is not None and health.started_at - before.started_at > _JITTER


def describe_missing(before: BeforeRestart, health: Health, sent_at: datetime) -> tuple[str, ...]:
    """Return a clause for each thing that a peer lacks of its return; empty: it is back as it was.

    What was not observed is missing, too.
    """
    restarted = has_restarted(before, health, sent_at)
    start = ("its start was not observed",) if restarted is None else () if restarted else ("it did not start again",)
    return start + describe_lost(before, health)


def describe_lost(before: BeforeRestart, health: Health) -> tuple[str, ...]:
    """Return a clause for each thing that a peer that has started again lacks of what it was before; empty: nothing.

    What was not observed is missing, too. Its start is not asked for again: it is proven once, and uptime is too coarse to prove it at
    every reading where a restart takes a second.
    """
    clauses = _describe_links("zone", before.zones, health.zones)
    clauses += _describe_tunnels(before, health)
    if health.replication_behind is not False:
        clauses.append("its replication is behind" if health.replication_behind else "its replication was not observed")
    if health.maintenance is not False:
        clauses.append("its maintenance mode is on" if health.maintenance else "its maintenance mode was not observed")
    return tuple(clauses)


def _describe_tunnels(before: BeforeRestart, health: Health) -> list[str]:
    """Return what is missing of the tunnels; where the peer listed none before, no alarm about them is what is left to look at."""
    if before.tunnels is not None or health.tunnels is not None or health.alarms is None:
        return _describe_links("tunnel", before.tunnels, health.tunnels)
    return []


def _describe_links(noun: str, before: frozenset[str] | None, states: Mapping[str, bool] | None) -> list[str]:
    if states is None:
        return [f"its {noun}s were not observed"]
    names = states if before is None else before
    down = sorted(name for name in names if not states.get(name))
    return [f"{noun} {first_few(down)} not active"] if down else []
