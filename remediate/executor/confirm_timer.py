"""The confirm timer: a run that is not confirmed in time is undone.

An Expressway has no such timer, so a process on this machine runs it (`watcher.py`). It is up before the first write to a peer; what
it goes by is in the journal (`timers.py`). Until the apply has ended, the deadline moves with each step and look: an apply that
dies is undone then. When the apply has ended, the time counts anew from there.

The timer ends, and undoes nothing, when the run is confirmed, when it is rolled back, and when it ends half-way on purpose: with
``--on-failure stop`` or ``workaround``, or at the end of its window. A run that was interrupted, or whose process died, it undoes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from remediate.executor.commands import confirm_command, rollback_command
from remediate.executor.context import RunContext, RunState
from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal
from remediate.executor.ports import WatcherJob
from remediate.executor.result import RunResult
from remediate.model.access import ClusterAccess
from remediate.model.canonical import rfc3339, utc_now
from remediate.model.errors import InventoryError, LockHeld, RemediateError
from remediate.model.exit_codes import ExitCode
from remediate.model.plan import Plan, TrustOnNode
from remediate.model.run import Run


class NotPending(RemediateError):
    """A run that does not wait for confirmation."""

    default_next_step = "`remediate runs` shows the state of every run."


@runtime_checkable
class PromptingSource(Protocol):
    """A source of a secret that may put a question on the terminal."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person is asked for the secret."""


def refuse_prompted_password(cluster: ClusterAccess, plan: Plan) -> None:
    """Raise InventoryError when rolling `plan` back would need a password that only a person at a terminal can give."""
    writes_to_nodes = any(isinstance(action, TrustOnNode) for action in plan.actions)
    platform = (cluster.platform,) if writes_to_nodes and cluster.platform else ()
    for login in (cluster.login, cluster.rest_login, *platform):
        source = login.password
        if not (isinstance(source, PromptingSource) and source.is_interactive):
            continue
        raise InventoryError(
            f"{cluster.source}: the password of {login.username} is asked for on the terminal, but the process that rolls "
            "back at the deadline of --confirm-within has no terminal.",
            next_step="Nothing was changed. Give this password as env, file, command or keyring, or leave --confirm-within out.",
        )


def refuse_while_pending(
    journal: Journal, cluster: ClusterAccess, state_dir: Path, now: datetime, unfinished: Run | None
) -> None:
    """Raise LockHeld when a run on this cluster waits for its confirmation, or for its rollback.

    `unfinished` is the run that is about to be resumed; it may wait for its confirmation.
    """
    pending = timers.find_active(journal, cluster.name)
    if pending is None:
        return
    may_resume = unfinished is not None and unfinished.id == pending.id and not timers.is_due(pending, now)
    if may_resume:
        return
    rollback = rollback_command(pending.id, cluster, state_dir)
    if timers.is_due(pending, now):
        raise LockHeld(
            f"Run {pending.id} on {pending.cluster} was not confirmed by {pending.confirm_by} and must be rolled back first.",
            next_step=f"See `remediate runs`; if nothing is rolling it back, run `{rollback}`.",
        )
    raise LockHeld(
        f"Run {pending.id} on {pending.cluster} is {pending.state} and will be rolled back unless it is confirmed by "
        f"{pending.confirm_by}; only one run at a time can wait for confirmation.",
        next_step=f"First run `{confirm_command(pending.id, state_dir)}` or `{rollback}`.",
    )


def rehearse_timer(context: RunContext) -> None:
    """Emit that the timer would be started, where one was asked for."""
    within = context.options.confirm_within
    if within:
        message = f"Would start the confirm timer: undo all this unless confirmed {_of_its_end(within)}."
        context.events.emit("would-change", message)


def start_timer(context: RunContext, state: RunState) -> None:
    """Have the timer run before anything is written (between steps 4 and 5), and emit what it means.

    Raises:
        TimerError: The process did not come up; nothing was written.
    """
    within = context.options.confirm_within
    if within is None:
        state.ended_timer = timers.cancel(context.journal, state.run)
        if state.ended_timer:
            context.events.emit(
                "warning", "The confirm timer of the earlier apply ends, because this one was started without it."
            )
        return
    _start(context, state.run, within)
    _warn_of_manual_removals(context)


def _warn_of_manual_removals(context: RunContext) -> None:
    """Warn of what the timer cannot undo, since a peer does not offer it."""
    if stays := context.list_peers_without_removal():
        context.events.emit(
            "warning",
            f"The timer cannot remove certificates on {', '.join(stays)}, where removal is not offered: they stay trusted "
            "until you delete them by hand. It restores only what can be written.",
        )


def _start(context: RunContext, run: str, within: timedelta) -> None:
    cluster, environment, window = context.cluster, context.environment, context.options.window
    timer = secrets.token_hex(8)
    job = WatcherJob(run, timer, cluster.name, cluster.source.absolute(), context.state_dir.absolute(), cluster.notify)
    watcher = environment.start_watcher(job)
    deadline = environment.now() + within
    try:
        timers.start(context.journal, run, timer, deadline)
    finally:
        watcher.release()
    context.events.emit(
        "warning",
        f"Confirm it {_of_its_end(within)} (by {rfc3339(deadline)} if this process dies at once); otherwise process "
        f"{watcher.pid} on this machine rolls it back. That process survives this terminal, but not a restart of this "
        f"machine: if it is gone, run `{rollback_command(run, cluster, context.state_dir)}`. It reads the password from the "
        f"{cluster.login.password.describe()}, and writes to {watcher.log}.",
        confirm_by=rfc3339(deadline),
        pid=watcher.pid,
    )
    closes = window.closes(deadline - within) if window else None
    if closes and deadline > closes:
        context.events.emit("warning", "That rollback would be after the window; a rollback ignores the window.")


def check_in(context: RunContext, state: RunState) -> None:
    """Raise Interrupted where the run was asked to stop; else write the heartbeat, and count the confirm timer anew."""
    context.stop.check()
    context.write_heartbeat()
    restart_countdown(context, state)


def restart_countdown(context: RunContext, state: RunState) -> str | None:
    """Count the time of the confirm timer anew from now; return the deadline; None: there is no timer, or no run yet."""
    if context.options.confirm_within is None or not state.run:
        return None
    deadline = context.environment.now() + context.options.confirm_within
    timers.extend(context.journal, state.run, deadline)
    return rfc3339(deadline)


def confirm(run: str, *, state_dir: Path, now: Callable[[], datetime] = utc_now) -> RunResult:
    """End the confirm timer of `run` (an id, or ``last``), so that what it did stays. Confirming twice changes nothing.

    Raises:
        UnknownRun: There is no such run.
        JournalError: The journal cannot be read or written.
        NotPending: The run does not wait for confirmation, or its deadline has passed.
    """
    with Journal(state_dir) as journal:
        record, is_older = journal.run(run, with_plan=True), journal.is_older
    if record.state == "confirm-pending" or is_older:
        with Journal(state_dir, writable=True) as journal:
            if timers.confirm(journal, record.id, str(identify_operator()), now()):
                return _report_confirmed(
                    record, f"Run {record.id} on {record.cluster} is confirmed and stays; its timer has ended."
                )
            record = journal.run(record.id)
    if record.state == "applied" and record.confirm_by:
        how = "was already confirmed" if record.confirmed_by else "stays: its timer was ended by a later apply"
        return _report_confirmed(record, f"Run {record.id} on {record.cluster} {how}.")
    raise _not_pending(record, now())


def _report_confirmed(run: Run, message: str) -> RunResult:
    return RunResult(run.id, "applied", ExitCode.DONE, (), has_written=False, message=message)


def _not_pending(run: Run, now: datetime) -> NotPending:
    if run.confirm_by is None:
        return NotPending(f"Run {run.id} was started without --confirm-within and is {run.state}: there is nothing to confirm.")
    if run.state != "rolled-back" and timers.is_due(run, now):
        result = run.message.splitlines()[:1]
        return NotPending(
            " ".join([f"The time to confirm run {run.id} ended on {run.confirm_by}; it is {run.state}.", *result]).rstrip(),
            next_step=(
                f"`remediate runs show {run.id}` shows the progress of its rollback. If steps are open, or nothing is "
                f"rolling it back (this machine may have been off), run `remediate rollback {run.id} -i INVENTORY`."
            ),
        )
    if timers.is_active(run):
        return NotPending(f"Run {run.id} is {run.state}: it can be confirmed after its apply has succeeded.")
    return NotPending(f"Run {run.id} is {run.state}: it is not waiting for confirmation.")


def describe_timer(run: Run) -> str:
    """Return the sentence about the timer of a run that was left before its end; empty without one."""
    return f" Its confirm timer is still running: the run is rolled back on {run.confirm_by}." if timers.is_active(run) else ""


def _of_its_end(within: timedelta) -> str:
    seconds = int(within.total_seconds())
    return f"within {seconds // 60} min of its end" if seconds % 60 == 0 else f"within {seconds} s of its end"
