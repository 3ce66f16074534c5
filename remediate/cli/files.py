"""Files that a command line names: text and certificates to read, results to write whole and for their owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from remediate.machine.files import FileTooLarge, NotRegularFile, read_regular_file
from remediate.machine.private_files import write_private_file
from remediate.machine.system import CLOSE_ON_EXEC, NO_FOLLOW, NO_TERMINAL, NO_WAIT, effective_user_id
from remediate.model.errors import CertificateError, FormatError, RemediateError, UsageError
from remediate.model.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediate.model.certificate import Certificate

_PRIVATE = 0o600
_READABLE = 0o644
_STDIN = "-"
_T = TypeVar("_T")
_MAX_BYTES = Limits().max_file_bytes


def write_atomically(path: Path, text: str, *, everyone_may_read: bool = False) -> None:
    """Write `text` to `path` as a whole: to a temporary file in the same folder, synced, then renamed. Mode 0600, else 0644.

    Raises:
        RemediateError: The folder is missing or cannot be written.
    """
    if str(path) == _STDIN:
        raise UsageError(
            "The file is written whole and then renamed, so it cannot be stdout.", next_step="Use --json for stdout."
        )
    try:
        _refuse_special(path)
        write_private_file(path, text, _READABLE if everyone_may_read else _PRIVATE)
    except OSError as error:
        raise _not_writable_error(path, error) from error


def open_private(path: Path) -> TextIO:
    """Open `path` for writing line by line: emptied, and if this user owns it, readable by the owner only.

    A character device (``/dev/null``) is written to as it is. A pipe is refused: a reader that stops reading would stop the run.

    Raises:
        RemediateError: A link, a pipe or a folder is there, or it cannot be written.
    """
    try:
        if path.is_symlink() or path.is_fifo():
            raise _special_file_error(path)
        # The path may have been replaced since the check above: the open file decides.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | NO_FOLLOW | NO_WAIT | NO_TERMINAL | CLOSE_ON_EXEC, _PRIVATE)
    except OSError as error:
        raise _not_writable_error(path, error) from error
    try:
        _make_private(handle, path)
        return os.fdopen(handle, "w", encoding="utf-8")
    except OSError as error:
        os.close(handle)
        raise _not_writable_error(path, error) from error
    except BaseException:
        os.close(handle)
        raise


def _make_private(handle: int, path: Path) -> None:
    """Empty an open file and make it private; leave a character device as it is. Raises OSError, RemediateError."""
    status = os.fstat(handle)
    if stat.S_ISCHR(status.st_mode):
        os.set_blocking(handle, True)
        return
    if not stat.S_ISREG(status.st_mode):
        raise _special_file_error(path)
    if status.st_uid == effective_user_id():
        os.fchmod(handle, _PRIVATE)
    os.ftruncate(handle, 0)


def read_text(path: Path) -> str:
    """Return the text in `path`, without the byte order mark that Windows writes; ``-`` is stdin. Raises RemediateError."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RemediateError(f"{path} is not UTF-8 text.") from error


def read_document(path: Path, parse: Callable[[str], _T]) -> _T:
    """Return what `parse` makes of the text in `path`; ``-`` is stdin. Raises RemediateError, which names the file."""
    text = read_text(path)
    try:
        return parse(text)
    except FormatError as error:
        raise FormatError(f"{path}: {error}", next_step=error.next_step) from error


def read_bytes(path: Path) -> bytes:
    """Return what is in `path`; ``-`` is stdin. Raises RemediateError."""
    try:
        data = _read_stdin() if str(path) == _STDIN else read_regular_file(path, _MAX_BYTES)
    except FileTooLarge:
        raise _too_large_error(path) from None
    except NotRegularFile as error:
        raise RemediateError(
            f"{path} cannot be read: {error.strerror}.", next_step="Give a file, or - to read stdin."
        ) from error
    except OSError as error:
        raise RemediateError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > _MAX_BYTES:
        raise _too_large_error(path)
    return data


def _too_large_error(path: Path) -> RemediateError:
    return RemediateError(
        f"{path} is larger than {_MAX_BYTES} bytes, too large for a file of remediate.", next_step="Give another file."
    )


def _read_stdin() -> bytes:
    """Return all of stdin without closing it, since a question may follow.

    Empty input is an error: naming stdin twice would otherwise give an empty second file.
    """
    import sys

    if sys.stdin is None:  # closed by the shell: ``<&-``
        raise RemediateError("Cannot read from stdin: it is closed.", next_step="Give a file.")
    data = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if not data:
        raise RemediateError("stdin is empty, or was read already.", next_step="Give a file; - can be given once.")
    return data


def _refuse_special(path: Path) -> None:
    """Raise RemediateError if renaming would replace a device, a pipe or a link by a file."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise _special_file_error(path)


def _special_file_error(path: Path) -> RemediateError:
    return RemediateError(
        f"{path} already exists and is not a regular file.", next_step="Give a new file name, or a regular file to replace."
    )


def _not_writable_error(path: Path, error: OSError) -> RemediateError:
    return RemediateError(
        f"{path} cannot be written: {error.strerror}.",
        next_step="Give a file in an existing, writable folder.",
    )


def read_certificates(path: Path) -> tuple[Certificate, ...]:
    """Return the certificates in `path` (``-`` is stdin), in order, at least one. Raises RemediateError.

    A PEM block that OpenSSL cannot read counts as a certificate: the verdict names it.
    """
    return _certificates(path, read_bytes(path))


def read_store(path: Path, say: Callable[[str], None]) -> tuple[Certificate, ...]:
    """Return the trusted CA list in `path`; an empty file is an empty list, which is reported. Raises RemediateError."""
    content = read_bytes(path)
    if content.strip():
        return _certificates(path, content)
    say(f"{path} is empty, so it counts as an empty trusted CA list.")
    return ()


def _certificates(path: Path, content: bytes) -> tuple[Certificate, ...]:
    from remediate.model.certificate_file import certificates_in

    try:
        return certificates_in(content, "FILE" if str(path) == _STDIN else str(path), keep_unreadable=True)
    except CertificateError as error:
        raise type(error)(f"{path}: {error}", next_step=error.next_step) from error
