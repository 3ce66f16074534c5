"""The journal: SQLite, one file per state directory, written before the box is.

Every method that writes is one transaction, on disk when it returns (WAL, synchronous=FULL). What a crash leaves therefore is: no run
(nothing was sent), or a run whose steps say, each, *intended* (sent or not: the box tells) or an outcome that was read back.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from remediate.executor.identity import Operator
from remediate.executor.journal.database import open_to_read, open_to_write
from remediate.executor.journal.rows import backup_of, run_of, step_of
from remediate.executor.journal.schema import MIGRATIONS, version_of
from remediate.executor.operations.change import Change
from remediate.executor.ports import utc_now
from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.errors import RemediateError
from remediate.model.identity import Address, Fingerprint
from remediate.model.masking import mask
from remediate.model.plan import Plan
from remediate.model.run import UNFINISHED, ApprovalRecord, Backup, Run, RunState, StepRecord, StepState

FILE_NAME = "journal.sqlite3"
_WITH_SWITCHES = 3
"""The version of the schema that has the table of the workaround's switches."""
_WITH_READINGS = 4
"""The version of the schema that has the table of readings, and steps that are proven."""


class JournalError(RemediateError):
    """The state directory cannot hold a journal."""

    default_next_step = "Give a writable directory with free space as --state-dir."


class UnknownRun(RemediateError):
    """No such run in this state directory."""

    default_next_step = "`remediate runs` lists the runs of this state directory; --state-dir names another."


class Journal:
    """The journal in `state_dir`; a context manager. Opened for reading, it creates nothing and an absent file is an empty journal.

    Raises:
        JournalError: the directory cannot be created, read or written, is full, or holds a newer journal than this version knows.
    """

    def __init__(self, state_dir: Path, *, writable: bool = False, now: Callable[[], datetime] = utc_now) -> None:
        self.path = state_dir / FILE_NAME
        self._now = now
        with self._in_one_sentence():
            self._db = open_to_write(self.path) if writable else open_to_read(self.path)
            newer = version_of(self._db) > len(MIGRATIONS)
        if newer:
            self.close()
            raise JournalError(
                f"The journal {self.path} was written by a newer version of remediate.",
                next_step="Use that version, or another --state-dir.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written is on disk already."""
        self._db.close()

    # Writing: one transaction each

    def begin_run(
        self,
        plan: Plan,
        backups: Iterable[Backup],
        approvals: Iterable[ApprovalRecord],
        *,
        operator: Operator,
        ticket: str | None,
    ) -> str:
        """Record a new run with its plan, its backup of every peer and its approvals; return the run's id."""
        at = rfc3339(self._now())
        run = f"{self._now():%y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        kept = tuple(backups)
        with self.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO certificates VALUES (?, ?)",
                [(certificate.fingerprint, certificate.der) for certificate in plan.certificates.values()],
            )
            db.execute(
                "INSERT INTO runs (id, cluster, plan_id, plan_json, state, started_at, ticket, who, host, pid, peers) "
                "VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?)",
                (
                    run,
                    plan.cluster,
                    plan.id,
                    plan.to_json(),
                    at,
                    ticket,
                    operator.user,
                    operator.host,
                    operator.pid,
                    _json([b.peer for b in kept]),
                ),
            )
            db.executemany(
                "INSERT INTO backups VALUES (?, ?, ?, ?)",
                [(run, one.peer, _json(one.trusted_ca), _json(dict(one.ciphers))) for one in kept],
            )
            db.executemany(
                "INSERT INTO approvals VALUES (?, ?, ?, ?, ?)",
                [(run, approval.fingerprint, approval.who, approval.how, approval.at) for approval in approvals],
            )
        return run

    def close_dead_runs(self, cluster: str) -> None:
        """Record that what is *running* on `cluster` is not: to be called with the cluster's lock held."""
        with self.transaction() as db:
            db.execute(
                "UPDATE runs SET state = 'partial', ended_at = ?, message = 'the process ended without closing the run' "
                "WHERE cluster = ? AND state = 'running'",
                (rfc3339(self._now()), cluster),
            )

    def resume_run(self, run: str, operator: Operator, ticket: str | None = None) -> None:
        """Record that this process goes on with `run`, under `ticket` too where that is another one."""
        known = self.run(run).ticket
        both = ", ".join(dict.fromkeys([*(known or "").split(", "), *([ticket] if ticket else [])])).strip(", ") or None
        with self.transaction() as db:
            db.execute(
                "UPDATE runs SET state = 'running', ended_at = NULL, who = ?, host = ?, pid = ?, ticket = ? WHERE id = ?",
                (operator.user, operator.host, operator.pid, both, run),
            )

    def record_intent(self, run: str, number: int, change: Change, before: str) -> int:
        """Record what is about to be written, with its inverse; return the step's sequence number."""
        inverse = change.inverse()
        undo = None if inverse is None else {"kind": inverse.kind, "facts": dict(inverse.facts())}
        intent = _json({"facts": dict(change.facts()), "inverse": undo})
        with self.transaction() as db:
            row = db.execute("SELECT coalesce(max(seq), 0) + 1 FROM steps WHERE run = ?", (run,)).fetchone()
            db.execute(
                "INSERT INTO steps (run, seq, number, peer, kind, intent, state, before, started_at) "
                "VALUES (?, ?, ?, ?, ?, ?, 'intended', ?, ?)",
                (run, row[0], number, change.peer, change.kind, intent, before, rfc3339(self._now())),
            )
        return int(row[0])

    def record_outcome(
        self,
        run: str,
        seq: int,
        state: StepState,
        *,
        after: str | None = None,
        message: str = "",
        seconds: float | None = None,
        proven: bool = False,
    ) -> None:
        """Record what was read back after step `seq`, and how long writing and reading back took where that was seen.

        Args:
            proven: nothing was sent, so nothing can come to light later.
        """
        with self.transaction() as db:
            db.execute(
                "UPDATE steps SET state = ?, after = coalesce(?, after), ended_at = ?, message = ?, seconds = ?, proven = ? "
                "WHERE run = ? AND seq = ?",
                (state, after, rfc3339(self._now()), mask(message), seconds, proven, run, seq),
            )

    def record_undo(self, run: str, seq: int, message: str = "", *, proven: bool = False) -> None:
        """Record that step `seq` was read back as not, or no longer, in effect.

        Args:
            proven: what undoes it was sent, and seen to work; or somebody else has replaced it since.
        """
        with self.transaction() as db:
            db.execute(
                "UPDATE steps SET state = 'undone', undone_at = ?, message = ?, proven = ? WHERE run = ? AND seq = ?",
                (rfc3339(self._now()), mask(message), proven, run, seq),
            )

    def record_reading(self, run: str, peer: Address, others: Iterable[Fingerprint]) -> None:
        """Record what the list of `peer` holds beside the certificates of `run`, where that is less than its backup."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)",
                (run, peer, _json(sorted(others)), rfc3339(self._now())),
            )

    def close_run(self, run: str, state: RunState, message: str) -> None:
        """Record how `run` stands now that this process leaves it."""
        with self.transaction() as db:
            db.execute(
                "UPDATE runs SET state = ?, ended_at = ?, message = ? WHERE id = ?",
                (state, rfc3339(self._now()), mask(message), run),
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it on disk, or none."""
        with self._in_one_sentence():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # Reading

    def runs(self) -> tuple[Run, ...]:
        """Every run, newest first."""
        return tuple(run_of(row) for row in self._select("SELECT * FROM runs ORDER BY number DESC"))

    def run(self, id_or_last: str, *, on: Container[str] | None = None) -> Run:
        """The run of that id; ``last``: the newest, of those clusters that are named in `on`. Raises UnknownRun."""
        if id_or_last != "last":
            found = [run for run in self.runs() if run.id == id_or_last]
        else:
            found = [run for run in self.runs() if on is None or run.cluster in on]
        if not found:
            whose = "" if on is None else " on the chosen clusters"
            what = f"There is no run{whose} yet" if id_or_last == "last" else f"There is no run {id_or_last!r}"
            raise UnknownRun(f"{what} in {self.path.parent}.")
        return found[0]

    def find_unfinished(self, plan: Plan) -> Run | None:
        """The newest run of `plan`, when it was left before its end."""
        mine = [run for run in self.runs() if run.cluster == plan.cluster and run.plan == plan.id]
        return mine[0] if mine and mine[0].state in UNFINISHED else None

    def steps(self, run: str) -> tuple[StepRecord, ...]:
        """The writes of `run`, in the order they were intended."""
        return tuple(step_of(row) for row in self._select("SELECT * FROM steps WHERE run = ? ORDER BY seq", run))

    def longest_write_seconds(self, cluster: str, kind: str) -> float | None:
        """How many seconds the longest write of this kind on `cluster` took that was seen from its start to its end."""
        query = "SELECT max(seconds) AS seconds FROM steps JOIN runs ON runs.id = steps.run WHERE cluster = ? AND kind = ?"
        found = self._select(query, cluster, kind)[0]["seconds"]
        return None if found is None else float(found)

    def backups(self, run: str) -> Mapping[Address, Backup]:
        """How each peer stood before the first write of `run`."""
        rows = self._select("SELECT * FROM backups WHERE run = ?", run)
        return {Address(row["peer"]): backup_of(row) for row in rows}

    def readings(self, run: str) -> Mapping[Address, frozenset[Fingerprint]]:
        """What the list of each peer was last seen to hold beside the certificates of `run`, where that is less than its backup."""
        with self._in_one_sentence():
            if version_of(self._db) < _WITH_READINGS:
                return {}
        rows = self._select("SELECT peer, others FROM readings WHERE run = ?", run)
        return {Address(row["peer"]): frozenset(map(Fingerprint, json.loads(row["others"]))) for row in rows}

    def find_running(self, cluster: str) -> str:
        """The run that is *running* on `cluster`; empty: none. With the cluster's lock held, it is the one of this process."""
        rows = self._select("SELECT id FROM runs WHERE cluster = ? AND state = 'running' ORDER BY number DESC", cluster)
        return str(rows[0]["id"]) if rows else ""

    def approvals(self, run: str) -> tuple[ApprovalRecord, ...]:
        """Who vouched for what in `run`."""
        rows = self._select("SELECT * FROM approvals WHERE run = ? ORDER BY fingerprint", run)
        return tuple(ApprovalRecord(Fingerprint(row["fingerprint"]), row["who"], row["how"], row["at"]) for row in rows)

    def plan(self, run: str) -> Plan:
        """The plan that `run` applies, as it was given."""
        return Plan.from_json(str(self._select("SELECT plan_json FROM runs WHERE id = ?", run)[0]["plan_json"]))

    def certificate(self, fingerprint: Fingerprint) -> Certificate:
        """A certificate that a run of this journal names."""
        return Certificate.from_der(self._der_of(fingerprint)[0]["der"])

    def names_certificate(self, fingerprint: Fingerprint) -> bool:
        """Whether a run of this journal names the certificate, so that `certificate` returns it."""
        return bool(self._der_of(fingerprint))

    def _der_of(self, fingerprint: Fingerprint) -> list[sqlite3.Row]:
        return self._select("SELECT der FROM certificates WHERE fingerprint = ?", fingerprint)

    def switches(self) -> list[sqlite3.Row]:
        """The rows of `switches`, the oldest first; none in a journal of a version that had none."""
        with self._in_one_sentence():
            if version_of(self._db) < _WITH_SWITCHES:
                return []
        return self._select("SELECT * FROM switches ORDER BY number")

    def _select(self, query: str, *values: str) -> list[sqlite3.Row]:
        with self._in_one_sentence():
            return self._db.execute(query, values).fetchall() if version_of(self._db) else []

    @contextmanager
    def _in_one_sentence(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, MemoryError) as error:
            raise JournalError(f"The journal {self.path} cannot be used: {_why(error)}.") from error


def _why(error: OSError | sqlite3.Error | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    said = error.strerror if isinstance(error, OSError) else str(error)
    return (said or type(error).__name__).rstrip(".")


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
