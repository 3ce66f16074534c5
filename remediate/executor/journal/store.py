"""Journal of runs: SQLite, one file for each state directory, written before the peer is.

Each method that writes is one transaction, on disk when it returns (WAL, synchronous=FULL). A crash therefore leaves no run (nothing
was sent), or a run of which each step is *intended* (sent or not: the peer shows it) or has an outcome that was read back.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from remediate.executor.identity import Operator
from remediate.executor.journal.database import open_to_read, open_to_write
from remediate.executor.journal.rows import format_effects, make_backup, make_run, make_step
from remediate.executor.journal.schema import MIGRATIONS, version_of
from remediate.executor.operations.change import Change
from remediate.model.canonical import rfc3339, utc_now
from remediate.model.certificate import Certificate
from remediate.model.effect import PeerEffect
from remediate.model.errors import RemediateError
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address, Fingerprint
from remediate.model.masking import mask
from remediate.model.plan import Plan
from remediate.model.run import UNFINISHED, ApprovalRecord, Backup, Run, RunKind, RunState, StepRecord, StepState
from remediate.model.text import quote

FILE_NAME = "journal.sqlite3"


class JournalError(RemediateError):
    """The state directory cannot hold a journal."""

    default_next_step = "Give a writable directory with free space as --state-dir."


def draw_suffix() -> str:
    """Return random characters that tell apart the ids of runs that begin in the same second."""
    return secrets.token_hex(2)


class UnknownRun(RemediateError):
    """No such run in this state directory."""

    default_next_step = "`remediate runs` lists the runs of this state directory; --state-dir names another."


class Journal:
    """Journal in `state_dir`, a context manager.

    Opened for reading, it creates nothing, migrates nothing, and an absent file is an empty journal.

    Attributes:
        is_older: It was opened for reading, and an older version wrote it: values that came later are not in it.

    Raises:
        JournalError: The directory cannot be created, read or written, is full, or holds a newer journal than this version knows.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        writable: bool = False,
        now: Callable[[], datetime] = utc_now,
        suffix: Callable[[], str] = draw_suffix,
    ) -> None:
        self.path = state_dir / FILE_NAME
        self._now = now
        self._suffix = suffix
        with self._translate_errors():
            self._db = open_to_write(self.path) if writable else open_to_read(self.path)
            version = version_of(self._db)
        self.is_older = 0 < version < len(MIGRATIONS)
        if version > len(MIGRATIONS):
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
        """Close the file. Everything written is on disk already."""
        self._db.close()

    # Writing

    def begin_run(
        self,
        plan: Plan,
        backups: Iterable[Backup],
        approvals: Iterable[ApprovalRecord],
        *,
        operator: Operator,
        ticket: str | None,
    ) -> str:
        """Record a new run with its plan, its backup of each peer and its approvals; return the run's id."""
        run = self._new_run_id()
        backups = tuple(backups)
        with self.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO certificates VALUES (?, ?)",
                [(certificate.fingerprint, certificate.der) for certificate in plan.certificates.values()],
            )
            peers = [backup.peer for backup in backups]
            self._insert_run(db, run, "apply", plan.cluster, plan, peers, operator, ticket)
            db.executemany(
                "INSERT INTO backups VALUES (?, ?, ?, ?)",
                [(run, backup.peer, _json(backup.trusted_ca), _json(dict(backup.ciphers))) for backup in backups],
            )
            db.executemany(
                "INSERT INTO approvals VALUES (?, ?, ?, ?, ?)",
                [(run, approval.fingerprint, approval.approver, approval.how, approval.at) for approval in approvals],
            )
        return run

    def begin_without_plan(
        self, kind: RunKind, cluster: str, peers: Sequence[Address], *, operator: Operator, ticket: str | None = None
    ) -> str:
        """Record a new run of this kind on `peers` that has no plan; return the run's id."""
        run = self._new_run_id()
        with self.transaction() as db:
            self._insert_run(db, run, kind, cluster, None, peers, operator, ticket)
        return run

    def _new_run_id(self) -> str:
        """Return an id that no run has yet."""
        run = ""
        while not run or self._select("SELECT id FROM runs WHERE id = ?", run):
            run = f"{self._now():%y%m%d-%H%M%S}-{self._suffix()}"
        return run

    def _insert_run(
        self,
        db: sqlite3.Connection,
        run: str,
        kind: RunKind,
        cluster: str,
        plan: Plan | None,
        peers: Sequence[Address],
        operator: Operator,
        ticket: str | None,
    ) -> None:
        plan_id, plan_json = (plan.id, plan.to_json()) if plan else ("", "")
        values = (run, kind, cluster, plan_id, plan_json, rfc3339(self._now()), ticket)
        db.execute(
            "INSERT INTO runs (id, kind, cluster, plan_id, plan_json, state, started_at, ticket, who, host, pid, peers) "
            "VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?)",
            (*values, operator.user, operator.host, operator.pid, _json(peers)),
        )

    def close_dead_runs(self, cluster: str) -> None:
        """Record as partial what is *running* on `cluster`; the caller holds the cluster's lock, so no such process is alive."""
        with self.transaction() as db:
            db.execute(
                "UPDATE runs SET state = 'partial', ended_at = ?, message = 'the process ended without closing the run' "
                "WHERE cluster = ? AND state = 'running'",
                (rfc3339(self._now()), cluster),
            )

    def resume_run(self, run: str, operator: Operator, ticket: str | None = None) -> None:
        """Record that this process continues `run`; another `ticket` is added to those of the run."""
        tickets = (self.run(run).ticket or "").split(", ") + ([ticket] if ticket else [])
        joined = ", ".join(dict.fromkeys(tickets)).strip(", ") or None
        with self.transaction() as db:
            db.execute(
                "UPDATE runs SET state = 'running', ended_at = NULL, exit_code = NULL, in_effect = NULL, who = ?, host = ?, pid = ?, "
                "ticket = ? "
                "WHERE id = ?",
                (operator.user, operator.host, operator.pid, joined, run),
            )

    def record_intent(self, run: str, number: int, change: Change, before: str) -> int:
        """Record a change that is about to be written, with its inverse; return the step's sequence number.

        Args:
            run: The id of the run.
            change: The change.
            number: The step of the specification that the change belongs to.
            before: Digest of what the change touches.
        """
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
        """Record what was read back after step `seq`.

        Args:
            run: The id of the run.
            seq: The sequence number of the step.
            state: The outcome.
            message: One sentence, which is masked; empty: there is nothing to add.
            after: Digest of what the change touches; None: it was not read.
            seconds: Duration of writing and reading back; None: it was not measured.
            proven: Nothing was sent, so nothing can show later.
        """
        with self.transaction() as db:
            db.execute(
                "UPDATE steps SET state = ?, after = coalesce(?, after), ended_at = ?, message = ?, seconds = ?, proven = ? "
                "WHERE run = ? AND seq = ?",
                (state, after, rfc3339(self._now()), mask(message), seconds, proven, run, seq),
            )

    def record_undo_sent(self, run: str, seq: int) -> None:
        """Record that the inverse of step `seq` is about to be sent."""
        with self.transaction() as db:
            db.execute("UPDATE steps SET undo_sent_at = ? WHERE run = ? AND seq = ?", (rfc3339(self._now()), run, seq))

    def record_undo(self, run: str, seq: int, message: str = "", *, proven: bool = False, is_left: bool = False) -> None:
        """Record that step `seq` was read back as not, or no longer, in effect.

        Args:
            run: The id of the run.
            seq: The sequence number of the step.
            message: One sentence, which is masked; empty: there is nothing to add.
            proven: Its inverse was sent and read back, or another administrator has replaced the value since.
            is_left: Its inverse was not sent, since someone else, or a later run, wants what is there.
        """
        with self.transaction() as db:
            db.execute(
                "UPDATE steps SET state = 'undone', undone_at = ?, message = ?, proven = ?, is_left = ? WHERE run = ? AND seq = ?",
                (rfc3339(self._now()), mask(message), proven, is_left, run, seq),
            )

    def record_reading(self, run: str, peer: Address, unrelated: Iterable[Fingerprint]) -> None:
        """Record the certificates in the list of `peer` that are not of `run`, where they are fewer than in its backup."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)",
                (run, peer, _json(sorted(unrelated)), rfc3339(self._now())),
            )

    def record_replication(self, run: str, peer: Address, name: str, *, is_new: bool) -> None:
        """Record that `peer` was seen to have the cipher list `name` that `run` set on the primary.

        A list that is not new was written before this process: the first time that it was seen stays.
        """
        verb = "INSERT OR REPLACE" if is_new else "INSERT OR IGNORE"
        with self.transaction() as db:
            db.execute(f"{verb} INTO replications VALUES (?, ?, ?, ?)", (run, peer, name, rfc3339(self._now())))

    def close_run(
        self,
        run: str,
        state: RunState,
        message: str,
        exit_code: ExitCode | None = None,
        effects: Iterable[PeerEffect] = (),
        *,
        by: str | None = None,
        lasting_effects: Sequence[PeerEffect] = (),
    ) -> None:
        """Record how this process leaves `run`.

        Args:
            run: The id of the run.
            by: The id of the rollback that undid it, which is closed with it; None: none did.
            state: Its state.
            message: What came of it, which is masked.
            exit_code: What the command ends with, without the 9 of a run that is to be confirmed; None: it is not known.
            effects: Whether what it wrote is in effect on each peer; empty: it was not looked at.
            lasting_effects: What was seen in effect of `run` earlier and still holds; empty: `effects`.
        """
        in_effect = format_effects([replace(effect, description=mask(effect.description)) for effect in effects])
        lasting_json = format_effects(lasting_effects) or in_effect
        with self.transaction() as db:
            db.execute(
                "UPDATE runs SET state = ?, ended_at = ?, message = ?, exit_code = ?, "
                "in_effect = CASE id WHEN ? THEN ? ELSE ? END WHERE id IN (?, ?)",
                (
                    state,
                    rfc3339(self._now()),
                    mask(message),
                    exit_code,
                    run,
                    lasting_json,
                    in_effect,
                    run,
                    by or run,
                ),
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Put every statement of the block on disk, or none."""
        with self._translate_errors():
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
        """Return every run, newest first."""
        return tuple(make_run(row) for row in self._select("SELECT * FROM runs ORDER BY number DESC"))

    def run(self, id_or_last: str, *, on: Container[str] | None = None, with_plan: bool = False) -> Run:
        """Return one run.

        Args:
            id_or_last: The id of a run; ``last``: the newest run.
            with_plan: Whether ``last`` passes over runs without a plan, which changed nothing that could be confirmed or undone.
            on: The names of the clusters among whose runs ``last`` is the newest; None: all.

        Raises:
            UnknownRun: There is no such run.
        """
        for run in self.runs():
            is_candidate = (on is None or run.cluster in on) and (run.plan is not None or not with_plan)
            if run.id == id_or_last or (id_or_last == "last" and is_candidate):
                return run
        if id_or_last != "last":
            raise UnknownRun(f"There is no run {id_or_last!r} in {self.path.parent}.")
        raise UnknownRun(f"There is no run{'' if on is None else ' on the chosen clusters'} yet in {self.path.parent}.")

    def find_unfinished(self, plan: Plan) -> Run | None:
        """Return the newest run of `plan` where it was left before its end; None: there is none to resume."""
        runs = [run for run in self.runs() if run.cluster == plan.cluster and run.plan == plan.id]
        return runs[0] if runs and runs[0].state in UNFINISHED else None

    def steps(self, run: str) -> tuple[StepRecord, ...]:
        """Return the writes of `run`, in the order in which they were intended."""
        return tuple(make_step(row) for row in self._select("SELECT * FROM steps WHERE run = ? ORDER BY seq", run))

    def longest_write_seconds(self, cluster: str, kind: str) -> float | None:
        """Return the seconds of the longest measured write of this kind on `cluster`; None: none was measured."""
        query = (
            "SELECT max(seconds) AS seconds FROM steps JOIN runs ON runs.id = steps.run WHERE cluster = ? AND steps.kind = ?"
        )
        seconds = self._select(query, cluster, kind)[0]["seconds"]
        return None if seconds is None else float(seconds)

    def backups(self, run: str) -> Mapping[Address, Backup]:
        """Return the backup of each peer from before the first write of `run`."""
        rows = self._select("SELECT * FROM backups WHERE run = ?", run)
        return {Address(row["peer"]): make_backup(row) for row in rows}

    def readings(self, run: str) -> Mapping[Address, frozenset[Fingerprint]]:
        """Return, for each peer, the certificates last seen that are not of `run`, where they are fewer than in its backup."""
        rows = self.rows_of("readings", "SELECT peer, others FROM readings WHERE run = ?", run)
        return {Address(row["peer"]): frozenset(map(Fingerprint, json.loads(row["others"]))) for row in rows}

    def replications(self, run: str) -> Mapping[tuple[Address, str], str]:
        """Return when each peer was seen to have each cipher list that `run` set on the primary (RFC 3339 UTC)."""
        rows = self.rows_of("replications", "SELECT peer, name, at FROM replications WHERE run = ?", run)
        return {(Address(row["peer"]), str(row["name"])): str(row["at"]) for row in rows}

    def find_running(self, cluster: str) -> str:
        """Return the id of the run that is *running* on `cluster`; empty: none.

        While the caller holds the cluster's lock, it is the run of this process.
        """
        rows = self._select("SELECT id FROM runs WHERE cluster = ? AND state = 'running' ORDER BY number DESC", cluster)
        return str(rows[0]["id"]) if rows else ""

    def approvals(self, run: str) -> tuple[ApprovalRecord, ...]:
        """Return the approvals of `run`, by fingerprint."""
        rows = self._select("SELECT * FROM approvals WHERE run = ? ORDER BY fingerprint", run)
        return tuple(ApprovalRecord(Fingerprint(row["fingerprint"]), row["who"], row["how"], row["at"]) for row in rows)

    def plan(self, run: str) -> Plan:
        """Return the plan that `run` applies; only where it has one."""
        return Plan.from_own_json(str(self._select("SELECT plan_json FROM runs WHERE id = ?", run)[0]["plan_json"]))

    def certificate(self, fingerprint: Fingerprint) -> Certificate:
        """Return a certificate that a run of this journal names."""
        return Certificate.from_der(self._select_der(fingerprint)[0]["der"])

    def names_certificate(self, fingerprint: Fingerprint) -> bool:
        """Return whether a run of this journal names the certificate, so that `certificate` returns it."""
        return bool(self._select_der(fingerprint))

    def _select_der(self, fingerprint: Fingerprint) -> list[sqlite3.Row]:
        return self._select("SELECT der FROM certificates WHERE fingerprint = ?", fingerprint)

    def rows_of(self, table: str, query: str, *values: str) -> list[sqlite3.Row]:
        """Return the rows that `query` selects; none where the journal is of a version without `table`."""
        if not self._select("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", table):
            return []
        return self._select(query, *values)

    def _select(self, query: str, *values: str) -> list[sqlite3.Row]:
        with self._translate_errors():
            return self._db.execute(query, values).fetchall() if version_of(self._db) else []

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, MemoryError) as error:
            raise JournalError(f"The journal {self.path} cannot be used: {_describe(error)}.") from error


def _describe(error: OSError | sqlite3.Error | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).rstrip(".")
    return quote(str(error) or type(error).__name__)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
