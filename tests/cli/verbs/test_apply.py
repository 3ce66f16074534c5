"""`apply` on the lab: what it refuses before the first write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_apply_without_approvals_is_7_and_shows_each_fingerprint(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    remediate("plan", "--snapshot", snapshot, "-o", plan)
    request_count = len(lab.requests)
    required = [load["certificate"] for load in json.loads(plan.read_text())["actions"] if load.get("approval") == "required"]

    ended = remediate("apply", plan, "-i", lab.inventory, "--yes", "--json")

    assert ended.code == 7
    assert ended.document["error"]["exit_code"] == 7
    assert required
    assert all(fingerprint in ended.err for fingerprint in required)
    assert [request for request in list(lab.requests)[request_count:] if request.write] == []


def test_the_plan_of_another_cluster_is_refused(remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path) -> None:
    plan, other_inventory = tmp_path / "plan.json", lab.inventory.with_name("other.yml")
    remediate("plan", "--snapshot", snapshot, "-o", plan)
    other_inventory.write_text(lab.inventory.read_text().replace("name: edge-lab", "name: edge-other"))

    ended = remediate("apply", plan, "-i", other_inventory, "--yes")

    assert ended.code == 1
    assert "The plan is for the cluster edge-lab" in ended.err
