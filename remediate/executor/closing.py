"""The close of a run (step 13): its result, in the journal and for the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remediate.executor.commands import confirm_command, restart_command
from remediate.executor.confirm_timer import restart_countdown
from remediate.executor.context import RunContext, RunState
from remediate.executor.effect.observe import observe_effects_unasked
from remediate.executor.effect.outcome import complete_effects, describe_effects, effect_exit_code, unsettled_peers
from remediate.executor.journal.measurements import record_measurements
from remediate.executor.journal.restarts import record_alarms_after
from remediate.executor.node_uploads import remind_of_services
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.steps import Step
from remediate.executor.verification import Verification, VerificationFailed, excuse, list_unfixable_pairs
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.measurement import measure_pairs
from remediate.model.run import Run
from remediate.model.run import RunState as JournalState
from remediate.model.text import count
from remediate.model.toward_nodes import TowardNode

_TIMER_ENDED = " It stays: the timer of the earlier apply has ended, because this one was started without it."


def close_run(context: RunContext, state: RunState, verified: Verification) -> RunResult:
    """Close a run that was verified. Whether it is in effect changes its exit code, and never its state.

    Raises:
        VerificationFailed: An endpoint is refused that should verify by the plan, and it waits for no manual step.
    """
    broken, open_steps = excuse(verified, state.open_steps)
    if broken:
        refused = "; ".join(verified.describe(forecast) for forecast in broken)
        raise VerificationFailed(f"These endpoints should pass after the plan, but fail: {refused}.", verified)
    context.steps.enter(Step.CLOSE)
    context.stop.closing = True
    deadline = restart_countdown(context, state)
    effects = complete_effects(state.effects.values(), context.addresses, "it was not checked")
    # Without a run of its own, the record of the run that did it stays as it is: applied, whatever else is left for a person.
    is_partial = bool(open_steps and state.run)
    outcome: JournalState = "partial" if is_partial else "confirm-pending" if deadline else "applied"
    services = remind_of_services(context, state)
    settled = most_serious(
        [
            ExitCode.PERSON_NEEDED if open_steps else ExitCode.DONE,
            ExitCode.NOT_IN_EFFECT if services else ExitCode.DONE,
            ExitCode.INCOMPLETE if verified.unseen or verified.gaps else ExitCode.DONE,
            ExitCode.ENDPOINTS_REMAIN if _count_remaining(context, verified) else ExitCode.DONE,
            effect_exit_code(effects, never_restarts=context.options.never_restarts),
        ]
    )
    code = most_serious([settled, ExitCode.CONFIRMATION_PENDING]) if deadline else settled
    command = restart_command(unsettled_peers(effects), context.cluster, context.state_dir)
    message, summary = (
        _describe(verified, open_steps, [words, services], state)
        for words in (describe_effects(effects, command), describe_effects(effects, command, with_reasons=False))
    )
    if state.run:
        record = f"{message} Confirm it by {deadline}." if deadline else message
        record_alarms_after(context.journal, state.run, state.alarms_after, context.environment.now())
        measurements = measure_pairs(state.verdicts_before, verified.verdicts, state.client_views)
        record_measurements(context.journal, state.run, measurements)
        context.journal.close_run(state.run, outcome, record, settled, effects)
    if deadline:
        message = f"{message} {_describe_confirmation(context, state, deadline, open_steps)}"
    context.events.emit("run-state", message, state=outcome, exit_code=code, confirm_by=deadline)
    return RunResult(
        run_id=state.run or _find_earlier_run(context),
        state=outcome,
        exit_code=code,
        open_steps=(*open_steps, *state.effect_steps),
        has_written=state.has_written,
        message=message,
        confirm_by=deadline,
        verdicts=verified.verdicts,
        verdicts_before=state.verdicts_before,
        effects=effects,
        client_views=state.client_views,
        outcome=summary,
    )


def _list_refusals(context: RunContext, refusing: Iterable[TowardNode]) -> tuple[TowardNode, ...]:
    """Return those of `refusing` that count: with `accept_remaining`, those that the plan does not forecast."""
    accepted = context.plan.refusing_nodes_after if context.options.accept_remaining else ()
    excused = {(toward.peer, toward.node, toward.store, toward.cause) for toward in accepted}
    return tuple(toward for toward in refusing if (toward.peer, toward.node, toward.store, toward.cause) not in excused)


def _count_remaining(context: RunContext, verified: Verification) -> int:
    """Return how many pairs, and stores of nodes, stay refused that count as such."""
    accepted = list_unfixable_pairs(context.plan) if context.options.accept_remaining else {}
    pairs = sum(
        pair not in accepted or verified.verdicts[pair].cause is not accepted[pair]
        for pair in {forecast.pair for forecast in verified.remaining}
    )
    return pairs + len(_list_refusals(context, verified.refusing_nodes))


def close_dry_run(context: RunContext, state: RunState, gaps: Sequence[str]) -> RunResult:
    """Close a dry run: nothing was written; the exit code is what the plan and the open steps let expect.

    What could not be observed stops no run that allows an incomplete plan: it is said, and changes no exit code.

    Args:
        context: The run.
        state: What was found on the way.
        gaps: What discovery could not learn in this look.
    """
    message = "Result for every endpoint on every peer: unknown until apply."
    context.events.emit("unknown", message, step=Step.VERIFY.value)
    context.steps.enter(Step.CLOSE)
    open_steps = tuple(step for step in state.open_steps if step.open)
    unseen = {pair.endpoint for pair, verdict in state.verdicts_before.items() if not verdict.observed}
    refused = sum(forecast.after.observed and not forecast.after.ok for forecast in context.plan.endpoints)
    code = most_serious(
        [
            ExitCode.PERSON_NEEDED if open_steps else ExitCode.DONE,
            ExitCode.ENDPOINTS_REMAIN if refused and not context.options.accept_remaining else ExitCode.DONE,
            ExitCode.ENDPOINTS_REMAIN if _list_refusals(context, context.plan.refusing_nodes_after) else ExitCode.DONE,
        ]
    )
    failing = count(refused, "check still fails", "checks still fail")
    note = f" As planned, {failing}, which no trust or cipher change fixes." if refused else ""
    unchecked = [f"{count(len(unseen), 'endpoint')} could not be checked."] if unseen else []
    unchecked += [f"Discovery is incomplete, so an endpoint may be missing: {gap.rstrip('.')}." for gap in gaps]
    refusals = _describe_refusals(context.plan.refusing_nodes_after, "As planned, ")
    message = " ".join([f"Dry run: nothing was written.{note}", *unchecked, *refusals])
    return RunResult(
        "",
        "dry-run",
        code,
        open_steps,
        has_written=False,
        message=message,
        verdicts=state.verdicts_before,
        effects=observe_effects_unasked(context.journal, context.peers, context.unreachable, context.limits),
    )


def _describe_confirmation(context: RunContext, state: RunState, deadline: str, open_steps: Sequence[ManualStep]) -> str:
    if open_steps:
        return f"It is rolled back on {deadline}, unless the same plan is applied again to the end and confirmed before that."
    return f"It is rolled back unless you confirm it by {deadline}: `{confirm_command(state.run, context.state_dir)}`"


def _find_earlier_run(context: RunContext) -> str:
    """Return the id of the run that did what this one found done; empty: none."""
    plan = context.plan

    def has_done_it(run: Run) -> bool:
        return run.cluster == plan.cluster and run.plan == plan.id and run.state == "applied"

    return next((run.id for run in context.journal.runs() if has_done_it(run)), "")


def _describe_refusals(refusing: Iterable[TowardNode], source: str) -> list[str]:
    """Return a sentence on the nodes that refuse the peers' own certificates, begun with `source`; empty: none does."""
    nodes = {toward.node for toward in refusing}
    if not nodes:
        return []
    nodes_refuse = count(len(nodes), "node refuses", "nodes refuse")
    return [f"{source}{nodes_refuse} the peers' own certificates, which no change of a peer's list fixes."]


def _describe(verified: Verification, open_steps: Sequence[ManualStep], ending: Sequence[str], state: RunState) -> str:
    """Return the message of a run, which ends with the sentences `ending`; empty ones are left out."""
    parts = ["Written and read back." if state.run else "Nothing to do: the cluster already matches the plan."]
    if open_steps:
        parts.append(f"{count(len(open_steps), 'step is', 'steps are')} left to do by hand.")
    # A forecast is one endpoint from one peer.
    unseen = {(forecast.address, forecast.port) for forecast in verified.unseen}
    if unseen:
        parts.append(f"{count(len(unseen), 'endpoint')} could not be checked.")
    parts += [f"Discovery is incomplete, so an endpoint may be missing: {gap.rstrip('.')}." for gap in verified.gaps]
    if verified.remaining:
        parts.append(f"{count(len(verified.remaining), 'check still fails', 'checks still fail')}, as before.")
    if len(parts) == 1:
        parts.append("By the certificates, every endpoint passes on every peer.")
    parts += _describe_refusals(verified.refusing_nodes, "")
    ended = _TIMER_ENDED if state.run and state.ended_timer else ""
    return " ".join([*parts, *filter(None, ending)]) + ended
