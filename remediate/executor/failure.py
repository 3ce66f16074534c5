"""The way out of a run that cannot go on: what is true, what was asked for in that case, and what a person does next."""

from __future__ import annotations

from remediate.executor import changes
from remediate.executor.boundary import as_failure
from remediate.executor.closing import VerificationFailed
from remediate.executor.confirm_timer import describe_timer
from remediate.executor.context import Job
from remediate.executor.hours import WindowClosed
from remediate.executor.journal import timers
from remediate.executor.journal.store import JournalError
from remediate.executor.operations import SetVerification
from remediate.executor.operations.change import Change
from remediate.executor.recovery import recovery_commands
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.signals import ImmediateStop
from remediate.executor.undo import UndoContext, undo
from remediate.executor.watcher import TimerError
from remediate.executor.writer import Made, Recorder
from remediate.model.errors import AccessError, Interrupted, NotOffered, OutcomeUnknown, RemediateError, WriteForbidden
from remediate.model.run import RunState
from remediate.model.text import count


def after_failure(job: Job, recorder: Recorder, failure: RemediateError | ImmediateStop) -> RunResult:
    """Return what a run that failed came to.

    - stopped at once: nothing more is touched; the journal's last line stands
    - the journal cannot be written: nothing more is sent
    - interrupted: the run is closed as partial
    - the window is over, or the confirm timer did not start: closed as it stands, and nothing is undone
    - a login was refused: closed as partial; nobody is logged in to again
    - an outcome that cannot be known: closed as unknown (8); nothing more is written on a guess
    - nothing was written by this run: closed, and the error itself goes to the caller
    - anything else: what `on_failure` says

    Raises: `failure` itself, when nothing was written.
    """
    try:
        return _handled(job, recorder, failure)
    except Exception as error:
        if error is failure:
            raise
        said = f"{failure} On the way out of that: {as_failure(error)}"
        return _closed(job, recorder, "partial", 8, said, open_step=True)


def _handled(job: Job, recorder: Recorder, failure: RemediateError | ImmediateStop) -> RunResult:
    stop_code = job.order.stop.exit_code
    match failure:
        case ImmediateStop():
            return _left(job, recorder, "running", stop_code, "Stopped at once: the last write may or may not have been done.")
        case WriteForbidden():
            job.order.stop.closing = True
            recorder.journal.close_run(recorder.run, "partial" if recorder.changed else "rolled-back", str(failure))
            raise failure
        case JournalError():
            return _closed(job, recorder, "unknown", 8, f"{failure} Nothing more was sent.", open_step=True)
        case Interrupted():
            return _closed(job, recorder, "partial", stop_code, str(failure))
        case WindowClosed() | TimerError():
            return _held_back(job, recorder, failure)
        case AccessError():
            return _closed(job, recorder, "partial", 8, f"{failure} No further login was tried.", open_step=True)
        case OutcomeUnknown():
            return _closed(job, recorder, "unknown", 8, str(failure), open_step=True)
        case _:
            return _failed(job, recorder, failure)


def _failed(job: Job, recorder: Recorder, failure: RemediateError) -> RunResult:
    if not recorder.journal.steps(recorder.run):
        job.order.stop.closing = True
        recorder.journal.close_run(recorder.run, "rolled-back", f"Nothing was written: {failure}")
        raise failure
    try:
        return _as_asked(job, recorder, failure)
    except (Interrupted, ImmediateStop):
        return _left(job, recorder, "running", job.order.stop.exit_code, f"{failure} Interrupted on the way back.")
    except Exception as error:  # noqa: BLE001 - whatever it is, the run is closed
        said = f"{failure} On the way back: {as_failure(error)}"
        return _closed(job, recorder, "partial", 8, said, failure=failure, open_step=True)


def _held_back(job: Job, recorder: Recorder, failure: WindowClosed | TimerError) -> RunResult:
    """Nothing failed: what is done stays, and the same apply goes on with it."""
    if not recorder.changed:
        earlier = recorder.journal.steps(recorder.run)
        said = f"Nothing {'more ' if earlier else ''}was written: {failure}"
        job.order.stop.closing = True
        _end_timer(recorder)
        recorder.journal.close_run(recorder.run, "partial" if earlier else "rolled-back", said)
        raise failure
    waiting = [one for one in changes.writes_of(job.order.plan, job.primary) if one not in recorder.settled]
    made = count(len(recorder.settled), "change")
    said = (
        f"{failure} In effect and read back: {made}. Not begun: {'; '.join(waiting) or 'a restart'}. "
        f"The run waits as it is.{_end_timer(recorder)}"
    )
    return _closed(job, recorder, "partial", 8, said, open_step=True)


def _end_timer(recorder: Recorder) -> str:
    """What is left half-way on purpose, no timer undoes."""
    return " Its confirm timer has ended." if timers.cancel(recorder.journal, recorder.run) else ""


def _as_asked(job: Job, recorder: Recorder, failure: RemediateError) -> RunResult:
    job.order.voice.say("apply-failed", str(failure), on_failure=job.order.options.on_failure)
    if job.order.options.on_failure == "rollback":
        return _rolled_back(job, recorder, failure)
    if job.order.options.on_failure == "workaround":
        return _worked_around(job, recorder, failure)
    said = f"{failure} Stopped as asked, nothing was undone.{_end_timer(recorder)}"
    return _closed(job, recorder, "partial", 8, said, failure=failure, open_step=True)


def _rolled_back(job: Job, recorder: Recorder, failure: RemediateError) -> RunResult:
    order = job.order
    undone = undo(
        UndoContext(recorder.journal, recorder.run, job.boxes, order.limits, order.world.pause, order.voice, order.stop.check)
    )
    if undone.open_steps:
        said = f"{failure} The rollback is not complete: {count(len(undone.open_steps), 'step is', 'steps are')} open."
        return _closed(job, recorder, "partial", 8, said, undone.open_steps, failure=failure)
    if differences := (*undone.differences, *undone.unread):
        said = f"{failure} What the run did is undone, but the start state is not there: {'; '.join(differences)}."
        return _closed(job, recorder, "rolled-back", 8, said, tuple(map(ManualStep, differences)), failure=failure)
    said = f"{failure} The run was rolled back, and the start state was read back on every peer."
    return _closed(job, recorder, "rolled-back", 3, said, failure=failure)


def _worked_around(job: Job, recorder: Recorder, failure: RemediateError) -> RunResult:
    """Verification off on every peer: clients work again, and any certificate is believed. A person must end this."""
    recorder.enter = job.order.voice.step
    recorder.may_begin = _at_any_time
    ended = _end_timer(recorder)
    open_steps = []
    for box in job.boxes:
        change = SetVerification(box.address, on=False)
        try:
            if recorder.carry_out(box, change) is Made.BY_HAND:
                open_steps.append(ManualStep(change.manual_instruction, box.address))
        except (AccessError, JournalError, Interrupted):
            raise
        except RemediateError as error:
            text = str(error) if isinstance(error, NotOffered) else f"{error} {change.manual_instruction}"
            open_steps.append(ManualStep(text, box.address))
    open_steps.extend(ManualStep(f"{peer} cannot be reached: {why}", peer) for peer, why in job.unreachable.items())
    said = f"{failure} The workaround is on{' where it could be read back' if open_steps else ' on every peer'}.{ended}"
    ending = ManualStep("End the workaround with `remediate workaround off` when the cause is mended.")
    return _closed(job, recorder, "partial", 8, said, (*open_steps, ending), failure=failure)


def _closed(
    job: Job,
    recorder: Recorder,
    state: RunState,
    code: int,
    said: str,
    open_steps: tuple[ManualStep, ...] = (),
    *,
    failure: RemediateError | None = None,
    open_step: bool = False,
) -> RunResult:
    job.order.stop.closing = True
    try:
        _write_last_line(recorder, state, " ".join([said, *(step.text for step in open_steps)]))
    except Exception as error:  # noqa: BLE001 - the caller is told all the same
        return _left(job, recorder, "unknown", 8, f"{said} {as_failure(error)}")
    seen = failure.seen.judgements if isinstance(failure, VerificationFailed) and state == "partial" else ()
    way_out = (ManualStep(_way_out(job, recorder)),) if open_step else ()
    message = said if state == "rolled-back" else f"{said}{_timer_note(recorder)} {_way_out(job, recorder)}"
    job.order.voice.say("run-state", message, state=state, exit_code=code)
    return RunResult(recorder.run, state, code, (*open_steps, *way_out), seen, recorder.changed, message)


def _write_last_line(recorder: Recorder, state: RunState, message: str) -> None:
    """Close the run in the journal; once more, when the first try fails: it is the line that says how everything ended."""
    try:
        recorder.journal.close_run(recorder.run, state, message)
    except Exception:  # noqa: BLE001
        recorder.journal.close_run(recorder.run, state, message)


def _left(job: Job, recorder: Recorder, state: RunState, code: int, said: str) -> RunResult:
    """Leave without another line in the journal."""
    message = f"{said}{_timer_note(recorder)} {_way_out(job, recorder)}"
    job.order.voice.say("run-state", message, state=state, exit_code=code)
    return RunResult(recorder.run, state, code, (), (), recorder.changed, message)


def _timer_note(recorder: Recorder) -> str:
    try:
        return describe_timer(recorder.journal.run(recorder.run))
    except JournalError:
        return ""


def _at_any_time(_change: Change) -> None:
    """The way back is not held to the window."""


def _way_out(job: Job, recorder: Recorder) -> str:
    return recovery_commands(recorder.run, job.order.cluster, job.order.state_dir)
