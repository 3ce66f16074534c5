"""The next command after a plan: to approve, to apply, or to look again."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.plan import Plan, TrustCertificate
from remediate.report.next_step import describe_next_step
from tests.report.builders import plan_with


def test_what_needs_an_approval_is_approved_before_it_is_applied() -> None:
    complete = replace(plan_with(), complete=True)
    approved = tuple(
        replace(action, approval="granted") if isinstance(action, TrustCertificate) else action for action in complete.actions
    )

    assert "`remediate approve p.json`" in describe_next_step(complete, "p.json")
    assert "`remediate apply p.json -i i.yml`" in describe_next_step(replace(complete, actions=approved), "p.json", "i.yml")


def test_an_incomplete_or_empty_plan_is_not_applied() -> None:
    plan: Plan = plan_with()

    assert "plan again" in describe_next_step(plan, "p.json")
    assert describe_next_step(replace(plan, actions=()), "p.json") == "There is nothing to apply."
