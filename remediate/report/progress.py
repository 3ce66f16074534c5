"""Progress for a person, on stderr: a moving line on a terminal, dated lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from remediate.model.canonical import rfc3339, utc_now
from remediate.model.events import Event
from remediate.model.text import escape
from remediate.report.lines import FinalText, colon, print_indented, translate_text

MAX_MESSAGE = 4000
"""Limit of one message. It may hold commands to type, so it is not cut as short as an untrusted name."""
LASTING = frozenset(
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
        "window",
    }
)
STYLES = {
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

    On a terminal, events replace each other in one line; only the lasting types remain, and what a dry run has to show. Elsewhere,
    each event has a dated line, without those of single endpoints.

    Args:
        console: Where to show it.
        every_event: Print a line for every event.
        now: The time of day.
    """

    def __init__(self, console: Console, *, every_event: bool = False, now: Callable[[], datetime] = utc_now) -> None:
        self._console = console
        self._every_event = every_event
        self._now = now
        self._moves = console.is_terminal and not console.is_dumb_terminal
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._moves:
            self._status = self._console.status(Text("…"))
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the moving line off the terminal, for a question."""
        if self._status:
            self._status.stop()
        try:
            yield
        finally:
            if self._status:
                self._status.start()

    def __call__(self, event: Event) -> None:
        """Show `event`."""
        line = Text(f"{event.cluster}{colon()} " if event.cluster else "", style="dim")
        line.append(escape(event.message, MAX_MESSAGE), style=STYLES.get(event.type, "default"))
        lasts = event.type in LASTING or bool(event.fields.get("rehearsed")) or self._every_event
        is_one_of_many = event.type == "endpoint-probed" and not event.fields.get("error")
        if not self._console.is_terminal and (lasts or not is_one_of_many):
            self._console.print(FinalText(f"{rfc3339(self._now())} "), line, soft_wrap=True, sep="")
        elif lasts or not (self._moves or is_one_of_many):
            print_indented(self._console, line, 0)
        elif self._status:
            line = translate_text(line)
            line.truncate(max(20, self._console.width - 4), overflow="ellipsis")
            self._status.update(line)
