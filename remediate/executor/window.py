"""A change window: two times of day in a time zone, and the guard that lets no change begin that would not end within it.

How long a change takes is what the longest of its kind on this cluster took so far, by the journal; the first time, the longest time
that a run waits for it (`Limits`). The window holds back changes alone. A rollback after a failure, or by a confirm timer, ends a
half-made change, so no window holds it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from remediate.executor.operations import RefreshOnPrimary, RestartOnPeer, SetCipherList
from remediate.executor.operations.change import Change
from remediate.executor.steps import RunEvents
from remediate.model.canonical import rfc3339
from remediate.model.errors import RemediateError, UsageError
from remediate.model.limits import Limits

_SHAPE = re.compile(r"([0-9]{1,2}):([0-9]{2})/([0-9]{1,2}):([0-9]{2})(?:\s+(\S+))?")
_DAY = timedelta(days=1)
_ROUNDING_S = 1.0


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is open every day from `start` until `end`, over midnight when `end` is the earlier one.

    Where the clocks change at one of its ends, an hour that is skipped or repeated makes the window shorter, never longer.

    Attributes:
        zone: None: the zone of this machine.
    """

    start: time
    end: time
    zone: ZoneInfo | None = None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}/{self.end:%H:%M} {self.zone or 'local time'}"

    def closes(self, now: datetime) -> datetime | None:
        """Return when the opening ends that `now` is in; None: it is closed."""
        return next((end for start, end in self._list_openings(now) if start <= now < end), None)

    def spell(self, moment: datetime) -> str:
        """Return `moment` for a message, with the time of day in the window's own zone where neither this machine nor UTC has it."""
        own = moment.astimezone(self.zone)
        if own.utcoffset() in {moment.astimezone().utcoffset(), moment.astimezone(UTC).utcoffset()}:
            return rfc3339(moment)
        return f"{rfc3339(moment)} ({own:%H:%M} in {self.zone})"

    def describe_opening(self, now: datetime) -> str:
        """Return the sentence whether it is open now, and until or from when."""
        closes = self.closes(now)
        if closes:
            return f"The window {self} is open until {self.spell(closes)}."
        opens = self.spell(self.opens_next(now))
        return f"The window {self} is closed, so nothing would be started now. It opens next on {opens}."

    def opens_next(self, now: datetime) -> datetime:
        """Return when it opens the next time after `now`."""
        return next(start for start, _ in self._list_openings(now) if start > now)

    def _list_openings(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the openings from yesterday's on, in UTC."""
        today = now.astimezone(self.zone).date()
        for day in (today + number * _DAY for number in range(-1, 4)):
            start = max(self._list_moments(day, self.start))
            end = min(self._list_moments(day if self.start < self.end else day + _DAY, self.end))
            if start < end:
                yield start, end

    def _list_moments(self, day: date, at: time) -> tuple[datetime, datetime]:
        """Return the two moments that a clock may mean by `at` on `day`: they differ only where the clocks change."""
        naive = datetime.combine(day, at)
        first, second = (naive.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, second


def parse_window(text: str) -> Window:
    """Read ``22:00/02:00``, or ``22:00/02:00 Europe/Paris``.

    Raises:
        UsageError: It is no window, or one without a length.
    """
    match = _SHAPE.fullmatch(text.strip())
    try:
        if not match:
            raise ValueError
        hours = [int(part) for part in match.groups()[:4]]
        start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    except ValueError as error:
        raise UsageError(
            f"--window: `{text}` is not a window.", next_step="Write it as 22:00/02:00, or as '22:00/02:00 Europe/Paris'."
        ) from error
    if start == end:
        raise UsageError(
            f"--window: `{text}` begins and ends at the same time.", next_step="Leave --window out to apply at any time."
        )
    return Window(start, end, _parse_zone(match[5]) if match[5] else None)


def _parse_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError; a folder's name gives an OSError
        raise UsageError(
            f"--window: `{name}` is not a time zone that this machine knows.",
            next_step="Give a name of the IANA database such as Europe/Paris, or none for this machine's zone.",
        ) from error


class WindowClosed(RemediateError):
    """The window is closed, or too short for the next step."""

    default_next_step = "Nothing was changed. Apply when the window is open, or give another --window."


def refuse_if_closed(window: Window | None, now: datetime) -> None:
    """Raise WindowClosed outside of `window`, with the time when it opens next."""
    if window and window.closes(now) is None:
        raise WindowClosed(f"The window {window} is closed; it opens next on {window.spell(window.opens_next(now))}.")


def emit_whether_open(window: Window | None, now: datetime, events: RunEvents) -> None:
    """Emit whether the window is open, for a dry run, which it does not refuse."""
    if window is not None:
        events.emit("window", window.describe_opening(now), open=window.closes(now) is not None)


@dataclass(frozen=True, slots=True)
class WindowGuard:
    """The guard that holds the changes of one run to its window.

    Attributes:
        window: None: a change may begin at any time.
        longest: Returns the seconds that the longest change of a kind took so far on this cluster; None: not known.
    """

    window: Window | None
    now: Callable[[], datetime]
    longest: Callable[[str], float | None]
    limits: Limits

    def refuse_if_too_late(self, change: Change, before_s: float = 0.0) -> None:
        """Raise WindowClosed unless `change` can begin now and end in the window.

        `before_s`: how long it may take until it is made: a peer drains before it restarts.
        """
        if self.window is None:
            return
        now = self.now()
        closes = self.window.closes(now)
        seconds, basis = self._expect_duration(change)
        seconds += before_s
        opens = self.window.spell(self.window.opens_next(now))
        if closes is None:
            raise WindowClosed(
                f"The window {self.window} is over, so this was not started: {change.summary}. It opens on {opens}."
            )
        if now + timedelta(seconds=seconds) > closes:
            raise WindowClosed(
                f"The window {self.window} closes on {self.window.spell(closes)}, and this may take {seconds:.0f} s "
                f"({basis}), so it was not started: {change.summary}. The window opens again on {opens}."
            )

    def _expect_duration(self, change: Change) -> tuple[float, str]:
        """Return how many seconds `change` may take, and the basis of that."""
        measured = self.longest(change.kind)
        # A cipher list is in effect when every peer has it; that wait is no part of the step in the journal.
        after = self.limits.replication_s if isinstance(change, SetCipherList) else 0.0
        if measured is None:
            return default_seconds(change, self.limits) + after, "none was measured yet, so this is the longest wait"
        return measured + _ROUNDING_S + after, f"the longest so far took {measured:.0f} s"


def default_seconds(change: Change, limits: Limits) -> float:
    """Return how many seconds `change`, with its read-back, may take when none of its kind was measured."""
    match change:
        case RestartOnPeer():
            return limits.restart_s
        case RefreshOnPrimary():
            return limits.slow_write_s + limits.read_s
        case _:
            return 2 * limits.read_s
