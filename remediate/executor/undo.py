"""Undo one run from its journal: strictly backwards, exactly what it did, and nothing that others did since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from remediate.executor.compare import read_peer
from remediate.executor.journal import Journal, JournalError
from remediate.executor.operations import RemoveFromPeer, SetCipherList, SetVerification, restored
from remediate.executor.operations.certificates import named
from remediate.executor.operations.change import Change, Reading, Standing
from remediate.executor.ports import PeerPort
from remediate.executor.records import Backup, StepRecord
from remediate.executor.sending import ChangeFailed, send
from remediate.executor.voice import Voice
from remediate.executor.waiting import wait_for_replication
from remediate.model.errors import AccessError, Interrupted, NotOffered, ObservationError, OutcomeUnknown, RemediateError
from remediate.model.identity import Address, Fingerprint
from remediate.model.limits import Limits

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Undoing:
    """What undoing works with. `check` is called before each step and may raise to stop."""

    journal: Journal
    run: str
    boxes: Sequence[PeerPort]
    limits: Limits
    pause: Callable[[float], None]
    voice: Voice
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing came to.

    Attributes:
        open_steps: what could not be undone, and how a person does it.
        differences: how peers differ from their backup although everything of the run is undone: what others did since.
        unread: peers that could not be held against their backup.
        changed: something was written.
    """

    open_steps: tuple[str, ...]
    differences: tuple[str, ...]
    unread: tuple[str, ...]
    changed: bool


def undo(work: Undoing) -> Undone:
    """Undo every step of the run that is, or may be, in effect; then read every peer and hold it against its backup.

    Raises:
        AccessError, JournalError, Interrupted: at once; what is undone by then is in the journal.
    """
    reachable = _by_the_journals_names(work)
    open_steps: list[str] = []
    changed = False
    for record in reversed(work.journal.steps(work.run)):
        if record.inverse_kind is None or record.inverse is None:
            _settle(work, record)
            continue
        if record.state in {"failed", "undone"}:
            continue
        work.check()
        inverse = restored(record.inverse_kind, record.peer, record.inverse, work.journal.certificate)
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
    return Undone(tuple(open_steps), tuple(_differences(work, now)), tuple(unread), changed)


def _by_the_journals_names(work: Undoing) -> dict[Address, PeerPort]:
    """The open boxes of the run. The inventory may write an address in another case by now, which is the same name."""
    boxes = {box.address.casefold(): box for box in work.boxes}
    return {peer: boxes[peer.casefold()] for peer in work.journal.backups(work.run) if peer.casefold() in boxes}


def _settle(work: Undoing, record: StepRecord) -> None:
    """What has no inverse stays; but a closed run has nothing that is only *intended*."""
    if record.state == "intended":
        work.journal.outcome(work.run, record.seq, "unknown", message="sent or not before an interruption: not known")


def _undo_one(work: Undoing, record: StepRecord, inverse: Change, reachable: Mapping[Address, PeerPort]) -> bool:
    """Undo one step; returns whether something was written. Raises RemediateError when it is not undone."""
    if record.peer not in reachable:
        raise ObservationError(f"{record.peer} could not be opened: it is down, or no peer of this cluster any more.")
    box = reachable[record.peer]
    before = inverse.precondition(box)
    if before.standing is Standing.TO_DO:
        _send(work, record, inverse, box, before)
    if before.standing is not Standing.FOREIGN:
        # Also when it was there already: an earlier try may have been cut off between the primary and the other peers.
        _wait_for_the_others(work, inverse, reachable)
    note = "left as it is: somebody else changed it since" if before.standing is Standing.FOREIGN else ""
    work.journal.undone(work.run, record.seq, note)
    said = f"{record.peer}: {note}." if note else f"Read back: {inverse.summary}."
    work.voice.say("warning" if note else "change-complete", said, peer=record.peer, change=inverse.kind, undoes=record.seq)
    return before.standing is Standing.TO_DO


def _send(work: Undoing, record: StepRecord, inverse: Change, box: PeerPort, before: Reading) -> None:
    if isinstance(inverse, RemoveFromPeer) and not box.capabilities().remove_trusted_ca:
        raise NotOffered(f"{box.address} offers no removal.")
    if isinstance(inverse, SetVerification) and inverse.on:
        # As it was before the run, which is what a rollback is for; nobody has looked whether clients can do without.
        said = f"Verification goes on again on {box.address}: `remediate verify` shows which endpoints clients then lose."
        work.voice.say("warning", said, peer=record.peer)
    work.voice.say("change-start", f"Going to {inverse.summary}.", peer=record.peer, change=inverse.kind, undoes=record.seq)
    sent = send(box, inverse, lambda: None, limits=work.limits, pause=work.pause)
    if sent.after.standing is not Standing.DONE:
        raise ChangeFailed(f"Failed to {inverse.summary}: {sent.problem or 'the box answered yes and did not do it.'}")
    if sent.after.rest != before.rest:
        raise ChangeFailed(f"Done, but something else changed in the same list: {inverse.summary}.")


def _wait_for_the_others(work: Undoing, inverse: Change, reachable: Mapping[Address, PeerPort]) -> None:
    """See that every peer of the run has the primary's list again: one that cannot be asked may still have ours when it is back."""
    if isinstance(inverse, SetCipherList):
        absent = [peer for peer in work.journal.backups(work.run) if peer not in reachable]
        if absent:
            raise ObservationError(f"Whether {', '.join(absent)} took it over from the primary cannot be read.")
        wait_for_replication(work.boxes, inverse.name, inverse.after, limits=work.limits, pause=work.pause, check=work.check)


def _by_hand(inverse: Change, error: RemediateError) -> str:
    if isinstance(error, NotOffered):
        return inverse.by_hand
    if isinstance(error, ObservationError | OutcomeUnknown):
        return f"Still to do: {inverse.summary}. {error}"
    return f"{error} {inverse.by_hand}"


def _read_all(work: Undoing, reachable: Mapping[Address, PeerPort]) -> tuple[list[Backup], list[str]]:
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


def _differences(work: Undoing, now: Sequence[Backup]) -> Iterator[str]:
    backups = work.journal.backups(work.run)
    put_back = {record.peer for record in work.journal.steps(work.run) if record.kind == RemoveFromPeer.kind}
    for one in now:
        yield from _against(backups[one.peer], one, work.journal, put_back=one.peer in put_back)


def _against(backup: Backup, now: Backup, journal: Journal, *, put_back: bool) -> Iterator[str]:
    if sorted(now.trusted_ca) != sorted(backup.trusted_ca):
        came = _listed("now also", (one for one in now.trusted_ca if one not in backup.trusted_ca), journal)
        went = _listed("no longer", (one for one in backup.trusted_ca if one not in now.trusted_ca), journal)
        how = "; ".join([*came, *went]) or "a certificate stands there more or less often"
        yield f"the trusted CA list of {backup.peer} is not the one of before the run ({how})"
    elif now.trusted_ca != backup.trusted_ca:
        ours = ", since what the run had removed was put back at its end" if put_back else ""
        yield f"the trusted CA list of {backup.peer} holds the same certificates in another order{ours}"
    changed = [name for name in sorted({*backup.ciphers, *now.ciphers}) if now.ciphers.get(name) != backup.ciphers.get(name)]
    yield from (f"{name} of {backup.peer} is not the one of before the run" for name in changed)


def _listed(how: str, those: Iterable[Fingerprint], journal: Journal) -> Iterator[str]:
    names = [named(journal.certificate(one)) if journal.names_certificate(one) else one for one in those]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{how} {', '.join(names[:_NAMED])}{more}"
