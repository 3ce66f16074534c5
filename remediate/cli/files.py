"""Files that commands write: whole or not at all, and for their owner only."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TextIO

from remediate.machine.files import FileTooLarge, NotRegularFile, read_regular_file
from remediate.machine.system import CLOSE_ON_EXEC, NO_FOLLOW, NO_TERMINAL, NO_WAIT, effective_user_id, sync_directory
from remediate.model.errors import RemediateError, UsageError
from remediate.model.limits import Limits

_PRIVATE = 0o600
_LARGEST = Limits().max_file_bytes


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` through a temporary file in the same folder, synced and renamed, mode 0600.

    Raises:
        RemediateError: the folder is missing or cannot be written.
    """
    if str(path) == "-":
        raise UsageError(
            "A file is written whole and then renamed, so it cannot be stdout.", next_step="Use --json for stdout."
        )
    try:
        _refuse_special(path)
        _replace(path, text)
        sync_directory(path.parent)
    except OSError as error:
        raise _refusal(path, error) from error


def open_private(path: Path) -> TextIO:
    """Open `path` for writing line by line, emptied, and for its owner only where it is ours.

    A character device (``/dev/null``) is written to as it is. A pipe is refused: a reader that stops reading would stop the run.

    Raises:
        RemediateError: a link, a pipe or a folder is there, or it cannot be written.
    """
    try:
        if path.is_symlink() or path.is_fifo():
            raise _not_a_plain_file(path)
        # What was looked at may have been replaced since: the open file decides.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | NO_FOLLOW | NO_WAIT | NO_TERMINAL | CLOSE_ON_EXEC, _PRIVATE)
    except OSError as error:
        raise _refusal(path, error) from error
    try:
        _take_over(handle, path)
        return os.fdopen(handle, "w", encoding="utf-8")
    except OSError as error:
        os.close(handle)
        raise _refusal(path, error) from error
    except BaseException:
        os.close(handle)
        raise


def _take_over(handle: int, path: Path) -> None:
    """Empty an open file and make it private; leave a character device as it is. Raises OSError, RemediateError."""
    status = os.fstat(handle)
    if stat.S_ISCHR(status.st_mode):
        os.set_blocking(handle, True)
        return
    if not stat.S_ISREG(status.st_mode):
        raise _not_a_plain_file(path)
    if status.st_uid == effective_user_id():
        os.fchmod(handle, _PRIVATE)
    os.ftruncate(handle, 0)


def read_text(path: Path) -> str:
    """Return the text in `path`; ``-`` is stdin. Raises RemediateError."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise RemediateError(f"{path} is not UTF-8 text.") from error


def read_bytes(path: Path) -> bytes:
    """Return what is in `path`; ``-`` is stdin. Raises RemediateError."""
    try:
        data = _stdin() if str(path) == "-" else read_regular_file(path, _LARGEST)
    except FileTooLarge:
        raise _too_large(path) from None
    except NotRegularFile as error:
        raise RemediateError(
            f"{path} cannot be read: {error.strerror}.", next_step="Name a file, or - to read what is piped to stdin."
        ) from error
    except OSError as error:
        raise RemediateError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > _LARGEST:
        raise _too_large(path)
    return data


def _too_large(path: Path) -> RemediateError:
    return RemediateError(f"{path} is larger than {_LARGEST} bytes, so it is none of ours.", next_step="Name another file.")


def _stdin() -> bytes:
    """All of stdin, which is not closed: a question may follow, and say itself that nobody can answer it.

    Nothing in it is an error: whoever names it twice would else get an empty second file.
    """
    import sys

    if sys.stdin is None:  # closed by the shell: ``<&-``
        raise RemediateError("There is no stdin to read from: it is closed.", next_step="Name a file.")
    data = sys.stdin.buffer.read(_LARGEST + 1)
    if not data:
        raise RemediateError(
            "There is nothing on stdin, or it was read already.", next_step="Name a file; - can be given once."
        )
    return data


def _refuse_special(path: Path) -> None:
    """A rename would put a file in the place of a device, a pipe or a link."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise _not_a_plain_file(path)


def _not_a_plain_file(path: Path) -> RemediateError:
    return RemediateError(
        f"{path} is there already and is no plain file.", next_step="Name a new file, or a plain file to be replaced."
    )


def _replace(path: Path, text: str) -> None:
    # mkstemp makes files with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _refusal(path: Path, error: OSError) -> RemediateError:
    return RemediateError(
        f"{path} cannot be written: {error.strerror}.",
        next_step="Name a file in a folder that exists and that you may write to.",
    )
