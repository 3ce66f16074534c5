"""What the lab's nodes say of the peers' own certificates, read from their certificate management."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.cli.codes import verify_exit_code
from remediate.connectors.collect import collect
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.exit_codes import ExitCode
from remediate.model.limits import Limits
from remediate.model.plan import Plan
from remediate.model.toward_nodes import ClientCause
from remediate.planner import make_plan
from remediate.report.toward_nodes import describe_toward_nodes

PlanOf = Callable[[str], Plan]


@pytest.fixture(scope="module")
def plan_of(tmp_path_factory: pytest.TempPathFactory) -> PlanOf:
    def collect_and_plan(scenario: str) -> Plan:
        folder: Path = tmp_path_factory.mktemp(scenario)
        with Lab(folder, scenario, judge=False) as lab:
            return make_plan(collect(load(lab.inventory)[0], limits=Limits(shell_silence_s=0.1)))

    return collect_and_plan


def test_nodes_that_do_not_know_the_peers_refuse_them(plan_of: PlanOf) -> None:
    plan = plan_of("refuses-peers")

    assert {toward.cause for toward in plan.toward_nodes} == {ClientCause.UNTRUSTED}
    assert {(toward.node, toward.store) for toward in plan.toward_nodes} == {
        *((f"cucm{number}.steven.lab", store) for number in ("", "-sub1", "-sub2") for store in ("tomcat", "CallManager")),
        ("imp.steven.lab", "cup-xmpp"),
    }
    assert verify_exit_code(plan) is ExitCode.ENDPOINTS_REMAIN
    assert all(forecast.before.ok for forecast in plan.endpoints)
    assert any("Lab Expressway CA" in sentence for sentence in describe_toward_nodes(plan))


def test_what_a_plan_says_of_nodes_is_accepted_and_no_more(plan_of: PlanOf) -> None:
    plan = plan_of("refuses-peers")
    first, *remaining = plan.toward_nodes

    assert verify_exit_code(plan, accepted=plan) is ExitCode.DONE
    assert verify_exit_code(plan, accepted=replace(plan, toward_nodes=tuple(remaining))) is ExitCode.ENDPOINTS_REMAIN
    expired = replace(first, cause=ClientCause.EXPIRED)
    assert verify_exit_code(replace(plan, toward_nodes=(expired, *remaining)), accepted=plan) is ExitCode.ENDPOINTS_REMAIN


def test_nodes_that_know_the_peers_accept_them(plan_of: PlanOf) -> None:
    plan = plan_of("x15")

    assert plan.toward_nodes
    assert plan.refusing_nodes == ()


def test_without_the_platform_account_nodes_are_not_observed(plan_of: PlanOf) -> None:
    plan = plan_of("healthy")

    assert {toward.cause for toward in plan.toward_nodes} == {ClientCause.NOT_OBSERVED}
    assert verify_exit_code(plan) is ExitCode.DONE
    [sentence] = describe_toward_nodes(plan)
    assert sentence.startswith("Not observed: whether ")
    assert "no platform_credentials" in sentence
