"""Undo a run from its journal alone: in a new process, later, on a cluster that may be partly down."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from remediate.executor.boundary import as_failure, guarded
from remediate.executor.differences import load_belief
from remediate.executor.environment import World
from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.lock import hold_cluster, peer_lock_paths, shared_directory
from remediate.executor.reconnecting import SteadyPeer, open_steadily
from remediate.executor.recovery import go_on_undoing
from remediate.executor.result import RunResult
from remediate.executor.signals import ImmediateStop, StopRequest, handle_signals
from remediate.executor.undo import UndoContext, UndoResult, match_peers, undo
from remediate.executor.voice import Voice
from remediate.executor.workaround import remind_of_workaround
from remediate.model.access import ClusterAccess
from remediate.model.errors import Interrupted, RemediateError, UsageError
from remediate.model.events import Sink, silent
from remediate.model.limits import Limits
from remediate.model.run import Run
from remediate.model.text import count


def rollback(
    run: str,
    cluster: ClusterAccess,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    world: World = World(),  # noqa: B008 - a frozen value
) -> RunResult:
    """Undo `run` (an id, or ``last``): strictly backwards, exactly what it added, changed or removed.

    What cannot be undone now (a peer that is down, a removal that the box does not offer) stays open (exit 8), and rolling back again
    goes on with it. A run that is rolled back already is read again: what came to light since is undone. What others changed since is
    left as it is, and said.

    Raises: unless something was written; then the result says what went wrong (exit 8).
        UnknownRun, UsageError (the run is of another cluster), LockHeld, JournalError, AccessError, ObservationError.
    """
    voice = Voice(sink, cluster.name)
    with handle_signals(lambda text: voice.say("warning", text)) as stop, ExitStack() as stack:
        try:
            journal, found, work = _prepared(run, cluster, state_dir, limits, guarded(world), voice, stop, stack)
        except ImmediateStop:
            return _stopped_early(voice, stop)
        due = timers.is_active(found) and timers.is_due(found, world.now())
        begun = _Begun(journal, found)
        work = replace(work, before_write=begun.note)
        try:
            if found.state != "rolled-back":
                # If this process dies on the way, what it leaves is no longer *applied*: `close_dead_runs` then says so.
                begun.note()
                begun.wrote = False
            undone = undo(work)
            remind_of_workaround(work.peers, voice)
            stop.closing = True
            return voice.tell_trouble(_closed(work, undone, f"Nobody confirmed it by {found.confirm_by}. " if due else ""))
        except (Interrupted, ImmediateStop):
            return _interrupted(work, stop, cluster, state_dir)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is closed, and nobody is told that nothing changed
            stop.closing = True
            return _stopped(work, begun, as_failure(error), go_on_undoing(found.id, cluster, state_dir))


@dataclass(slots=True)
class _Begun:
    """Whether the journal says that the rollback began, and whether it wrote to a box."""

    journal: Journal
    run: Run
    noted: bool = False
    wrote: bool = False

    def note(self) -> None:
        """Say in the journal that it began; to be called before each write."""
        if not self.noted:
            self.journal.resume_run(self.run.id, identify_operator())
        self.noted = self.wrote = True


def _stopped(work: UndoContext, begun: _Begun, failure: RemediateError, go_on: str) -> RunResult:
    """Close a rollback that cannot go on. Raises `failure` itself when nothing was written."""
    message = f"The rollback stopped: {failure}"
    if begun.noted:
        with suppress(JournalError):  # Without a journal, the next run on the cluster finds out that this process ended.
            work.journal.close_run(work.run, "partial", message)
    if not begun.wrote:
        raise failure
    return _said(work, RunResult(work.run, "partial", 8, (go_on,), (), changed=True, message=f"{message} {go_on}"))


def _prepared(
    run: str,
    cluster: ClusterAccess,
    state_dir: Path,
    limits: Limits,
    world: World,
    voice: Voice,
    stop: StopRequest,
    stack: ExitStack,
) -> tuple[Journal, Run, UndoContext]:
    """The lock, the journal, the run and the peers; nothing is undone yet."""
    _its_run(run, cluster, state_dir)
    shared = world.lock_directory or shared_directory()
    lock = stack.enter_context(
        hold_cluster(cluster, state_dir, shared, operator=identify_operator(), ticket=None, now=world.now)
    )
    journal = stack.enter_context(world.journal(state_dir))
    journal.close_dead_runs(cluster.name)
    found = journal.run(run)
    voice.run = found.id
    opened, boxes = open_steadily(world, cluster, limits, stack, writable=True)
    lock.acquire(peer_lock_paths(opened, shared))
    timers.cancel_confirmation(journal, found.id)
    _warn_of_later_runs(journal, found, voice)
    _expect_lists(journal, found.id, boxes)
    return journal, found, UndoContext(journal, found.id, boxes, limits, world.pause, voice, stop.check)


def _expect_lists(journal: Journal, run: str, boxes: Sequence[SteadyPeer]) -> None:
    """Tell each peer what the journal last read of its list."""
    for peer, box in match_peers(journal, run, boxes).items():
        box.expect(load_belief(journal, run, peer))


def _its_run(run: str, cluster: ClusterAccess, state_dir: Path) -> None:
    """Refuse a wrong run before anything is created or opened."""
    with Journal(state_dir) as journal:
        found = journal.run(run)
    if found.cluster != cluster.name:
        raise UsageError(f"Run {found.id} is of cluster {found.cluster}, not of {cluster.name}.")
    if not {peer.casefold() for peer in found.peers} & {peer.address.casefold() for peer in cluster.peers}:
        raise UsageError(
            f"Run {found.id} changed {', '.join(found.peers)}, and {cluster.source} names none of them.",
            next_step="Give the inventory that the run was made with.",
        )


def _warn_of_later_runs(journal: Journal, run: Run, voice: Voice) -> None:
    later = itertools.takewhile(lambda one: one.id != run.id, journal.runs())
    for one in later:
        if one.cluster == run.cluster and one.state in {"applied", "confirm-pending"}:
            voice.say("warning", f"Run {one.id} was applied later; it may rely on what run {run.id} added.")


def _closed(work: UndoContext, undone: UndoResult, late: str) -> RunResult:
    # Whoever rolled it back reads what became of it: the timer has nothing left to do.
    timers.cancel(work.journal, work.run)
    if undone.open_steps:
        again = "Roll back again when they are done and the peers answer: it checks."
        message = f"{late}Run {work.run} is not rolled back yet: {count(len(undone.open_steps), 'step is', 'steps are')} open. {again}"
        work.journal.close_run(work.run, "partial", " ".join([message, *undone.open_steps]))
        return _said(work, RunResult(work.run, "partial", 8, undone.open_steps, (), undone.changed, message))
    for difference in undone.differences:
        work.voice.say("warning", f"Left as it is: {difference}.")
    message = f"{late}Run {work.run} is rolled back{_standing(undone)}"
    work.journal.close_run(work.run, "rolled-back", message)
    return _said(work, RunResult(work.run, "rolled-back", 4 if undone.unread else 0, (), (), undone.changed, message))


def _standing(undone: UndoResult) -> str:
    """How the peers stand once everything of the run is undone."""
    others = f" Not as it was before the run, and left: {'; '.join(undone.differences)}." if undone.differences else ""
    if undone.unread:
        return f".{others} But {'; '.join(undone.unread)}: roll back again when it answers, which reads it back."
    return f".{others}" if others else ", and every peer was read back as it was before."


def _stopped_early(voice: Voice, stop: StopRequest) -> RunResult:
    message = "Stopped at once, before anything was undone."
    voice.say("run-state", message, state="interrupted", exit_code=stop.exit_code)
    return RunResult("", "interrupted", stop.exit_code, (), (), changed=False, message=message)


def _interrupted(work: UndoContext, stop: StopRequest, cluster: ClusterAccess, state_dir: Path) -> RunResult:
    stop.closing = True
    work.journal.close_run(work.run, "partial", "The rollback was interrupted.")
    message = f"The rollback was interrupted. {go_on_undoing(work.run, cluster, state_dir)}"
    return _said(work, RunResult(work.run, "partial", stop.exit_code, (), (), changed=True, message=message))


def _said(work: UndoContext, result: RunResult) -> RunResult:
    work.voice.say("run-state", result.message, state=result.state, exit_code=result.exit_code)
    return result
