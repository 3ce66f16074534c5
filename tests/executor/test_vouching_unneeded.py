"""The check that a proof needs each certificate never refuses what the planner made, and always what was added to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediate import make_plan
from remediate.executor import verification, vouching
from remediate.model.errors import StalePlan
from remediate.model.identity import PlanId
from remediate.model.plan import Plan, Policy, TrustCertificate
from remediate.model.snapshot import Snapshot
from remediate.trust.verifier import verify_snapshot
from tests.pki import issue
from tests.properties.clusters import clusters

MANY = int(os.environ.get("REMEDIATE_EXAMPLES", "60"))
patiently = settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
policies = st.sampled_from([Policy(), Policy(ciphers="keep"), Policy(ciphers="prefer-rsa"), Policy(allow_removal=True)])
SMUGGLED = issue("A stranger's authority", ca=True).certificate


def check(plan: Plan, now: Snapshot) -> None:
    """What `apply` asks of `plan` before its first write."""
    forecast = verification.predict(plan, now, verification.expect(plan, verify_snapshot(now)), verify_snapshot)
    vouching.refuse_unneeded(plan, now, forecast, verify_snapshot)


def smuggled_into(plan: Plan, peers: Sequence[str]) -> Plan:
    """`plan` with an authority of a stranger that it calls vouched for."""
    action = TrustCertificate("a99", SMUGGLED.fingerprint, tuple(peers), "root", "vouched", ())  # type: ignore[arg-type]
    certificates = {**plan.certificates, SMUGGLED.fingerprint: SMUGGLED}
    return replace(plan, id=PlanId("another"), actions=(*plan.actions, action), certificates=certificates)


@patiently
@given(clusters(), policies)
def test_every_plan_of_the_planner_needs_what_it_adds(snapshot: Snapshot, policy: Policy) -> None:
    check(make_plan(snapshot, policy), snapshot)


@patiently
@given(clusters(), policies)
def test_an_authority_put_into_any_plan_is_refused(snapshot: Snapshot, policy: Policy) -> None:
    plan = smuggled_into(make_plan(snapshot, policy), [snapshot.peers[-1].address])
    with pytest.raises(StalePlan, match="A stranger's authority"):
        check(plan, snapshot)
