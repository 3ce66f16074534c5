"""Where the executor's tests keep their journals and locks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from remediate.executor.apply import apply_plan
from remediate.executor.journal.store import Journal
from remediate.executor.result import ApplyOptions, RunResult
from remediate.executor.rollback import rollback
from remediate.executor.rollback_restart import RollbackRestarts
from remediate.model.events import Event
from remediate.model.plan import Plan
from tests.executor.bench import Bench
from tests.executor.clusters import approvals_in, approvals_of
from tests.executor.memory import MemoryCluster
from tests.executor.tapped import TappedJournal
from tests.executor.timed import Timed

_MEMORY = Path("/dev/shm")  # noqa: S108 - crash loops write thousands of times; only the SIGKILL tests need a real disk


@dataclass
class Desk:
    """One operator's machine: a state directory, a lock directory, and what was said."""

    home: Path
    events: list[Event] = field(default_factory=list)

    @property
    def state_dir(self) -> Path:
        return self.home / "state"

    def apply(self, cluster: MemoryCluster, plan: Plan, changes: dict[str, Any] | None = None, **options: Any) -> RunResult:
        """Apply `plan`. `approved`: the fingerprints to approve; left out, those that the plan says were approved."""
        approved = options.pop("approved", None)
        approvals = approvals_in(plan) if approved is None else approvals_of(*approved)
        return apply_plan(
            plan,
            cluster.access,
            ApplyOptions(**{"approvals": approvals, **options}),
            state_dir=self.state_dir,
            sink=self.events.append,
            environment=cluster.environment(
                lock_directory=self.home / "locks", journal=self.tapped_journal(cluster), **(changes or {})
            ),
        )

    def rollback(
        self,
        cluster: MemoryCluster,
        run: str = "last",
        restarts: RollbackRestarts = RollbackRestarts(),
        **changes: Any,
    ) -> RunResult:
        environment = cluster.environment(lock_directory=self.home / "locks", journal=self.tapped_journal(cluster), **changes)
        return rollback(
            run,
            cluster.access,
            state_dir=self.state_dir,
            restarts=restarts,
            sink=self.events.append,
            environment=environment,
        )

    def journal(self) -> Journal:
        return Journal(self.state_dir)

    def messages(self, kind: str) -> list[str]:
        return [event.message for event in self.events if event.type == kind]

    @staticmethod
    def tapped_journal(cluster: MemoryCluster) -> Callable[[Path], Journal]:
        return lambda state_dir: TappedJournal(state_dir, cluster.tap, cluster.now)


@contextmanager
def desks() -> Iterator[Callable[[], Desk]]:
    """Makes machines, each with an empty state directory, until it ends."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as home:
        count = iter(range(1_000_000))
        yield lambda: Desk(Path(home) / str(next(count)))


@pytest.fixture
def new_desk() -> Iterator[Callable[[], Desk]]:
    """Makes a machine with an empty state directory."""
    with desks() as new:
        yield new


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A machine with an empty state directory."""
    return new_desk()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    """Opens a lab with a scenario."""
    with ExitStack() as stack:
        yield lambda scenario: Bench(tmp_path, scenario, stack)


@pytest.fixture
def timed(desk: Desk) -> Timed:
    """A machine with a clock, for confirm timers."""
    return Timed(desk)
