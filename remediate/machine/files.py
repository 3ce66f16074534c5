"""Files of others, opened for reading: regular ones only, never waited for, and no more of them than was asked for.

A named pipe or a device in the place of a file would make `open` or `read` wait for ever, or never end. All errors are OSErrors with
a `strerror` that fits into a sentence, so that callers who expect a missing file need to expect nothing more.
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
    """There is something else than a file."""


class FileTooLarge(OSError):
    """There is more in the file than may be read."""


def open_regular_file(path: Path) -> io.BufferedReader:
    """Open `path` for reading; a symbolic link is followed.

    Raises:
        NotRegularFile: a directory, a pipe, a device or a socket is there; nothing was read from it.
        OSError: there is nothing, or it may not be read.
    """
    handle = _open(path)
    try:
        refuse_special(os.fstat(handle).st_mode, path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular_file(path: Path, most_bytes: int) -> bytes:
    """Return what is in `path`.

    Raises:
        FileTooLarge: it holds more than `most_bytes`.
        OSError: as `open_regular_file`.
    """
    with open_regular_file(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise FileTooLarge(errno.EFBIG, f"it is larger than {most_bytes} bytes", str(path))
    return content


def list_files(path: Path, wanted: Callable[[Path], bool]) -> tuple[Path, ...]:
    """Return `path` itself, or, where it is a directory, what in it is `wanted`, sorted by name.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        OSError: it may not be looked at.
    """
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return (path,)
        return tuple(sorted(file for file in path.iterdir() if wanted(file)))
    except ValueError as error:
        raise _bad_name(path) from error


def refuse_special(mode: int, path: Path) -> None:
    """Raise NotRegularFile where `mode` (``st_mode``) is not that of a regular file."""
    if stat.S_ISREG(mode):
        return
    kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "something else")
    raise NotRegularFile(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def _open(path: Path) -> int:
    try:
        # NO_WAIT: opening a pipe to which nobody writes would wait. It changes nothing for a regular file.
        return os.open(path, os.O_RDONLY | BINARY | NO_WAIT | NO_TERMINAL | CLOSE_ON_EXEC)
    except ValueError as error:  # a NUL character, or a lone surrogate
        raise _bad_name(path) from error


def _bad_name(path: Path) -> OSError:
    return OSError(errno.EINVAL, "its name holds a character that no file name can have", str(path))
