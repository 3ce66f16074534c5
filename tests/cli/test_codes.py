"""Exit codes that follow from a plan, and from what verifies now."""

from __future__ import annotations

from dataclasses import replace

from remediate import Plan, make_plan
from remediate.cli.codes import completeness_exit_code, plan_exit_code, verify_exit_code
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

ROOT, AWAY = issue("Root", ca=True), issue("Away", ca=True)


def plan_with_lists(*nodes: str, trusted: bool = False) -> Plan:
    """Return a plan for nodes that a CA signed which is at hand (`fixable`) or not (`lost`)."""
    leaves = {node: issue(f"{node}.test", ROOT if node == "fixable" else AWAY, names=(f"{node}.test",)) for node in nodes}
    endpoints = [endpoint(f"{node}.test", rsa=[leaf]) for node, leaf in leaves.items()]
    return make_plan(
        snapshot([peer(1, [ROOT] if trusted else [])], endpoints, [ROOT, AWAY, *leaves.values()], available=[ROOT])
    )


def test_what_was_not_observed_is_4() -> None:
    assert (completeness_exit_code(complete=True), completeness_exit_code(complete=False)) == (0, 4)
    assert plan_exit_code(plan_with_lists(), detailed=False) == 4
    assert plan_exit_code(replace(plan_with_lists("fixable"), complete=False), detailed=False) == 4


def test_a_detailed_code_says_what_is_pending_and_what_remains() -> None:
    pending, both, none = (
        plan_with_lists("fixable"),
        plan_with_lists("fixable", "lost"),
        plan_with_lists("fixable", trusted=True),
    )

    assert [plan_exit_code(plan, detailed=True) for plan in (pending, both, none)] == [2, 10, 0]
    assert [plan_exit_code(plan, detailed=False) for plan in (pending, both, none)] == [0, 0, 0]


def test_what_an_accepted_plan_leaves_refused_does_not_count() -> None:
    plan = plan_with_lists("lost")

    assert (verify_exit_code(plan), verify_exit_code(plan, plan)) == (10, 0)
    assert verify_exit_code(plan_with_lists("fixable", "lost"), plan) == 2
    assert verify_exit_code(plan_with_lists("fixable", trusted=True)) == 0
