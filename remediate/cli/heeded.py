"""What nobody may miss, whatever they asked to be left out: said under ``-q`` too, and kept for the result's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.model.events import Event, Sink

_HEEDED = frozenset({"alarm", "warning", "reminder", "not-in-effect", "manual-step"})


class Heeded:
    """A sink between a run and the one for events.

    Attributes:
        notes: what was said so far, each once. Steps that are open are not among them: they stand in the result.
    """

    def __init__(self, session: Session, sink: Sink) -> None:
        self.notes: list[str] = []
        self._session = session
        self._sink = sink

    def __call__(self, event: Event) -> None:
        """Hand `event` on."""
        self._sink(event)
        if event.type in _HEEDED and not event.fields.get("open") and event.message not in self.notes:
            self.notes.append(event.message)
            if self._session.quiet:
                self._session.say(f"{event.cluster}: {event.message}")
