"""The note that diagnostic logging was started from here: a file that is there until it was stopped, however the process ended.

Its writer holds a lock on it, which the kernel releases: a note without a holder was left by a process that was killed, or
that could not stop the logging.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediate.machine.private_files import make_private_folder
from remediate.machine.system import CLOSE_ON_EXEC, HAS_FILE_LOCKS, NO_FOLLOW, lock_at_once, sync_directory
from remediate.model.canonical import rfc3339
from remediate.model.errors import LockHeld, RemediateError

_MAX_NOTE = 4096


@dataclass(frozen=True, slots=True)
class LeftLogging:
    """Diagnostic logging that was started from here and, as far as is known, never stopped.

    Attributes:
        started_at: RFC 3339 UTC.
    """

    cluster: str
    started_at: str

    def __str__(self) -> str:
        return f"diagnostic logging, started from here on {self.started_at}, may still be running"


class LoggingNote:
    """The note on one cluster, whose lock is held.

    Attributes:
        left: What an earlier process left; None: nothing.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self._path, self._handle = path, handle
        self.left = _parse_note(os.pread(handle, _MAX_NOTE, 0))

    def write(self, cluster: str, now: datetime) -> None:
        """Write the note; on the disk before this returns."""
        text = json.dumps({"cluster": cluster, "started_at": rfc3339(now)}).encode()
        os.pwrite(self._handle, text, 0)
        os.ftruncate(self._handle, len(text))
        os.fsync(self._handle)
        sync_directory(self._path.parent)

    def clear(self) -> None:
        """Empty the note: the logging was stopped, or never started."""
        os.ftruncate(self._handle, 0)
        self.left = None


@contextmanager
def hold_note(cluster: str, state_dir: Path) -> Iterator[LoggingNote]:
    """Hold the note on `cluster`, so that no other process of this state directory starts or stops its logging.

    Raises:
        LockHeld: Another process records there.
        RemediateError: The file cannot be made or locked.
    """
    if not HAS_FILE_LOCKS:
        raise RemediateError(
            "This system has no file locks that are released when their process ends, so nothing is started from here."
        )
    path = _directory(state_dir) / f"{hashlib.sha256(cluster.encode()).hexdigest()[:16]}.json"
    try:
        make_private_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | CLOSE_ON_EXEC | NO_FOLLOW, 0o600)
    except OSError as error:
        raise RemediateError(f"{path} cannot be made: {error.strerror}.") from error
    try:
        try:
            lock_at_once(handle)
        except BlockingIOError as error:
            raise LockHeld(
                f"Another `remediate` records a diagnostic log on {cluster}.", next_step="Wait until it has finished."
            ) from error
        yield LoggingNote(path, handle)
    finally:
        os.close(handle)


def find_left_logging(state_dir: Path, cluster: str | None = None) -> tuple[LeftLogging, ...]:
    """Return the logging that was left running, on `cluster` or anywhere; makes and changes nothing."""
    notes = []
    for path in sorted(_directory(state_dir).glob("*.json")):
        note = _read_note(path)
        if note and cluster in {None, note.cluster}:
            notes.append(note)
    return tuple(notes)


def _directory(state_dir: Path) -> Path:
    return state_dir / "diagnostic-logging"


def _read_note(path: Path) -> LeftLogging | None:
    """Return the note in `path`; None where it was cleared, is held by a process that is at work, or cannot be read."""
    try:
        with path.open("rb") as file:
            lock_at_once(file.fileno(), shared=True)
            return _parse_note(file.read(_MAX_NOTE))
    except OSError:
        return None


def _parse_note(text: bytes) -> LeftLogging | None:
    try:
        fields = json.loads(text)
        return LeftLogging(str(fields["cluster"]), str(fields["started_at"]))
    except (ValueError, KeyError, TypeError):
        return None
