"""Many histories in one process, and what happened in them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.executor.conftest import desks
from tests.histories.judge import judge


@dataclass(frozen=True)
class Counts:
    """What was played; every law held, or there would be no counts."""

    histories: int = 0
    operations: int = 0
    killed: int = 0
    writes: int = 0
    by_others: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.histories + other.histories,
            self.operations + other.operations,
            self.killed + other.killed,
            self.writes + other.writes,
            self.by_others + other.by_others,
        )

    def __str__(self) -> str:
        summary = f"{self.operations} applies, rollbacks, restarts, timers and confirmations, {self.killed} of them killed"
        return f"{self.histories} histories: {summary}, {self.writes} writes, {self.by_others} by somebody else, 0 laws broken"


def play(first: int, count: int) -> Counts:
    """Play the histories of so many seeds. Raises Broken at the first one that breaks a law."""
    whole = Counts()
    with desks() as new_desk:
        for seed in range(first, first + count):
            player = judge(seed, new_desk())
            lines = [write.action.split(" ")[0] for write in player.cluster.writes]
            by_others, beside = lines.count("somebody"), lines.count("looked") + lines.count("operation")
            killed = sum(outcome.result is None and outcome.error is None and not outcome.idle for outcome in player.outcomes)
            whole += Counts(1, len(player.outcomes), killed, len(lines) - by_others - beside, by_others)
    return whole
