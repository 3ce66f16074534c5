"""What may happen to a cluster, and a seeded draw of a whole history of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Literal

from remediate.model.restart import Calls, Restart
from tests.executor.lies import KINDS, PROVE_NOTHING, Kind

Verb = Literal["apply", "rollback", "restart", "expire", "confirm", "somebody", "down", "up", "wait"]
"""``expire``: the process behind a confirm timer, from now until it ends."""
Incident = Literal["crash", "down", "up", "somebody", "another-run", "interrupt", "stop"]
Fault = Literal["drop-request", "drop-answer", "drop-session", "ignore", "refuse", "refuse-done"]

VERBS: tuple[Verb, ...] = ("apply", "rollback", "expire", "confirm", "somebody", "down", "up", "wait")
INCIDENTS: tuple[Incident, ...] = ("crash", "down", "up", "somebody", "another-run", "interrupt", "stop")
FAULTS: tuple[Fault, ...] = ("drop-request", "drop-answer", "drop-session", "ignore", "refuse", "refuse-done")
MOST_OPERATIONS = 6

_AT_FIRST = (90, 2, 0, 0, 4, 2, 1, 1)
_WITH_A_TIMER = (20, 10, 25, 20, 10, 3, 3, 12)
_OTHERWISE = (38, 30, 6, 4, 12, 4, 6, 4)
_OUTAGES = 0.15

_TIMERS = 0.4
_LIES = 0.45
_LIES_ALONE = 0.6
_LATE_SHARE = 0.5
_LONG = 20
"""Readings: more than are made of a list that does not show a write."""
_TO_THE_END = 1000
"""Readings: more than an operation makes."""
_READINGS = 3
"""Of its list, from each peer, among the first of which a lie begins."""
_HAS_NO_TERMINAL = "expire"

_WAITING = 0.3
"""The share of histories whose devices judge by their old lists until they restart."""
_RESTARTS = 0.3
_LOADED = 0.5
_ASKED = 0.6
_POINTS = {"restart": (10, 40), "apply": (20, 31), "rollback": (10, 20), "expire": (10, 20)}
"""About how many points an undisturbed one has: so many, and so many more for each peer."""


@dataclass(frozen=True)
class Disturbance:
    """Something that happens at the n-th point of an operation; `choice` says to which device, or what somebody does."""

    point: int
    incident: Incident
    choice: int


@dataclass(frozen=True)
class Lie:
    """What one device shows in the place of its list, for so many readings of its own.

    Attributes:
        kind: ``late`` shows the list as it was before the write that it begins with, and is told by the device that was written to.
        choice: which device; None: each of them.
        begins: with which reading of any list, or, of ``late``, with which write to one.
    """

    kind: Kind | Literal["late"]
    begins: int
    readings: int
    choice: int | None


@dataclass(frozen=True)
class Load:
    """What a device carries when an operation begins.

    Attributes:
        choice: which device.
        drains_after: looks until its calls have ended; None: they do not end.
        links_late_for: looks after its restart until its zones and tunnels are active; None: they stay down.
    """

    choice: int
    calls: int
    drains_after: int | None
    links_late_for: int | None


@dataclass(frozen=True)
class Operation:
    """One thing that is done; `faults` are those of its writes, by their number as sent."""

    verb: Verb
    choice: int = 0
    faults: dict[int, Fault] = field(default_factory=dict)
    disturbances: tuple[Disturbance, ...] = ()
    on_failure: Literal["rollback", "stop", "workaround"] = "rollback"
    restart: Restart = "never"
    calls: Calls = "drain"
    load: Load | None = None
    timer: bool = False
    lie: Lie | None = None


@dataclass(frozen=True)
class History:
    """A cluster, what is done to it, and how it is brought to an end once nothing disturbs any more.

    Attributes:
        waits: its devices judge by their old lists until they restart.
        asks: clients can be asked.
    """

    seed: int
    peers: int
    lag: int
    operations: tuple[Operation, ...]
    ending: Literal["apply", "rollback"]
    waits: bool = False
    asks: bool = False

    def __str__(self) -> str:
        lines = [f"history {self.seed}: {self.peers} peers, replication after {self.lag} pauses, ends with {self.ending}"]
        ways = "clients can be asked" if self.asks else "no client can be asked"
        lines += [f"its devices work with their old lists until they restart, and {ways}"] if self.waits else []
        return "\n  ".join([*lines, *(str(operation) for operation in self.operations)])


def draw_history(seed: int) -> History:
    """The history of this seed."""
    chance = random.Random(seed)  # noqa: S311 - a seed to replay
    peers = chance.choice((1, 2, 3, 3))
    operations: list[Operation] = []
    for _ in range(chance.randint(1, MOST_OPERATIONS)):
        operations += _outage(chance, peers) if chance.random() < _OUTAGES else [_operation(chance, peers, operations[-2:])]
    history = History(seed, peers, chance.choice((0, 1, 2, 5, 20)), tuple(operations), chance.choice(("apply", "rollback")))
    # A draw of its own: what it adds changes nothing else in the history of a seed.
    return _with_restarts(history, random.Random(f"restarts of {seed}"))  # noqa: S311 - a seed to replay


def _with_restarts(history: History, chance: random.Random) -> History:
    """The history with devices that need restarts, or as it is."""
    if chance.random() >= _WAITING:
        return history
    operations: list[Operation] = []
    for operation in history.operations:
        operations.append(_restarting(operation, chance) if operation.verb in {"apply", "rollback"} else operation)
        if chance.random() < _RESTARTS:
            disturbances = _disturbances(chance, "restart", history.peers)
            restart = Operation("restart", chance.randrange(1000), _faults(chance), disturbances)
            operations.append(_restarting(restart, chance))
    return replace(history, operations=tuple(operations), waits=True, asks=chance.random() < _ASKED)


def _restarting(operation: Operation, chance: random.Random) -> Operation:
    """The operation with a way to restart, on devices one of which may carry calls."""
    load = Load(
        chance.randrange(1000),
        chance.choice((1, 3)),
        chance.choice((0, 2, 2, None)),
        chance.choice((0, 0, 0, 2, 2, None)),
    )
    return replace(
        operation,
        restart=chance.choices(("never", "if-needed", "rolling"), (1, 2, 2))[0],
        calls=chance.choices(("drain", "end"), (4, 1))[0],
        load=load if chance.random() < _LOADED else None,
    )


def _outage(chance: random.Random, peers: int) -> list[Operation]:
    """A peer that is down for one operation, and back for the next; mostly nothing else is wrong then."""
    device = chance.randrange(1000)
    meanwhile, after = (
        _disturbed(chance, peers, verb) if chance.random() < _OUTAGES else Operation(verb)
        for verb in chance.choices(("apply", "rollback"), (1, 3), k=2)
    )
    return [Operation("down", device), meanwhile, Operation("up", device), after]


def _operation(chance: random.Random, peers: int, before: list[Operation]) -> Operation:
    """One operation, such as there is something to see of after the two `before`."""
    weights = _AT_FIRST if not before else _WITH_A_TIMER if any(operation.timer for operation in before) else _OTHERWISE
    verb = chance.choices(VERBS, weights)[0]
    return _disturbed(chance, peers, verb) if verb in _POINTS else Operation(verb, chance.randrange(1000))


def _disturbed(chance: random.Random, peers: int, verb: Verb) -> Operation:
    lie = _lie(chance, verb, peers) if chance.random() < _LIES else None
    alone = lie is not None and chance.random() < _LIES_ALONE
    return Operation(
        verb,
        chance.randrange(1000),
        _faults_beside(lie, chance) if lie else _faults(chance),
        () if alone else _disturbances(chance, verb, peers),
        chance.choices(("rollback", "stop", "workaround"), (7, 2, 1))[0],
        chance.choices(("never", "rolling"), (5, 1))[0],
        timer=verb == "apply" and chance.random() < _TIMERS,
        lie=lie,
    )


def _faults_beside(lie: Lie, chance: random.Random) -> dict[int, Fault]:
    """Faults of writes beside a lie; those that go with a late list are of the write that it is late with."""
    if lie.kind != "late":
        return _faults(chance)
    # What a device shows later than we look, and said no to or nothing of, nobody can know.
    return {} if lie.readings == _LONG or chance.random() < 0.3 else {lie.begins: chance.choice(("refuse-done", "drop-answer"))}


def _lie(chance: random.Random, verb: Verb, peers: int) -> Lie:
    """A lie of any length where it proves nothing; else for fewer readings than we make before we believe it."""
    if chance.random() < _LATE_SHARE:
        return Lie("late", chance.randint(1, peers + 1), chance.choice((1, 3, 4, _LONG)), None)
    kind = chance.choice(KINDS)
    # What an apply is shown at first is all that it knows: an old list then is the list.
    first = peers + 1 if verb == "apply" else 1
    readings = chance.choice((1, 3, _TO_THE_END, _TO_THE_END) if kind in PROVE_NOTHING else (1, 2, 3, 4))
    return Lie(kind, first + chance.randrange(_READINGS * peers), readings, chance.choice((None, chance.randrange(1000))))


def _faults(chance: random.Random) -> dict[int, Fault]:
    count = chance.choices((0, 1, 2, 3), (5, 3, 2, 1))[0]
    return {chance.randint(1, 8): chance.choice(FAULTS) for _ in range(count)}


def _disturbances(chance: random.Random, verb: Verb, peers: int) -> tuple[Disturbance, ...]:
    fixed, each = _POINTS[verb]
    # Rather early: what is gone on with, refused or nearly done has fewer points than a whole apply.
    points = range(1, fixed + each * peers)
    count = chance.choices((0, 1, 2, 3), (3, 4, 2, 1))[0]
    interrupts = (0, 0) if verb == _HAS_NO_TERMINAL else (8, 5)
    incidents = chance.choices(INCIDENTS, (40, 12, 12, 15, 8, *interrupts), k=count)
    disturbances = (Disturbance(min(chance.choices(points, k=2)), incident, chance.randrange(1000)) for incident in incidents)
    return tuple(sorted(disturbances, key=lambda disturbance: disturbance.point))
