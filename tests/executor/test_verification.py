"""What the plan does not speak of counts all the same: nothing that verifies may be lost, and nothing refused is called good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.lock import shared_directory
from remediate.executor.rollback import rollback
from remediate.formats import plan_document, plan_id
from remediate.model.errors import FormatError, StalePlan, UsageError
from remediate.model.identity import CipherList
from remediate.model.plan import Plan, Policy, SetCiphers
from remediate.planner import make_plan
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


def plan_for_one_port(cluster: MemoryCluster, port: int) -> Plan:
    """A plan from an inventory that knows of one port only."""
    snapshot = cluster.snapshot()
    few = replace(snapshot, endpoints=tuple(endpoint for endpoint in snapshot.endpoints if endpoint.port == port))
    return make_plan(few, Policy(ciphers="keep", approved=frozenset(snapshot.certificates)))


def renamed(plan: Plan, ciphers: str) -> Plan:
    """The plan with another cipher list in it, and the id that belongs to it."""
    actions = tuple(
        replace(action, after=CipherList(ciphers)) if isinstance(action, SetCiphers) else action for action in plan.actions
    )
    new_plan = replace(plan, actions=actions)
    return replace(new_plan, id=plan_id(plan_document(new_plan)))


def test_refused_endpoints_outside_the_plan_are_reported(tmp_path: Path) -> None:
    # Given a plan that speaks of one port, and others that are refused
    desk, cluster = Desk(tmp_path), story()
    result = desk.apply(cluster, plan_for_one_port(cluster, 6972))
    # Then the run is not called good
    assert result.exit_code == 10
    assert "Every endpoint verifies" not in result.message


def test_a_plan_that_loses_an_unknown_endpoint_is_refused(tmp_path: Path) -> None:
    desk, cluster = Desk(tmp_path), story()
    plan = plan_for(cluster)
    lone = replace(plan, endpoints=())
    lone = replace(lone, id=plan_id(plan_document(lone)))
    with pytest.raises(StalePlan, match="would fail after it"):
        desk.apply(cluster, renamed(lone, "ECDHE-ECDSA-AES256-GCM-SHA384"))
    assert cluster.sent_count == 0


def test_a_cipher_list_in_which_openssl_finds_nothing_is_refused(tmp_path: Path) -> None:
    desk, cluster = Desk(tmp_path), story()
    with pytest.raises(FormatError, match="finds no usable cipher"):
        desk.apply(cluster, renamed(plan_for(cluster), "BOGUS"))
    assert cluster.sent_count == 0


def test_a_rollback_with_another_inventory_is_refused(tmp_path: Path) -> None:
    # Given a run, and an inventory that calls other devices by the same cluster name
    desk, cluster = Desk(tmp_path), story()
    run = desk.apply(cluster, plan_for(cluster)).run_id
    other_cluster = story()
    for device in other_cluster.devices:
        device.address = type(device.address)(f"other-{device.address}")
    with pytest.raises(UsageError, match="names none of them"):
        rollback(
            run,
            other_cluster.access,
            state_dir=desk.state_dir,
            environment=other_cluster.environment(lock_directory=tmp_path / "locks"),
        )
    assert desk.journal().run(run).state == "applied"
    assert other_cluster.sent_count == 0


def test_the_lock_does_not_depend_on_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = shared_directory()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert shared_directory() == usual
