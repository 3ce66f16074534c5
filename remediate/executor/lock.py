"""The lock of a cluster, for one run at a time: file locks that the kernel drops when their holder dies, however it dies.

Locked are one file of the cluster's name in the state directory, and one for each of its peers in a directory of this user that
does not depend on the state directory: two inventories may call one cluster by two names, or two clusters by one. Once the peers are
open, the machines themselves are locked too, by what identifies them (their SSH host keys): two inventories may each name another
peer of one cluster, which finds the others by itself, or one peer by its name and by its address.
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

    default_next_step = "Give a writable directory as --state-dir, and remove the file that has the name of the lock directory."


class ClusterLock:
    """A lock that is held, with a heartbeat that shows others that its holder is at work."""

    def __init__(self, name: str, facts: dict[str, str | int | None], now: Callable[[], datetime], release: ExitStack) -> None:
        self._name = name
        self._facts = facts
        self._now = now
        self._release = release
        self._handles: dict[Path, int] = {}

    def acquire(self, paths: Iterable[Path]) -> None:
        """Lock these files too, until the lock ends.

        Raises:
            LockHeld: Another run holds one of them; the message names it.
            LockError: A file cannot be made or trusted.
        """
        for path in paths:
            if path not in self._handles:
                _make_private(path.parent)
                self._handles[path] = _lock_file(path, self._name)
                self._release.callback(_release, path, self._handles[path])
        self.write_heartbeat()

    def write_heartbeat(self) -> None:
        """Write who holds the lock, since when, and the present time.

        Where that cannot be written (a full disk), the lock holds all the same, and the run continues.
        """
        text = json.dumps(self._facts | {"heartbeat": rfc3339(self._now())}).encode()
        for handle in self._handles.values():
            with suppress(OSError):
                os.pwrite(handle, text, 0)
                os.ftruncate(handle, len(text))


def shared_directory() -> Path:
    """Return the directory in which the runs of this user see each other, whatever their state directory and environment.

    It is in the home that the system knows of, not in that of the environment: a login shell, cron and Ansible differ in HOME and
    TMPDIR. It is below /tmp where there is no such home to write to.
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
    """Hold the lock of `cluster` and of each of its peers.

    Args:
        cluster: The cluster to lock.
        state_dir: The directory of the lock of the cluster's name.
        shared: The directory of the locks of peers, see `shared_directory`.
        operator: The holder, for those that the lock keeps out.
        ticket: The change ticket, for the same; None: there is none.
        now: The clock.

    Raises:
        LockHeld: Another run holds it; the message names that run.
        LockError: A lock file cannot be made or trusted.
    """
    paths = _lock_paths(cluster, state_dir, shared)
    with _hold(paths, cluster.name, state_dir, operator=operator, ticket=ticket, now=now) as lock:
        yield lock


@contextmanager
def hold_cluster_name(
    cluster: str, state_dir: Path, *, operator: Operator, now: Callable[[], datetime]
) -> Iterator[ClusterLock]:
    """Hold the lock that every run on a cluster of this name in `state_dir` holds, so that no such run is alive.

    Raises:
        LockHeld: A run holds it.
        LockError: The lock file cannot be made or trusted.
    """
    with _hold([_name_path(cluster, state_dir)], cluster, state_dir, operator=operator, ticket=None, now=now) as lock:
        yield lock


@contextmanager
def _hold(
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
        _make_private(state_dir)
        lock = ClusterLock(name, facts, now, stack)
        lock.acquire(paths)
        yield lock


def refuse_if_held(cluster: ClusterAccess, state_dir: Path, shared: Path) -> None:
    """Raise LockHeld where another run holds the lock. For a dry run: takes nothing and writes nothing."""
    _refuse_if_any_held(_lock_paths(cluster, state_dir, shared), cluster.name)


def is_name_held(cluster: str, state_dir: Path) -> bool:
    """Return whether a run on a cluster of this name in `state_dir` is, or may be, alive."""
    try:
        _refuse_if_any_held([_name_path(cluster, state_dir)], cluster)
    except (LockHeld, LockError):  # a lock that cannot be read may be held
        return True
    return False


def refuse_if_unusable(directory: Path) -> Path:
    """Raise LockError where a run could not make `directory`, or where it is not this user's alone.

    For a dry run: makes nothing.

    Returns:
        `directory`, or the existing folder that it would be made in.
    """
    try:
        directory.lstat()
    except FileNotFoundError:
        return _find_existing_parent(directory)
    except OSError as error:
        raise LockError(f"The directory {directory} cannot be made: {error.strerror}.") from error
    return _make_private(directory)


def _find_existing_parent(directory: Path) -> Path:
    existing = next(parent for parent in directory.absolute().parents if os.path.lexists(parent))
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise LockError(f"The directory {directory} cannot be made: {existing} cannot be written.")
    return existing


def refuse_if_peers_held(opened: ClusterPort, cluster: str, shared: Path) -> None:
    """Raise LockHeld where another run holds one of the open machines. For a dry run, as `refuse_if_held`."""
    _refuse_if_any_held(peer_lock_paths(opened, shared), cluster)


def _refuse_without_locks() -> None:
    """Raise LockError where the system has no locks that keep two runs apart: then no run writes."""
    if not HAS_FILE_LOCKS:
        raise LockError(
            "This system's file locks cannot keep two runs apart, so remediate does not write to a cluster from here.",
            next_step="Run this command on Linux, macOS or WSL. Reading commands work here: collect, plan, show, verify, diagnose.",
        )


def _refuse_if_any_held(paths: Iterable[Path], cluster: str) -> None:
    _refuse_without_locks()
    for path in paths:
        with suppress(FileNotFoundError):
            os.close(_lock_file(path, cluster, os.O_RDONLY))


def peer_lock_paths(opened: ClusterPort, shared: Path) -> list[Path]:
    """Return the lock files of the machines of an open cluster; for a peer that could not be opened, that of its address."""
    peers = {*(peer.identity for peer in opened.peers), *(address.casefold() for address in opened.unreachable)}
    return [shared / _file_name(f"box {peer}") for peer in sorted(peers)]


def _lock_paths(cluster: ClusterAccess, state_dir: Path, shared: Path) -> list[Path]:
    """Return the lock files of a cluster, in the same order for every run, so that two runs never wait for each other."""
    peers = sorted({f"{peer.address.casefold()}:{peer.rest_port}" for peer in cluster.peers})
    return [_name_path(cluster.name, state_dir), *(shared / _file_name(peer) for peer in peers)]


def name_directory(state_dir: Path) -> Path:
    """Return the directory of the locks of clusters by their names."""
    return state_dir / "locks"


def _name_path(cluster: str, state_dir: Path) -> Path:
    return name_directory(state_dir) / _file_name(cluster)


def _file_name(name: str) -> str:
    """Return a file name that no cluster's or peer's name can lead out of the directory, and no two share."""
    return f"{re.sub('[^A-Za-z0-9-]', '_', name)[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}.lock"


def _make_private(directory: Path) -> Path:
    """Make `directory` for this user alone, or check that it is: in a shared /tmp another user could have made it first."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
    except OSError as error:
        raise LockError(f"The directory {directory} cannot be made: {error.strerror}.") from error
    is_private = stat.S_ISDIR(status.st_mode) and status.st_uid == user_id() and not status.st_mode & 0o022
    if not is_private:
        raise LockError(
            f"The directory {directory} is not private to this user, so another user could hold or remove a lock in it."
        )
    return directory


def _lock_file(path: Path, cluster: str, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Open and lock `path`; return its handle."""
    # A process that only checks whether it is held holds it for a moment, so a held one is tried again.
    for _ in range(_TRIES - 1):
        with suppress(LockHeld):
            return _lock_file_at_once(path, cluster, flags)
        time.sleep(_BETWEEN_TRIES_S)
    return _lock_file_at_once(path, cluster, flags)


def _lock_file_at_once(path: Path, cluster: str, flags: int) -> int:
    try:
        handle = _open_file(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LockError(f"The lock file {path} cannot be opened: {error.strerror}.") from error
    try:
        lock_at_once(handle)
    except BlockingIOError as error:
        holder = _describe_holder(handle)
        os.close(handle)
        raise LockHeld(f"Cluster {cluster} is locked by {holder}.") from error
    if _is_same_file(path, handle):
        return handle
    os.close(handle)
    return _lock_file_at_once(path, cluster, flags)


def _open_file(path: Path, flags: int) -> int:
    handle = os.open(path, flags | CLOSE_ON_EXEC | NO_FOLLOW | NO_WAIT, 0o600)
    try:
        refuse_special(os.fstat(handle).st_mode, path)
    except OSError:
        os.close(handle)
        raise
    return handle


def _is_same_file(path: Path, handle: int) -> bool:
    """Return whether `path` is the file that was locked: its last holder may have removed it between opening and locking it here."""
    try:
        current, locked = path.lstat(), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (current.st_dev, current.st_ino) == (locked.st_dev, locked.st_ino)


def _release(path: Path, handle: int) -> None:
    """Remove the file while it is locked, so that no file is left behind; a run that opened it notices (`_is_same_file`)."""
    path.unlink(missing_ok=True)
    os.close(handle)


def _describe_holder(handle: int) -> str:
    try:
        facts = json.loads(os.pread(handle, 4096, 0))
        ticket = f", ticket {facts['ticket']}" if facts["ticket"] else ""
        return (
            f"{facts['user']} on {facts['host']} (process {facts['pid']}){ticket}, since {facts['since']}, last active "
            f"{facts['heartbeat']}"
        )
    except (ValueError, KeyError, TypeError):
        return "another run that has not identified itself yet"
