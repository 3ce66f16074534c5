"""Progress for a person, on stderr: a moving line on a terminal, one line per event elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from remediate.model.events import Event
from remediate.model.text import escape

_MAX_MESSAGE = 4000
"""Limit of one message. It may hold commands to type, so it is not cut as short as an untrusted name."""
_LASTING = frozenset(
    {
        "alarm",
        "warning",
        "manual-step",
        "reminder",
        "would-change",
        "change-complete",
        "change-failed",
        "in-effect",
        "not-in-effect",
        "logging-stopped",
    }
)
_STYLES = {
    "alarm": "bold red",
    "warning": "yellow",
    "manual-step": "yellow",
    "reminder": "yellow",
    "change-failed": "red",
    "in-effect": "green",
    "not-in-effect": "yellow",
}


class Progress:
    """Event sink and context manager.

    On a terminal, events replace each other in one line; only the lasting types remain, and what a dry run has to show.
    """

    def __init__(self, console: Console, *, every_event: bool = False) -> None:
        self._console = console
        self._every_event = every_event or not console.is_terminal
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(Text("…"))
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def __call__(self, event: Event) -> None:
        """Show `event`."""
        line = Text(f"{event.cluster}: " if event.cluster else "", style="dim")
        line.append(escape(event.message, _MAX_MESSAGE), style=_STYLES.get(event.type, "default"))
        if self._every_event or event.type in _LASTING or event.fields.get("rehearsed"):
            self._console.print(line, soft_wrap=not self._console.is_terminal)
        elif self._status:
            line.truncate(max(20, self._console.width - 4), overflow="ellipsis")
            self._status.update(line)
