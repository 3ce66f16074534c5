"""Whether a run could keep its journal and its locks here: what a dry run and `doctor` ask, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

from remediate.executor.journal import FILE_NAME, JournalError
from remediate.executor.journal_file import prove_room
from remediate.executor.lock import refuse_if_unusable


def refuse_unusable(state_dir: Path, shared: Path) -> None:
    """Raise what a real run would raise before its first write to a box: LockError, JournalError. `shared`: see `shared_directory`."""
    there = refuse_if_unusable(state_dir)
    refuse_if_unusable(shared)
    try:
        prove_room(there / FILE_NAME)
    except OSError as error:
        raise JournalError(f"The state directory {state_dir} cannot be used: {error.strerror}.") from error
