"""Several clusters: rolling with one that fails in the middle, a rerun that converges, and the hand-over to an approval."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import pytest

from tests.playbooks.conftest import Fleet

pytestmark = pytest.mark.lab


@pytest.fixture
def three_clusters(start_fleet: Callable[..., Fleet]) -> Fleet:
    return start_fleet("edge-lima", "edge-oslo", "edge-rome")


def test_a_rollout_stops_at_the_cluster_that_fails_and_continues(three_clusters: Fleet) -> None:
    fleet = three_clusters
    planned = fleet.play("plan", variables={"ANSIBLE_SHOW_CUSTOM_STATS": "1"})
    assert planned.outcome == (0, dict.fromkeys(fleet.labs, (0, 0)))
    middle = fleet.labs["edge-oslo"]
    middle.faults.set_running(middle.peers[0].address, False)

    # When the second of three fails, the third is left as it is
    stopped = fleet.play("apply")
    assert stopped.outcome == (2, {"edge-lima": (1, 0), "edge-oslo": (0, 1)})
    assert not any(request.write for request in fleet.labs["edge-rome"].requests)

    # And the same again goes on with it and with what comes after it
    middle.faults.set_running(middle.peers[0].address, True)
    resumed = fleet.play("apply", "-e", json.dumps({"remediate_plan_ids": _handed_over(planned.printed)}))
    assert resumed.outcome == (0, {"edge-lima": (0, 0), "edge-oslo": (1, 0), "edge-rome": (1, 0)})
    writes = fleet.writes
    converged = fleet.play("apply", "--forks", "3", "-e", "remediate_serial=3")
    assert (converged.outcome, fleet.writes) == ((0, dict.fromkeys(fleet.labs, (0, 0))), writes)


def _handed_over(printed: str) -> dict[str, str]:
    """Return the plan of each cluster, as the playbook hands them to an approval node."""
    stats = re.search(r"CUSTOM STATS: \*+\s+\tRUN: (\{.*\})", printed, re.DOTALL)
    assert stats, printed
    document = json.loads(stats[1])
    assert sorted(document["remediate_pending"]) == sorted(document["remediate_plan_ids"])
    assert document["remediate_approvals_required"] == {}
    return dict(document["remediate_plan_ids"])


def test_passwords_of_a_vault_are_shown_nowhere(fleet: Fleet) -> None:
    # Given an inventory that reads the password from the environment, and a variable that has it
    path = fleet.lab.directory / "secrets" / "expressway"
    fleet.inventory.write_text(fleet.inventory.read_text().replace(f"{{file: {path}}}", "{env: EXPC_PASSWORD}"))
    password = fleet.lab.accounts.password
    (fleet.folder / "vault.yml").write_text(json.dumps({"remediate_secrets": {"EXPC_PASSWORD": password}}))

    played = fleet.play("workaround", "-vvvv", "-e", f"@{fleet.folder}/vault.yml")

    assert played.outcome == (0, {"edge-lab": (0, 0)})
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in played.printed
    output = played.printed + fleet.calls.read_text()
    assert password not in output
    assert base64.b64encode(password.encode()).decode() not in output
    without = fleet.play("workaround")
    assert (without.code, "EXPC_PASSWORD" in without.printed) == (2, True)
