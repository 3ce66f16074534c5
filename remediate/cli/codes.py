"""Exit codes that follow from a snapshot, a plan or a verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.model.exit_codes import ExitCode, most_serious

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediate.model.identity import PairId
    from remediate.model.plan import EndpointForecast, FutureVerdict, Plan
    from remediate.model.verdict import Cause


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
    if detailed and not all(endpoint.after.verdict.ok for endpoint in plan.endpoints):
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    return most_serious(codes)


def verify_exit_code(plan: Plan, accepted: Mapping[PairId, Cause | None] | None = None) -> ExitCode:
    """Return DONE if every endpoint verifies now, else what a plan could fix (CHANGES_PENDING) or not (ENDPOINTS_REMAIN).

    Args:
        plan: A plan made now.
        accepted: The pairs that stay refused by an earlier plan, with their cause: they do not count while it is the same.
    """
    codes = [_observation_exit_code(plan)]
    if any(endpoint.after.verdict.ok and not endpoint.before.verdict.ok for endpoint in plan.endpoints):
        codes.append(ExitCode.CHANGES_PENDING)
    remaining = [endpoint for endpoint in plan.endpoints if not endpoint.before.verdict.ok and not endpoint.after.verdict.ok]
    if not all(_is_accepted(endpoint, accepted or {}) for endpoint in remaining):
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    if plan.refusing_nodes:
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    return most_serious(codes)


def _is_accepted(endpoint: EndpointForecast, accepted: Mapping[PairId, Cause | None]) -> bool:
    return endpoint.pair in accepted and endpoint.before.verdict.cause is accepted[endpoint.pair]


def horizon_exit_code(plan: Plan, future: Sequence[FutureVerdict]) -> ExitCode:
    """Return what the calendar does to pairs that verify now: DONE, or whether the plan made now prevents all of it.

    Args:
        plan: A plan made now, with its own future.
        future: How verdicts change where nothing is written.
    """
    from remediate.planner.horizon import is_prevented, list_losses

    working = frozenset(forecast.pair for forecast in plan.endpoints if forecast.before.verdict.ok)
    verified_by_plan = frozenset(forecast.pair for forecast in plan.endpoints if forecast.after.verdict.ok)
    codes = [
        ExitCode.CHANGES_PENDING if is_prevented(loss, plan.future or (), verified_by_plan) else ExitCode.ENDPOINTS_REMAIN
        for loss in list_losses(future, working)
    ]
    return most_serious(codes)


def _observation_exit_code(plan: Plan) -> ExitCode:
    # Without a single pair of peer and endpoint nothing was observed, so that is not "everything in order".
    return completeness_exit_code(complete=plan.complete and bool(plan.endpoints))
