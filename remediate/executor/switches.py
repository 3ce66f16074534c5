"""What the journal knows of the workaround: who turned verification on or off on which peer, when, and what was read afterwards.

The workaround is the last resort: a full disk must not stand in its way. Where the journal cannot be written, that is said, and the
switch is turned all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from remediate.executor.environment import World
from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.voice import Voice
from remediate.model.canonical import rfc3339
from remediate.model.identity import Address

_WORD = {True: "on", False: "off"}


@dataclass(frozen=True, slots=True)
class Switch:
    """The last time that somebody turned verification on a peer. Times are RFC 3339 UTC.

    Attributes:
        asked: verification on or off, as asked.
        found: as read back; None: it was not read.
    """

    peer: Address
    at: str
    who: str
    host: str
    asked: bool
    found: bool | None

    def __str__(self) -> str:
        told = f"turned {_WORD[self.asked]} by {self.who} on {self.host} at {self.at}"
        if self.found is None:
            return f"{told}, and not read back"
        return told if self.found is self.asked else f"{told}, and read back as {_WORD[self.found]} all the same"


class SwitchRecorder:
    """Writes down each turn of the switch, before and after, as long as that is possible."""

    def __init__(self, cluster: str, state_dir: Path, operator: Operator, world: World, voice: Voice, stack: ExitStack) -> None:
        """Open the journal in `state_dir` until `stack` ends."""
        self._cluster = cluster
        self._operator = operator
        self._now = world.now
        self._voice = voice
        self._journal: Journal | None = None
        with self._said():
            self._journal = stack.enter_context(world.journal(state_dir))

    def record_request(self, peer: Address, *, verification: bool) -> int | None:
        """Record what is about to be asked of `peer`; return the number of the record; None: it could not be written."""
        facts = (
            rfc3339(self._now()),
            self._cluster,
            peer,
            int(verification),
            self._operator.user,
            self._operator.host,
            self._operator.pid,
        )
        query = "INSERT INTO switches (at, cluster, peer, asked, who, host, pid) VALUES (?, ?, ?, ?, ?, ?, ?)"
        return self._written(query, facts)

    def record_read_back(self, number: int | None, *, verification: bool) -> None:
        """Record what was read back."""
        if number is not None:
            self._written("UPDATE switches SET found = ? WHERE number = ?", (int(verification), number))

    def _written(self, query: str, values: tuple[str | int, ...]) -> int | None:
        number = None
        if self._journal is not None:
            with self._said(), self._journal.transaction() as db:
                number = db.execute(query, values).lastrowid
        return number

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except JournalError as error:
            self._journal = None
            self._voice.say("warning", f"{error} The switch is turned all the same, and nobody can look up later who did it.")


def load_last_switches(state_dir: Path) -> Mapping[str, Mapping[Address, Switch]]:
    """Return, for each cluster, the last turn on each peer that the journal in `state_dir` knows; none where it cannot be read."""
    try:
        with Journal(state_dir) as journal:
            rows = journal.switches()
    except JournalError:
        return {}
    found: dict[str, dict[Address, Switch]] = {}
    for row in rows:
        read = None if row["found"] is None else bool(row["found"])
        switch = Switch(Address(row["peer"]), row["at"], row["who"], row["host"], bool(row["asked"]), read)
        found.setdefault(row["cluster"], {})[switch.peer] = switch
    return found


def find_workarounds_left_on(state_dir: Path) -> Mapping[str, tuple[Switch, ...]]:
    """Return, for each cluster, the peers on which verification was off when it was last turned from here, or may have been.

    An answer that was lost, or a process that was killed, leaves what was asked without what was found: then it may be off.
    """
    of_clusters = load_last_switches(state_dir).items()
    off = {name: tuple(peer for peer in peers.values() if _may_be_off(peer)) for name, peers in of_clusters}
    return {name: switches for name, switches in off.items() if switches}


def _may_be_off(switch: Switch) -> bool:
    return switch.found is not True
