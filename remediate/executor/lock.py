"""One run at a time on a cluster: a file lock that the kernel drops when its holder dies, however it dies.

Locked are one file of the cluster's name in the state directory, and one for each of its peers in a directory of this user that
does not depend on the state directory: two inventories may call one cluster by two names, or two clusters by one. Once the peers are
open, the boxes themselves are locked too, by what identifies them (their SSH host keys): two inventories may each name another
peer of one cluster, which finds the others by itself, or one box by its name and by its address.
This binds the runs of one user on one machine. Across users and machines nothing can lock an Expressway: there, reading every peer
again right before its writes (step 3) is what notices another writer, and it can only notice what was written before that read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from remediate.executor.identity import Operator
from remediate.executor.ports import ClusterPort
from remediate.machine.files import refuse_special
from remediate.machine.system import CLOSE_ON_EXEC, HAS_FILE_LOCKS, NO_FOLLOW, NO_WAIT, home_directory, lock_at_once, user_id
from remediate.model.access import ClusterAccess
from remediate.model.canonical import rfc3339
from remediate.model.errors import LockHeld, RemediateError

_TRIES = 3
_BETWEEN_TRIES_S = 0.02


class LockError(RemediateError):
    """A lock file cannot be made or trusted."""

    default_next_step = "Give a writable directory as --state-dir, and remove what stands in the way of the lock directory."


class ClusterLock:
    """A held lock. `write_heartbeat` tells others that its holder is alive and at work."""

    def __init__(self, name: str, facts: dict[str, str | int | None], now: Callable[[], datetime], release: ExitStack) -> None:
        self._name = name
        self._facts = facts
        self._now = now
        self._release = release
        self._handles: dict[Path, int] = {}

    def acquire(self, paths: Iterable[Path]) -> None:
        """Hold these files too, until the lock ends. Raises LockHeld, naming the holder, and LockError."""
        for path in paths:
            if path not in self._handles:
                _private(path.parent)
                self._handles[path] = _locked(path, self._name)
                self._release.callback(_release, path, self._handles[path])
        self.write_heartbeat()

    def write_heartbeat(self) -> None:
        """Write who holds the lock, since when, and that it was at work just now.

        Where that cannot be written (a full disk), the lock holds all the same, and a run that has begun goes on.
        """
        text = json.dumps(self._facts | {"heartbeat": rfc3339(self._now())}).encode()
        for handle in self._handles.values():
            with suppress(OSError):
                os.pwrite(handle, text, 0)
                os.ftruncate(handle, len(text))


def shared_directory() -> Path:
    """Where the runs of this user see each other, whatever their state directory and environment.

    In the home that the system knows of, not the one of the environment: a login shell, cron and Ansible differ in HOME and TMPDIR.
    Below /tmp where there is no such home to write to.
    """
    home = home_directory()
    if home and home.is_dir() and os.access(home, os.W_OK):
        return home / ".local" / "state" / "remediate" / "peers"
    return Path("/tmp") / f"remediate-{user_id()}"  # noqa: S108 - its owner and mode are checked before use


@contextmanager
def hold_cluster(
    cluster: ClusterAccess,
    state_dir: Path,
    shared: Path,
    *,
    operator: Operator,
    ticket: str | None,
    now: Callable[[], datetime],
) -> Iterator[ClusterLock]:
    """Hold the lock of `cluster` and of each of its peers. Raises LockHeld, naming the holder, and LockError."""
    paths = _paths(cluster, state_dir, shared)
    with _held(paths, cluster.name, state_dir, operator=operator, ticket=ticket, now=now) as lock:
        yield lock


@contextmanager
def hold_cluster_name(
    cluster: str, state_dir: Path, *, operator: Operator, now: Callable[[], datetime]
) -> Iterator[ClusterLock]:
    """Hold what every run on a cluster of this name in `state_dir` holds: with it, none of them is alive. Raises as `hold_cluster`."""
    with _held([_name_path(cluster, state_dir)], cluster, state_dir, operator=operator, ticket=None, now=now) as lock:
        yield lock


@contextmanager
def _held(
    paths: Sequence[Path], name: str, state_dir: Path, *, operator: Operator, ticket: str | None, now: Callable[[], datetime]
) -> Iterator[ClusterLock]:
    facts: dict[str, str | int | None] = {
        "cluster": name,
        "user": operator.user,
        "host": operator.host,
        "pid": operator.pid,
        "ticket": ticket,
        "since": rfc3339(now()),
    }
    _refuse_without_locks()
    with ExitStack() as stack:
        _private(state_dir)
        lock = ClusterLock(name, facts, now, stack)
        lock.acquire(paths)
        yield lock


def refuse_if_held(cluster: ClusterAccess, state_dir: Path, shared: Path) -> None:
    """For a dry run: raise LockHeld when another run holds the lock. Takes nothing and writes nothing."""
    _refuse_if_any_held(_paths(cluster, state_dir, shared), cluster.name)


def name_is_held(cluster: str, state_dir: Path) -> bool:
    """Whether a run on a cluster of this name in `state_dir` is alive. A lock that cannot be looked at may be."""
    try:
        _refuse_if_any_held([_name_path(cluster, state_dir)], cluster)
    except (LockHeld, LockError):
        return True
    return False


def refuse_if_unusable(directory: Path) -> Path:
    """For a dry run: raise LockError where a real run could not make `directory`, or where it is not this user's alone.

    Makes nothing. Returns what is there already: `directory`, or the folder that it would be made in.
    """
    try:
        directory.lstat()
    except FileNotFoundError:
        return _where_it_would_be_made(directory)
    except OSError as error:
        raise LockError(f"The directory {directory} cannot be made: {error.strerror}.") from error
    return _private(directory)


def _where_it_would_be_made(directory: Path) -> Path:
    there = next(parent for parent in directory.absolute().parents if os.path.lexists(parent))
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise LockError(f"The directory {directory} cannot be made: {there} cannot be written.")
    return there


def refuse_if_peers_held(opened: ClusterPort, cluster: str, shared: Path) -> None:
    """For a dry run: the same for the boxes behind the names, once they are open."""
    _refuse_if_any_held(peer_lock_paths(opened, shared), cluster)


def _refuse_without_locks() -> None:
    """Where two runs could not be kept apart, none writes. Raises LockError."""
    if not HAS_FILE_LOCKS:
        raise LockError(
            "This system has no file locks that keep two runs apart, so remediate does not write to a cluster from here.",
            next_step="Run this command on Linux, macOS or WSL. Reading commands work here: collect, plan, show, verify, diagnose.",
        )


def _refuse_if_any_held(paths: Iterable[Path], cluster: str) -> None:
    _refuse_without_locks()
    for path in paths:
        with suppress(FileNotFoundError):
            os.close(_locked(path, cluster, os.O_RDONLY))


def peer_lock_paths(opened: ClusterPort, shared: Path) -> list[Path]:
    """The lock files of the boxes of an open cluster; of one that could not be opened, that of its address."""
    boxes = {*(peer.identity for peer in opened.peers), *(address.casefold() for address in opened.unreachable)}
    return [shared / _file_name(f"box {peer}") for peer in sorted(boxes)]


def _paths(cluster: ClusterAccess, state_dir: Path, shared: Path) -> list[Path]:
    """The lock files, in one order for everybody."""
    peers = sorted({f"{peer.address.casefold()}:{peer.rest_port}" for peer in cluster.peers})
    return [_name_path(cluster.name, state_dir), *(shared / _file_name(peer) for peer in peers)]


def name_directory(state_dir: Path) -> Path:
    """Where the locks of clusters by their names are."""
    return state_dir / "locks"


def _name_path(cluster: str, state_dir: Path) -> Path:
    return name_directory(state_dir) / _file_name(cluster)


def _file_name(name: str) -> str:
    """A file name that no cluster's or peer's name can lead out of the directory, and no two share."""
    return f"{re.sub('[^A-Za-z0-9-]', '_', name)[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}.lock"


def _private(directory: Path) -> Path:
    """Make `directory` for us alone, or make sure that it is: in a shared /tmp somebody else could have made it first."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise LockError(f"The directory {directory} cannot be made: {error.strerror}.") from error
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == user_id() and not found.st_mode & 0o022
    if not ours:
        raise LockError(f"The directory {directory} does not belong to this user alone, so a lock in it could be anybody's.")
    return directory


def _locked(path: Path, cluster: str, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Open and lock `path`. Who only looks whether it is held holds it for a moment, so a held one is tried again."""
    for _ in range(_TRIES - 1):
        with suppress(LockHeld):
            return _locked_at_once(path, cluster, flags)
        time.sleep(_BETWEEN_TRIES_S)
    return _locked_at_once(path, cluster, flags)


def _locked_at_once(path: Path, cluster: str, flags: int) -> int:
    try:
        handle = _opened(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LockError(f"The lock file {path} cannot be opened: {error.strerror}.") from error
    try:
        lock_at_once(handle)
    except BlockingIOError as error:
        held_by = _holder(handle)
        os.close(handle)
        raise LockHeld(f"Cluster {cluster} is locked by {held_by}.") from error
    if _is_still(path, handle):
        return handle
    os.close(handle)
    return _locked_at_once(path, cluster, flags)


def _opened(path: Path, flags: int) -> int:
    handle = os.open(path, flags | CLOSE_ON_EXEC | NO_FOLLOW | NO_WAIT, 0o600)
    try:
        refuse_special(os.fstat(handle).st_mode, path)
    except OSError:
        os.close(handle)
        raise
    return handle


def _is_still(path: Path, handle: int) -> bool:
    """Whether `path` is the file that was locked: its last holder may have removed it between our opening and our locking it."""
    try:
        there, ours = path.lstat(), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _release(path: Path, handle: int) -> None:
    """Remove the file while it is locked, so that nothing is left behind and nobody holds a file that is gone; see `_is_still`."""
    path.unlink(missing_ok=True)
    os.close(handle)


def _holder(handle: int) -> str:
    try:
        facts = json.loads(os.pread(handle, 4096, 0))
        ticket = f", ticket {facts['ticket']}" if facts["ticket"] else ""
        return (
            f"{facts['user']} on {facts['host']} (process {facts['pid']}){ticket}, "
            f"since {facts['since']}, last at work {facts['heartbeat']}"
        )
    except (ValueError, KeyError, TypeError):
        return "another run that has not said yet who it is"
