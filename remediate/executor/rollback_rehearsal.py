"""Rollback without a write: what it would undo by the journal, for a question, and its rehearsal on peers opened for reading."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from remediate.executor.boundary import guarded
from remediate.executor.differences import find_returned_certificates
from remediate.executor.effect.observe import observe_effects_unasked
from remediate.executor.effect.undone import UndoneLook
from remediate.executor.environment import Environment
from remediate.executor.maintenance import warn_of_maintenance_left_on
from remediate.executor.node_ports import open_nodes
from remediate.executor.opening import open_to_read
from remediate.executor.operations import RemoveFromPeer
from remediate.executor.operations.change import Change, ChangeStatus, change_fields
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.rollback import expect_lists, refuse_wrong_run
from remediate.executor.rollback_restart import RollbackRestarts, rehearse_restarts_after_undo
from remediate.executor.shared_stores import DeletesElsewhere, refuse_deletion_elsewhere
from remediate.executor.steps import RunEvents
from remediate.executor.undo import (
    UndoContext,
    describe_manual_step,
    describe_why_left,
    list_inverses,
    match_peers,
    read_peers,
    refuse_absent_followers,
)
from remediate.model.access import ClusterAccess
from remediate.model.errors import NotOffered, ObservationError
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.run import StepRecord
from remediate.model.text import count


def preview_rollback(run: str, cluster: ClusterAccess, state_dir: Path) -> tuple[Change, ...]:
    """Return the changes that a rollback of `run` would make where the run is still in effect, by the journal alone.

    Raises:
        UnknownRun, UsageError: There is no such run, or it is of another cluster.
        LockHeld, LockError: Another run is at work on the cluster, or the lock could not be taken.
        JournalError: The journal cannot be read.
    """
    refuse_wrong_run(run, cluster, state_dir)
    with ExitStack() as stack:
        journal = open_to_read(cluster, state_dir, Environment(), stack).open_journal()
        inverses = [inverse for _, inverse in list_inverses(journal, journal.run(run, with_plan=True).id)]
    return tuple(inverse for number, inverse in enumerate(inverses) if inverse not in inverses[:number])


def rehearse_rollback(
    run: str,
    cluster: ClusterAccess,
    restarts: RollbackRestarts = RollbackRestarts(),  # noqa: B008 - a frozen value
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),  # noqa: B008 - a frozen value
) -> RunResult:
    """Read on every peer what a rollback of `run` would find, over connections that cannot write, and emit what it would do.

    Of the peers that `restarts` may restart, the guards are emitted as they are now.

    Returns:
        A result with exit code 8 where a step for a person is known already, 4 where a peer could not be read, else 0.

    Raises:
        UnknownRun, UsageError, LockHeld, LockError, JournalError, AccessError: As `rollback`, before its first write.
    """
    environment = guarded(environment)
    events = RunEvents(sink, cluster.name)
    refuse_wrong_run(run, cluster, state_dir)
    with ExitStack() as stack:
        opening = open_to_read(cluster, state_dir, environment, stack)
        journal = opening.open_journal()
        events.run = journal.run(run, with_plan=True).id
        opened, peers = opening.open_peers(limits)
        expect_lists(journal, events.run, peers)
        warn_of_maintenance_left_on(journal, cluster.name, events)
        context = UndoContext(
            journal,
            events.run,
            peers,
            limits,
            environment.pause,
            events,
            check_stop=lambda: None,
            unreachable=opened.unreachable,
            nodes=open_nodes(environment, cluster, peers, limits, stack, writable=False),
            opened=opened,
        )
        result = _rehearse(context, restarts)
        verdicts = UndoneLook(context, cluster, environment).judge()
        effects = observe_effects_unasked(context.journal, peers, opened.unreachable, limits)
        return events.add_trouble(replace(result, verdicts=verdicts, effects=effects))


def _rehearse(context: UndoContext, restarts: RollbackRestarts) -> RunResult:
    journal, run = context.journal, context.run
    reachable = match_peers(journal, run, context.peers)
    open_steps: dict[Change, ManualStep] = {}
    undone: dict[Change, None] = {}
    for record, inverse in list_inverses(journal, run):
        try:
            if _is_to_undo(context, record, inverse, reachable):
                undone[inverse] = None
        except (NotOffered, ObservationError, DeletesElsewhere) as error:
            open_steps[inverse] = ManualStep(describe_manual_step(inverse, error), inverse.peer)
    backups, unread = read_peers(context, reachable)
    for inverse in undone:
        context.events.emit("would-change", f"Would {inverse.summary}.", **change_fields(inverse))
    kept_in_service = rehearse_restarts_after_undo(context, restarts)
    steps = (*open_steps.values(), *find_returned_certificates(journal, run, backups), *kept_in_service)
    for step in steps:
        context.events.emit("manual-step", step.text, peer=step.peer, open=True)
    code = most_serious([ExitCode.PERSON_NEEDED if steps else ExitCode.DONE, ExitCode.INCOMPLETE if unread else ExitCode.DONE])
    return RunResult("", "dry-run", code, steps, has_written=False, message=_describe(run, len(undone), steps, unread))


def _is_to_undo(
    context: UndoContext, record: StepRecord, inverse: Change, reachable: Mapping[Address, ReconnectingPeer]
) -> bool:
    """Return whether a rollback would send `inverse`. Raises NotOffered, ObservationError or DeletesElsewhere where it would not."""
    peer = context.find_port(record, reachable)
    before = inverse.precondition(peer)
    if note := describe_why_left(context, record, before):
        context.events.emit("warning", f"{record.peer}: {note}.", peer=record.peer, change=inverse.kind)
        return False
    if before.status is not ChangeStatus.TO_DO:
        context.events.emit("nothing-to-do", f"Already done: {inverse.summary}.", peer=record.peer, change=inverse.kind)
        return False
    if isinstance(peer, ReconnectingPeer) and isinstance(inverse, RemoveFromPeer) and not peer.capabilities().remove_trusted_ca:
        raise NotOffered(f"{peer.address} offers no removal.")
    refuse_absent_followers(context, inverse, reachable)
    refuse_deletion_elsewhere(context.journal, context.run, context.nodes, inverse)
    return True


def _describe(run: str, changes: int, steps: tuple[ManualStep, ...], unread: list[str]) -> str:
    parts = [f"Dry run: nothing was written. A rollback of run {run} would undo {count(changes, 'change')}."]
    parts += [f"{count(len(steps), 'step would be', 'steps would be')} left to do by hand."] if steps else []
    parts += [f"{reason}." for reason in unread]
    return " ".join(parts)
