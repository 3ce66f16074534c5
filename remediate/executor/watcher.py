"""Process behind a confirm timer: waits for the deadline in the journal, and then does what `remediate rollback RUN` does.

It has a session of its own and no terminal, so it outlives the one it was started from, but not the machine (or container). It gets
names and paths. It reads the password at the deadline, from the source in the inventory, in the environment of the apply.

While the apply that started it, or any other run on the cluster, is alive, it waits: they hold the cluster's lock. Having the lock, it
takes the run in one transaction (`timers.claim_expired`), after which it can no longer be confirmed, and only then rolls it back.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from remediate.executor.identity import identify_operator
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal, JournalError, UnknownRun
from remediate.executor.lock import hold_cluster_name
from remediate.executor.ports import WatcherJob, WatcherProcess
from remediate.executor.run_health import lock_log, log_path
from remediate.machine.core_dumps import forbid_core_dumps
from remediate.machine.files import refuse_special
from remediate.machine.notice import deliver_notice
from remediate.machine.system import unlock
from remediate.model.canonical import parse_rfc3339, rfc3339, utc_now
from remediate.model.errors import LockHeld, RemediateError
from remediate.model.exit_codes import ExitCode

_READY = b"ready"
_START_S = 30.0
_POLL_S = 1.0
_TRY_AGAIN = frozenset({ExitCode.INCOMPLETE, ExitCode.LOCKED, ExitCode.PERSON_NEEDED})
"""Exit codes of a rollback that may succeed later: a peer is down, or another run is at work. A refused login is none of them."""
_MAX_TRIES, _MAX_NOTICES = 10, 5
_BETWEEN_TRIES_S = 60.0
_VARIABLES_OF_THE_APPLY = frozenset(
    {"REMEDIATE_EVENTS", "REMEDIATE_JSON", "REMEDIATE_DRY_RUN", "REMEDIATE_RESTART", "REMEDIATE_YES"}
)
"""Environment variables with choices of the apply, which the rollback must not take over: it neither asks nor restarts."""


class TimerError(RemediateError):
    """The process of a confirm timer did not start."""

    default_next_step = "Nothing was changed. Fix what its log reports, or apply without --confirm-within."


def start(job: WatcherJob) -> WatcherProcess:
    """Start the process and wait until it is ready.

    Raises:
        TimerError: The process did not start.
    """
    log = log_path(job.run, job.state_dir)
    parent, child_end = socket.socketpair()
    with child_end:
        try:
            child = _spawn(job, log, child_end.fileno())
        except OSError as error:
            parent.close()
            raise TimerError(f"The process of the confirm timer cannot be started ({log}): {error.strerror}.") from error
    if _wait_until_ready(parent):
        parent.sendall(json.dumps(job.notify).encode())
        return WatcherProcess(child.pid, log, parent.close)
    parent.close()
    child.kill()
    child.wait()
    raise TimerError(f"The process of the confirm timer did not start within {_START_S:.0f} s; its log is {log}.")


def _spawn(job: WatcherJob, log: Path, ready: int) -> subprocess.Popen[bytes]:
    log.parent.mkdir(mode=0o700, exist_ok=True)
    # -P: modules that are by chance in the current folder are not imported.
    command = [sys.executable, "-P", "-m", "remediate.executor.watcher"]
    arguments = [job.run, job.timer, job.cluster, str(job.inventory), str(job.state_dir), str(ready)]
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        refuse_special(os.fstat(handle).st_mode, log)
        lock_log(handle)
        return subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            pass_fds=(ready,),
        )
    finally:
        os.close(handle)


def _wait_until_ready(parent: socket.socket) -> bool:
    parent.settimeout(_START_S)
    try:
        return parent.recv(len(_READY)) == _READY
    except OSError:
        return False


def main(arguments: Sequence[str]) -> int:
    """Run the process; return its exit code."""
    forbid_core_dumps()
    run, timer, cluster, inventory, state_dir, ready = arguments
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with socket.socket(fileno=int(ready)) as parent:
        if not os.access(inventory, os.R_OK):
            _log(f"{inventory} cannot be read, so a rollback could not find the cluster.")
            return ExitCode.ERROR
        parent.sendall(_READY)
        # Until the parent has written the timer into the journal, or is gone. The command is no argument, which others would see.
        notify = json.loads(parent.makefile("rb").read() or b"[]")
    job = WatcherJob(run, timer, cluster, Path(inventory), Path(state_dir), tuple(notify))
    code = watch(job)
    unlock(sys.stdout.fileno())  # From here on, nothing is being rolled back.
    tell_end(job, code)
    return code


def tell_end(
    job: WatcherJob, code: int, *, now: Callable[[], datetime] = utc_now, pause: Callable[[float], None] = time.sleep
) -> None:
    """Give the cluster's command a notice that the timer ended: the run was confirmed, or rolled back with the exit code `code`.

    The command does not depend on the rollback, nor on the inventory as it is now. One that fails, or hangs, is tried again.
    """
    if not job.notify:
        return
    with Journal(job.state_dir) as journal:
        run = journal.run(job.run)
    if run.timer not in {None, job.timer} or not (run.confirmed_by or timers.is_due(run, now())):
        return
    log = str(log_path(job.run, job.state_dir))
    message = f"{run.message} The rollback ended with exit code {code}." if code else run.message
    notice = {"kind": "timer-ended", "cluster": job.cluster, "at": rfc3339(now()), "run": job.run, "state": run.state,
              "exit_code": int(code), "message": message, "log": log}  # fmt: skip
    for _ in range(_MAX_NOTICES):
        problem = deliver_notice(job.notify, notice)
        if not problem:
            return
        _log(f"The `notify` command {job.notify[0]} {problem}.")
        pause(_BETWEEN_TRIES_S)


def watch(
    job: WatcherJob,
    *,
    now: Callable[[], datetime] = utc_now,
    pause: Callable[[float], None] = time.sleep,
    roll_back: Callable[[WatcherJob], int] | None = None,
) -> int:
    """Wait until the timer ends, or until its deadline, and then roll the run back.

    Returns:
        The exit code of the rollback; 0: there was none.
    """
    while True:
        try:
            seconds_left = _seconds_left(job, now())
            if seconds_left is None:
                _log(f"The timer of run {job.run} has ended; there is nothing to do.")
                return 0
            if seconds_left <= 0 and _claim(job, now):
                return _roll_back_repeatedly(job, roll_back or _roll_back, pause)
        except UnknownRun as error:
            _log(str(error))
            return ExitCode.ERROR
        except JournalError as error:
            _log(f"{error} Trying again.")
            seconds_left = _POLL_S
        pause(min(seconds_left, _POLL_S) if seconds_left > 0 else _POLL_S)


def _seconds_left(job: WatcherJob, now: datetime) -> float | None:
    """Return how many seconds the run can still be confirmed; None: this timer has ended."""
    with Journal(job.state_dir) as journal:
        run = journal.run(job.run)
    if run.timer != job.timer or not timers.is_active(run) or run.confirm_by is None:
        return None
    return (parse_rfc3339(run.confirm_by) - now).total_seconds()


def _claim(job: WatcherJob, now: Callable[[], datetime]) -> bool:
    try:
        with (
            hold_cluster_name(job.cluster, job.state_dir, operator=identify_operator(), now=now),
            Journal(job.state_dir, writable=True) as journal,
        ):
            return timers.claim_expired(journal, job.run, job.timer, now())
    except LockHeld:
        # The apply, or a rollback, is still at work: its end decides.
        return False


def _roll_back_repeatedly(job: WatcherJob, roll_back: Callable[[WatcherJob], int], pause: Callable[[float], None]) -> int:
    _log(f"Run {job.run} was not confirmed in time: rolling back.")
    tries = 0
    while True:
        code = roll_back(job)
        tries += code != ExitCode.LOCKED
        _log(f"The rollback ended with exit code {code}.")
        if code not in _TRY_AGAIN or tries == _MAX_TRIES:
            return code
        pause(_BETWEEN_TRIES_S)


def _roll_back(job: WatcherJob) -> int:
    where = ["-i", str(job.inventory), "-c", job.cluster, "--state-dir", str(job.state_dir)]
    command = [sys.executable, "-P", "-m", "remediate", "rollback", job.run, *where, "--yes", "--no-input"]
    environment = {name: value for name, value in os.environ.items() if name not in _VARIABLES_OF_THE_APPLY}
    return subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, check=False).returncode


def _log(sentence: str) -> None:
    sys.stdout.write(f"{rfc3339(utc_now())} {sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    sys.exit(exit_code)
