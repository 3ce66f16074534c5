"""What the journal knows of confirm timers. Each function is one transaction, so two processes cannot both have it their way."""

from __future__ import annotations

from datetime import datetime

from remediate.executor.journal.store import Journal
from remediate.model.canonical import rfc3339
from remediate.model.run import Run, RunState

CONFIRMED = "Confirmed by"
"""How the message of a run says that somebody confirmed it."""
ENDED: frozenset[RunState] = frozenset({"applied", "rolled-back"})


def is_active(run: Run) -> bool:
    """Whether a timer is to undo `run`."""
    return run.timer is not None and run.state not in ENDED


def find_active(journal: Journal, cluster: str) -> Run | None:
    """The newest run on `cluster` that a timer is to undo."""
    return next((run for run in journal.runs() if run.cluster == cluster and is_active(run)), None)


def is_due(run: Run, now: datetime) -> bool:
    """Whether the deadline of `run` has passed. Times of the journal are text of one form, which sorts as they do."""
    return run.confirm_by is not None and run.confirm_by <= rfc3339(now)


def start(journal: Journal, run: str, timer: str, confirm_by: datetime) -> None:
    """From now on `timer`, and no earlier one, undoes `run` after `confirm_by`."""
    with journal.transaction() as db:
        db.execute("UPDATE runs SET timer = ?, confirm_by = ? WHERE id = ?", (timer, rfc3339(confirm_by), run))


def extend(journal: Journal, run: str, confirm_by: datetime) -> None:
    """Let the timer of `run` end at `confirm_by` instead."""
    with journal.transaction() as db:
        db.execute("UPDATE runs SET confirm_by = ? WHERE id = ?", (rfc3339(confirm_by), run))


def cancel(journal: Journal, run: str) -> bool:
    """No timer undoes `run` any more; returns whether one would have."""
    with journal.transaction() as db:
        return db.execute("UPDATE runs SET timer = NULL WHERE id = ? AND timer IS NOT NULL", (run,)).rowcount == 1


def confirm(journal: Journal, run: str, who: str, now: datetime) -> bool:
    """Confirm `run`; returns False when it does not wait for that, or its deadline has passed."""
    with journal.transaction() as db:
        return (
            db.execute(
                "UPDATE runs SET state = 'applied', timer = NULL, message = message || ? "
                "WHERE id = ? AND state = 'confirm-pending' AND confirm_by > ?",
                (f" {CONFIRMED} {who} at {rfc3339(now)}.", run, rfc3339(now)),
            ).rowcount
            == 1
        )


def claim_expired(journal: Journal, run: str, timer: str, now: datetime) -> bool:
    """Take `run` for its rollback: from now on it cannot be confirmed. Returns False when `timer` has no right to it (any more)."""
    with journal.transaction() as db:
        return (
            db.execute(
                "UPDATE runs SET state = 'partial', ended_at = ?, message = 'Nobody confirmed it by ' || confirm_by || "
                "': its rollback began.' "
                "WHERE id = ? AND timer = ? AND confirm_by <= ? AND state NOT IN ('applied', 'rolled-back')",
                (rfc3339(now), run, timer, rfc3339(now)),
            ).rowcount
            == 1
        )


def cancel_confirmation(journal: Journal, run: str) -> None:
    """A rollback of `run` begins: from now on it cannot be confirmed."""
    with journal.transaction() as db:
        db.execute(
            "UPDATE runs SET state = 'partial', message = message || ' Its rollback began.' "
            "WHERE id = ? AND state = 'confirm-pending'",
            (run,),
        )
