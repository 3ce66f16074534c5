"""A real journal that says before and after each of its writes, so that a test can crash there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from remediate.executor.journal.store import Journal
from tests.executor.memory import Tap
from tests.pki import NOW


class TappedJournal(Journal):
    """The journal, with a tap."""

    def __init__(self, state_dir: Path, tap: Tap, now: Callable[[], datetime] = lambda: NOW) -> None:
        self._tap = tap
        super().__init__(state_dir, writable=True, now=now)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._tap("before a journal write")
        with super().transaction() as db:
            yield db
        self._tap("after a journal write")


class Crash(BaseException):
    """The process ends here: nothing below may catch it."""


class CrashAt:
    """A tap that crashes at its n-th point; with n = 0 it only counts."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.points: list[str] = []

    def __call__(self, point: str) -> None:
        self.points.append(point)
        if len(self.points) == self.number:
            raise Crash(point)
