"""No core files: the memory of our processes holds passwords."""

from __future__ import annotations

from contextlib import suppress


def forbid_core_dumps() -> None:
    """Keep this process, and those that it starts, from writing core files; nothing happens where a system has no such limit."""
    try:
        import resource
    except ImportError:  # not a Unix system
        return
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
