"""Conversion of rows of the journal's tables (`schema`) to values (`model.run`)."""

from __future__ import annotations

import json
import sqlite3

from remediate.model.identity import Address
from remediate.model.run import Backup, Run, StepRecord


def run_of(row: sqlite3.Row) -> Run:
    """A row of ``runs``."""
    return Run(
        id=row["id"],
        cluster=row["cluster"],
        plan=row["plan_id"],
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        ticket=row["ticket"],
        who=row["who"],
        host=row["host"],
        pid=row["pid"],
        peers=tuple(json.loads(row["peers"])),
        message=row["message"],
        # A journal that is only read is not migrated: one of an older version has no such columns.
        confirm_by=row["confirm_by"] if "confirm_by" in row.keys() else None,  # noqa: SIM118 - a Row iterates over values
        timer=row["timer"] if "timer" in row.keys() else None,  # noqa: SIM118
    )


def step_of(row: sqlite3.Row) -> StepRecord:
    """A row of ``steps``."""
    intent = json.loads(row["intent"])
    undo = intent["inverse"]
    return StepRecord(
        seq=row["seq"],
        number=row["number"],
        peer=Address(row["peer"]),
        kind=row["kind"],
        facts=intent["facts"],
        inverse_kind=undo["kind"] if undo else None,
        inverse=undo["facts"] if undo else None,
        state=row["state"],
        before=row["before"],
        after=row["after"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        undone_at=row["undone_at"],
        message=row["message"],
        proven=bool(row["proven"]) if "proven" in row.keys() else False,  # noqa: SIM118
    )


def backup_of(row: sqlite3.Row) -> Backup:
    """A row of ``backups``."""
    return Backup(Address(row["peer"]), tuple(json.loads(row["trusted_ca"])), json.loads(row["ciphers"]))
