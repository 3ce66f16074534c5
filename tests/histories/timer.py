"""The process behind a confirm timer, played in this one: its pauses are minutes on a clock that nobody waits for."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field

from remediate.executor.ports import WatcherJob
from remediate.executor.result import RunResult
from remediate.executor.watcher import watch
from remediate.model.errors import RemediateError
from tests.executor.clock import Clock

_A_MINUTE_S = 60
_LONGEST_MINUTES = 60


@dataclass
class TimerProcess:
    """One process, from its deadline to its end.

    Attributes:
        roll_back: what the command that it runs does.
        tick: what else goes on during a minute.
        results: what each try came to that ended with a result.
    """

    order: WatcherJob
    clock: Clock
    roll_back: Callable[[str], RunResult]
    tick: Callable[[], None]
    results: list[RunResult] = field(default_factory=list)
    _minutes: int = 0

    def run(self) -> RunResult | None:
        """Live to the end; return the last try's result, None: it had nothing to do, or each try ended with an error."""
        with contextlib.redirect_stdout(io.StringIO()):
            watch(self.order, now=self.clock, pause=self._pause, roll_back=self._try)
        return self.results[-1] if self.results else None

    def _try(self, order: WatcherJob) -> int:
        try:
            self.results.append(self.roll_back(order.run))
        except RemediateError as error:
            return error.exit_code
        return self.results[-1].exit_code

    def _pause(self, _seconds: float) -> None:
        self._minutes += 1
        if self._minutes > _LONGEST_MINUTES:
            raise RuntimeError("a timer comes to no end")
        self.clock.go_on(_A_MINUTE_S)
        self.tick()
