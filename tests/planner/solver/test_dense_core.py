"""Dense cores: exact, and where they are beyond exactness, how far the plan may be off."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from remediate import Plan, make_plan
from remediate.model.identity import Fingerprint
from remediate.model.plan import TrustCertificate
from remediate.planner.solver.solver import Effort
from tests.planner.solver.dense import cross_certificates, hitting_set, mesh, shared_names


def added(plan: Plan) -> set[str]:
    return {action.certificate for action in plan.actions if isinstance(action, TrustCertificate)}


def count_verified(plan: Plan) -> int:
    return sum(forecast.after.ok for forecast in plan.endpoints)


def hits_all(chosen: frozenset[Fingerprint], sets: list[frozenset[Fingerprint]]) -> bool:
    return all(chosen & members for members in sets)


def test_hitting_set_is_the_smallest() -> None:
    # Given 40 endpoints that each need one of three CAs, of 20
    cluster, sets = hitting_set(20, 40, 3)
    plan = make_plan(cluster)
    # Then every endpoint passes, nothing is left unproven, and with one CA less no set of CAs would do
    smaller = itertools.combinations(sorted(frozenset().union(*sets)), len(added(plan)) - 1)
    assert (count_verified(plan), plan.shortfall) == (40, None)
    assert not any(hits_all(frozenset(chosen), sets) for chosen in smaller)


@pytest.mark.parametrize("count", [4, 10])
def test_many_leaves_share_the_questions_of_their_issuer(count: int) -> None:
    plan = make_plan(cross_certificates(count, 50))
    assert (count_verified(plan), len(added(plan)), plan.shortfall) == (50, 2, None)


def test_as_many_endpoints_pass_as_names_allow() -> None:
    # Given 24 endpoints that need two CAs each, of which one common name allows only one
    cluster, needs = shared_names(5, 24, 3)
    plan = make_plan(cluster)
    # Then no choice of one CA for each name serves more of them
    choices = itertools.product(range(3), repeat=5)
    most = max(sum(all(choice[group] == variant for group, variant in pair) for pair in needs) for choice in choices)
    assert (count_verified(plan), plan.shortfall) == (most, None)


@pytest.mark.parametrize(("leaves", "additions"), [(2, 4), (12, 13)])
def test_cross_certified_mesh_gets_the_fewest_additions(leaves: int, additions: int) -> None:
    plan = make_plan(mesh(12, leaves))
    assert (count_verified(plan), len(added(plan)), plan.shortfall) == (leaves, additions, None)


@pytest.mark.parametrize(("conflicts", "models"), [(0, 0), (1, 1_000), (150, 1_000), (100_000, 3)])
def test_what_is_not_settled_is_reported_with_a_bound(conflicts: int, models: int) -> None:
    # Given a core, and less work than it takes
    cluster, _ = hitting_set(20, 40, 3)
    plan = make_plan(cluster, effort=Effort(conflicts=conflicts, models=models))
    # Then the plan is one that works, and says how much better another one may be
    assert plan.shortfall is not None
    reached = {"verified": count_verified(plan), "added": len(added(plan))}.get(plan.shortfall.aspect)
    assert reached is None or reached == plan.shortfall.plan
    if plan.shortfall.aspect == "verified":
        assert plan.shortfall.plan <= plan.shortfall.bound <= 40
    else:
        assert (count_verified(plan), plan.shortfall.bound <= plan.shortfall.plan) == (40, True)
    assert [note for note in plan.notes if "too closely connected" in note]
    assert Plan.from_json(plan.to_json()) == plan


SAME_PLAN = """
import sys
from remediate import make_plan
from remediate.model.snapshot import Snapshot
from remediate.planner.solver.solver import Effort
print(make_plan(Snapshot.from_json(sys.stdin.read()), effort=Effort(conflicts=150)).id)
"""


def test_plan_that_is_not_settled_is_the_same_each_time() -> None:
    document = hitting_set(20, 40, 3)[0].to_json()
    ids = {
        subprocess.run(
            [sys.executable, "-c", SAME_PLAN],
            check=True,
            capture_output=True,
            text=True,
            input=document,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(ids) == 1
