"""Values of the model (`model.run`) made from rows of the journal's tables (`schema`)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from remediate.model.effect import EffectSource, EffectState, PeerEffect, effects_json
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.identity import Address
from remediate.model.run import Backup, Run, StepRecord


def make_run(row: sqlite3.Row) -> Run:
    """Make a run of a row of ``runs``."""
    return Run(
        id=row["id"],
        cluster=row["cluster"],
        plan=row["plan_id"] or None,
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        ticket=row["ticket"],
        user=row["who"],
        host=row["host"],
        pid=row["pid"],
        peers=tuple(json.loads(row["peers"])),
        message=row["message"],
        confirm_by=_get(row, "confirm_by"),
        timer=_get(row, "timer"),
        confirmed_by=_get(row, "confirmed_by"),
        kind=_get(row, "kind") or "apply",
        exit_code=_find_exit_code(row),
        in_effect=_make_effects(_get(row, "in_effect")),
    )


def _find_exit_code(row: sqlite3.Row) -> int | None:
    """Return what a run ended with; the row has the code that counts once the run is confirmed."""
    code: int | None = _get(row, "exit_code")
    if code is None or row["state"] != "confirm-pending":
        return code
    return most_serious([code, ExitCode.CONFIRMATION_PENDING])


def format_effects(effects: Sequence[PeerEffect]) -> str | None:
    """Return the text of the column ``in_effect``; None: there are none."""
    entries = effects_json(effects)
    for effect in effects:
        if effect.seen_at:
            entries[effect.peer]["seen_at"] = effect.seen_at
    return json.dumps(entries, sort_keys=True) if entries else None


def _make_effects(text: str | None) -> tuple[PeerEffect, ...] | None:
    """Make the effects on the peers of the column ``in_effect``; None: none were recorded."""
    if text is None:
        return None
    return tuple(
        PeerEffect(
            Address(peer),
            EffectState(entry["state"]),
            EffectSource(entry["by"]) if entry["by"] else None,
            entry["said"],
            entry.get("seen_at"),
        )
        for peer, entry in json.loads(text).items()
    )


def make_step(row: sqlite3.Row) -> StepRecord:
    """Make a step of a row of ``steps``."""
    intent = json.loads(row["intent"])
    inverse = intent["inverse"]
    return StepRecord(
        seq=row["seq"],
        number=row["number"],
        peer=Address(row["peer"]),
        kind=row["kind"],
        facts=intent["facts"],
        inverse_kind=inverse["kind"] if inverse else None,
        inverse=inverse["facts"] if inverse else None,
        state=row["state"],
        before=row["before"],
        after=row["after"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        undone_at=row["undone_at"],
        message=row["message"],
        proven=bool(_get(row, "proven")),
        undo_sent_at=_get(row, "undo_sent_at"),
        is_left=_is_left(row),
    )


def _is_left(row: sqlite3.Row) -> bool:
    is_left = _get(row, "is_left")
    # A journal that is not migrated says it as the migration reads it.
    return row["state"] == "undone" and row["message"] != "" if is_left is None else bool(is_left)


def make_backup(row: sqlite3.Row) -> Backup:
    """Make a backup of a row of ``backups``."""
    return Backup(Address(row["peer"]), tuple(json.loads(row["trusted_ca"])), json.loads(row["ciphers"]))


def _get(row: sqlite3.Row, column: str) -> Any:
    """Return a column that a journal of an older version lacks, which is not migrated while it is only read; None: it lacks it."""
    return row[column] if column in row.keys() else None  # noqa: SIM118 - a Row iterates over values
