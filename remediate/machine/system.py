"""Facilities that only some systems have. Reading commands run without any of them; only writing to a cluster needs file locks."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

if sys.platform != "win32":
    try:
        import fcntl
    except ImportError:  # a Python built without it
        HAS_FILE_LOCKS = False
    else:
        HAS_FILE_LOCKS = True
else:
    HAS_FILE_LOCKS = False

# Flags of os.open; 0 where a system has no such flag.
BINARY: int = getattr(os, "O_BINARY", 0)
CLOSE_ON_EXEC: int = getattr(os, "O_CLOEXEC", 0)
DIRECTORY: int = getattr(os, "O_DIRECTORY", 0)
NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
NO_TERMINAL: int = getattr(os, "O_NOCTTY", 0)
NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)

ENDING_SIGNALS: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""How a system asks a process to end: SIGHUP comes when a terminal is gone, and Windows does not have it."""


def max_open_files() -> int | None:
    """Return how many files and connections this process may have open; None: this system does not say."""
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def lock_at_once(handle: int, *, shared: bool = False) -> None:
    """Lock an open file until its last holder ends.

    Raises:
        BlockingIOError: Another process holds the lock.
        OSError: This system has no such locks, or the file cannot be locked.
    """
    if not HAS_FILE_LOCKS:
        raise OSError("this system has no file locks that are released when their process ends")
    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def unlock(handle: int) -> None:
    """Release the lock of an open file, also for those who inherited it."""
    if HAS_FILE_LOCKS:
        fcntl.flock(handle, fcntl.LOCK_UN)


def lock(handle: int) -> None:
    """Lock an open file or directory until its last holder ends, and wait for other holders.

    Raises:
        OSError: This system has no such locks, or the file cannot be locked.
    """
    if not HAS_FILE_LOCKS:
        raise OSError("this system has no file locks that are released when their process ends")
    fcntl.flock(handle, fcntl.LOCK_EX)


def user_id() -> int | None:
    """Return the number of the user who started this process; None where users have none (Windows)."""
    return os.getuid() if hasattr(os, "getuid") else None


def effective_user_id() -> int | None:
    """Return the number of the user whose rights this process has; None where users have none (Windows)."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def home_directory() -> Path | None:
    """Return the home directory that the system records, not the one of the environment; None where it records none."""
    if not hasattr(os, "getuid"):
        return None
    try:
        import pwd

        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):
        return None


def reserve(handle: int, size: int) -> None:
    """Reserve `size` bytes of the disk for an open, empty file.

    Raises:
        OSError: The disk has no room.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        return
    # macOS has no such call. A file that is only lengthened takes no room, so it is written.
    block = bytes(64 * 1024)
    written_bytes = 0
    while written_bytes < size:
        written_bytes += os.write(handle, block[: size - written_bytes])
    os.fsync(handle)


def sync_directory(directory: Path) -> None:
    """Make new names in a directory durable; do nothing where a system cannot open directories.

    Raises:
        OSError: The directory cannot be written to the disk.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | CLOSE_ON_EXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
