"""Rollback without a write, on peers opened for reading: what it would do, for a question, and its rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from remediate.executor.boundary import add_boundary
from remediate.executor.differences import find_returned_certificates
from remediate.executor.effect.after_rollback import UndoneLook
from remediate.executor.effect.observe import observe_effects_unasked
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
    MAY_SHOW_LATE,
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


@dataclass(frozen=True, slots=True)
class RollbackPreview:
    """What a rollback would do.

    Attributes:
        changes: What it would write, in order.
        steps: What it would leave to do by hand.
        late: What it would write as well if a write of the run without an answer still shows: it waits for that.
    """

    changes: tuple[Change, ...]
    steps: tuple[ManualStep, ...]
    late: tuple[Change, ...] = ()


def preview_rollback(
    run: str,
    cluster: ClusterAccess,
    state_dir: Path,
    *,
    limits: Limits = Limits(),
    environment: Environment = Environment(),
) -> RollbackPreview:
    """Return what a rollback of `run` would do, for a question, over connections that cannot write.

    Raises:
        UnknownRun, UsageError, LockHeld, LockError, JournalError, AccessError: As `rollback`, before its first write.
    """
    refuse_wrong_run(run, cluster, state_dir)
    with ExitStack() as stack:
        context = _open(run, cluster, state_dir, limits, RunEvents(silent, cluster.name), add_boundary(environment), stack)
        return _find_work(context, match_peers(context.journal, context.run, context.peers))


def rehearse_rollback(
    run: str,
    cluster: ClusterAccess,
    restarts: RollbackRestarts = RollbackRestarts(),
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> RunResult:
    """Read on every peer what a rollback of `run` would find, over connections that cannot write, and emit what it would do.

    Of the peers that `restarts` may restart, the guards are emitted as they are now.

    Returns:
        A result with exit code 8 where a step for a person is known already, 4 where a peer could not be read, else 0.

    Raises:
        UnknownRun, UsageError, LockHeld, LockError, JournalError, AccessError: As `rollback`, before its first write.
    """
    environment = add_boundary(environment)
    events = RunEvents(sink, cluster.name)
    refuse_wrong_run(run, cluster, state_dir)
    with ExitStack() as stack:
        context = _open(run, cluster, state_dir, limits, events, environment, stack)
        warn_of_maintenance_left_on(context.journal, cluster.name, events)
        result = _rehearse(context, restarts)
        verdicts = UndoneLook(context, cluster, environment).judge()
        effects = observe_effects_unasked(context.journal, context.peers, context.unreachable, limits)
        return replace(result, verdicts=verdicts, effects=effects).with_remark(events.trouble)


def _open(
    run: str,
    cluster: ClusterAccess,
    state_dir: Path,
    limits: Limits,
    events: RunEvents,
    environment: Environment,
    stack: ExitStack,
) -> UndoContext:
    """Open the cluster of `run` until `stack` ends, to look at what would be undone."""
    opening = open_to_read(cluster, state_dir, environment, stack)
    journal = opening.open_journal()
    events.run = journal.run(run, with_plan=True).id
    opened, peers = opening.open_peers(limits)
    expect_lists(journal, events.run, peers)
    return UndoContext(
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


def _find_work(context: UndoContext, reachable: Mapping[Address, ReconnectingPeer]) -> RollbackPreview:
    steps: dict[Change, ManualStep] = {}
    changes: dict[Change, None] = {}
    late: dict[Change, None] = {}
    for record, inverse in list_inverses(context.journal, context.run):
        try:
            if _is_to_undo(context, record, inverse, reachable):
                changes[inverse] = None
            elif record.state in MAY_SHOW_LATE:
                late[inverse] = None
        except (NotOffered, ObservationError, DeletesElsewhere) as error:
            steps[inverse] = ManualStep(describe_manual_step(inverse, error), inverse.peer)
    return RollbackPreview(tuple(changes), tuple(steps.values()), tuple(inverse for inverse in late if inverse not in changes))


def _rehearse(context: UndoContext, restarts: RollbackRestarts) -> RunResult:
    journal, run = context.journal, context.run
    reachable = match_peers(journal, run, context.peers)
    preview = _find_work(context, reachable)
    backups, unread = read_peers(context, reachable)
    for inverse in preview.changes:
        context.events.emit("would-change", f"Would {inverse.summary}.", **change_fields(inverse))
    kept_in_service = rehearse_restarts_after_undo(context, restarts)
    steps = (*preview.steps, *find_returned_certificates(journal, run, backups), *kept_in_service)
    for step in steps:
        context.events.emit("manual-step", step.text, peer=step.peer, open=True)
    code = most_serious([ExitCode.PERSON_NEEDED if steps else ExitCode.DONE, ExitCode.INCOMPLETE if unread else ExitCode.DONE])
    return RunResult("", "dry-run", code, steps, has_written=False, message=_describe(run, len(preview.changes), steps, unread))


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
