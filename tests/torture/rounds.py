"""One round: a process is killed, and another one finds out what is true and brings it to an end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from remediate.lab.requestlog import Request
from tests.torture.bench import Bench, Verb

Then = Literal["applied", "rolled back", "restarted"]
"""What the other process does: apply the plan (again) or restart (again), after which it is rolled back too; or roll back at once."""


@dataclass
class Tally:
    """What came of it all; `lost_count` and `repeated` must stay 0."""

    kills: int = 0
    healed: int = 0
    undone: int = 0
    lost_count: int = 0
    repeated: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.kills + other.kills,
            self.healed + other.healed,
            self.undone + other.undone,
            self.lost_count + other.lost_count,
            self.repeated + other.repeated,
        )


def kill_once(bench: Bench, verb: Verb, then: Then, kill: Callable[[], bool], tally: Tally) -> bool:
    """One round, with `kill` to work in a process and kill it; returns whether it lived to be killed."""
    bench.fresh(verb)
    alive = kill()
    tally.kills += alive
    if then == "applied":
        healed = bench.apply()
        # Rounds follow each other faster than clients may sign in: what they get is then not known.
        assert healed.exit_code in {10, 11}, healed
        tally.healed += 1
        tally.lost_count += bench.state() != bench.as_planned()
    if then == "restarted":
        restarted = bench.restart()
        assert (restarted.exit_code, restarted.state) == (0, "applied"), restarted
        tally.healed += 1
        tally.lost_count += len(bench.out_of_service())
    # A peer that was told to restart is back first.
    bench.lab.cluster.settle()
    undone = bench.undo()
    # A peer that restarted goes on with the list of the run, unless a client shows that it does not.
    settled = {0, 11} if verb == "restart" else {0}
    assert undone is None or (undone.exit_code in settled and undone.state == "rolled-back"), undone
    if verb == "restart":
        tally.lost_count += len(bench.out_of_service())
    tally.undone += 1
    tally.lost_count += bench.state() != bench.start
    tally.repeated += repeated(bench, verb)
    return alive


def repeated(bench: Bench, began: Verb) -> int:
    """How many writes of a round were sent although the one before had done the same; one that was cut off did nothing.

    A restart ends maintenance mode, so that it is turned on again before the next one.
    """
    writes = tuple(write for write in bench.lab.requests.writes if not write.cut)
    sets = [(write.peer, write.path) for write in writes if write.transport == "ssh" or write.path.endswith("/restart")]
    repeats = sum(after == before for before, after in itertools.pairwise(sets))
    return repeats + sum(_out_of_turn(bench, peer.address, writes, began) for peer in bench.lab.peers)


def _out_of_turn(bench: Bench, peer: str, writes: tuple[Request, ...], began: Verb) -> int:
    """Additions to one peer beyond what the plan adds there, and removals of more than was added."""
    most = len(bench.added(peer))
    held, wrong = (0 if began == "apply" else most), 0
    for write in writes:
        if write.peer == peer and write.transport == "rest" and write.path.endswith("/certs/root"):
            held += 1 if write.method == "POST" else -1
            wrong += not 0 <= held <= most
    return wrong
