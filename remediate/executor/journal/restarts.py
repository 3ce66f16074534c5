"""Records of restarts in the journal: the alarms before a run, guards taken as right, and the maintenance mode that a run turned on.

Maintenance mode is recorded before it is turned on, and its end once it was read back as off. A record without an end is therefore
maintenance mode that is on, or may be: whichever process left it, the next command on the cluster finds it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediate.executor.identity import Operator
from remediate.executor.journal.rows import make_step
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.operations import RestartOnPeer
from remediate.model.canonical import rfc3339
from remediate.model.identity import Address
from remediate.model.restart import Guard
from remediate.model.run import StepRecord


@dataclass(frozen=True, slots=True)
class MaintenanceRecord:
    """Maintenance mode that a run turned on, or was about to, and that was not read back as off.

    Attributes:
        at: RFC 3339 UTC.
        started_at: The peer's start as it was read then (RFC 3339 UTC); None: not observed.
        user: Who turned it on, on `host`.
    """

    number: int
    run: str
    peer: Address
    at: str
    started_at: str | None
    user: str
    host: str

    def __str__(self) -> str:
        return f"turned on by run {self.run} ({self.user} on {self.host}) at {self.at}"


@dataclass(frozen=True, slots=True)
class UnsettledRestart:
    """A restart of which it is not known whether the peer came back as it was."""

    run: str
    step: StepRecord


def record_alarms(journal: Journal, run: str, alarms: Mapping[Address, Iterable[str]], now: datetime) -> None:
    """Record the alarms of each peer before the first write of `run`; those that are recorded stay."""
    _insert_alarms(journal, "INSERT OR IGNORE INTO alarms", run, alarms, now)


def load_alarms(journal: Journal, run: str) -> Mapping[Address, frozenset[str]]:
    """Return the alarms of each peer before the first write of `run`, as far as they were read."""
    rows = journal.rows_of("alarms", "SELECT peer, alarms FROM alarms WHERE run = ?", run)
    return {Address(row["peer"]): frozenset(json.loads(row["alarms"])) for row in rows}


def record_alarms_after(journal: Journal, run: str, alarms: Mapping[Address, Iterable[str]], now: datetime) -> None:
    """Record the alarms of each peer after the last write of `run`; the last reading counts."""
    _insert_alarms(journal, "INSERT OR REPLACE INTO alarms_after", run, alarms, now)


def _insert_alarms(journal: Journal, insert: str, run: str, alarms: Mapping[Address, Iterable[str]], now: datetime) -> None:
    rows = [(run, peer, json.dumps(sorted(numbers)), rfc3339(now)) for peer, numbers in alarms.items()]
    with journal.transaction() as db:
        db.executemany(f"{insert} VALUES (?, ?, ?, ?)", rows)


def load_raised_alarms(journal: Journal, peer: Address, since: datetime) -> frozenset[str]:
    """Return the alarms of `peer` that were there after the last write of a run, and not before its first; read after `since`.

    Where a run has only one of the two readings, it raised nothing that is known.
    """
    query = (
        "SELECT before.alarms AS before, after.alarms AS after FROM alarms_after AS after JOIN alarms AS before "
        "ON before.run = after.run AND before.peer = after.peer WHERE lower(after.peer) = lower(?) AND after.at > ?"
    )
    rows = journal.rows_of("alarms_after", query, peer, rfc3339(since))
    return frozenset().union(*(set(json.loads(row["after"])) - set(json.loads(row["before"])) for row in rows))


def record_assumptions(journal: Journal, run: str, peer: Address, guards: Iterable[Guard], now: datetime) -> None:
    """Record the guards of `peer` that the operator takes as right."""
    with journal.transaction() as db:
        db.executemany(
            "INSERT OR IGNORE INTO assumptions VALUES (?, ?, ?, ?)",
            [(run, peer, guard.value, rfc3339(now)) for guard in guards],
        )


def record_maintenance(
    journal: Journal, run: str, cluster: str, peer: Address, operator: Operator, now: datetime, started_at: datetime | None
) -> int:
    """Record that maintenance mode of `peer` is about to be turned on; return the number of the record."""
    start = rfc3339(started_at) if started_at else None
    values = (run, cluster, peer, rfc3339(now), start, operator.user, operator.host, operator.pid)
    query = "INSERT INTO maintenance (run, cluster, peer, at, started_at, who, host, pid) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    with journal.transaction() as db:
        return db.execute(query, values).lastrowid or 0


def end_maintenance(journal: Journal, number: int, now: datetime, message: str) -> None:
    """Record that the maintenance mode of this record was read back as off."""
    with journal.transaction() as db:
        db.execute("UPDATE maintenance SET ended_at = ?, message = ? WHERE number = ?", (rfc3339(now), message, number))


def load_open_maintenance(journal: Journal, cluster: str) -> tuple[MaintenanceRecord, ...]:
    """Return the maintenance mode on peers of `cluster` that was not read back as off, oldest first."""
    query = "SELECT * FROM maintenance WHERE cluster = ? AND ended_at IS NULL ORDER BY number"
    return tuple(
        MaintenanceRecord(
            row["number"], row["run"], Address(row["peer"]), row["at"], row["started_at"], row["who"], row["host"]
        )
        for row in journal.rows_of("maintenance", query, cluster)
    )


def find_maintenance_left_on(state_dir: Path, cluster: str) -> tuple[MaintenanceRecord, ...]:
    """Return the same from the journal in `state_dir`; nothing where it cannot be read."""
    try:
        with Journal(state_dir) as journal:
            return load_open_maintenance(journal, cluster)
    except JournalError:
        return ()


def load_unsettled_restarts(journal: Journal, cluster: str) -> tuple[UnsettledRestart, ...]:
    """Return the last restart of each peer of `cluster`, where it is not known whether the peer came back as it was."""
    query = (
        "SELECT steps.* FROM steps JOIN runs ON runs.id = steps.run WHERE runs.cluster = ? AND steps.kind = ? "
        "ORDER BY runs.number, steps.seq"
    )
    last = {row["peer"]: row for row in journal.rows_of("steps", query, cluster, RestartOnPeer.kind)}
    return tuple(
        UnsettledRestart(row["run"], make_step(row)) for row in last.values() if row["state"] in {"intended", "unknown"}
    )
