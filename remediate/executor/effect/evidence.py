"""Evidence of the journal and of a peer's own start about a write, with which every decision on an effect begins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from remediate.executor.effect.decision import EffectEvidence, find_last_time, find_pending_writes
from remediate.executor.effect.pairs import Judge, find_pairs_fixed_by_list, with_certificates
from remediate.executor.journal.store import Journal
from remediate.executor.journal.writes import PeerWrites, load_writes
from remediate.executor.ports import PeerPort
from remediate.model.canonical import rfc3339
from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.errors import AccessError, ObservationError
from remediate.model.health import Health
from remediate.model.identity import Address, EndpointId, is_same_address
from remediate.model.limits import Limits
from remediate.model.run import Backup
from remediate.model.snapshot import Snapshot


def gather_evidence(
    journal: Journal,
    peer: Address,
    started_at: datetime | None,
    *,
    own_run: str = "",
    limits: Limits = Limits(),
    why_no_client: str = "",
) -> EffectEvidence:
    """Return what is known of one peer before any client is asked.

    Args:
        journal: The journal.
        peer: The peer.
        started_at: The start of the peer by its own uptime; None: not observed.
        own_run: The run that this process carries out; empty: none.
        limits: How long replication takes where the journal has no time for it.
        why_no_client: Why no client is asked.
    """
    writes = load_writes(journal, peer, own_run=own_run, limits=limits)
    record = _find_record(journal, peer, find_pending_writes(writes, started_at), started_at)
    return EffectEvidence(peer, writes, started_at, record=record, why_no_client=why_no_client)


def read_start(peer: PeerPort | None) -> datetime | None:
    """Return the moment before which a peer did not start; None: not observed."""
    health = read_health(peer, {"started_at"})
    return health.started_at if health else None


def read_health(peer: PeerPort | None, names: Collection[str] | None = None) -> Health | None:
    """Return the status of a peer; None: not observed. With `names`, only these readings."""
    if peer is None:
        return None
    try:
        return peer.health(names)
    except (ObservationError, AccessError):
        return None


def backup_of(journal: Journal, run: str, peer: Address) -> Backup | None:
    """Return the lists of `peer` before `run`, whatever case the inventory writes its address in."""
    backups = journal.backups(run).values()
    return next((backup for backup in backups if is_same_address(backup.peer, peer)), None)


def find_endpoints_fixed_since(
    journal: Journal, judge: Judge, now: Snapshot, peer: Address, pending: Sequence[PeerWrites]
) -> tuple[EndpointId, ...]:
    """Return the endpoints that `peer` refused before the last of its `pending` writes and that its list accepts `now`."""
    backup = backup_of(journal, pending[0].run, peer)
    if backup is None:
        return ()
    complete = with_certificates(now, journal.plan(pending[0].run).certificates)
    return find_pairs_fixed_by_list({peer: backup}, complete, judge)[peer]


def _find_record(
    journal: Journal, peer: Address, pending: Sequence[PeerWrites], started_at: datetime | None
) -> PeerEffect | None:
    """Return what a client or the log showed last, as a run recorded it after the last of the `pending` writes; None: nothing did.

    A refusal counts until the peer starts again, as far as its start is known; what was in effect stays so.
    """
    last_at = find_last_time(pending)
    if last_at is None:
        return None
    for run in journal.runs():
        if run.ended_at is None or run.ended_at < rfc3339(last_at):
            continue
        is_before_start = started_at is None or run.ended_at < rfc3339(started_at)
        for effect in run.in_effect or ():
            is_observed = effect.source in {EffectSource.CLIENT, EffectSource.LOG} and effect.state is not EffectState.NOT_KNOWN
            is_outdated = effect.state is EffectState.NO and is_before_start
            if is_same_address(effect.peer, peer) and is_observed and not is_outdated:
                return _as_seen_before(effect, peer, run.ended_at)
    return None


def _as_seen_before(effect: PeerEffect, peer: Address, at: str) -> PeerEffect:
    if effect.seen_at:
        return replace(effect, peer=peer)
    return replace(effect, peer=peer, description=f"{effect.description} (seen by {at})", seen_at=at)
