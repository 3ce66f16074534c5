"""Results of runs, and runs of the journal, as text and as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from remediate.model.effect import ClientState, ClientView, effects_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.session import Session
    from remediate.executor.result import ManualStep, RunResult
    from remediate.model.identity import Address
    from remediate.model.measurement import PairMeasurement
    from remediate.model.plan import EndpointForecast, Plan
    from remediate.report.ending import Ending


NOT_ASKED = ClientView(ClientState.NOT_ASKED, "no client request was sent for it")


def result_json(result: RunResult, notes: Sequence[str], *, cluster: str, plan: str | None) -> dict[str, Any]:
    """Return what `apply` and `rollback` print under ``--json``.

    Args:
        result: The result of the run.
        notes: Messages that every reader has to see, see `notices`.
        cluster: The name of the cluster.
        plan: The id of the plan; None: it is not known.
    """
    from remediate.formats.verdicts import write_verdict

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
                "address": pair.endpoint.address,
                "port": pair.endpoint.port,
                "peer": pair.peer,
                "client": client_json(result.client_views.get(pair, NOT_ASKED)),
                **write_verdict(verdict),
            }
            for pair, verdict in result.verdicts.items()
        ],
        "in_effect": effects_json(result.effects),
    }


def measurements_json(pairs: Sequence[PairMeasurement]) -> list[dict[str, Any]] | None:
    """Return what a run measured, with the keys of `result_json`; None where it measured nothing."""
    from remediate.formats.verdicts import write_verdict

    return [
        {
            "address": pair.address,
            "port": pair.port,
            "peer": pair.peer,
            "before": write_verdict(pair.before) if pair.before else None,
            "client": client_json(pair.client),
            **write_verdict(pair.after),
        }
        for pair in pairs
    ] or None


def client_json(view: ClientView) -> dict[str, str]:
    """Return what a client gets, with the keys of the contract."""
    return {"state": view.state.value, "said": view.description}


def show_result(
    session: Session,
    result: RunResult,
    forecasts: Sequence[EndpointForecast],
    *,
    started: float | None = None,
    undo: str = "",
    is_rollback: bool = False,
    plan: Plan | None = None,
) -> None:
    """Print the result of a run: what each endpoint gets now, what is left for a person, its report, how it is undone.

    Args:
        session: The command line.
        result: The result.
        forecasts: The verdicts before the run and after it; empty: nothing was verified.
        started: When the command began, on the clock that only grows; None: its duration is not said.
        undo: The command that undoes the run; empty: it is not said.
        is_rollback: It is the result of undoing a run.
        plan: The plan of the run; None: it has none, or it does not matter.
    """
    from rich.text import Text

    from remediate.model.canonical import utc_now
    from remediate.model.text import escape
    from remediate.report.effects import show_effects
    from remediate.report.ending import print_ending, print_manual_steps
    from remediate.report.lines import print_indented
    from remediate.report.terminal import show_matrix

    console = session.out()
    system_names = plan.system_names if plan else result.system_names
    if forecasts:
        show_matrix(console, forecasts, system_names=system_names, every_row=session.verbose > 0, tense="measured")
    show_effects(console, result.effects, system_names=system_names, is_undo=is_rollback)
    if forecasts or result.effects:
        console.print()
    print_indented(console, Text(escape(result.outcome or result.message, 4000), "bold"), 0)
    steps = {peer or "": [step.text for step in steps] for peer, steps in group_by_peer(result.open_steps).items()}
    print_manual_steps(console, steps)
    print_ending(console, _ending_of(session, result, started, undo), utc_now())
    if result.run_id:
        session.hint(f"Run {result.run_id}. `remediate runs show {result.run_id}` shows its steps.")


def _ending_of(session: Session, result: RunResult, started: float | None, undo: str) -> Ending:
    from remediate.cli.run_report import write_run_report
    from remediate.executor.commands import confirm_command
    from remediate.model.canonical import parse_rfc3339
    from remediate.report.ending import Ending

    if not result.run_id:
        return Ending()
    report = write_run_report(session, result.run_id) if started is not None else None
    return Ending(
        None if started is None else time.monotonic() - started,
        str(report or ""),
        undo if result.has_written and result.state in {"applied", "confirm-pending"} else "",
        confirm_command(result.run_id, session.state_dir) if result.confirm_by else "",
        parse_rfc3339(result.confirm_by) if result.confirm_by else None,
    )


def group_by_peer(steps: Sequence[ManualStep]) -> dict[Address | None, list[ManualStep]]:
    """Return `steps` by their peer, in the order of the steps; last, under None, those of no peer or of several."""
    groups: dict[Address | None, list[ManualStep]] = {step.peer: [] for step in steps if step.peer is not None}
    groups[None] = []
    for step in steps:
        groups[step.peer].append(step)
    return {peer: group for peer, group in groups.items() if group}
