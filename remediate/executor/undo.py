"""Undo one run from its journal: strictly backwards, exactly what it did, and nothing that others did since.

Every step is read again that is not proven undone, whatever the journal calls it: a write that failed, or was not seen, may have
come to light since, and a list that was empty may have been taken for a proof by an earlier version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from remediate.executor.differences import describe_returned_certificates, differences, find_later_owner, load_unrelated
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.operations import RemoveFromPeer, SetCipherList, SetVerification, restore_change
from remediate.executor.operations.change import Change, ChangeStatus, Observed
from remediate.executor.reconnecting import SteadyPeer
from remediate.executor.sending import ChangeFailed, look_for_late, send
from remediate.executor.staleness import read_peer
from remediate.executor.voice import Voice
from remediate.executor.waiting import wait_for_replication
from remediate.model.errors import AccessError, Interrupted, NotOffered, ObservationError, OutcomeUnknown, RemediateError
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.run import Backup, StepRecord


@dataclass(frozen=True, slots=True)
class UndoContext:
    """What undoing works with.

    Attributes:
        check_stop: called before each step; may raise to stop.
        before_write: called before each write.
    """

    journal: Journal
    run: str
    peers: Sequence[SteadyPeer]
    limits: Limits
    pause: Callable[[float], None]
    voice: Voice
    check_stop: Callable[[], None]
    before_write: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What undoing came to.

    Attributes:
        open_steps: what could not be undone, and how a person does it.
        differences: how peers differ from their backup although all of the run is undone: what others, or later runs, did since.
        unread: peers that could not be held against their backup.
        changed: something was written.
    """

    open_steps: tuple[str, ...]
    differences: tuple[str, ...]
    unread: tuple[str, ...]
    changed: bool


def undo(work: UndoContext) -> UndoResult:
    """Undo every step of the run that is, or may be, in effect; then read every peer and hold it against its backup.

    Raises:
        AccessError, JournalError, Interrupted: at once; what is undone by then is in the journal.
    """
    reachable = match_peers(work.journal, work.run, work.peers)
    open_steps: list[str] = []
    changed = False
    for record in reversed(work.journal.steps(work.run)):
        if record.inverse_kind is None or record.inverse is None:
            _settle(work, record)
            continue
        if record.proven:
            continue
        work.check_stop()
        inverse = restore_change(record.inverse_kind, record.peer, record.inverse, work.journal.certificate)
        try:
            changed = _undo_one(work, record, inverse, reachable) or changed
        except (AccessError, JournalError, Interrupted):
            # A refused login is not tried again on the next step, and without a journal nothing is written.
            raise
        except RemediateError as error:
            text = _by_hand(inverse, error)
            if text not in open_steps:  # a run that was gone on with may have done, and found undone, one thing twice
                open_steps.append(text)
                work.voice.say("manual-step", text, peer=inverse.peer, open=True)
    now, unread = _read_all(work, reachable)
    for text in describe_returned_certificates(work.journal, work.run, now):
        open_steps.append(text)
        work.voice.say("manual-step", text, open=True)
    return UndoResult(tuple(open_steps), tuple(differences(work.journal, work.run, now)), tuple(unread), changed)


def match_peers(journal: Journal, run: str, boxes: Iterable[SteadyPeer]) -> dict[Address, SteadyPeer]:
    """Return the open boxes of the run. The inventory may write an address in another case by now, which is the same name."""
    found = {box.address.casefold(): box for box in boxes}
    return {peer: found[peer.casefold()] for peer in journal.backups(run) if peer.casefold() in found}


def _settle(work: UndoContext, record: StepRecord) -> None:
    """What has no inverse stays; but a closed run has nothing that is only *intended*."""
    if record.state == "intended":
        work.journal.record_outcome(work.run, record.seq, "unknown", message="sent or not before an interruption: not known")


def _undo_one(work: UndoContext, record: StepRecord, inverse: Change, reachable: Mapping[Address, SteadyPeer]) -> bool:
    """Undo one step; returns whether something was written. Raises RemediateError when it is not undone."""
    if record.peer not in reachable:
        raise ObservationError(f"{record.peer} could not be opened: it is down, or no peer of this cluster any more.")
    box = reachable[record.peer]
    if record.state in {"unknown", "intended"}:
        forward = restore_change(record.kind, record.peer, record.facts, work.journal.certificate)
        look_for_late(box, forward, record.state, limits=work.limits, pause=work.pause)
    before = inverse.precondition(box)
    note = _why_left(work, record, before)
    if before.status is ChangeStatus.TO_DO and not note:
        _send(work, record, inverse, box, before)
    if not note:
        # Also when it was there already: an earlier try may have been cut off between the primary and the other peers.
        _wait_for_the_others(work, inverse, reachable)
    _note_undone(work, record, inverse, before, note)
    return before.status is ChangeStatus.TO_DO and not note


def _why_left(work: UndoContext, record: StepRecord, before: Observed) -> str:
    if before.status is ChangeStatus.FOREIGN:
        return "left as it is: somebody else changed it since"
    if before.status is ChangeStatus.TO_DO and (later := find_later_owner(work.journal, work.run, record)):
        return f"left as it is: run {later}, which came later, wants it"
    return ""


def _note_undone(work: UndoContext, record: StepRecord, inverse: Change, before: Observed, note: str) -> None:
    """Record what became of a step. One that is found undone, and was not undone just now, is not proven so."""
    found_so = before.status is ChangeStatus.DONE
    if found_so and record.state in {"failed", "undone"}:
        return
    proven = before.status is ChangeStatus.FOREIGN or (before.status is ChangeStatus.TO_DO and not note)
    work.journal.record_undo(work.run, record.seq, note, proven=proven)
    said = f"{record.peer}: {note}." if note else f"Read back: {inverse.summary}."
    work.voice.say("warning" if note else "change-complete", said, peer=record.peer, change=inverse.kind, undoes=record.seq)


def _send(work: UndoContext, record: StepRecord, inverse: Change, box: SteadyPeer, before: Observed) -> None:
    if isinstance(inverse, RemoveFromPeer):
        if not box.capabilities().remove_trusted_ca:
            raise NotOffered(f"{box.address} offers no removal.")
        _note_what_is_beside(work, record, inverse, box)
    if isinstance(inverse, SetVerification) and inverse.on:
        # As it was before the run, which is what a rollback is for; nobody has looked whether clients can do without.
        said = f"Verification goes on again on {box.address}: `remediate verify` shows which endpoints clients then lose."
        work.voice.say("warning", said, peer=record.peer)
    work.voice.say("change-start", f"Going to {inverse.summary}.", peer=record.peer, change=inverse.kind, undoes=record.seq)
    work.before_write()
    sent = send(box, inverse, lambda: None, limits=work.limits, pause=work.pause)
    if sent.is_unknown:
        raise OutcomeUnknown(f"It was sent, and is not seen to be done. {sent.problem or 'The box answered yes.'}")
    if sent.after.status is not ChangeStatus.DONE:
        raise ChangeFailed(f"Failed to {inverse.summary}: {sent.problem or 'something else is there now.'}")
    if sent.after.unrelated_digest != before.unrelated_digest:
        raise ChangeFailed(f"Done, but something else changed in the same list: {inverse.summary}.")


def _note_what_is_beside(work: UndoContext, record: StepRecord, inverse: RemoveFromPeer, box: SteadyPeer) -> None:
    """Keep what the list holds now where it is less than the backup: if this process dies, the next one must believe that much."""
    beside = box.held_beside(inverse.certificate.fingerprint)
    if not load_unrelated(work.journal, work.run, record.peer) <= beside:
        work.journal.record_reading(work.run, record.peer, beside)


def _wait_for_the_others(work: UndoContext, inverse: Change, reachable: Mapping[Address, SteadyPeer]) -> None:
    """See that every peer of the run has the primary's list again: one that cannot be asked may still have ours when it is back."""
    if isinstance(inverse, SetCipherList):
        absent = [peer for peer in work.journal.backups(work.run) if peer not in reachable]
        if absent:
            raise ObservationError(f"Whether {', '.join(absent)} took it over from the primary cannot be read.")
        wait_for_replication(
            work.peers, inverse.name, inverse.after, limits=work.limits, pause=work.pause, check=work.check_stop
        )


def _by_hand(inverse: Change, error: RemediateError) -> str:
    if isinstance(error, NotOffered):
        return inverse.manual_instruction
    if isinstance(error, ObservationError | OutcomeUnknown):
        return f"Still to do: {inverse.summary}. {error}"
    return f"{error} {inverse.manual_instruction}"


def _read_all(work: UndoContext, reachable: Mapping[Address, SteadyPeer]) -> tuple[list[Backup], list[str]]:
    """How every peer of the run stands now, and which cannot be read."""
    read: list[Backup] = []
    unread: list[str] = []
    for peer in work.journal.backups(work.run):
        if peer not in reachable:
            unread.append(f"{peer} cannot be read")
            continue
        try:
            read.append(replace(read_peer(reachable[peer])[0], peer=peer))
        except ObservationError as error:
            unread.append(f"{peer} cannot be read: {str(error).rstrip('.')}")
    return read, unread
