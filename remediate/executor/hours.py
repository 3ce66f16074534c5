"""Hold a run to its change window: no step begins outside of it, nor one that would not end within it.

How long a step takes is what the longest of its kind on this cluster took so far, by the journal; the first time, what we would be
willing to wait for (`Limits`). Only steps that write are held back. The way back after a failure, and the rollback of a confirm timer,
are not: they end a half-done change, and a window is no reason to leave one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediate.executor.operations import RefreshOnPrimary, RestartOnPeer, SetCipherList
from remediate.executor.operations.change import Change
from remediate.executor.voice import Voice
from remediate.executor.window import Window
from remediate.model.errors import RemediateError
from remediate.model.limits import Limits

_ROUNDING_S = 1.0


class WindowClosed(RemediateError):
    """The window is closed, or too short for the next step."""

    default_next_step = "Nothing was changed. Apply when the window is open, or give another --window."


def refuse_if_closed(window: Window | None, now: datetime) -> None:
    """Raise WindowClosed, with the time when it opens next."""
    if window and window.closes(now) is None:
        raise WindowClosed(f"The window {window} is closed; it opens next at {window.words(window.opens_next(now))}.")


def tell(window: Window | None, now: datetime, voice: Voice) -> None:
    """For a dry run: say whether the window is open, and refuse nothing."""
    if window is None:
        return
    closes = window.closes(now)
    if closes:
        text = f"The window {window} is open until {window.words(closes)}."
    else:
        text = f"The window {window} is closed, so an apply would be refused now. It opens next at "
        text += f"{window.words(window.opens_next(now))}."
    voice.say("window", text, open=closes is not None)


@dataclass(frozen=True, slots=True)
class Hours:
    """The window of one run.

    Attributes:
        longest: the seconds that the longest change of a kind took so far on this cluster; None: not known.
    """

    window: Window | None
    now: Callable[[], datetime]
    longest: Callable[[str], float | None]
    limits: Limits

    def before(self, change: Change) -> None:
        """Raise WindowClosed unless `change` can begin now and end in the window."""
        if self.window is None:
            return
        now = self.now()
        closes, seconds, known = self.window.closes(now), *self._expected(change)
        opens = self.window.words(self.window.opens_next(now))
        if closes is None:
            raise WindowClosed(
                f"The window {self.window} is over, so this was not begun: {change.summary}. It opens at {opens}."
            )
        if now + timedelta(seconds=seconds) > closes:
            raise WindowClosed(
                f"The window {self.window} closes at {self.window.words(closes)}, and this may take {seconds:.0f} s "
                f"({known}), so it was not begun: {change.summary}. The window opens again at {opens}."
            )

    def _expected(self, change: Change) -> tuple[float, str]:
        """How many seconds `change` may take, and how that is known."""
        measured = self.longest(change.kind)
        # A cipher list is in effect when every peer has it; that wait is no part of the step in the journal.
        after = self.limits.replication_s if isinstance(change, SetCipherList) else 0.0
        if measured is None:
            return default_seconds(change, self.limits) + after, "none was measured yet, so this is what we would wait"
        return measured + _ROUNDING_S + after, f"the longest so far took {measured:.0f} s"


def default_seconds(change: Change, limits: Limits) -> float:
    """How long `change` may take when none of its kind was measured: the longest answers we wait for, its read-back included."""
    match change:
        case RestartOnPeer():
            return limits.restart_s
        case RefreshOnPrimary():
            return limits.slow_write_s + limits.read_s
        case _:
            return 2 * limits.read_s
