"""Whether a run could keep its journal and its locks here: what a dry run and `doctor` ask, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

from remediate.executor.journal.database import prove_room, refuse_special_files
from remediate.executor.journal.store import FILE_NAME, JournalError
from remediate.executor.lock import name_directory, refuse_if_unusable


def refuse_unusable(state_dir: Path, shared: Path) -> None:
    """Raise what a real run would raise before its first write to a box: LockError, JournalError. `shared`: see `shared_directory`."""
    there = refuse_if_unusable(state_dir)
    for directory in (name_directory(state_dir), shared):
        refuse_if_unusable(directory)
    journal = state_dir / FILE_NAME
    try:
        prove_room(there)
        refuse_special_files(journal)
        if journal.exists() and not os.access(journal, os.R_OK | os.W_OK):
            raise JournalError(f"The journal {journal} cannot be used: it cannot be written.")
    except OSError as error:
        raise JournalError(f"The state directory {state_dir} cannot be used: {error.strerror}.") from error
