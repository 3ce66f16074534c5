"""What nobody may miss, whatever they asked to be left out: said under ``-q`` too, and kept for the result's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from remediate.cli.session import Session
    from remediate.model.events import Event, Sink

_AT_ONCE = frozenset({"alarm", "warning", "reminder", "not-in-effect"})
_BY_HAND = "manual-step"


class Heeded:
    """A sink between a run and the one for events. A context manager around the run, which may end with an error."""

    def __init__(self, session: Session, sink: Sink) -> None:
        self._session = session
        self._sink = sink
        self._said: dict[str, str] = {}
        self._in_the_result: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Under ``-q``, say the steps for a person that no result names."""
        for text, line in self._said.items():
            if line and text not in self._in_the_result and self._session.quiet:
                self._session.say(line)

    def __call__(self, event: Event) -> None:
        """Hand `event` on."""
        self._sink(event)
        if event.message in self._said:
            return
        line = f"{event.cluster}: {event.message}"
        if event.type in _AT_ONCE:
            self._said[event.message] = ""
            if self._session.quiet:
                self._session.say(line)
        elif event.type == _BY_HAND:
            self._said[event.message] = line

    def beside(self, open_steps: Sequence[str]) -> list[str]:
        """What was said, each once, but for the steps that stand in the result as open."""
        self._in_the_result = frozenset(open_steps)
        return [text for text in self._said if text not in self._in_the_result]
