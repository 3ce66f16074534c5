"""``make torture``: applies, rollbacks and restarts on the lab, killed at every point and at random moments; then 10,000 histories.

``python -m tests.torture restart`` does the rounds of these verbs alone.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.histories.many import Counts, play
from tests.torture.bench import Bench, Verb
from tests.torture.rounds import Tally, Then, kill_once

AT_ONCE = int(os.environ.get("REMEDIATE_AT_ONCE") or (os.cpu_count() or 1) + 1)
"""A lab and its victim wait for each other more often than they work."""
SHARES = 2
MOMENTS = 40
HISTORIES = 10_000
PORTION = 500


@dataclass(frozen=True)
class Task:
    """Some rounds of one kind on a lab of their own: every point of one share of them, or random moments."""

    verb: Verb
    then: Then
    share: int | None = None
    seed: int = 0

    @property
    def words(self) -> str:
        where = "at random moments" if self.share is None else "at every point it has"
        return f"{'an' if self.verb == 'apply' else 'a'} {self.verb}, {where}"


def do_rounds(task: Task) -> Tally:
    """Do the rounds of `task`."""
    with tempfile.TemporaryDirectory() as folder:
        bench, tally = Bench(Path(folder)), Tally()
        try:
            _at_moments(bench, task, tally) if task.share is None else _at_points(bench, task, tally)
        finally:
            bench.lab.stop()
    sys.stderr.write(f"{task.words}, then {task.then}: {tally}\n")
    return tally


def _at_points(bench: Bench, task: Task, tally: Tally) -> None:
    for point in itertools.count(1 + (task.share or 0), SHARES):
        if not kill_once(bench, task.verb, task.then, lambda: bench.killed_at(task.verb, point), tally):  # noqa: B023 - called at once
            return


def _at_moments(bench: Bench, task: Task, tally: Tally) -> None:
    chance, longest = random.Random(task.seed), bench.seconds(task.verb)  # noqa: S311 - a seed to say
    for _ in range(MOMENTS):
        moment = chance.uniform(0, longest)
        kill_once(bench, task.verb, task.then, lambda: bench.killed_after(task.verb, moment), tally)  # noqa: B023


def main() -> int:
    """Print the numbers; 1 when anything was lost or repeated. A broken law, or a round that does not end well, is an exception."""
    seed = int(os.environ.get("REMEDIATE_SEED") or time.time())
    sys.stderr.write(f"REMEDIATE_SEED={seed}, {AT_ONCE} processes\n")
    kinds: list[tuple[Verb, Then]] = [
        ("apply", "applied"),
        ("apply", "rolled back"),
        ("rollback", "rolled back"),
        ("rollback", "applied"),
        ("restart", "restarted"),
        ("restart", "rolled back"),
    ]
    only = sys.argv[1:]
    kinds = [kind for kind in kinds if not only or kind[0] in only]
    tasks = [Task(*kind, share) for kind in kinds for share in range(SHARES)]
    tasks += [Task(*kind, seed=seed + number) for number, kind in enumerate(kinds)]
    started = time.monotonic()
    with ProcessPoolExecutor(AT_ONCE) as pool:
        tallies = list(pool.map(do_rounds, tasks))
        killed = time.monotonic() - started
        _tell(tasks, tallies, killed)
        if only:
            return int(any(tally.lost_count or tally.repeated for tally in tallies))
        counts = sum(pool.map(play, range(seed, seed + HISTORIES, PORTION), itertools.repeat(PORTION)), Counts())
    sys.stdout.write(f"{counts}, from seed {seed}, in {time.monotonic() - started - killed:.0f} s\n")
    whole = sum(tallies, Tally())
    return int(bool(whole.lost_count or whole.repeated))


def _tell(tasks: list[Task], tallies: list[Tally], seconds: float) -> None:
    rows = {(task.words, task.then): Tally() for task in tasks}
    for task, tally in zip(tasks, tallies, strict=True):
        rows[task.words, task.then] += tally
    form = "{:<36} {:<12} {:>6} {:>7} {:>7} {:>5} {:>9}\n"
    sys.stdout.write(form.format("killed", "then", "kills", "healed", "undone", "lost", "repeated"))
    for (words, then), row in rows.items():
        sys.stdout.write(form.format(words, then, row.kills, row.healed, row.undone, row.lost_count, row.repeated))
    whole = sum(tallies, Tally())
    sys.stdout.write(form.format("all", "", whole.kills, whole.healed, whole.undone, whole.lost_count, whole.repeated))
    sys.stdout.write(f"in {seconds:.0f} s, {AT_ONCE} labs at once on {os.cpu_count()} cores\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
