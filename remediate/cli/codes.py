"""Exit codes that follow from a snapshot, a plan or a verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.model.exit_codes import ExitCode, most_serious

if TYPE_CHECKING:
    from remediate.model.plan import Plan


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


def verify_exit_code(plan: Plan) -> ExitCode:
    """Return DONE if every endpoint verifies now, else what a plan could fix (CHANGES_PENDING) or not (ENDPOINTS_REMAIN)."""
    codes = [_observation_exit_code(plan)]
    if any(endpoint.after.verdict.ok and not endpoint.before.verdict.ok for endpoint in plan.endpoints):
        codes.append(ExitCode.CHANGES_PENDING)
    if not all(endpoint.before.verdict.ok or endpoint.after.verdict.ok for endpoint in plan.endpoints):
        codes.append(ExitCode.ENDPOINTS_REMAIN)
    return most_serious(codes)


def _observation_exit_code(plan: Plan) -> ExitCode:
    # Without a single pair of peer and endpoint nothing was observed, so that is not "everything in order".
    return completeness_exit_code(complete=plan.complete and bool(plan.endpoints))
