"""Files and folders for their owner alone, each written whole: to a temporary file in the same folder, then renamed."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from remediate.machine.system import sync_directory

_PRIVATE = 0o600
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]")


def write_private_file(path: Path, text: str, mode: int = _PRIVATE) -> Path:
    """Write `text` to `path` as a whole, synced; return `path`. Raises OSError."""
    # mkstemp makes files with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if mode != _PRIVATE:
                Path(temporary).chmod(mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
    return path


def make_private_folder(path: Path) -> Path:
    """Make the folder `path`, mode 0700, and those above it; one that is there stays as it is. Return `path`. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def make_file_name(name: str, ending: str = "") -> str:
    """Return a file name for a name that may come from outside, such as a peer's address: it leads into no other folder."""
    plain = _OTHER_CHARACTERS.sub("_", name)[:120]
    return ("_" + plain if plain.startswith(".") or not plain else plain) + ending
