"""A change window: two times of day in a time zone. Pure; `hours.py` holds a run to it.

Where the clocks change at one of its ends, an hour that is skipped or repeated makes the window shorter, never longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from remediate.model.errors import UsageError

_SHAPE = re.compile(r"([0-9]{1,2}):([0-9]{2})/([0-9]{1,2}):([0-9]{2})(?:\s+(\S+))?")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Open every day from `start` until `end`, over midnight when `end` is the earlier one.

    Attributes:
        zone: None: the zone of this machine.
    """

    start: time
    end: time
    zone: ZoneInfo | None = None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}/{self.end:%H:%M} {self.zone or 'local time'}"

    def closes(self, now: datetime) -> datetime | None:
        """When the opening ends that `now` is in; None: it is closed."""
        return next((end for start, end in self._around(now) if start <= now < end), None)

    def opens_next(self, now: datetime) -> datetime:
        """When it opens the next time after `now`."""
        return next(start for start, _ in self._around(now) if start > now)

    def words(self, moment: datetime) -> str:
        """A moment as a clock in the window's zone shows it."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"

    def _around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings from yesterday's on, in UTC."""
        today = now.astimezone(self.zone).date()
        for day in (today + number * _DAY for number in range(-1, 4)):
            start = max(self._readings(day, self.start))
            end = min(self._readings(day if self.start < self.end else day + _DAY, self.end))
            if start < end:
                yield start, end

    def _readings(self, day: date, at: time) -> tuple[datetime, datetime]:
        """The two moments that a clock may mean by `at` on `day`: they differ only where the clocks change."""
        naive = datetime.combine(day, at)
        first, second = (naive.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, second


def parse_window(text: str) -> Window:
    """Read ``22:00/02:00``, or ``22:00/02:00 Europe/Paris``. Raises UsageError."""
    found = _SHAPE.fullmatch(text.strip())
    try:
        if not found:
            raise ValueError
        hours = [int(part) for part in found.groups()[:4]]
        start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    except ValueError as error:
        raise UsageError(
            f"--window: `{text}` is no window.", next_step="Write it as 22:00/02:00, or as '22:00/02:00 Europe/Paris'."
        ) from error
    if start == end:
        raise UsageError(f"--window: `{text}` begins when it ends.", next_step="Leave --window out to apply at any time.")
    return Window(start, end, _zone(found[5]) if found[5] else None)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError; a folder's name gives an OSError
        raise UsageError(
            f"--window: this machine knows no time zone `{name}`.",
            next_step="Give a name of the IANA database such as Europe/Paris, or none for this machine's zone.",
        ) from error
