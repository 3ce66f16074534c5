"""Exit codes that follow from what was seen and planned (docs: reference, *Exit codes*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.model.errors import most_serious

if TYPE_CHECKING:
    from remediate.model.plan import Plan

DONE, CHANGES_PENDING, INCOMPLETE, REMAINS = 0, 2, 4, 10


def plan_code(plan: Plan, *, detailed: bool) -> int:
    """Return 4 for a plan that could not see everything; with `detailed` also 2 and 10, the most serious of them."""
    codes = [DONE] if plan.complete else [INCOMPLETE]
    if detailed and plan.changes:
        codes.append(CHANGES_PENDING)
    if detailed and not all(one.after.verdict.ok for one in plan.endpoints):
        codes.append(REMAINS)
    return most_serious(codes)
