"""Exit codes that follow from a snapshot, a plan or a verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.model.exit_codes import ExitCode, most_serious

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.model.plan import FutureChange, Plan


def completeness_exit_code(*, complete: bool) -> ExitCode:
    """Return DONE if everything was observed, else INCOMPLETE."""
    return ExitCode.DONE if complete else ExitCode.INCOMPLETE


def plan_exit_code(plan: Plan, *, detailed: bool) -> ExitCode:
    """Return INCOMPLETE for a plan that could not observe everything, else DONE.

    Args:
        plan: The plan.
        detailed: Count pending changes and endpoints that remain refused too (``--detailed-exitcode``).
    """
    codes = [_observation_exit_code(plan)]
    if detailed and plan.changes:
        codes.append(ExitCode.CHANGES_PENDING)
    if detailed and not all(endpoint.after.ok for endpoint in plan.endpoints):
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    return most_serious(codes)


def verify_exit_code(plan: Plan, accepted: Plan | None = None) -> ExitCode:
    """Return DONE if every endpoint verifies now, else what a plan could fix (CHANGES_PENDING) or not (ENDPOINTS_REMAIN).

    Args:
        plan: A plan made now.
        accepted: An earlier plan: what stays refused by it, endpoints and peers' own certificates, does not count while its cause is
            the same.
    """
    from remediate.executor.verification import list_unfixable_pairs

    pairs = list_unfixable_pairs(accepted) if accepted else {}
    refusals = (
        {(toward.peer, toward.node, toward.store, toward.cause) for toward in accepted.refusing_nodes} if accepted else set()
    )
    codes = [_observation_exit_code(plan)]
    if any(endpoint.after.ok and not endpoint.before.ok for endpoint in plan.endpoints):
        codes.append(ExitCode.CHANGES_PENDING)
    remaining = [endpoint for endpoint in plan.endpoints if not endpoint.before.ok and not endpoint.after.ok]
    if not all(endpoint.pair in pairs and endpoint.before.cause is pairs[endpoint.pair] for endpoint in remaining):
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    if any((toward.peer, toward.node, toward.store, toward.cause) not in refusals for toward in plan.refusing_nodes):
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    return most_serious(codes)


def horizon_exit_code(plan: Plan, future: Sequence[FutureChange]) -> ExitCode:
    """Return what the calendar does to what verifies now, toward the nodes too: DONE, or whether the plan prevents all of it.

    Args:
        plan: A plan made now, with its own future.
        future: How verdicts change where nothing is written.
    """
    from remediate.model.plan import FutureVerdict
    from remediate.planner.horizon import is_prevented, list_losses
    from remediate.planner.node_horizon import list_new_refusals

    working = frozenset(forecast.pair for forecast in plan.endpoints if forecast.before.ok)
    verified_by_plan = frozenset(forecast.pair for forecast in plan.endpoints if forecast.after.ok)
    verdicts = [change for change in future if isinstance(change, FutureVerdict)]
    planned = [change for change in plan.future or () if isinstance(change, FutureVerdict)]
    codes = [
        ExitCode.CHANGES_PENDING if is_prevented(loss, planned, verified_by_plan) else ExitCode.ENDPOINTS_REMAIN
        for loss in list_losses(verdicts, working)
    ]
    refusing = {(toward.peer, toward.node, toward.store) for toward in plan.refusing_nodes}
    codes += [
        ExitCode.ENDPOINTS_REMAIN
        for change in list_new_refusals(future)
        if (change.peer, change.node, change.store) not in refusing
    ]
    return most_serious(codes)


def _observation_exit_code(plan: Plan) -> ExitCode:
    # Without a single pair of peer and endpoint nothing was observed, so that is not "everything in order".
    return completeness_exit_code(complete=plan.complete and bool(plan.endpoints))
