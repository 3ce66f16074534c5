"""Results of runs, and runs of the journal, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediate.model.effect import ClientState, ClientView, effects_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.session import Session
    from remediate.executor.journal.store import Journal
    from remediate.executor.result import ManualStep, RunResult
    from remediate.model.identity import Address
    from remediate.model.measurement import PairMeasurement
    from remediate.model.plan import EndpointForecast
    from remediate.model.run import Run
    from remediate.model.verdict import Outcome


NOT_ASKED = ClientView(ClientState.NOT_ASKED, "no client was asked for it")


def result_json(result: RunResult, notes: Sequence[str], *, cluster: str, plan: str | None) -> dict[str, Any]:
    """Return what `apply` and `rollback` print under ``--json``.

    Args:
        result: The result of the run.
        notes: Messages that every reader has to see, see `notices`.
        cluster: The name of the cluster.
        plan: The id of the plan; None: it is not known.
    """
    return {
        "cluster": cluster,
        "plan": plan,
        "run": result.run_id or None,
        "state": result.state,
        "exit_code": result.exit_code,
        "changed": result.has_written,
        "message": result.message,
        "open_steps": list(result.open_step_texts),
        "notes": list(notes),
        "endpoints": [
            {
                "address": judgement.address,
                "port": judgement.port,
                "peer": judgement.peer,
                "client": client_json(result.client_views.get(judgement.pair, NOT_ASKED)),
                **outcome_json(judgement.outcome),
            }
            for judgement in result.judgements
        ],
        "in_effect": effects_json(result.effects),
    }


def measurements_json(pairs: Sequence[PairMeasurement]) -> list[dict[str, Any]] | None:
    """Return what a run measured, with the keys of `result_json`; None where it measured nothing."""
    return [
        {
            "address": pair.address,
            "port": pair.port,
            "peer": pair.peer,
            "before": outcome_json(pair.before) if pair.before else None,
            "client": client_json(pair.client),
            **outcome_json(pair.after),
        }
        for pair in pairs
    ] or None


def client_json(view: ClientView) -> dict[str, str]:
    """Return what a client gets, with the keys of the contract."""
    return {"state": view.state.value, "said": view.description}


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome with the keys of a plan's ``before`` and ``after``."""
    verdict = outcome.verdict
    return {
        "ok": verdict.ok,
        "cause": verdict.cause,
        "error": verdict.error,
        "code": verdict.code,
        "depth": verdict.depth,
        "key": outcome.key,
    }


def show_result(session: Session, result: RunResult, forecasts: Sequence[EndpointForecast]) -> None:
    """Print the result of a run: what each endpoint gets now, what is left for a person, where to look."""
    from rich.text import Text

    from remediate.model.text import escape
    from remediate.report.effects import show_effects
    from remediate.report.lines import print_indented
    from remediate.report.terminal import DONE, show_matrix

    console = session.out()
    if forecasts:
        show_matrix(console, forecasts, every_row=session.verbose > 0, words=DONE)
    show_effects(console, result.effects)
    message = Text(escape(result.message, 4000), "bold")
    if "`" in result.message or "remediate " in result.message:
        # A command stays on one line, to be copied.
        console.print(message, soft_wrap=True)
    else:
        print_indented(console, message, 0)
    for peer, steps in group_by_peer(result.open_steps).items():
        console.print(Text(f"By hand on {escape(peer)}:" if peer else "By hand:", "bold yellow"), soft_wrap=True)
        for step in steps:
            console.print(Text(f"  ! {escape(step.text, 2000)}", "yellow"), soft_wrap=True)
    if result.run_id:
        session.hint(f"Run {result.run_id}. `remediate runs show {result.run_id}` shows its steps.")


def group_by_peer(steps: Sequence[ManualStep]) -> dict[Address | None, list[ManualStep]]:
    """Return `steps` by their peer, in the order of the steps; last, under None, those of no peer or of several."""
    groups: dict[Address | None, list[ManualStep]] = {step.peer: [] for step in steps if step.peer is not None}
    groups[None] = []
    for step in steps:
        groups[step.peer].append(step)
    return {peer: group for peer, group in groups.items() if group}


def load_run_record(journal: Journal, run: Run) -> dict[str, Any]:
    """Return all that the journal holds of a run as JSON, but its plan and the certificates."""
    from remediate.executor.ports import utc_now
    from remediate.executor.run_health import describe_run
    from remediate.report.run import run_record

    remark = describe_run(run, journal.path.parent, utc_now())
    return run_record(run, journal.steps(run.id), journal.backups(run.id), journal.approvals(run.id), remark)


def load_certificate_names(journal: Journal, run: Run) -> dict[str, str]:
    """Return the subjects of the certificates in the plan of a run, by fingerprint; none where it has no plan."""
    from remediate.report.view import certificate_name

    certificates = journal.plan(run.id).certificates if run.plan else {}
    return {fingerprint: certificate_name(certificate) for fingerprint, certificate in certificates.items()}
