"""The whole walk on a lab of its own: apply, apply again, the journal, roll back, the workaround; and the demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Lab]:
    """Yield a lab that may be written to."""
    with Lab(tmp_path / "lab", judge=False) as running:
        yield running


def test_apply_heals_and_a_second_apply_changes_nothing(remediate: Remediate, fresh: Lab, tmp_path: Path) -> None:
    plan, where = tmp_path / "plan.json", ("-i", fresh.inventory, "--approve-file", fresh.approvals)
    assert remediate("plan", *where, "-o", plan).code == 0

    first = remediate("apply", plan, *where, "--yes", "--restart", "rolling", "--ticket", "CHG1", "--json", "-q").document
    writes = sum(request.write for request in fresh.requests)
    second = remediate("plan", *where, "--json", "-q").document

    assert (first["exit_code"], first["state"], first["changed"]) == (10, "applied", True)
    refused = {(endpoint["address"], endpoint["cause"]) for endpoint in first["endpoints"] if not endpoint["ok"]}
    assert refused == {("voicemail.steven.lab", "name-mismatch")}
    assert second["actions"] == []
    assert sum(request.write for request in fresh.requests) == writes

    [run] = remediate("runs", "--json").document
    assert run.keys() == {
        "id",
        "kind",
        "cluster",
        "plan",
        "state",
        "exit_code",
        "in_effect",
        "started_at",
        "ended_at",
        "ticket",
        "peers",
    }
    assert (run["kind"], run["exit_code"]) == ("apply", 10)
    assert (run["ticket"], run["state"], run["plan"]) == ("CHG1", "applied", json.loads(plan.read_text())["id"])
    view = remediate("runs", "show", "last", "-v").out
    exported = remediate("runs", "export", run["id"]).document
    assert exported["plan"]["id"] == run["plan"]
    assert {"who", "host", "pid", "ticket", "started_at", "ended_at", "message", "approvals", "steps"} <= exported.keys()
    for peer in fresh.peers:
        assert exported["after"][peer.address]["trusted_ca"] == [certificate.fingerprint for certificate in peer.trusted]
        assert len(exported["before"][peer.address]["trusted_ca"]) < len(peer.trusted)
        assert exported["before"][peer.address]["ciphers"]
    for text in (
        "add certificate",
        "ticket: CHG1",
        "approved by the operator",
        *(step["after"] for step in exported["steps"]),
    ):
        assert text in view
    assert all(action["certificate"] in view for action in exported["plan"]["actions"] if "certificate" in action)

    # This lab's peers offer no removal: what is left is said, and a person is needed.
    back = remediate("rollback", "last", "--yes", "-i", fresh.inventory, "--json", "-q")
    assert back.code == 8
    assert back.document["open_steps"]
    assert f"By hand on {fresh.peers[2].address}:" in remediate("rollback", "last", "--yes", "-i", fresh.inventory, "-q").out


def test_the_workaround_is_switched_on_recorded_and_off(remediate: Remediate, fresh: Lab) -> None:
    on = remediate("workaround", "on", "--yes", "-i", fresh.inventory, "--json")
    looked = remediate("verify", "-i", fresh.inventory, "-q")
    refused = remediate("workaround", "off", "--yes", "-i", fresh.inventory, "-q")
    off = remediate("workaround", "off", "--yes", "--force", "-i", fresh.inventory, "--json")

    assert [peer["verification"] for peer in on.document["clusters"][0]["peers"]] == [False, False, False]
    assert "impersonate" in on.err
    assert looked.code == 10
    assert "the workaround is on" in looked.err
    assert refused.code == 7
    assert "voicemail.steven.lab:8443: name-mismatch" in refused.err
    assert [peer["verification"] for peer in off.document["clusters"][0]["peers"]] == [True, True, True]
