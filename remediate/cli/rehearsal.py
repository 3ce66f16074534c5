"""What a dry run found that it would do, peer by peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from remediate.model.events import Event, Sink

_WOULD = "would-change"
_BULLETS = ("", "• ", "")


class RehearsalCollector:
    """Event sink that keeps what would be done, and forwards every other event."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep or forward `event`."""
        if event.type == _WOULD:
            self._events.append(event)
        self._sink(event)

    def show(self, console: Console) -> None:
        """Print what would be done to each peer, then what is about none or several; peers alike stand together."""
        from remediate.report.lines import FinalText, print_heading, print_indented
        from remediate.report.planned_changes import describe_changes, make_planned_change

        if not self._events:
            return
        print_heading(console, "What would be done")
        for line in describe_changes(make_planned_change(event.message, event.fields) for event in self._events):
            style = "" if line.depth else "bold"
            print_indented(console, FinalText(line.text, style), 2 * (line.depth + 1), first=_BULLETS[line.depth])
