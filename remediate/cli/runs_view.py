"""What a run came to, and what the journal holds, as text and as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.session import Session
    from remediate.executor.journal.store import Journal
    from remediate.executor.result import RunResult
    from remediate.model.plan import EndpointForecast
    from remediate.model.run import Run, StepRecord
    from remediate.model.verdict import Outcome


def result_json(result: RunResult, notes: Sequence[str], *, cluster: str, plan: str | None) -> dict[str, Any]:
    """Return what `apply` and `rollback` print under ``--json``. `notes`: what nobody may miss, see `Heeded`."""
    return {
        "cluster": cluster,
        "plan": plan,
        "run": result.run_id or None,
        "state": result.state,
        "exit_code": result.exit_code,
        "changed": result.changed,
        "message": result.message,
        "open_steps": list(result.open_steps),
        "notes": list(notes),
        "endpoints": [
            {"address": judgement.address, "port": judgement.port, "peer": judgement.peer, **outcome_json(judgement.outcome)}
            for judgement in result.judgements
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

    from remediate.model.text import escape
    from remediate.report.terminal import DONE, show_matrix

    console = session.out()
    if forecasts:
        show_matrix(console, forecasts, every_row=session.verbose > 0, words=DONE)
    console.print(Text(escape(result.message, 4000), "bold"), soft_wrap="`" in result.message or "remediate " in result.message)
    for peer, steps in by_peer(result.open_steps, _peers_of(session, result)).items():
        console.print(Text(f"By hand on {escape(peer)}:" if peer else "By hand:", "bold yellow"), soft_wrap=True)
        for step in steps:
            console.print(Text(f"  ! {escape(step, 2000)}", "yellow"), soft_wrap=True)
    if result.run_id:
        session.hint(f"Run {result.run_id}. `remediate runs show {result.run_id}` shows its steps.")


def by_peer(steps: Sequence[str], peers: Sequence[str]) -> dict[str, list[str]]:
    """Return `steps` (sentences) under the one peer that each names, in the peers' order; under "" what names none or several."""
    found: dict[str, list[str]] = {peer: [] for peer in (*peers, "")}
    for step in steps:
        # Between what cannot be part of a name, so that expc1 is not found in expc10.
        named = [peer for peer in peers if re.search(rf"(?<![\w.:-]){re.escape(peer)}(?![\w-]|[.:]\w)", step)]
        found[named[0] if len(named) == 1 else ""].append(step)
    return {peer: those for peer, those in found.items() if those}


def _peers_of(session: Session, result: RunResult) -> Sequence[str]:
    from remediate.executor.journal.store import Journal

    if not result.run_id:
        return tuple(dict.fromkeys(judgement.peer for judgement in result.judgements))
    with Journal(session.state_dir) as journal:
        return journal.run(result.run_id).peers


def run_json(run: Run) -> dict[str, Any]:
    """Return a run as the contract lists it."""
    names = ("id", "cluster", "plan", "state", "started_at", "ended_at", "ticket")
    return {**{name: getattr(run, name) for name in names}, "peers": list(run.peers)}


def run_record(journal: Journal, run: Run) -> dict[str, Any]:
    """Return all that the journal holds of a run, but its plan and the certificates.

    ``before`` is how each peer stood before the first write: its trusted CA list in the box's order, and its cipher lists. ``after``
    is what the steps that were read back as done made of the lists. ``remark``: what a person must know of a run that is not at its
    end, as far as this machine can tell now.
    """
    from dataclasses import asdict

    from remediate.executor.ports import utc_now
    from remediate.executor.run_health import describe_run

    steps = journal.steps(run.id)
    backups = journal.backups(run.id)
    return {
        **run_json(run),
        "remark": describe_run(run, journal.path.parent, utc_now()),
        "who": run.who,
        "host": run.host,
        "pid": run.pid,
        "message": run.message,
        "confirm_by": run.confirm_by,
        "before": {peer: {"trusted_ca": list(one.trusted_ca), "ciphers": dict(one.ciphers)} for peer, one in backups.items()},
        "after": {peer: {"trusted_ca": list(list_after(one.trusted_ca, peer, steps))} for peer, one in backups.items()},
        "steps": [step_json(step) for step in steps],
        "approvals": [asdict(approval) for approval in journal.approvals(run.id)],
    }


def list_after(before: Sequence[str], peer: str, steps: Sequence[StepRecord]) -> tuple[str, ...]:
    """Return the trusted CA list of `peer` as the run leaves it: `before`, and what its steps did that was read back."""
    listed = list(before)
    for step in steps:
        certificate = step.facts.get("certificate", "")
        if step.peer != peer or step.state != "done":
            continue
        if step.kind == "trust-certificate" and certificate not in listed:
            listed.append(certificate)
        if step.kind == "remove-certificate" and certificate in listed:
            listed.remove(certificate)
    return tuple(listed)


def step_json(step: StepRecord) -> dict[str, Any]:
    """Return one write and what became of it."""
    from dataclasses import asdict

    return {**asdict(step), "facts": dict(step.facts), "inverse": None if step.inverse is None else dict(step.inverse)}
