"""The end of a run that failed: what is true, what was asked for in that case, and what a person does next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from remediate.executor import changes
from remediate.executor.boundary import as_failure
from remediate.executor.commands import recovery_commands, restart_command
from remediate.executor.confirm_timer import describe_timer
from remediate.executor.context import RunContext, RunState
from remediate.executor.effect.after_rollback import UndoneLook, observe_undone
from remediate.executor.effect.outcome import complete_effects, describe_effects, unsettled_peers
from remediate.executor.journal import timers
from remediate.executor.journal.measurements import record_measurements
from remediate.executor.journal.store import JournalError
from remediate.executor.operations import SetVerification
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.signals import ImmediateStop
from remediate.executor.undo import UndoContext, undo
from remediate.executor.verification import VerificationFailed
from remediate.executor.watcher import TimerError
from remediate.executor.window import WindowClosed
from remediate.executor.writer import ChangeOutcome, JournalingWriter
from remediate.model.effect import PeerEffect
from remediate.model.errors import AccessError, Interrupted, NotOffered, OutcomeUnknown, RemediateError, WriteForbidden
from remediate.model.exit_codes import ExitCode
from remediate.model.measurement import measure_pairs
from remediate.model.run import RunState as JournalState
from remediate.model.run import join_message
from remediate.model.text import count
from remediate.model.verdict import Verdicts


def end_failed_run(
    context: RunContext, state: RunState, writer: JournalingWriter, failure: RemediateError | ImmediateStop
) -> RunResult:
    """End a run that failed, and return its result.

    - stopped at once: no peer is touched any more; the journal's last line is left as it is
    - the journal cannot be written: nothing more is sent
    - interrupted: the run is closed as partial
    - the window is over, or the confirm timer did not start: closed as it is, and nothing is undone
    - a login was refused: closed as partial; there is no further login
    - an outcome that cannot be known: closed as unknown (8); nothing more is written on a guess
    - nothing was written by this run: closed, and the error itself is raised
    - anything else: as `ApplyOptions.on_failure` asks

    Raises:
        RemediateError: `failure` itself, when nothing was written.
    """
    try:
        return _end(context, state, writer, failure)
    except Exception as error:
        if error is failure:
            raise
        message = f"{failure} While stopping: {as_failure(error)}"
        return _close(context, state, "partial", ExitCode.PERSON_NEEDED, message, with_commands=True)


def _end(context: RunContext, state: RunState, writer: JournalingWriter, failure: RemediateError | ImmediateStop) -> RunResult:
    interrupted = context.stop.exit_code
    match failure:
        case ImmediateStop():
            message = "Stopped at once: not known whether the last write was done."
            return _leave_open(context, state, "running", interrupted, message)
        case WriteForbidden():
            context.stop.closing = True
            context.journal.close_run(
                state.run, "partial" if state.has_written else "rolled-back", str(failure), failure.exit_code
            )
            raise failure
        case JournalError():
            message = f"{failure} Nothing more was sent."
            return _close(context, state, "unknown", ExitCode.PERSON_NEEDED, message, with_commands=True)
        case Interrupted():
            return _close(context, state, "partial", interrupted, str(failure))
        case WindowClosed() | TimerError():
            return _hold_back(context, state, failure)
        case AccessError():
            message = f"{failure} No further login was tried."
            return _close(context, state, "partial", ExitCode.PERSON_NEEDED, message, with_commands=True)
        case OutcomeUnknown():
            return _close(context, state, "unknown", ExitCode.PERSON_NEEDED, str(failure), with_commands=True)
        case _:
            return _end_after_failed_change(context, state, writer, failure)


def _end_after_failed_change(
    context: RunContext, state: RunState, writer: JournalingWriter, failure: RemediateError
) -> RunResult:
    if not context.journal.steps(state.run):
        context.stop.closing = True
        context.journal.close_run(state.run, "rolled-back", f"Nothing was written: {failure}", failure.exit_code)
        raise failure
    try:
        return _follow_policy(context, state, writer, failure)
    except (Interrupted, ImmediateStop):
        message = f"{failure} The rollback was interrupted."
        return _leave_open(context, state, "running", context.stop.exit_code, message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run is closed
        message = f"{failure} During the rollback: {as_failure(error)}"
        return _close(context, state, "partial", ExitCode.PERSON_NEEDED, message, failure=failure, with_commands=True)


def _hold_back(context: RunContext, state: RunState, failure: WindowClosed | TimerError) -> RunResult:
    """Close a run in which nothing failed: what is made stays, and the same apply resumes it."""
    if not state.has_written:
        earlier = context.journal.steps(state.run)
        message = f"Nothing {'more ' if earlier else ''}was written: {failure}"
        context.stop.closing = True
        _end_timer(context, state)
        context.journal.close_run(state.run, "partial" if earlier else "rolled-back", message, failure.exit_code)
        raise failure
    waiting = [change.summary for change in changes.not_in_effect(context.plan, context.primary, state.in_effect)]
    message = (
        f"{failure} In effect and read back: {count(len(state.in_effect), 'change')}. Not started: "
        f"{'; '.join(waiting) or 'a restart'}. The run stays as it is.{_end_timer(context, state)}"
    )
    return _close(context, state, "partial", ExitCode.PERSON_NEEDED, message, with_commands=True)


def _end_timer(context: RunContext, state: RunState) -> str:
    """End the confirm timer, which undoes nothing that is left half-made on purpose; return the sentence about it."""
    return " Its confirm timer has ended." if timers.cancel(context.journal, state.run) else ""


def _follow_policy(context: RunContext, state: RunState, writer: JournalingWriter, failure: RemediateError) -> RunResult:
    policy = context.options.on_failure
    context.events.emit("apply-failed", str(failure), on_failure=policy)
    if policy == "rollback":
        return _roll_back(context, state, failure)
    if policy == "workaround":
        return _turn_workaround_on(context, state, writer.for_recovery(), failure)
    message = f"{failure} Stopped, as --on-failure stop asks; nothing was undone.{_end_timer(context, state)}"
    return _close(context, state, "partial", ExitCode.PERSON_NEEDED, message, failure=failure, with_commands=True)


def _roll_back(context: RunContext, state: RunState, failure: RemediateError) -> RunResult:
    undo_context = UndoContext(
        context.journal,
        state.run,
        context.peers,
        context.limits,
        context.environment.pause,
        context.events,
        context.stop.check,
        unreachable=context.unreachable,
        nodes=context.nodes,
        opened=context.opened,
    )
    undone = undo(undo_context)
    look = UndoneLook(undo_context, context.cluster, context.environment)
    state.effects.clear()
    state.client_views.clear()
    effects = observe_undone(look, undone.open_steps)
    state.effects.update({effect.peer: effect for effect in effects})
    state.client_views.update(look.client_views)
    verdicts = look.judge()

    def close(
        outcome: JournalState, message: str, steps: Sequence[ManualStep] = (), code: ExitCode = ExitCode.PERSON_NEEDED
    ) -> RunResult:
        return _close(context, state, outcome, code, message, steps, verdicts=verdicts)

    if undone.open_steps:
        open_count = count(len(undone.open_steps), "step is", "steps are")
        return close("partial", f"{failure} The rollback is not complete: {open_count} open.", undone.open_steps)
    if differences := (*undone.differences, *undone.unread):
        message = f"{failure} The run was undone, but the start state is not restored: {'; '.join(differences)}."
        return close("rolled-back", message, [ManualStep(difference) for difference in differences])
    unsettled = unsettled_peers(effects)
    words = describe_effects(effects, restart_command(unsettled, context.cluster, context.state_dir))
    message = f"{failure} The run was rolled back, and the start state was read back on every peer. {words}"
    return close("rolled-back", message, code=ExitCode.PERSON_NEEDED if unsettled else ExitCode.ROLLED_BACK)


def _turn_workaround_on(context: RunContext, state: RunState, writer: JournalingWriter, failure: RemediateError) -> RunResult:
    """Turn verification off on every peer: clients work again, and any certificate is accepted until a person ends it."""
    ended = _end_timer(context, state)
    steps: list[ManualStep] = []
    for peer in context.peers:
        change = SetVerification(peer.address, on=False)
        try:
            if writer.carry_out(peer, change) is ChangeOutcome.MANUAL:
                steps.append(ManualStep(change.manual_instruction, peer.address))
        except (AccessError, JournalError, Interrupted):
            raise
        except RemediateError as error:
            text = str(error) if isinstance(error, NotOffered) else f"{error} {change.manual_instruction}"
            steps.append(ManualStep(text, peer.address))
    steps += [ManualStep(f"{peer} cannot be reached: {reason}", peer) for peer, reason in context.unreachable.items()]
    message = f"{failure} The workaround is on{' where it could be read back' if steps else ' on every peer'}.{ended}"
    last = ManualStep("Turn the workaround off with `remediate workaround off` when the cause is fixed.")
    return _close(context, state, "partial", ExitCode.PERSON_NEEDED, message, (*steps, last), failure=failure)


def _close(
    context: RunContext,
    state: RunState,
    outcome: JournalState,
    code: ExitCode,
    message: str,
    steps: Sequence[ManualStep] = (),
    *,
    failure: RemediateError | None = None,
    verdicts: Verdicts | None = None,
    with_commands: bool = False,
) -> RunResult:
    """Close the run in the journal and return its result.

    With `with_commands`, the commands that resume or undo the run are an open step, too.
    """
    context.stop.closing = True
    try:
        _write_last_line(context, state, outcome, join_message(message, (step.text for step in steps)), code)
    except Exception as error:  # noqa: BLE001 - the caller gets a result all the same
        return _leave_open(context, state, "unknown", ExitCode.PERSON_NEEDED, f"{message} {as_failure(error)}")
    if isinstance(failure, VerificationFailed):
        verdicts = failure.verification.verdicts
    with suppress(JournalError):
        measurements = measure_pairs(state.verdicts_before, verdicts or {}, state.client_views)
        record_measurements(context.journal, state.run, measurements)
    commands = (ManualStep(_commands(context, state)),) if with_commands else ()
    if outcome != "rolled-back":
        message = f"{message}{_timer_note(context, state)} {_commands(context, state)}"
    context.events.emit("run-state", message, state=outcome, exit_code=code)
    return RunResult(
        state.run,
        outcome,
        code,
        (*steps, *commands),
        state.has_written,
        message,
        verdicts=verdicts or {},
        verdicts_before=state.verdicts_before,
        effects=_list_effects(context, state),
        client_views=state.client_views,
    )


def _list_effects(context: RunContext, state: RunState) -> tuple[PeerEffect, ...]:
    return complete_effects(state.effects.values(), context.addresses, "the run ended before it was checked")


def _write_last_line(context: RunContext, state: RunState, outcome: JournalState, message: str, code: ExitCode) -> None:
    """Close the run in the journal; try once more when that fails, since this line records how everything ended."""
    try:
        context.journal.close_run(state.run, outcome, message, code, _list_effects(context, state))
    except Exception:  # noqa: BLE001
        context.journal.close_run(state.run, outcome, message, code, _list_effects(context, state))


def _leave_open(context: RunContext, state: RunState, outcome: JournalState, code: ExitCode, message: str) -> RunResult:
    """Return the result of a run that gets no last line in the journal."""
    message = f"{message}{_timer_note(context, state)} {_commands(context, state)}"
    context.events.emit("run-state", message, state=outcome, exit_code=code)
    return RunResult(state.run, outcome, code, (), state.has_written, message, effects=_list_effects(context, state))


def _timer_note(context: RunContext, state: RunState) -> str:
    try:
        return describe_timer(context.journal.run(state.run))
    except JournalError:
        return ""


def _commands(context: RunContext, state: RunState) -> str:
    return recovery_commands(state.run, context.cluster, context.state_dir)
