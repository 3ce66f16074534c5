"""What the journal cannot know: whether the process that a run counts on is still there. Locks tell, which end with their holder."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from remediate.executor.lock import name_is_held
from remediate.executor.records import Run
from remediate.executor.timers import is_armed


def hold_log(handle: int) -> None:
    """Mark the open log of a timer as in use, until the last process that has inherited it ends."""
    fcntl.flock(handle, fcntl.LOCK_SH)


def log_of(run: str, state_dir: Path) -> Path:
    """Where the process behind the confirm timer of `run` writes."""
    return state_dir / "timers" / f"{run}.log"


def remark(run: Run, state_dir: Path) -> str | None:
    """What a person must know of a run that is not at its end; None where its state says all."""
    here = run.host == socket.gethostname()
    if is_armed(run):
        if here and not _is_watched(run.id, state_dir):
            return (
                f"To be confirmed by {run.confirm_by}, and the process that would roll it back then is gone: confirm it in time, or "
                f"run `remediate rollback {run.id} -i INVENTORY`."
            )
        return f"Rolled back unless it is confirmed by {run.confirm_by}: `remediate confirm {run.id}`."
    if run.state == "running" and here and not name_is_held(run.cluster, state_dir):
        return "Its process is gone: apply the same plan again to go on, or roll it back."
    return None


def _is_watched(run: str, state_dir: Path) -> bool:
    try:
        handle = os.open(log_of(run, state_dir), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
