"""Notices of a run that are shown under ``-q`` too, and collected for the JSON of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from remediate.cli.session import Session
    from remediate.model.events import Event, Sink

_IMMEDIATE = frozenset({"alarm", "warning", "reminder", "not-in-effect"})
_MANUAL_STEP = "manual-step"
_IN_RESULT = frozenset({"not-in-effect"})
"""Kinds whose final state is in the result: a restart may have changed it since."""


class NoticeCollector:
    """Event sink that forwards every event and collects notices; a context manager around the run."""

    def __init__(self, session: Session, sink: Sink) -> None:
        self._session = session
        self._sink = sink
        self._lines: dict[str, str] = {}
        self._open_steps: frozenset[str] = frozenset()
        self._in_result: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Under ``-q``, print the manual steps that the result does not name."""
        for text, line in self._lines.items():
            if line and text not in self._open_steps and self._session.quiet:
                self._session.say(line)

    def __call__(self, event: Event) -> None:
        """Forward `event`; under ``-q``, print it at once if it is an alarm, a warning or a reminder."""
        self._sink(event)
        if event.message in self._lines:
            return
        line = f"{event.cluster}: {event.message}"
        if event.type in _IN_RESULT:
            self._in_result.add(event.message)
        if event.type in _IMMEDIATE:
            self._lines[event.message] = ""
            if self._session.quiet:
                self._session.say(line)
        elif event.type == _MANUAL_STEP:
            self._lines[event.message] = line

    def notes_besides(self, open_steps: Sequence[str]) -> list[str]:
        """Return the notices so far, each once, without what the result lists as open steps or under ``in_effect``."""
        self._open_steps = frozenset(open_steps)
        return [text for text in self._lines if text not in self._open_steps | self._in_result]
