"""What the journal cannot know: whether the process that a run counts on is still there. Locks tell, which end with their holder."""

from __future__ import annotations

import os
import socket
import time
from datetime import datetime
from pathlib import Path

from remediate.executor.journal.timers import is_active, is_due
from remediate.executor.lock import name_is_held
from remediate.executor.result import confirm_command
from remediate.machine.system import CLOSE_ON_EXEC, NO_FOLLOW, NO_WAIT, lock_at_once
from remediate.model.run import Run

_A_MOMENT_S = 0.05


def lock_log(handle: int) -> None:
    """Mark the open log of a timer as in use, until the last process that has inherited it ends."""
    lock_at_once(handle, shared=True)


def log_path(run: str, state_dir: Path) -> Path:
    """Where the process behind the confirm timer of `run` writes."""
    return state_dir / "timers" / f"{run}.log"


def describe_run(run: Run, state_dir: Path, now: datetime) -> str | None:
    """What a person must know of a run that is not at its end; None where its state says all."""
    here = run.host == socket.gethostname()
    if is_active(run) and is_due(run, now) and not here:
        return f"It was to be confirmed by {run.confirm_by}. Whether a process on {run.host} rolls it back cannot be seen from here."
    if is_active(run):
        return _of_its_timer(run, state_dir, now, watched=not here or _is_watched(run.id, state_dir))
    if run.state == "running" and here and not name_is_held(run.cluster, state_dir):
        return "Its process is gone: apply the same plan again to go on, or roll it back."
    return None


def _of_its_timer(run: Run, state_dir: Path, now: datetime, *, watched: bool) -> str:
    by_hand = f"`remediate rollback {run.id} -i INVENTORY`"
    if is_due(run, now):
        gone = f"and nothing rolls it back: the process that would is gone. Run {by_hand}."
        return f"It was to be confirmed by {run.confirm_by}, {'and is being rolled back.' if watched else gone}"
    if run.state == "confirm-pending":
        otherwise = (
            "Otherwise it is rolled back." if watched else f"The process that would roll it back is gone: else run {by_hand}."
        )
        return f"To be confirmed by {run.confirm_by}: `{confirm_command(run.id, state_dir)}`. {otherwise}"
    else_ = "it is rolled back" if watched else f"nothing rolls it back, since the process that would is gone: run {by_hand}"
    return f"Unless it is applied to its end and confirmed by {run.confirm_by}, {else_}."


def _is_watched(run: str, state_dir: Path) -> bool:
    # Another one who looks holds the lock for a moment, too.
    return all(_is_held(log_path(run, state_dir), wait_s) for wait_s in (0, _A_MOMENT_S))


def _is_held(log: Path, wait_s: float) -> bool:
    time.sleep(wait_s)
    try:
        handle = os.open(log, os.O_RDONLY | CLOSE_ON_EXEC | NO_FOLLOW | NO_WAIT)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # It cannot be looked at, so nobody may say that it is gone.
    try:
        lock_at_once(handle)
    except OSError:  # held, or on a system without locks nobody can tell
        return True
    finally:
        os.close(handle)
    return False
