"""Core dumps, which are disabled: the memory of this process holds passwords."""

from __future__ import annotations

from contextlib import suppress


def forbid_core_dumps() -> None:
    """Prevent this process and its children from writing core files.

    Nothing happens where a system has no such limit.
    """
    try:
        import resource
    except ImportError:  # not a Unix system
        return
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
