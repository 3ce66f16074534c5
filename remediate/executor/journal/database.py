"""Database file of the journal: created with its mode, with room proven, durable; opened for reading without a trace."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

from remediate.executor.journal.schema import MIGRATIONS, migrate, version_of
from remediate.machine.files import refuse_special
from remediate.machine.private_files import make_private_folder
from remediate.machine.system import CLOSE_ON_EXEC, NO_WAIT, reserve, sync_directory

_ROOM_BYTES = 4 * 1024 * 1024
"""What must be free before a run may start: a whole run with six peers and their lists needs less."""

_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite adds to the name of a database for its own files (sqlite.org/tempfiles.html)."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the journal at `path` for writing; make it, or migrate it, where that is needed. Raises OSError, sqlite3.Error."""
    make_private_folder(path.parent)
    # Created with its mode, before SQLite would create it with the umask's; -wal and -shm inherit the mode from it.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | CLOSE_ON_EXEC | NO_WAIT, 0o600))
    refuse_special_files(path)
    prove_room(path.parent)
    db = _configure(sqlite3.connect(path, isolation_level=None))
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    if version_of(db) < len(MIGRATIONS):
        migrate(db)
        sync_directory(path.parent)
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the journal at `path` for reading, of any version; an empty one where there is none. Raises OSError, sqlite3.Error."""
    if not path.exists():
        return _configure(sqlite3.connect(":memory:", isolation_level=None))
    refuse_special_files(path)
    # Beside a WAL journal even a reader creates a -shm file; where it may not, no process writes either, and the file is complete.
    flag = "" if os.access(path.parent, os.W_OK) else "&immutable=1"
    return _configure(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{flag}", uri=True, isolation_level=None))


def refuse_special_files(journal: Path) -> None:
    """Raise OSError where a pipe or a device is in the place of the journal, or of a file that SQLite keeps beside it.

    SQLite would open it, and wait for a writer of the pipe.
    """
    for path in (journal, *(journal.with_name(journal.name + suffix) for suffix in _BESIDE)):
        if path.exists():
            refuse_special(path.stat().st_mode, path)


def _configure(db: sqlite3.Connection) -> sqlite3.Connection:
    db.row_factory = sqlite3.Row
    return db


def prove_room(directory: Path) -> None:
    """Reserve and release the room that a run may need, so that it does not run out between two peers. Raises OSError."""
    with tempfile.TemporaryFile(dir=directory) as probe:
        reserve(probe.fileno(), _ROOM_BYTES)
