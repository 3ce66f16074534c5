"""An operator's machine with a clock, where the process behind a confirm timer is only noted down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.executor.confirm_timer import confirm
from remediate.executor.ports import WatcherJob, WatcherProcess
from remediate.executor.result import RunResult
from remediate.executor.watcher import watch
from remediate.model.plan import Plan
from tests.executor.clock import Clock
from tests.executor.clusters import story
from tests.executor.memory import MemoryCluster
from tests.pki import NOW

if TYPE_CHECKING:
    from tests.executor.conftest import Desk

QUARTER = timedelta(minutes=15)
BY = "2026-11-23T10:15:00Z"


@dataclass
class Timed:
    """A desk with a clock, where a timer's process is only noted down; `expire` is that process, with the same clock."""

    desk: Desk
    cluster: MemoryCluster = field(default_factory=story)
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    watches: list[WatcherJob] = field(default_factory=list)
    rollbacks: list[int] = field(default_factory=list)
    writes_when_started: list[int] = field(default_factory=list)

    def start(self, order: WatcherJob) -> WatcherProcess:
        self.watches.append(order)
        self.writes_when_started.append(self.cluster.sent_count)
        return WatcherProcess(4711, Path("timer.log"), lambda: None)

    def apply(self, plan: Plan, **options: object) -> RunResult:
        environment = {"now": self.clock, "start_watcher": self.start}
        return self.desk.apply(self.cluster, plan, environment, **{"confirm_within": QUARTER, **options})

    def confirm(self, run: str = "last") -> RunResult:
        return confirm(run, state_dir=self.desk.state_dir, now=self.clock)

    def expire(self, number: int = -1) -> int:
        """Let a timer's process run to its end; each of its pauses is a minute."""
        return watch(self.watches[number], now=self.clock, pause=lambda _: self.clock.go_on(60), roll_back=self._roll_back)

    def state(self) -> str:
        return self.desk.journal().run("last").state

    def _roll_back(self, order: WatcherJob) -> int:
        result = self.desk.rollback(self.cluster, order.run, now=self.clock)
        self.rollbacks.append(result.exit_code)
        return result.exit_code
