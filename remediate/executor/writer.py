"""The writer of a run: steps 4 to 7, either for real, with the journal ahead of every write, or as a dry run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol, Self

from remediate.executor.confirm_timer import restart_countdown
from remediate.executor.context import RunContext, RunState
from remediate.executor.identity import identify_operator
from remediate.executor.operations import ON_NODES, RestartOnPeer, restore_change
from remediate.executor.operations.change import Change, ChangeStatus, Observed, change_fields
from remediate.executor.ports import PeerPort, SystemPort
from remediate.executor.read_back import ChangeFailed, WriteAttempt, look_for_late_write, write_and_read_back
from remediate.executor.steps import RunEvents, Step
from remediate.executor.window import WindowGuard
from remediate.model.errors import NotOffered, OutcomeUnknown, StalePlan, WriteForbidden
from remediate.model.run import Backup, StepRecord
from remediate.model.text import count

_MAY_HAVE_BEEN_SENT = frozenset({"intended", "done", "unknown"})


class ChangeOutcome(Enum):
    """The outcome of a change."""

    ALREADY_MADE = "nothing to do"
    MADE = "done and read back"
    WOULD_BE_MADE = "would be done"
    MANUAL = "not offered or not read back: do it by hand"


class Writer(Protocol):
    """The only path from a plan to a peer."""

    def back_up(self, backups: Collection[Backup]) -> None:
        """Keep how every peer is (step 4)."""

    def carry_out(self, peer: SystemPort, change: Change, step: Step = Step.WRITE) -> ChangeOutcome:
        """Make one change on one peer (steps 5 to 7), unless the peer shows that there is nothing to do.

        `step` is the one of the run that the change belongs to.
        """


@dataclass(frozen=True, slots=True)
class DryRunWriter:
    """The writer of a dry run: it enters the same steps and reads the same things, and emits each write instead."""

    context: RunContext

    def back_up(self, backups: Collection[Backup]) -> None:
        """Keep how every peer is (step 4)."""
        self.context.steps.enter(Step.BACK_UP)
        message = f"Would back up {count(len(backups), 'peer')} and record the run."
        self.context.events.emit("would-change", message, step=Step.BACK_UP.value)

    def carry_out(self, peer: SystemPort, change: Change, step: Step = Step.WRITE) -> ChangeOutcome:
        """Make one change on one peer (steps 5 to 7), see `Writer.carry_out`."""
        if _read_if_to_do(peer, change, self.context.events) is None:
            return ChangeOutcome.ALREADY_MADE
        for part in (Step.INTENT, Step.WRITE, Step.READ_BACK):
            self.context.steps.enter(part)
        message = f"Would {change.summary}."
        self.context.events.emit("would-change", message, step=step.value, **change_fields(change))
        return ChangeOutcome.WOULD_BE_MADE


@dataclass(frozen=True, slots=True)
class JournalingWriter:
    """The writer of a real run: nothing is sent before its intent and its inverse are in the journal.

    Attributes:
        window: Holds back each change that would not end within the change window; None: none is held back.
        is_recovering: The writer works after a failure, so neither the order of the steps nor an interrupt stops it.
    """

    context: RunContext
    state: RunState
    window: WindowGuard | None
    is_recovering: bool = False
    _earlier_steps: list[StepRecord] = field(default_factory=list)

    def for_recovery(self) -> Self:
        """Return a writer for the workaround after a failure: not held to the window, nor to the order of the steps."""
        return replace(self, window=None, is_recovering=True)

    def back_up(self, backups: Collection[Backup]) -> None:
        """Keep how every peer is (step 4)."""
        self._enter(Step.BACK_UP)
        context, state = self.context, self.state
        if context.unfinished is None:
            run = context.journal.begin_run(
                context.plan, backups, state.vouched, operator=identify_operator(), ticket=context.options.ticket
            )
        else:
            run = context.unfinished.id
            context.journal.resume_run(run, identify_operator(), context.options.ticket)
        state.run = context.events.run = run
        message = f"Run {run} is in the journal, with a backup of {count(len(backups), 'peer')}."
        context.events.emit("run-state", message, state="running")

    def settle_earlier_steps(self, peers: Sequence[PeerPort]) -> None:
        """Read what became of each step of the resumed run that was intended and has no outcome."""
        steps = self.context.journal.steps(self.state.run)
        self._earlier_steps[:] = [step for step in steps if step.state in _MAY_HAVE_BEEN_SENT]
        reachable = {peer.address: peer for peer in peers}
        for record in self._earlier_steps:
            # A restart shows in the start of its peer, which step 10 looks at.
            if record.state == "done" or record.kind == RestartOnPeer.kind:
                continue
            if record.kind in ON_NODES:
                self._settle(record, self.context.nodes.get_node(record.peer))
            elif record.peer in reachable:
                self._settle(record, reachable[record.peer])

    def carry_out(self, peer: SystemPort, change: Change, step: Step = Step.WRITE) -> ChangeOutcome:
        """Make one change on one peer (steps 5 to 7), see `Writer.carry_out`."""
        outcome = self._make_change(peer, change, step)
        if outcome is not ChangeOutcome.MANUAL:
            self.state.in_effect.append(change)
        return outcome

    def _make_change(self, peer: SystemPort, change: Change, step: Step) -> ChangeOutcome:
        earlier = None if change.is_verifiable else self._earlier_step_of(change)
        if earlier is not None:
            return ChangeOutcome.ALREADY_MADE if earlier.state == "done" else ChangeOutcome.MANUAL
        before = _read_if_to_do(peer, change, self.context.events)
        if before is None:
            return ChangeOutcome.ALREADY_MADE
        if self.window:
            self.window.refuse_if_too_late(change)
        environment, journal, run = self.context.environment, self.context.journal, self.state.run
        started_at = environment.now()
        self._enter(Step.INTENT)
        seq = journal.record_intent(run, step.value, change, before.digest)
        restart_countdown(self.context, self.state)
        self._enter(Step.WRITE)
        self._emit("change-start", f"Now: {change.summary}.", change, seq, step=step.value)
        try:
            attempt = write_and_read_back(
                peer,
                change,
                lambda: self._enter(Step.READ_BACK),
                limits=self.context.limits,
                pause=environment.pause,
            )
        except NotOffered as error:
            self._enter(Step.READ_BACK)
            journal.record_outcome(run, seq, "failed", message=str(error), proven=True)
            return ChangeOutcome.MANUAL
        except WriteForbidden as error:
            journal.record_outcome(run, seq, "failed", message=str(error), proven=True)
            raise
        except OutcomeUnknown as error:
            self.state.has_written = True
            journal.record_outcome(run, seq, "unknown", message=str(error))
            raise
        seconds = max(0.0, (environment.now() - started_at).total_seconds())
        return self._record_attempt(seq, change, before, attempt, seconds)

    def _record_attempt(
        self, seq: int, change: Change, before: Observed, attempt: WriteAttempt, seconds: float
    ) -> ChangeOutcome:
        """Record what was read back, and raise unless it is the change and nothing else."""
        journal, state = self.context.journal, self.state
        if not change.is_verifiable and attempt.problem is not None:
            state.has_written = state.has_written or attempt.is_lost
            journal.record_outcome(state.run, seq, "unknown" if attempt.is_lost else "failed", message=str(attempt.problem))
            self.context.events.emit("warning", f"{attempt.problem} {change.manual_instruction}", peer=change.peer)
            return ChangeOutcome.MANUAL
        if attempt.is_unknown:
            self._record_unknown(seq, change, attempt)
        if attempt.after.status is not ChangeStatus.DONE:
            self._record_failure(seq, change, attempt)
        state.has_written = True
        hurt = attempt.after.unrelated_digest != before.unrelated_digest
        note = f"done, although: {attempt.problem}" if attempt.problem else ""
        note = "something else changed in the same list" if hurt else note
        journal.record_outcome(state.run, seq, "done", after=attempt.after.digest, message=note, seconds=seconds)
        if hurt:
            raise ChangeFailed(
                f"Done, but {note}: {change.summary}. The peer changed more than requested, or something else changed too."
            )
        self._emit("change-complete", f"Read back: {change.summary}.", change, seq)
        return ChangeOutcome.MADE

    def _record_unknown(self, seq: int, change: Change, attempt: WriteAttempt) -> None:
        self.state.has_written = True
        message = (
            f"Sent, but not read back within {self.context.limits.write_seen_s:.0f} s, so it is not known whether it was "
            f"done: {change.summary}. {attempt.problem or 'The peer reported success.'}"
        )
        self.context.journal.record_outcome(self.state.run, seq, "unknown", message=message)
        self._emit("change-failed", message, change, seq)
        raise OutcomeUnknown(message)

    def _record_failure(self, seq: int, change: Change, attempt: WriteAttempt) -> None:
        message = f"Failed to {change.summary}: {attempt.problem or 'something else is there now.'}"
        self.context.journal.record_outcome(self.state.run, seq, "failed", after=attempt.after.digest, message=message)
        self._emit("change-failed", message, change, seq)
        raise ChangeFailed(message)

    def _enter(self, step: Step) -> None:
        if self.is_recovering:
            self.context.events.emit_step(step)
        else:
            self.context.steps.enter(step)

    def _emit(self, kind: str, message: str, change: Change, seq: int, **fields: int) -> None:
        self.context.events.emit(kind, message, **fields, **change_fields(change), seq=seq)

    def _earlier_step_of(self, change: Change) -> StepRecord | None:
        identity = (change.kind, change.peer, dict(change.facts()))
        return next((step for step in self._earlier_steps if (step.kind, step.peer, dict(step.facts)) == identity), None)

    def _settle(self, record: StepRecord, peer: SystemPort) -> None:
        journal, run = self.context.journal, self.state.run
        change = restore_change(record.kind, record.peer, record.facts, journal.certificate)
        if not change.is_verifiable:
            journal.record_outcome(run, record.seq, "unknown", message="not known whether it was sent before an interruption")
            return
        limits, pause = self.context.limits, self.context.environment.pause
        reading = look_for_late_write(peer, change, record.state, limits=limits, pause=pause)
        is_done = reading.status is ChangeStatus.DONE
        journal.record_outcome(
            run,
            record.seq,
            "done" if is_done else "failed",
            after=reading.digest,
            message=f"checked after an interruption: {'it was done' if is_done else 'it had not happened'}",
        )


def _read_if_to_do(peer: SystemPort, change: Change, events: RunEvents) -> Observed | None:
    """Read before the write; None when there is nothing to write.

    Raises:
        StalePlan: Another value is there than the plan was made from.
    """
    before = change.precondition(peer)
    if before.status is ChangeStatus.FOREIGN:
        raise StalePlan(f"The plan is stale: someone else set another value, so it is no longer right to {change.summary}.")
    if before.status is ChangeStatus.DONE:
        events.emit("nothing-to-do", f"Already done: {change.summary}.", peer=change.peer, change=change.kind)
        return None
    return before
