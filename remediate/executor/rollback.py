"""Rollback of a run from its journal alone: in a new process, later, on a cluster that may be partly down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from remediate.executor.boundary import as_failure
from remediate.executor.commands import restart_command, resume_rollback_command
from remediate.executor.differences import load_belief
from remediate.executor.effect.after_rollback import UndoneLook, observe_undone
from remediate.executor.effect.outcome import complete_effects, describe_effects, effect_exit_code, unsettled_peers
from remediate.executor.environment import Environment
from remediate.executor.health import read_cluster_health
from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.maintenance import Maintenance
from remediate.executor.node_ports import open_nodes
from remediate.executor.node_uploads import describe_restarts, list_changed_stores
from remediate.executor.opening import Command, begin_command, open_to_write
from remediate.executor.operations import UploadToNode
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.rollback_restart import RollbackRestarts, restart_after_undo
from remediate.executor.signals import ImmediateStop, StopRequest, report_interrupted
from remediate.executor.steps import RunEvents
from remediate.executor.undo import UndoContext, UndoResult, match_peers, undo
from remediate.executor.workaround import remind_of_workaround
from remediate.model.access import ClusterAccess
from remediate.model.effect import ClientView, PeerEffect
from remediate.model.errors import Interrupted, RemediateError, UsageError
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.identity import PairId
from remediate.model.limits import Limits
from remediate.model.run import Run, RunState, join_message
from remediate.model.text import count
from remediate.model.verdict import Verdicts


def rollback(
    run: str,
    cluster: ClusterAccess,
    *,
    state_dir: Path,
    restarts: RollbackRestarts = RollbackRestarts(),
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> RunResult:
    """Undo a run: strictly backwards, exactly what it added, changed or removed.

    What cannot be undone now (a peer that is down, a removal that the peer does not offer) stays open (exit 8), and another rollback
    continues with it. A run that is rolled back already is read again, and what came to light since is undone. What others changed
    since is left as it is, and reported.

    Once something was written, no error is raised: the result describes it (exit 8).

    Args:
        run: The id of a run, or ``last``.
        cluster: The cluster of the run, with its logins.
        state_dir: The directory of the journal.
        restarts: Whether peers are restarted once all is undone; without, none is.
        limits: Timeouts and repetitions of reads and writes.
        sink: Receives the events.
        environment: The peers, the clock and the journal.

    Raises:
        UnknownRun: There is no such run.
        UsageError: The run is of another cluster.
        LockHeld: Another run is at work on the cluster.
        JournalError: The journal cannot be read or written.
        AccessError: A login was refused.
        ObservationError: A peer cannot be read.
    """
    with begin_command(cluster, state_dir, limits, sink, environment) as command:
        environment, events, stop = command.environment, command.events, command.stop
        try:
            context, record = _prepare(command, run)
            maintenance = Maintenance(context.journal, cluster.name, environment, limits, events)
            left_on = maintenance.end_left_on(context.peers)
        except ImmediateStop:
            return report_interrupted(events, stop, "Stopped at once, before anything was undone.")
        is_late = timers.is_active(record) and timers.is_due(record, environment.now())
        beginning = _Beginning(context.journal, record)
        context = replace(context, before_write=beginning.record_write)
        try:
            if record.state != "rolled-back":
                # If this process dies, what it leaves is no longer *applied*: `close_dead_runs` then records that.
                beginning.record()
            result, aside = _undo_and_restart(context, cluster, environment, restarts, left_on)
            stop.closing = True
            late = f"Not confirmed by {record.confirm_by}. " if is_late else ""
            return _close(context, beginning, result, late, aside).with_remark(events.trouble)
        except (Interrupted, ImmediateStop):
            stop.closing = True
            return _close_interrupted(context, beginning, stop, resume_rollback_command(record.id, cluster, state_dir))
        except Exception as error:  # noqa: BLE001 - the run is closed whatever happened, and never reported as unchanged
            stop.closing = True
            return _close_failed(context, beginning, as_failure(error), resume_rollback_command(record.id, cluster, state_dir))


def _undo_and_restart(
    context: UndoContext,
    cluster: ClusterAccess,
    environment: Environment,
    restarts: RollbackRestarts,
    left_on: Sequence[ManualStep],
) -> tuple[UndoResult, _Aside]:
    """Undo the run, look what is in effect, and restart the peers that `restarts` takes where everything is undone."""
    alarms = {} if restarts.is_never else read_cluster_health(context.peers, context.unreachable).alarm_numbers
    result = undo(context)
    remind_of_workaround(context.peers, context.events)
    look = UndoneLook(context, cluster, environment)
    effects = observe_undone(look, result.open_steps)
    steps: tuple[ManualStep, ...] = ()
    if not result.open_steps:
        is_any_back, steps = restart_after_undo(context, cluster.name, environment, restarts, effects, alarms)
        effects = observe_undone(look) if is_any_back else effects
    return result, _Aside(
        (*left_on, *steps),
        effects,
        look.judge(),
        look.client_views,
        restart_command(unsettled_peers(effects), cluster, context.journal.path.parent),
        never_restarts=restarts.is_never,
    )


@dataclass(frozen=True, slots=True)
class _Aside:
    """What is true beside the undo itself.

    Attributes:
        open_steps: What is left for a person of maintenance mode and restarts.
        effects: Whether the peers work with their earlier lists again.
        verdicts: What each endpoint gets from each peer now; empty: it was not observed.
        client_views: What clients get, for each pair that was asked for.
        command: Settles it where the effect on a peer is not known.
        never_restarts: No peer was to be restarted.
    """

    open_steps: tuple[ManualStep, ...]
    effects: tuple[PeerEffect, ...]
    verdicts: Verdicts
    client_views: Mapping[PairId, ClientView]
    command: str
    never_restarts: bool


@dataclass(slots=True)
class _Beginning:
    """Beginning of a rollback, which is a run of its own in the journal.

    Attributes:
        run: The run that is undone.
        own_run: The id of the run of the rollback; None: the journal does not hold that it began.
        wrote: It wrote to a peer, or was about to.
    """

    journal: Journal
    run: Run
    own_run: str | None = None
    wrote: bool = False

    def record(self) -> None:
        """Record in the journal that the rollback began."""
        if self.own_run is None:
            operator = identify_operator()
            self.journal.resume_run(self.run.id, operator)
            self.own_run = self.journal.begin_without_plan("rollback", self.run.cluster, self.run.peers, operator=operator)

    def close(self, state: RunState, message: str, code: ExitCode, effects: tuple[PeerEffect, ...] = ()) -> None:
        """Record how the run and its rollback are left; where nothing was sent, what was in effect of the run still is."""
        is_changed = self.wrote or state != "partial" or any(step.state == "undone" for step in self.journal.steps(self.run.id))
        lasting_effects = () if is_changed else self.run.in_effect or ()
        self.journal.close_run(self.run.id, state, message, code, effects, by=self.own_run, lasting_effects=lasting_effects)

    def record_write(self) -> None:
        """Record that a write follows."""
        self.record()
        self.wrote = True


def _prepare(command: Command, run: str) -> tuple[UndoContext, Run]:
    """Take the lock, and open the journal and the peers until the command ends; nothing is undone yet."""
    cluster, environment, events, limits = command.cluster, command.environment, command.events, command.limits
    refuse_wrong_run(run, cluster, command.state_dir)
    opening = open_to_write(cluster, command.state_dir, environment, command.stack)
    journal = opening.open_journal()
    record = journal.run(run, with_plan=True)
    events.run = record.id
    opened, peers = opening.open_peers(limits)
    timers.cancel_confirmation(journal, record.id)
    _warn_of_later_runs(journal, record, events)
    expect_lists(journal, record.id, peers)
    context = UndoContext(
        journal,
        record.id,
        peers,
        limits,
        environment.pause,
        events,
        command.stop.check,
        unreachable=opened.unreachable,
        nodes=open_nodes(environment, cluster, peers, limits, command.stack, writable=True),
        write_heartbeat=opening.write_heartbeat,
        opened=opened,
    )
    return context, record


def expect_lists(journal: Journal, run: str, peers: Sequence[ReconnectingPeer]) -> None:
    """Give each peer what the journal last read of its list."""
    for address, peer in match_peers(journal, run, peers).items():
        peer.expect(load_belief(journal, run, address))


def refuse_wrong_run(run: str, cluster: ClusterAccess, state_dir: Path) -> None:
    """Raise UsageError for a run without a plan or of another cluster, before anything is created or opened."""
    with Journal(state_dir) as journal:
        record = journal.run(run, with_plan=True)
    if record.plan is None:
        raise UsageError(
            f"Run {record.id} is a {record.kind}, which changed no list: there is nothing to roll back.",
            next_step="`remediate runs` shows the kind of each run.",
        )
    if record.cluster != cluster.name:
        raise UsageError(f"Run {record.id} is of cluster {record.cluster}, not of {cluster.name}.")
    if not {peer.casefold() for peer in record.peers} & {peer.address.casefold() for peer in cluster.peers}:
        raise UsageError(
            f"Run {record.id} changed {', '.join(record.peers)}, but {cluster.source} names none of them.",
            next_step="Give the inventory that the run was made with.",
        )


def _warn_of_later_runs(journal: Journal, run: Run, events: RunEvents) -> None:
    for later in journal.runs():
        if later.id == run.id:
            return
        if later.plan and later.cluster == run.cluster and later.state in {"applied", "confirm-pending"}:
            events.emit("warning", f"Run {later.id} was applied later; it may rely on what run {run.id} added.")


def _close(context: UndoContext, beginning: _Beginning, result: UndoResult, late: str, aside: _Aside) -> RunResult:
    """Close the run once everything was tried.

    Args:
        context: What it was undone with.
        beginning: What the journal holds of the rollback.
        result: What came of it.
        late: Is put in front of the message.
        aside: What is true beside the undo itself.
    """
    # The rollback itself reports the result: the timer has nothing left to do.
    timers.cancel(context.journal, context.run)
    if result.open_steps:
        steps = count(len(result.open_steps), "step is", "steps are")
        again = "When they are done and the peers answer, roll back again to check."
        message = f"{late}Run {context.run} is not rolled back yet: {steps} open. {again}"
        open_steps = (*result.open_steps, *aside.open_steps)
        record = join_message(message, (step.text for step in open_steps))
        beginning.close("partial", record, ExitCode.PERSON_NEEDED, aside.effects)
        return _finish(
            context, "partial", ExitCode.PERSON_NEEDED, message, open_steps, has_written=result.has_written, aside=aside
        )
    for difference in result.differences:
        context.events.emit("warning", f"Left as it is: {difference}.")
    effects = describe_effects(aside.effects, aside.command)
    services = _list_service_restarts(context, result)
    message = f"{late}Run {context.run} is rolled back{_describe_peers(result)} {effects}".rstrip()
    code = most_serious(
        [
            ExitCode.PERSON_NEEDED if aside.open_steps else ExitCode.DONE,
            ExitCode.NOT_IN_EFFECT if services else ExitCode.DONE,
            ExitCode.INCOMPLETE if result.unread else ExitCode.DONE,
            effect_exit_code(aside.effects, never_restarts=aside.never_restarts),
        ]
    )
    open_steps = (*aside.open_steps, *services)
    record = join_message(message, (step.text for step in open_steps))
    beginning.close("rolled-back", record, code, aside.effects)
    return _finish(context, "rolled-back", code, message, open_steps, has_written=result.has_written, aside=aside)


def _list_service_restarts(context: UndoContext, result: UndoResult) -> tuple[ManualStep, ...]:
    """Return what has to restart on nodes before what this rollback deleted there counts: a service may have loaded it since."""
    if not result.has_written:
        return ()
    deleted = [
        record
        for record in context.journal.steps(context.run)
        if record.kind == UploadToNode.kind and record.state == "undone" and record.proven
    ]
    if not deleted:
        return ()
    stores = list_changed_stores(context.journal.plan(context.run), deleted)
    steps = tuple(ManualStep(text) for text in describe_restarts(stores, "no longer has what the run uploaded"))
    for step in steps:
        context.events.emit("manual-step", step.text, open=True)
    return steps


def _describe_peers(result: UndoResult) -> str:
    """Return the end of a sentence with how the peers are once everything of the run is undone."""
    differences = (
        f" Different from before the run, and left as it is: {'; '.join(result.differences)}." if result.differences else ""
    )
    if result.unread:
        return f".{differences} But {'; '.join(result.unread)}: roll back again when it answers, to read it back."
    return f".{differences}" if differences else ", and every peer was read back as it was before."


def _close_interrupted(context: UndoContext, beginning: _Beginning, stop: StopRequest, resume: str) -> RunResult:
    beginning.close("partial", "The rollback was interrupted.", stop.exit_code)
    return _finish(context, "partial", stop.exit_code, f"The rollback was interrupted. {resume}")


def _close_failed(context: UndoContext, beginning: _Beginning, failure: RemediateError, resume: str) -> RunResult:
    """Close a rollback that cannot continue. Raises `failure` itself where nothing was written."""
    message = f"The rollback stopped: {failure}"
    if beginning.own_run is not None:
        with suppress(JournalError):  # Without a journal, the next run on the cluster finds out that this process ended.
            beginning.close("partial", message, ExitCode.PERSON_NEEDED)
    if not beginning.wrote:
        raise failure
    return _finish(context, "partial", ExitCode.PERSON_NEEDED, f"{message} {resume}", (ManualStep(resume),))


def _finish(
    context: UndoContext,
    state: str,
    code: ExitCode,
    message: str,
    open_steps: tuple[ManualStep, ...] = (),
    *,
    has_written: bool = True,
    aside: _Aside | None = None,
) -> RunResult:
    """Emit the state in which the run is left, and return the result."""
    context.events.emit("run-state", message, state=state, exit_code=code)
    if aside is None:
        effects: tuple[PeerEffect, ...] = ()
        with suppress(JournalError):
            reason = "the rollback ended before it was checked"
            effects = complete_effects((), context.journal.backups(context.run), reason)
        return RunResult(context.run, state, code, open_steps, has_written, message, effects=effects)
    return RunResult(
        context.run,
        state,
        code,
        open_steps,
        has_written,
        message,
        verdicts=aside.verdicts,
        effects=aside.effects,
        client_views=aside.client_views,
    )
