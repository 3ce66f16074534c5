"""Schema of the journal, and its migrations: forward only, one script for each version."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE certificates (
        fingerprint TEXT PRIMARY KEY,
        der BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        cluster TEXT NOT NULL,
        plan_id TEXT NOT NULL,
        plan_json TEXT NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('running', 'applied', 'confirm-pending', 'rolled-back', 'partial', 'unknown')),
        started_at TEXT NOT NULL,
        ended_at TEXT,
        ticket TEXT,
        who TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        peers TEXT NOT NULL,
        message TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX runs_by_plan ON runs (cluster, plan_id);
    CREATE TABLE backups (
        run TEXT NOT NULL REFERENCES runs (id),
        peer TEXT NOT NULL,
        trusted_ca TEXT NOT NULL,
        ciphers TEXT NOT NULL,
        PRIMARY KEY (run, peer)
    ) WITHOUT ROWID;
    CREATE TABLE approvals (
        run TEXT NOT NULL REFERENCES runs (id),
        fingerprint TEXT NOT NULL REFERENCES certificates (fingerprint),
        who TEXT NOT NULL,
        how TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run, fingerprint)
    ) WITHOUT ROWID;
    CREATE TABLE steps (
        run TEXT NOT NULL REFERENCES runs (id),
        seq INTEGER NOT NULL,
        number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 13),
        peer TEXT NOT NULL,
        kind TEXT NOT NULL,
        intent TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('intended', 'done', 'failed', 'unknown', 'undone')),
        before TEXT NOT NULL,
        after TEXT,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        undone_at TEXT,
        message TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (run, seq)
    ) WITHOUT ROWID;
    """,
    # The confirm timer of a run, and how long a write took, for the next window.
    """
    ALTER TABLE runs ADD COLUMN confirm_by TEXT;
    ALTER TABLE runs ADD COLUMN timer TEXT;
    ALTER TABLE steps ADD COLUMN seconds REAL;
    """,
    # Who turned the workaround on or off, outside of any run.
    """
    CREATE TABLE switches (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        cluster TEXT NOT NULL,
        peer TEXT NOT NULL,
        asked INTEGER NOT NULL CHECK (asked IN (0, 1)),
        found INTEGER CHECK (found IN (0, 1)),
        who TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL
    );
    """,
    # Which steps a rollback need not read again, and what a list held beside a run's own certificates when it last showed one.
    """
    ALTER TABLE steps ADD COLUMN proven INTEGER NOT NULL DEFAULT 0 CHECK (proven IN (0, 1));
    CREATE TABLE readings (
        run TEXT NOT NULL REFERENCES runs (id),
        peer TEXT NOT NULL,
        others TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run, peer)
    ) WITHOUT ROWID;
    """,
    # Who confirmed a run. Until here, that was only at the end of its message: `Confirmed by WHO at 2026-11-23T10:15:00Z.`
    """
    ALTER TABLE runs ADD COLUMN confirmed_by TEXT;
    UPDATE runs
        SET confirmed_by = substr(message, instr(message, 'Confirmed by ') + 13,
            length(message) - instr(message, 'Confirmed by ') - 12 - length(' at 2026-11-23T10:15:00Z.'))
        WHERE state = 'applied' AND confirm_by IS NOT NULL AND instr(message, 'Confirmed by ') > 0;
    """,
    # Runs without a plan (a restart has '' for it), the alarms before a run's first write, guards that an operator took as right, and
    # the maintenance mode that a run turned on.
    """
    ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'apply'
        CHECK (kind IN ('apply', 'rollback', 'restart', 'workaround'));
    ALTER TABLE runs ADD COLUMN exit_code INTEGER;
    CREATE TABLE alarms (
        run TEXT NOT NULL REFERENCES runs (id),
        peer TEXT NOT NULL,
        alarms TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run, peer)
    ) WITHOUT ROWID;
    CREATE TABLE assumptions (
        run TEXT NOT NULL REFERENCES runs (id),
        peer TEXT NOT NULL,
        guard TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run, peer, guard)
    ) WITHOUT ROWID;
    CREATE TABLE maintenance (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL REFERENCES runs (id),
        cluster TEXT NOT NULL,
        peer TEXT NOT NULL,
        at TEXT NOT NULL,
        started_at TEXT,
        who TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        ended_at TEXT,
        message TEXT NOT NULL DEFAULT ''
    );
    """,
    # Whether what a run wrote is in effect on each peer, and when a peer was seen to have the primary's cipher list.
    """
    ALTER TABLE runs ADD COLUMN in_effect TEXT;
    CREATE TABLE replications (
        run TEXT NOT NULL REFERENCES runs (id),
        peer TEXT NOT NULL,
        name TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run, peer, name)
    ) WITHOUT ROWID;
    """,
    # The alarms after the last write of a run: what was not there before its first is its own.
    """
    CREATE TABLE alarms_after (
        run TEXT NOT NULL REFERENCES runs (id),
        peer TEXT NOT NULL,
        alarms TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run, peer)
    ) WITHOUT ROWID;
    """,
    # What a run measured of every pair of a peer and an endpoint, as JSON.
    """
    CREATE TABLE measurements (
        run TEXT PRIMARY KEY REFERENCES runs (id),
        pairs TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    # When the inverse of a step was last sent, whatever came of it. Until here, a run that was left half-way may have sent one until
    # it ended.
    """
    ALTER TABLE steps ADD COLUMN undo_sent_at TEXT;
    UPDATE steps
        SET undo_sent_at = (SELECT ended_at FROM runs WHERE id = run)
        WHERE run IN (SELECT id FROM runs WHERE state IN ('partial', 'unknown'));
    """,
    # Whether a rollback left a step in effect. Until here, only the sentence of an undone step said so.
    """
    ALTER TABLE steps ADD COLUMN is_left INTEGER NOT NULL DEFAULT 0;
    UPDATE steps SET is_left = 1 WHERE state = 'undone' AND message != '';
    """,
)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a journal: how many scripts were run on it."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring a journal to the newest version."""
    # Each script and its number are one transaction, so that a crash repeats or skips none.
    for number in range(version_of(connection), len(migrations)):
        connection.executescript(f"BEGIN IMMEDIATE; {migrations[number]}; PRAGMA user_version = {number + 1}; COMMIT;")
