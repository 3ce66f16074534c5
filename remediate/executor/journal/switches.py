"""Switches of the workaround in the journal: who turned verification on or off on which peer, when, and what was read afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal, JournalError
from remediate.model.canonical import rfc3339
from remediate.model.identity import Address

_WORDS: Mapping[bool, str] = {True: "on", False: "off"}


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """The last time that verification was turned on or off on a peer.

    Attributes:
        at: RFC 3339 UTC.
        user: Who turned it, on `host`.
        requested: Verification on or off, as requested.
        read_back: The same as read back; None: it was not read.
    """

    peer: Address
    at: str
    user: str
    host: str
    requested: bool
    read_back: bool | None

    @property
    def may_be_off(self) -> bool:
        """Whether verification may be off since.

        An answer that was lost, or a process that was killed, leaves a request without a reading: then it may be off.
        """
        return self.read_back is not True

    def __str__(self) -> str:
        text = f"turned {_WORDS[self.requested]} by {self.user} on {self.host} at {self.at}"
        if self.read_back is None:
            return f"{text}, not read back"
        return text if self.read_back is self.requested else f"{text}, but still read back as {_WORDS[self.read_back]}"


def record_request(
    journal: Journal, cluster: str, peer: Address, operator: Operator, now: datetime, *, verification: bool
) -> int | None:
    """Record that verification is about to be turned on or off on `peer`; return the number of the record."""
    values = (rfc3339(now), cluster, peer, int(verification), operator.user, operator.host, operator.pid)
    query = "INSERT INTO switches (at, cluster, peer, asked, who, host, pid) VALUES (?, ?, ?, ?, ?, ?, ?)"
    with journal.transaction() as db:
        return db.execute(query, values).lastrowid


def record_read_back(journal: Journal, number: int, *, verification: bool) -> None:
    """Record what was read back after the request with this `number`."""
    with journal.transaction() as db:
        db.execute("UPDATE switches SET found = ? WHERE number = ?", (int(verification), number))


def load_last_switches(state_dir: Path) -> Mapping[str, Mapping[Address, SwitchRecord]]:
    """Return, for each cluster, the last switch on each peer; nothing where the journal cannot be read."""
    try:
        with Journal(state_dir) as journal:
            rows = journal.rows_of("switches", "SELECT * FROM switches ORDER BY number")
    except JournalError:
        return {}
    switches: dict[str, dict[Address, SwitchRecord]] = {}
    for row in rows:
        read_back = None if row["found"] is None else bool(row["found"])
        switch = SwitchRecord(Address(row["peer"]), row["at"], row["who"], row["host"], bool(row["asked"]), read_back)
        switches.setdefault(row["cluster"], {})[switch.peer] = switch
    return switches


def find_workarounds_left_on(state_dir: Path) -> Mapping[str, tuple[SwitchRecord, ...]]:
    """Return, for each cluster, the last switch on each peer where verification is off since, or may be."""
    clusters = load_last_switches(state_dir).items()
    off = {cluster: tuple(switch for switch in peers.values() if switch.may_be_off) for cluster, peers in clusters}
    return {cluster: switches for cluster, switches in off.items() if switches}
