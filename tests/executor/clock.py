"""A clock that a test sets."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    """Says the same time until it is told to go on."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
