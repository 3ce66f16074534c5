"""Steps 4 to 7: one change on one peer, for real (journaled) or as a rehearsal (which can neither write nor journal)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from remediate.executor.journal.store import Journal
from remediate.executor.operations import restore_change
from remediate.executor.operations.change import Change, ChangeStatus, Observed
from remediate.executor.ports import PeerPort
from remediate.executor.sending import ChangeFailed, Sent, look_for_late, send
from remediate.executor.steps import Step
from remediate.executor.voice import Voice
from remediate.model.errors import NotOffered, OutcomeUnknown, StalePlan, WriteForbidden
from remediate.model.limits import Limits
from remediate.model.run import Backup, StepRecord
from remediate.model.text import count

_MAY_HAVE_BEEN_SENT = frozenset({"intended", "done", "unknown"})


class Made(Enum):
    """What became of a change."""

    ALREADY = "nothing to do"
    MADE = "done and read back"
    WOULD = "would be done"
    BY_HAND = "not offered or not proven: for a person"

    @property
    def wrote(self) -> bool:
        """Something changed on the box, or would."""
        return self in {Made.MADE, Made.WOULD}


class Writer(Protocol):
    """The only way from a plan to a box."""

    def back_up(self, backups: Sequence[Backup]) -> None:
        """Step 4: keep how every peer stands."""

    def carry_out(self, box: PeerPort, change: Change, number: Step = Step.WRITE) -> Made:
        """Steps 5 to 7, unless the box shows that there is nothing to do. `number`: the step of the plan it belongs to."""


@dataclass(slots=True)
class Rehearsal:
    """Walks the same path and reads the same things; every write becomes a sentence."""

    enter: Callable[[Step], None]
    voice: Voice

    def back_up(self, backups: Sequence[Backup]) -> None:
        self.enter(Step.BACK_UP)
        self.voice.say(
            "would-change", f"Would back up {count(len(backups), 'peer')} and record the run.", step=Step.BACK_UP.value
        )

    def carry_out(self, box: PeerPort, change: Change, number: Step = Step.WRITE) -> Made:
        if _due(box, change, self.voice) is None:
            return Made.ALREADY
        for step in (Step.INTENT, Step.WRITE, Step.READ_BACK):
            self.enter(step)
        self.voice.say("would-change", f"Would {change.summary}.", step=number.value, peer=change.peer, change=change.kind)
        return Made.WOULD


@dataclass(slots=True)
class Recorder:
    """Writes to boxes, with the journal ahead of every write.

    Attributes:
        may_begin: called before a change is begun; raises WindowClosed when it has to wait for the next window.
        changed: something was written, or may have been.
        settled: the changes that are in effect, by their summaries: made, or found made.
        ended_a_timer: this apply ended the confirm timer of an earlier one.
    """

    journal: Journal
    enter: Callable[[Step], None]
    voice: Voice
    limits: Limits
    pause: Callable[[float], None]
    now: Callable[[], datetime]
    begin: Callable[[Sequence[Backup]], str]
    may_begin: Callable[[Change], None]
    run: str = ""
    changed: bool = False
    settled: list[str] = field(default_factory=list)
    ended_a_timer: bool = False
    _sent_before: list[StepRecord] = field(default_factory=list)

    def back_up(self, backups: Sequence[Backup]) -> None:
        self.enter(Step.BACK_UP)
        self.run = self.voice.run = self.begin(backups)
        self.voice.say(
            "run-state", f"Run {self.run} is in the journal, with a backup of {count(len(backups), 'peer')}.", state="running"
        )

    def go_on(self, boxes: Sequence[PeerPort]) -> None:
        """Take up an unfinished run: what was intended and has no outcome is read from the boxes now."""
        self._sent_before = [step for step in self.journal.steps(self.run) if step.state in _MAY_HAVE_BEEN_SENT]
        reachable = {box.address: box for box in boxes}
        for record in self._sent_before:
            if record.state != "done" and record.peer in reachable:
                self._settle(record, reachable[record.peer])

    def carry_out(self, box: PeerPort, change: Change, number: Step = Step.WRITE) -> Made:
        made = self._carry_out(box, change, number)
        if made is not Made.BY_HAND:
            self.settled.append(change.summary)
        return made

    def _carry_out(self, box: PeerPort, change: Change, number: Step) -> Made:
        earlier = None if change.is_verifiable else self._earlier(change)
        if earlier is not None:
            return Made.ALREADY if earlier.state == "done" else Made.BY_HAND
        before = _due(box, change, self.voice)
        if before is None:
            return Made.ALREADY
        self.may_begin(change)
        began = self.now()
        self.enter(Step.INTENT)
        seq = self.journal.record_intent(self.run, number.value, change, before.digest)
        self.enter(Step.WRITE)
        self.voice.say(
            "change-start", f"Going to {change.summary}.", step=number.value, peer=change.peer, change=change.kind, seq=seq
        )
        try:
            sent = send(box, change, lambda: self.enter(Step.READ_BACK), limits=self.limits, pause=self.pause)
        except NotOffered as error:
            return self._not_offered(seq, error)
        except WriteForbidden as error:
            self.journal.record_outcome(self.run, seq, "failed", message=str(error), proven=True)
            raise
        except OutcomeUnknown as error:
            self.changed = True
            self.journal.record_outcome(self.run, seq, "unknown", message=str(error))
            raise
        return self._decide(seq, change, before, sent, max(0.0, (self.now() - began).total_seconds()))

    def _decide(self, seq: int, change: Change, before: Observed, sent: Sent, seconds: float) -> Made:
        if not change.is_verifiable and sent.problem is not None:
            self.changed = self.changed or sent.lost
            self.journal.record_outcome(self.run, seq, "unknown" if sent.lost else "failed", message=str(sent.problem))
            self.voice.say("warning", f"{sent.problem} {change.manual_instruction}", peer=change.peer)
            return Made.BY_HAND
        if sent.is_unknown:
            self._leave_unknown(seq, change, sent)
        if sent.after.status is not ChangeStatus.DONE:
            self._fail(seq, change, sent)
        self.changed = True
        hurt = sent.after.unrelated_digest != before.unrelated_digest
        note = "something else changed in the same list" if hurt else _note(sent)
        self.journal.record_outcome(self.run, seq, "done", after=sent.after.digest, message=note, seconds=seconds)
        if hurt:
            raise ChangeFailed(f"Done, but {note}: {change.summary}. The box, or somebody else at the same time, did more.")
        self.voice.say("change-complete", f"Read back: {change.summary}.", peer=change.peer, change=change.kind, seq=seq)
        return Made.MADE

    def _leave_unknown(self, seq: int, change: Change, sent: Sent) -> None:
        self.changed = True
        message = (
            f"Sent, and not seen within {self.limits.write_seen_s:.0f} s, so it is not known whether it was done: {change.summary}. "
            f"{sent.problem or 'The box answered yes.'}"
        )
        self.journal.record_outcome(self.run, seq, "unknown", message=message)
        self.voice.say("change-failed", message, peer=change.peer, change=change.kind, seq=seq)
        raise OutcomeUnknown(message)

    def _fail(self, seq: int, change: Change, sent: Sent) -> None:
        message = f"Failed to {change.summary}: {sent.problem or 'something else is there now.'}"
        self.journal.record_outcome(self.run, seq, "failed", after=sent.after.digest, message=message)
        self.voice.say("change-failed", message, peer=change.peer, change=change.kind, seq=seq)
        raise ChangeFailed(message)

    def _not_offered(self, seq: int, error: NotOffered) -> Made:
        self.enter(Step.READ_BACK)
        self.journal.record_outcome(self.run, seq, "failed", message=str(error), proven=True)
        return Made.BY_HAND

    def _earlier(self, change: Change) -> StepRecord | None:
        same = (change.kind, change.peer, dict(change.facts()))
        return next((one for one in self._sent_before if (one.kind, one.peer, dict(one.facts)) == same), None)

    def _settle(self, record: StepRecord, box: PeerPort) -> None:
        change = restore_change(record.kind, record.peer, record.facts, self.journal.certificate)
        if not change.is_verifiable:
            self.journal.record_outcome(
                self.run, record.seq, "unknown", message="sent or not before an interruption: not known"
            )
            return
        found = look_for_late(box, change, record.state, limits=self.limits, pause=self.pause)
        done = found.status is ChangeStatus.DONE
        self.journal.record_outcome(
            self.run,
            record.seq,
            "done" if done else "failed",
            after=found.digest,
            message=f"read after an interruption: {'it was done' if done else 'it had not happened'}",
        )


def _due(box: PeerPort, change: Change, voice: Voice) -> Observed | None:
    """The reading before the write; None when there is nothing to write. Raises StalePlan when somebody else was there."""
    before = change.precondition(box)
    if before.status is ChangeStatus.FOREIGN:
        raise StalePlan(f"The plan is stale: somebody else set another value, so it is no longer right to {change.summary}.")
    if before.status is ChangeStatus.DONE:
        voice.say("nothing-to-do", f"Already so: {change.summary}.", peer=change.peer, change=change.kind)
        return None
    return before


def _note(sent: Sent) -> str:
    return f"done, although: {sent.problem}" if sent.problem else ""
