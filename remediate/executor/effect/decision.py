"""The decision whether what was written to a peer is in effect there, from what was looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from remediate.executor.journal.writes import PeerWrites
from remediate.model.canonical import rfc3339
from remediate.model.effect import ClientState, ClientView, EffectSource, EffectState, PeerEffect
from remediate.model.identity import Address, EndpointId
from remediate.model.text import first_few

Views = Mapping[EndpointId, ClientView]

_ROUNDING = timedelta(seconds=1)
"""The journal's times are whole seconds, cut."""
_OWN_RESTART = timedelta(seconds=5)
_READING = timedelta(seconds=60)
"""A start is known as the moment before which it was not; it may have been later by as long as the reading took."""


@dataclass(frozen=True, slots=True)
class EffectEvidence:
    """What was looked at of one peer.

    Attributes:
        writes: What the journal knows of its writes, the newest run first.
        started_at: The start of the peer by its own uptime, on the clock of this machine; None: not observed.
        clients: What clients get through this very peer, for pairs that were refused before and that the change of its list fixes;
            after an undo, for pairs that the restored list refuses.
        log: The same from the peer's own log since the last write.
        is_workaround_on: Verification is off on the peer, so clients and log prove nothing.
        record: What a client or the log showed after the last write, as the journal recorded it.
        why_no_client: Why no client was asked; empty where one was.
    """

    peer: Address
    writes: Sequence[PeerWrites] = ()
    started_at: datetime | None = None
    clients: Views = field(default_factory=dict)
    log: Views = field(default_factory=dict)
    is_workaround_on: bool = False
    record: PeerEffect | None = None
    why_no_client: str = ""

    @property
    def pending_writes(self) -> tuple[PeerWrites, ...]:
        """The writes that a start after them makes real."""
        return find_pending_writes(self.writes, self.started_at)


def decide_effect(evidence: EffectEvidence) -> PeerEffect:
    """Return whether what was written to a peer is in effect there.

    What a client gets now is worth more than what the log shows, and that more than a start: a peer that restarted and still refuses
    is not in effect.
    """
    effect = _decide_by_answers(evidence, ClientState.REACHED)
    if effect is not None:
        return effect
    if not evidence.writes:
        return PeerEffect(evidence.peer, EffectState.YES, EffectSource.NO_WRITE_KNOWN, "no change by this tool")
    pending = evidence.pending_writes
    if not pending:
        return PeerEffect(
            evidence.peer,
            EffectState.YES,
            EffectSource.START,
            f"it has not started since the writes to it were undone (start {_time(evidence.started_at)})",
        )
    record, last_at = evidence.record, find_last_time(pending)
    if record is not None and record.state is EffectState.NO:
        return PeerEffect(
            evidence.peer, EffectState.NOT_KNOWN, record.source, f"{record.description}, and no client request was sent since"
        )
    if is_started_after(evidence.started_at, pending):
        description = f"it started on {_time(evidence.started_at)}, after the last write ({_time(last_at)})"
        return PeerEffect(evidence.peer, EffectState.YES, EffectSource.START, description)
    if record is not None:
        return record
    return _not_known(evidence, _describe_start(evidence.started_at, last_at))


def decide_undone(evidence: EffectEvidence, run: str) -> PeerEffect:
    """Return whether a peer works again with the lists of before `run`, all of which is undone."""
    own = [writes for writes in evidence.writes if writes.run == run]
    if not own:
        return PeerEffect(
            evidence.peer, EffectState.YES, EffectSource.NO_WRITE_KNOWN, "no change by this tool: the run wrote nothing to it"
        )
    effect = _decide_by_answers(evidence, ClientState.REFUSED)
    if effect is not None:
        return effect
    if is_started_before(evidence.started_at, own):
        description = f"it has not started since the first write of the run (start {_time(evidence.started_at)})"
        earlier = [writes for writes in evidence.pending_writes if writes.run != run and writes.first_at < own[0].first_at]
        if not earlier or is_started_after(evidence.started_at, earlier):
            return PeerEffect(evidence.peer, EffectState.YES, EffectSource.START, description)
        return _not_known(evidence, f"{description}, nor since an earlier change that was not in effect")
    if is_started_after(evidence.started_at, own):
        description = f"it started on {_time(evidence.started_at)}, after the last write of the rollback"
        return PeerEffect(evidence.peer, EffectState.YES, EffectSource.START, description)
    return _not_known(evidence, _describe_start(evidence.started_at, find_last_time(own), first_at=own[0].first_at))


def find_pending_writes(writes: Iterable[PeerWrites], started_at: datetime | None) -> tuple[PeerWrites, ...]:
    """Return the writes that a start after them makes real: without those that were undone before the peer ever loaded them."""
    return tuple(entry for entry in writes if not (entry.is_undone and is_started_before(started_at, [entry])))


def is_started_after(started_at: datetime | None, writes: Sequence[PeerWrites]) -> bool:
    """Return whether a peer is seen to have started after all `writes`."""
    last_at = find_last_time(writes)
    if started_at is None or last_at is None:
        return False
    # A restart of our own began after the write and was proven then: the start that it led to cannot be distinguished from the write.
    return started_at >= (last_at - _OWN_RESTART if _newest(writes).is_restarted else last_at + _ROUNDING)


def is_started_before(started_at: datetime | None, writes: Sequence[PeerWrites]) -> bool:
    """Return whether a peer is seen to have started before the first of `writes`, and not again."""
    return started_at is not None and all(started_at + _READING < entry.first_at for entry in writes)


def find_last_time(writes: Sequence[PeerWrites]) -> datetime | None:
    """Return until when any of `writes` may have been made; None: it is not known."""
    times = [entry.last_at for entry in writes if entry.last_at is not None]
    return max(times) if times and len(times) == len(writes) else None


def _newest(writes: Sequence[PeerWrites]) -> PeerWrites:
    return max(writes, key=lambda entry: entry.last_at or entry.first_at)


def _decide_by_answers(evidence: EffectEvidence, success: ClientState) -> PeerEffect | None:
    """Return what clients or the log show; None: nothing. One pair that gets what is not `success` decides against all others."""
    if evidence.is_workaround_on:
        return None
    failure = ClientState.REFUSED if success is ClientState.REACHED else ClientState.REACHED
    # The log of a pair may be older than what a client got for it now.
    log = {pair: view for pair, view in evidence.log.items() if not _is_conclusive(evidence.clients.get(pair))}
    for state, source, views, result in (
        (EffectState.NO, EffectSource.CLIENT, evidence.clients, failure),
        (EffectState.NO, EffectSource.LOG, log, failure),
        (EffectState.YES, EffectSource.CLIENT, evidence.clients, success),
        (EffectState.YES, EffectSource.LOG, log, success),
    ):
        pairs = [pair for pair, view in views.items() if view.state is result]
        if pairs:
            return PeerEffect(evidence.peer, state, source, _describe_answers(source, result, pairs, views))
    return None


def _is_conclusive(view: ClientView | None) -> bool:
    return view is not None and view.state in {ClientState.REACHED, ClientState.REFUSED}


def _describe_answers(source: EffectSource, state: ClientState, pairs: Sequence[EndpointId], views: Views) -> str:
    names = first_few([str(pair) for pair in pairs])
    if source is EffectSource.LOG:
        return f"{names}: {views[pairs[0]].description}"
    if state is ClientState.REACHED:
        return f"a request through it reached {names}"
    return f"a request through it is refused for {names}: {views[pairs[0]].description}"


def _not_known(evidence: EffectEvidence, start: str) -> PeerEffect:
    if evidence.is_workaround_on:
        client = "the workaround is on, so a client's request proves nothing"
    elif evidence.clients:
        client = _group_by_description(evidence.clients)
    else:
        client = evidence.why_no_client
    log = "; ".join(dict.fromkeys(view.description for view in evidence.log.values()))
    was_asked = any(view.state is not ClientState.NOT_ASKED for view in evidence.clients.values())
    source = EffectSource.START if evidence.started_at else EffectSource.CLIENT if was_asked else None
    return PeerEffect(evidence.peer, EffectState.NOT_KNOWN, source, "; ".join(text for text in (start, client, log) if text))


def _group_by_description(views: Views) -> str:
    names_by_description: dict[str, list[str]] = {}
    for pair, view in views.items():
        names_by_description.setdefault(view.description, []).append(str(pair))
    return "; ".join(f"{first_few(names)}: {description}" for description, names in names_by_description.items())


def _describe_start(started_at: datetime | None, last_at: datetime | None, first_at: datetime | None = None) -> str:
    if started_at is None:
        return "its start time was not read"
    if last_at is None:
        return "not known whether something is still being written to it"
    if first_at is not None:
        return f"it started on {_time(started_at)}, between the first write ({_time(first_at)}) and the undo ({_time(last_at)})"
    return f"it started on {_time(started_at)}, and the last write was on {_time(last_at)}"


def _time(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else "not known"
