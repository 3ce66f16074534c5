"""Files of other owners, opened for reading: regular ones only, without waiting, and bounded in size.

A named pipe or a device in the place of a file would make `open` or `read` wait for ever, or never end. All errors are OSErrors with a
`strerror` that fits into a sentence, so that callers who handle a missing file need to handle nothing more.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

from remediate.machine.system import BINARY, CLOSE_ON_EXEC, NO_TERMINAL, NO_WAIT

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class NotRegularFile(OSError):
    """The path is something other than a regular file."""


class FileTooLarge(OSError):
    """The file is larger than the limit."""


def open_regular_file(path: Path) -> io.BufferedReader:
    """Open `path` for reading; a symbolic link is followed.

    Raises:
        NotRegularFile: It is a directory, a pipe, a device or a socket; nothing was read from it.
        OSError: It does not exist, or may not be read.
    """
    handle = _open_descriptor(path)
    try:
        refuse_special(os.fstat(handle).st_mode, path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular_file(path: Path, max_bytes: int) -> bytes:
    """Return the content of `path`.

    Raises:
        FileTooLarge: It is larger than `max_bytes`.
        OSError: As `open_regular_file`.
    """
    with open_regular_file(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise FileTooLarge(errno.EFBIG, f"it is larger than {max_bytes} bytes", str(path))
    return content


def list_files(path: Path, accepts: Callable[[Path], bool]) -> tuple[Path, ...]:
    """Return `path` itself, or, for a directory, the entries that `accepts` accepts, sorted by name.

    Raises:
        FileNotFoundError: `path` does not exist.
        OSError: It may not be read.
    """
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return (path,)
        return tuple(sorted(file for file in path.iterdir() if accepts(file)))
    except ValueError as error:
        raise _make_name_error(path) from error


def refuse_special(mode: int, path: Path) -> None:
    """Raise NotRegularFile unless `mode` (``st_mode``) is that of a regular file."""
    if stat.S_ISREG(mode):
        return
    kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "something else")
    raise NotRegularFile(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def _open_descriptor(path: Path) -> int:
    try:
        # NO_WAIT: opening a pipe without a writer would wait. It changes nothing for a regular file.
        return os.open(path, os.O_RDONLY | BINARY | NO_WAIT | NO_TERMINAL | CLOSE_ON_EXEC)
    except ValueError as error:  # a NUL character, or a lone surrogate
        raise _make_name_error(path) from error


def _make_name_error(path: Path) -> OSError:
    return OSError(errno.EINVAL, "its name has a character that no file name can have", str(path))
