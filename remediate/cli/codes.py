"""Exit codes that follow from what was seen and planned (docs: reference, *Exit codes*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.model.exit_codes import most_serious

if TYPE_CHECKING:
    from remediate.model.plan import Plan

DONE, CHANGES_PENDING, INCOMPLETE, REMAINS = 0, 2, 4, 10


def plan_code(plan: Plan, *, detailed: bool) -> int:
    """Return 4 for a plan that could not see everything; with `detailed` also 2 and 10, the most serious of them."""
    codes = [_seen_code(plan)]
    if detailed and plan.changes:
        codes.append(CHANGES_PENDING)
    if detailed and not all(endpoint.after.verdict.ok for endpoint in plan.endpoints):
        codes.append(REMAINS)
    return most_serious(codes)


def verify_code(plan: Plan) -> int:
    """Return 0 when every endpoint verifies now, whatever a plan could still change; else 2 and 10 by what a plan could fix."""
    codes = [_seen_code(plan)]
    if any(endpoint.after.verdict.ok and not endpoint.before.verdict.ok for endpoint in plan.endpoints):
        codes.append(CHANGES_PENDING)
    if not all(endpoint.before.verdict.ok or endpoint.after.verdict.ok for endpoint in plan.endpoints):
        codes.append(REMAINS)
    return most_serious(codes)


def _seen_code(plan: Plan) -> int:
    """Nothing looked at is not everything in order: without a single pair of peer and endpoint, nothing was observed."""
    return DONE if plan.complete and plan.endpoints else INCOMPLETE
