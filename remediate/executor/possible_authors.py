"""Who could have changed a cluster since its plan was made: what the journal knows, and what it cannot know."""

from __future__ import annotations

from remediate.executor.journal.store import Journal
from remediate.model.canonical import rfc3339
from remediate.model.errors import StalePlan
from remediate.model.plan import Plan
from remediate.model.run import Run

_NAMED = 3


def with_suspects(failure: StalePlan, plan: Plan, journal: Journal, own_run: str) -> StalePlan:
    """Return `failure` with who could have made the difference: later runs in `journal` on this cluster, or somebody else."""
    made = rfc3339(plan.made_at)
    later = [
        run for run in journal.runs() if run.cluster == plan.cluster and run.id != own_run and (run.ended_at or made) >= made
    ]
    more = f" And {len(later) - _NAMED} earlier ones: see `remediate runs`." if len(later) > _NAMED else ""
    who = " ".join(map(_told, later[:_NAMED])) + more or (
        f"No run in this state directory changed the cluster since the plan was made ({made}), so it was a person in the web "
        "interface or the shell, or another tool or machine."
    )
    return StalePlan(f"{failure} {who}")


def _told(run: Run) -> str:
    ticket = f", ticket {run.ticket}" if run.ticket else ""
    return f"Run {run.id} of {run.user} on {run.host}{ticket} worked on it since the plan was made (it is {run.state})."
