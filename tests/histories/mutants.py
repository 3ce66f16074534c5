"""Bugs to plant in the executor: each is one of those that a system like this one has had, and the laws must find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from remediate.executor import (
    confirm_timer,
    guarded_restart,
    maintenance,
    opening,
    read_back,
    rollback,
    staleness,
    undo,
    watcher,
    write_changes,
    writer,
)
from remediate.executor.effect import decision
from remediate.executor.guarded_restart import GuardedRestarts
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal
from remediate.executor.lists import ListBelief
from remediate.executor.lock import ClusterLock
from remediate.executor.maintenance import Maintenance
from remediate.executor.operations.change import Change, ChangeStatus, Observed
from remediate.executor.ports import PeerPort
from remediate.executor.read_back import WriteAttempt
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.executor.undo import UndoContext, UndoResult
from remediate.executor.writer import ChangeOutcome, JournalingWriter
from remediate.model.canonical import rfc3339
from remediate.model.errors import OutcomeUnknown, RemediateError
from remediate.model.run import StepRecord

Plant = Callable[[pytest.MonkeyPatch], None]


def _no_intent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "record_intent", lambda self, run, *_: 1 + len(self.steps(run)))


def _intent_after_the_write(patch: pytest.MonkeyPatch) -> None:
    late: list[tuple[Any, ...]] = []
    record_intent, record_outcome = Journal.record_intent, Journal.record_outcome

    def later(self: Journal, run: str, *arguments: Any) -> int:
        late[:] = [(self, run, *arguments)]
        return 1 + len(self.steps(run))

    def both(self: Journal, *arguments: Any, **more: Any) -> None:
        if late:
            record_intent(*late.pop())
        record_outcome(self, *arguments, **more)

    patch.setattr(Journal, "record_intent", later)
    patch.setattr(Journal, "record_outcome", both)


def _the_answer_is_believed(patch: pytest.MonkeyPatch) -> None:
    settled = read_back._read_until_shown

    def believed(device: PeerPort, change: Change, problem: RemediateError | None, *arguments: Any) -> Observed:
        observed = settled(device, change, problem, *arguments)
        return observed if problem else replace(observed, status=ChangeStatus.DONE)

    patch.setattr(read_back, "_read_until_shown", believed)


def _sent_again_unread(patch: pytest.MonkeyPatch) -> None:
    write = read_back._write

    def twice(device: PeerPort, change: Change) -> RemediateError | None:
        problem = write(device, change)
        return write(device, change) if isinstance(problem, OutcomeUnknown) else problem

    patch.setattr(read_back, "_write", twice)


def _no_lock(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def hold_nothing(*_: Any, now: Any, **__: Any) -> Iterator[ClusterLock]:
        with ExitStack() as held:
            yield ClusterLock("", {}, now, held)

    patch.setattr(opening, "hold_cluster", hold_nothing)
    patch.setattr(opening, "peer_lock_paths", lambda *_: [])


def _forwards(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(undo, "reversed", iter, raising=False)


def _back_to_the_backup(patch: pytest.MonkeyPatch) -> None:
    """What others added since goes too."""
    real = undo.undo

    def restoring(work: UndoContext) -> UndoResult:
        undone = real(work)
        backups = work.journal.backups(work.run)
        for device in work.peers if not undone.open_steps and not undone.unread else ():
            for fingerprint in device.trusted_ca():
                if fingerprint.fingerprint not in backups[device.address].trusted_ca:
                    device.remove_trusted_ca(fingerprint)
        return undone

    patch.setattr(rollback, "undo", restoring)


def _found_is_owned(patch: pytest.MonkeyPatch) -> None:
    real = JournalingWriter._make_change

    def owning(self: JournalingWriter, device: PeerPort, change: Change, number: Any) -> ChangeOutcome:
        outcome = real(self, device, change, number)
        if outcome is ChangeOutcome.ALREADY_MADE and change.is_verifiable:
            self.context.journal.record_outcome(
                self.state.run, self.context.journal.record_intent(self.state.run, int(number), change, ""), "done"
            )
        return outcome

    patch.setattr(JournalingWriter, "_make_change", owning)


def _stale_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(staleness, "refuse_if_changed", lambda *_: None)


def _third_values_are_overwritten(patch: pytest.MonkeyPatch) -> None:
    due = writer._read_if_to_do

    def always(device: PeerPort, change: Change, voice: Any) -> Observed | None:
        before = change.precondition(device)
        return before if before.status is ChangeStatus.FOREIGN else due(device, change, voice)

    patch.setattr(writer, "_read_if_to_do", always)


def _no_waiting(patch: pytest.MonkeyPatch) -> None:
    for room in (write_changes, undo):
        patch.setattr(room, "wait_for_replication", lambda *_, **__: None)


def _not_waiting_for_the_absent(patch: pytest.MonkeyPatch) -> None:
    real = undo._wait_for_replication

    def only_the_present(work: UndoContext, inverse: Change, _reachable: Any) -> None:
        real(work, inverse, dict.fromkeys(work.journal.backups(work.run)))  # type: ignore[arg-type]  # only its keys are read

    patch.setattr(undo, "_wait_for_replication", only_the_present)


def _open_steps_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = undo.undo
    patch.setattr(rollback, "undo", lambda work: replace(real(work), open_steps=()))


def _the_unread_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = undo.undo
    patch.setattr(rollback, "undo", lambda work: replace(real(work), unread=()))


def _always_a_new_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "find_unfinished", lambda *_: None)


def _a_rollback_begins_in_silence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "resume_run", lambda *_: None)


def _a_resumed_run_settles_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(JournalingWriter, "settle_earlier_steps", lambda *_: None)


def _what_cannot_be_told_is_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(JournalingWriter, "_earlier_step_of", lambda *_: None)


def _confirmed_and_undone_all_the_same(patch: pytest.MonkeyPatch) -> None:
    def without_ending(journal: Journal, run: str, _operator: str, now: datetime) -> bool:
        with journal.transaction() as db:
            in_time = "UPDATE runs SET message = message WHERE id = ? AND state = 'confirm-pending' AND confirm_by > ?"
            return bool(db.execute(in_time, (run, rfc3339(now))).rowcount)

    patch.setattr(timers, "confirm", without_ending)


def _confirmed_too_late(patch: pytest.MonkeyPatch) -> None:
    real = timers.confirm
    patch.setattr(
        timers, "confirm", lambda journal, run, operator, _now: real(journal, run, operator, datetime(2000, 1, 1, tzinfo=UTC))
    )


def _a_timer_outlives_its_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(timers, "cancel", lambda *_: False)
    patch.setattr(timers, "ENDED", frozenset())


def _what_is_pending_holds_nobody_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(confirm_timer, "refuse_while_pending", lambda *_: None)


def _a_timer_gives_up_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(watcher, "_roll_back_repeatedly", lambda *_: 0)


def _every_list_is_believed(patch: pytest.MonkeyPatch) -> None:
    """As in version 0.1.0: what an empty list does not hold is gone."""
    patch.setattr(ReconnectingPeer, "trusted_ca", lambda self: self._read_list())


def _an_old_list_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ListBelief, "is_unexpected", lambda self, listed: not listed or bool(self.missing(listed)))


def _what_failed_or_was_undone_is_not_read_again(patch: pytest.MonkeyPatch) -> None:
    real = Journal.steps

    def steps(self: Journal, run: str) -> tuple[StepRecord, ...]:
        return tuple(replace(step, proven=step.proven or step.state in {"failed", "undone"}) for step in real(self, run))

    patch.setattr(Journal, "steps", steps)


def _what_is_not_seen_has_failed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WriteAttempt, "is_unknown", property(lambda _self: False))


def _what_is_not_seen_at_once_is_not_looked_for(patch: pytest.MonkeyPatch) -> None:
    real = read_back._read_repeatedly
    patch.setattr(
        read_back, "_read_repeatedly", lambda device, change, _again, *arguments: real(device, change, (0, 0.0), *arguments)
    )


def _maintenance_mode_is_not_recorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(maintenance, "record_maintenance", lambda *_: 0)


def _maintenance_mode_that_was_left_on_stays_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Maintenance, "end_left_on", lambda *_: ())


def _a_drain_is_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GuardedRestarts, "_wait_for_calls", lambda *_: "")


def _a_peer_that_answers_is_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guarded_restart, "describe_missing", lambda *_: ())
    patch.setattr(guarded_restart, "describe_lost", lambda *_: ())


def _restarts_of_the_dead_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GuardedRestarts, "settle", lambda *_: None)


def _any_start_is_after_the_writes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "is_started_after", lambda started_at, _writes: started_at is not None)


MUTANTS: Mapping[str, Plant] = {
    "no intent": _no_intent,
    "intent after the write": _intent_after_the_write,
    "the answer is believed": _the_answer_is_believed,
    "sent again unread": _sent_again_unread,
    "no lock": _no_lock,
    "undone forwards": _forwards,
    "back to the backup": _back_to_the_backup,
    "found is owned": _found_is_owned,
    "stale is not seen": _stale_is_not_seen,
    "third values are overwritten": _third_values_are_overwritten,
    "no waiting for replication": _no_waiting,
    "no waiting for the absent": _not_waiting_for_the_absent,
    "open steps are forgotten": _open_steps_are_forgotten,
    "the unread is forgotten": _the_unread_is_forgotten,
    "always a new run": _always_a_new_run,
    "a rollback begins in silence": _a_rollback_begins_in_silence,
    "a resumed run settles nothing": _a_resumed_run_settles_nothing,
    "what cannot be told is repeated": _what_cannot_be_told_is_repeated,
    "confirmed, and undone all the same": _confirmed_and_undone_all_the_same,
    "confirmed too late": _confirmed_too_late,
    "a timer outlives its run": _a_timer_outlives_its_run,
    "what is pending holds nobody back": _what_is_pending_holds_nobody_back,
    "a timer gives up at once": _a_timer_gives_up_at_once,
    "every list is believed": _every_list_is_believed,
    "an old list is believed": _an_old_list_is_believed,
    "what failed, or was undone, is not read again": _what_failed_or_was_undone_is_not_read_again,
    "what is not seen has failed": _what_is_not_seen_has_failed,
    "what is not seen at once is not looked for": _what_is_not_seen_at_once_is_not_looked_for,
    "maintenance mode is not recorded": _maintenance_mode_is_not_recorded,
    "maintenance mode that was left on stays on": _maintenance_mode_that_was_left_on_stays_on,
    "a drain is not waited for": _a_drain_is_not_waited_for,
    "a peer that answers is back": _a_peer_that_answers_is_back,
    "restarts of the dead are forgotten": _restarts_of_the_dead_are_forgotten,
    "any start is after the writes": _any_start_is_after_the_writes,
}
