"""Writes in the journal to one peer that a traffic server has to take over: lists and cipher lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediate.executor.journal.store import Journal
from remediate.executor.operations import LIST_CHANGES, RestartOnPeer, SetCipherList
from remediate.model.canonical import parse_rfc3339
from remediate.model.identity import Address, is_same_address
from remediate.model.limits import Limits
from remediate.model.run import UNFINISHED, Run, StepRecord


@dataclass(frozen=True, slots=True)
class PeerWrites:
    """The writes of one run to one peer.

    A cipher list is written to the primary and replicated: it is a write to every peer of the run.

    Attributes:
        first_at: The time of the first write of the run, to whatever peer.
        last_at: Until when the run may have written to this peer; None: it may still write.
        is_undone: Each of them was undone, or was refused and read back as not there.
        is_restarted: This tool restarted the peer after the last of them.
    """

    run: str
    first_at: datetime
    last_at: datetime | None
    is_undone: bool = False
    is_restarted: bool = False


def load_writes(journal: Journal, peer: Address, *, own_run: str = "", limits: Limits = Limits()) -> tuple[PeerWrites, ...]:
    """Return the writes of each run that wrote to `peer`, the newest run first.

    Args:
        journal: The journal.
        peer: The peer; the name of its cluster does not matter, which an inventory may change.
        own_run: The run that this process carries out, of which the journal knows every write; empty: none.
        limits: How long replication takes where the journal has no time for it.
    """
    entries: list[PeerWrites] = []
    restarts: list[datetime] = []
    for run in journal.runs():
        if not any(is_same_address(address, peer) for address in run.peers):
            continue
        steps = journal.steps(run.id)
        restarts += [parse_rfc3339(step.started_at) for step in steps if _is_restart(step, peer)]
        sent_steps = [step for step in steps if _was_sent(step)]
        touching = [step for step in sent_steps if is_same_address(step.peer, peer) or step.kind == SetCipherList.kind]
        if not touching:
            continue
        is_open = run.id != own_run and _may_go_on_writing(run, touching, is_older=journal.is_older)
        last_at = _last_time(run if is_open else None, touching, peer, journal.replications(run.id), limits)
        entries.append(
            PeerWrites(
                run=run.id,
                first_at=min(parse_rfc3339(step.started_at) for step in sent_steps),
                last_at=last_at,
                is_undone=all(_is_undone(step) for step in touching),
                is_restarted=last_at is not None and any(restart >= last_at for restart in restarts),
            )
        )
    return tuple(entries)


def _may_go_on_writing(run: Run, steps: Sequence[StepRecord], *, is_older: bool) -> bool:
    """Return whether a run may have written later than its `steps` record: its process died, or a write has no answer.

    `is_older`: the journal is of a version that does not record when an undo was sent.
    """
    if run.state not in UNFINISHED:
        return False
    return is_older or run.exit_code is None or any(_has_no_answer(step) for step in steps)


def _has_no_answer(step: StepRecord) -> bool:
    is_undo_lost = step.undo_sent_at is not None and (step.undone_at is None or step.undone_at < step.undo_sent_at)
    return step.state in {"intended", "unknown"} or is_undo_lost


def _last_time(
    open_run: Run | None,
    steps: Sequence[StepRecord],
    peer: Address,
    replications: Mapping[tuple[Address, str], str],
    limits: Limits,
) -> datetime | None:
    """Return until when a run may have written to `peer`; `open_run` is that run where it may have gone on after its `steps`."""
    times = [_time_of(step, peer, replications, limits) for step in steps]
    if open_run is not None:
        # A process that died may have written, or undone, more than the journal knows of.
        if open_run.ended_at is None:
            return None
        times.append(parse_rfc3339(open_run.ended_at))
    return max(times)


def _time_of(step: StepRecord, peer: Address, replications: Mapping[tuple[Address, str], str], limits: Limits) -> datetime:
    moments = (step.started_at, step.ended_at, step.undone_at, step.undo_sent_at)
    times = [parse_rfc3339(moment) for moment in moments if moment]
    if step.kind == SetCipherList.kind and not is_same_address(step.peer, peer) and not step.undone_at:
        replicated = [
            parse_rfc3339(at)
            for (address, name), at in replications.items()
            if name == step.facts.get("name") and is_same_address(address, peer)
        ]
        times += replicated or [max(times) + timedelta(seconds=limits.replication_s)]
    return max(times)


def _was_sent(step: StepRecord) -> bool:
    """Return whether a step is a write that the traffic server has to take over, and may have reached a peer."""
    return step.kind in {*LIST_CHANGES, SetCipherList.kind} and not (step.state == "failed" and step.proven)


def _is_undone(step: StepRecord) -> bool:
    return step.state == "failed" or (step.state == "undone" and not step.is_left)


def _is_restart(step: StepRecord, peer: Address) -> bool:
    return step.kind == RestartOnPeer.kind and step.state == "done" and is_same_address(step.peer, peer)
