"""Health of a run: whether the process that it needs is alive, which the journal cannot hold. Locks show it, which end with it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from remediate.executor.commands import confirm_command
from remediate.executor.journal.timers import is_active, is_due
from remediate.executor.lock import is_name_held
from remediate.machine.system import CLOSE_ON_EXEC, NO_FOLLOW, NO_WAIT, lock_at_once
from remediate.model.run import Run, RunKind

_SECOND_LOOK_S = 0.05
_GO_ON: Mapping[RunKind, str] = {
    "apply": "apply the same plan again to continue, or roll it back.",
    "rollback": "roll the same run back again to continue.",
    "restart": "`remediate restart` checks what it left, and continues.",
    "workaround": "`remediate workaround status` shows the state of each peer.",
}


def lock_log(handle: int) -> None:
    """Lock the open log of a timer, until the last process that has inherited it ends."""
    lock_at_once(handle, shared=True)


def log_path(run: str, state_dir: Path) -> Path:
    """Return the log of the process behind the confirm timer of `run`."""
    return state_dir / "timers" / f"{run}.log"


def describe_run(run: Run, state_dir: Path, now: datetime) -> str | None:
    """Return what a person must know of a run that is not at its end; None: its state is enough."""
    is_local = run.host == socket.gethostname()
    if is_active(run) and is_due(run, now) and not is_local:
        return (
            f"The deadline to confirm it was {run.confirm_by}. This machine cannot see whether a process on {run.host} rolls "
            "it back."
        )
    if is_active(run):
        return _describe_timer(run, state_dir, now, watched=not is_local or _is_watched(run.id, state_dir))
    if run.state == "running" and is_local and not is_name_held(run.cluster, state_dir):
        return f"Its process is gone: {_GO_ON[run.kind]}"
    return None


def _describe_timer(run: Run, state_dir: Path, now: datetime, *, watched: bool) -> str:
    command = f"`remediate rollback {run.id} -i INVENTORY`"
    if is_due(run, now):
        unwatched = f"and nothing rolls it back: the timer process is gone. Run {command}."
        return f"The deadline to confirm it was {run.confirm_by}, {'and is being rolled back.' if watched else unwatched}"
    if run.state == "confirm-pending":
        otherwise = "Otherwise it is rolled back." if watched else f"The timer process is gone: otherwise run {command}."
        return f"Confirm it by {run.confirm_by}: `{confirm_command(run.id, state_dir)}`. {otherwise}"
    otherwise = "it is rolled back" if watched else f"nothing rolls it back, because the timer process is gone: run {command}"
    return f"Unless it is applied to the end and confirmed by {run.confirm_by}, {otherwise}."


def _is_watched(run: str, state_dir: Path) -> bool:
    if not _is_locked(log_path(run, state_dir)):
        return False
    # Another process that checks holds the lock for a moment, too.
    time.sleep(_SECOND_LOOK_S)
    return _is_locked(log_path(run, state_dir))


def _is_locked(log: Path) -> bool:
    try:
        handle = os.open(log, os.O_RDONLY | CLOSE_ON_EXEC | NO_FOLLOW | NO_WAIT)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # It cannot be read, so that it may be locked.
    try:
        lock_at_once(handle)
    except OSError:  # held, or not known on a system without locks
        return True
    finally:
        os.close(handle)
    return False
