"""What a run came to, and what the journal holds, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.session import Session
    from remediate.executor.journal import Journal
    from remediate.executor.records import Run, StepRecord
    from remediate.executor.result import RunResult
    from remediate.model.plan import EndpointForecast, Outcome


def result_json(result: RunResult, *, cluster: str, plan: str | None) -> dict[str, Any]:
    """Return what `apply` and `rollback` print under ``--json``."""
    return {
        "cluster": cluster,
        "plan": plan,
        "run": result.run_id or None,
        "state": result.state,
        "exit_code": result.exit_code,
        "changed": result.changed,
        "message": result.message,
        "open_steps": list(result.open_steps),
        "endpoints": [
            {"address": one.address, "port": one.port, "peer": one.peer, **outcome_json(one.outcome)}
            for one in result.judgements
        ],
    }


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome in the words of a plan's ``before`` and ``after``."""
    verdict = outcome.verdict
    said = {"ok": verdict.ok, "cause": verdict.cause, "error": verdict.error, "code": verdict.code, "depth": verdict.depth}
    return {**said, "key": outcome.key}


def show_result(session: Session, result: RunResult, forecasts: Sequence[EndpointForecast]) -> None:
    """Print what a run came to: what each endpoint gets now, what is left to a person, where to look."""
    from rich.text import Text

    from remediate.report.terminal import DONE, show_matrix
    from remediate.report.text import clean

    console = session.out()
    if forecasts:
        show_matrix(console, forecasts, every_row=session.verbose > 0, words=DONE)
    console.print(Text(clean(result.message, 2000), "bold"))
    for step in result.open_steps:
        console.print(Text(f"! By hand: {clean(step, 2000)}", "yellow"))
    if result.run_id:
        session.hint(f"Run {result.run_id}. `remediate runs show {result.run_id}` shows its steps.")


def run_json(run: Run) -> dict[str, Any]:
    """Return a run as the contract lists it."""
    names = ("id", "cluster", "plan", "state", "started_at", "ended_at", "ticket")
    return {**{name: getattr(run, name) for name in names}, "peers": list(run.peers)}


def run_record(journal: Journal, run: Run) -> dict[str, Any]:
    """Return all that the journal holds of a run, but the certificates."""
    from dataclasses import asdict

    return {
        **run_json(run),
        "who": run.who,
        "host": run.host,
        "message": run.message,
        "steps": [step_json(step) for step in journal.steps(run.id)],
        "approvals": [asdict(one) for one in journal.approvals(run.id)],
    }


def step_json(step: StepRecord) -> dict[str, Any]:
    """Return one write and what became of it."""
    from dataclasses import asdict

    return {**asdict(step), "facts": dict(step.facts), "inverse": None if step.inverse is None else dict(step.inverse)}
