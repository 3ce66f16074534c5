"""Confirm timers in the journal. Each function is one transaction, so that of two processes only one succeeds."""

from __future__ import annotations

from datetime import datetime

from remediate.executor.journal.store import Journal
from remediate.model.canonical import rfc3339
from remediate.model.run import Run, RunState

ENDED: frozenset[RunState] = frozenset({"applied", "rolled-back"})


def is_active(run: Run) -> bool:
    """Return whether a timer is to undo `run`."""
    return run.timer is not None and run.state not in ENDED


def find_active(journal: Journal, cluster: str) -> Run | None:
    """Return the newest run on `cluster` that a timer is to undo; None: there is none."""
    return next((run for run in journal.runs() if run.cluster == cluster and is_active(run)), None)


def is_due(run: Run, now: datetime) -> bool:
    """Return whether the deadline of `run` has passed."""
    # Times of the journal are text of one form, which sorts as they do.
    return run.confirm_by is not None and run.confirm_by <= rfc3339(now)


def start(journal: Journal, run: str, timer: str, confirm_by: datetime) -> None:
    """Let `timer`, and no earlier timer, undo `run` after `confirm_by`."""
    _update(journal, "UPDATE runs SET timer = ?, confirm_by = ? WHERE id = ?", timer, rfc3339(confirm_by), run)


def extend(journal: Journal, run: str, confirm_by: datetime) -> None:
    """Set the deadline of the timer of `run` to `confirm_by`."""
    _update(journal, "UPDATE runs SET confirm_by = ? WHERE id = ?", rfc3339(confirm_by), run)


def cancel(journal: Journal, run: str) -> bool:
    """Remove the timer of `run`; return whether there was one."""
    return _update(journal, "UPDATE runs SET timer = NULL WHERE id = ? AND timer IS NOT NULL", run)


def confirm(journal: Journal, run: str, operator: str, now: datetime) -> bool:
    """Confirm `run`; return False where it does not wait for confirmation, or its deadline has passed."""
    query = (
        "UPDATE runs SET state = 'applied', timer = NULL, confirmed_by = ?, message = message || ? "
        "WHERE id = ? AND state = 'confirm-pending' AND confirm_by > ?"
    )
    return _update(journal, query, operator, f" Confirmed by {operator} on {rfc3339(now)}.", run, rfc3339(now))


def claim_expired(journal: Journal, run: str, timer: str, now: datetime) -> bool:
    """Take `run` for its rollback, after which it cannot be confirmed; return False where `timer` may not take it (any more)."""
    query = (
        "UPDATE runs SET state = 'partial', ended_at = ?, message = 'Nobody confirmed it by ' || confirm_by || "
        "': its rollback began.' "
        "WHERE id = ? AND timer = ? AND confirm_by <= ? AND state NOT IN ('applied', 'rolled-back')"
    )
    return _update(journal, query, rfc3339(now), run, timer, rfc3339(now))


def cancel_confirmation(journal: Journal, run: str) -> None:
    """Record that a rollback of `run` begins, after which it cannot be confirmed."""
    query = "UPDATE runs SET state = 'partial', message = message || ' Its rollback began.' WHERE id = ? AND state = 'confirm-pending'"
    _update(journal, query, run)


def _update(journal: Journal, query: str, *values: str) -> bool:
    """Change one run in a transaction of its own; return whether it was there to be changed."""
    with journal.transaction() as db:
        return db.execute(query, values).rowcount == 1
