"""Discovery that could not ask: exit code 4, and the node's own words in every view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab

PUBLISHER = "cucm.steven.lab"
WORDS = "The database of this node is being switched; ask it again in 17 minutes."


@pytest.fixture(autouse=True)
def _cannot_be_asked(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "400")
    instead = lab.node(PUBLISHER).scripted_answers
    instead["/cucm-uds/servers"] = (200, "<!DOCTYPE html><html><body>Please log in</body></html>")
    instead["/axl/"] = (500, f"<e><Fault><faultstring>{WORDS}</faultstring></Fault></e>")
    yield
    instead.clear()


def test_plan_is_incomplete_in_every_view(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    plan, page, ticket = tmp_path / "plan.json", tmp_path / "plan.html", tmp_path / "ticket.md"

    planned = remediate("plan", "-i", lab.inventory, "-o", plan, "--detailed-exitcode", "-q")
    assert remediate("show", plan, "--html", page).code == 0
    assert remediate("show", plan, "--markdown", ticket).code == 0
    saved_view = remediate("show", plan)
    document = json.loads(plan.read_text())

    assert planned.code == 4
    assert document["complete"] is False
    assert [(gap["source"], gap["service"], gap["incomplete"]) for gap in document["undiscovered"]] == [
        (PUBLISHER, "axl", True),
        (PUBLISHER, "uds", True),
    ]
    for view in (planned.out, saved_view.out, page.read_text(), ticket.read_text(), document["undiscovered"][0]["message"]):
        assert WORDS in view
    for view in (planned.out, saved_view.out, page.read_text(), ticket.read_text()):
        assert "Incomplete" in view
        assert "login page" in view


def test_verify_is_incomplete_and_says_why(remediate: Remediate, lab: Lab) -> None:
    for_a_person = remediate("verify", "-i", lab.inventory, "-q")
    for_a_program = remediate("verify", "-i", lab.inventory, "--json", "-q")

    [cluster] = for_a_program.document["clusters"]
    assert (for_a_person.code, for_a_program.code, cluster["exit_code"], cluster["complete"]) == (4, 4, 4, False)
    assert "Incomplete" in for_a_person.out
    assert WORDS in for_a_person.out
    assert WORDS in cluster["undiscovered"][0]["message"]


def test_collect_is_incomplete_and_a_plan_from_its_snapshot_too(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.json"

    collected = remediate("collect", "-i", lab.inventory, "-o", snapshot)
    planned = remediate("plan", "--snapshot", snapshot, "--json")

    assert (collected.code, planned.code, planned.document["complete"]) == (4, 4, False)
    assert "incomplete" in collected.out
    assert WORDS in collected.out
    assert WORDS in collected.err
    assert WORDS in planned.document["undiscovered"][0]["message"]


def test_apply_refuses_it_and_names_what_could_not_be_asked(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    remediate("plan", "-i", lab.inventory, "-o", plan, "--approve-file", lab.approvals, "-q")

    before = len(list(lab.requests))  # other tests of this process wrote to the same lab
    refused = remediate("apply", plan, "-i", lab.inventory, "--yes")
    rehearsed = remediate("apply", plan, "-i", lab.inventory, "--dry-run", "--allow-incomplete", "-q")

    assert refused.code == 4
    assert WORDS in refused.err
    assert "--allow-incomplete" in refused.err
    assert rehearsed.code in {0, 10}
    assert [request for request in list(lab.requests)[before:] if request.write] == []


def test_the_inventorys_own_list_needs_no_discovery(remediate: Remediate, lab: Lab) -> None:
    whole = lab.inventory.with_name("whole.yml")
    whole.write_text(lab.inventory.read_text().replace("      nodes:\n", "      discovery: inventory\n      nodes:\n"))

    ended = remediate("plan", "-i", whole, "--json", "-q")

    assert (ended.code, ended.document["complete"]) == (0, True)
    assert "undiscovered" not in ended.document
