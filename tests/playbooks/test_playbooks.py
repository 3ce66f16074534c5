"""The playbooks of the repository: what is `failed`, and why, and what only looks."""

from __future__ import annotations

import re

import pytest

from tests.playbooks.conftest import Fleet

pytestmark = pytest.mark.lab


def test_the_workaround_is_switched_and_a_check_only_looks(fleet: Fleet) -> None:
    checked = fleet.play("workaround", "--check", "--diff", "-e", "remediate_workaround=on")
    writes = fleet.writes
    on = fleet.play("workaround", "-e", "remediate_workaround=on")
    # As YAML reads a bare `off`.
    refused = fleet.play("workaround", "--check", "-e", '{"remediate_workaround": false}')
    off = fleet.play("workaround", "-e", '{"remediate_workaround": false, "remediate_force": true}')

    assert (checked.outcome, writes) == ((0, {"edge-lab": (1, 0)}), 0)
    assert re.search(r"verification of certificates\n.*\n@@ -1 \+1 @@\n-on\n\+off\n", checked.printed)
    assert [played.outcome for played in (on, off)] == [(0, {"edge-lab": (1, 0)})] * 2
    assert (refused.code, "clients of edge-lab would lose these endpoints" in refused.printed) == (2, True)
    assert off.printed.count(": verification is on") > 0
    assert "verification is OFF, the workaround is on" in on.printed


def test_a_failing_exit_code_is_a_failed_task(fleet: Fleet) -> None:
    fleet.hosts("edge-lap", "edge-lab")

    looked = fleet.play("plan")
    applied = fleet.play("apply")

    assert looked.outcome == (2, {"edge-lap": (0, 1), "edge-lab": (0, 0)})
    assert "did you mean edge-lab?" in looked.printed
    assert applied.outcome == (2, {"edge-lap": (0, 1)})
    assert fleet.writes == 0


def test_a_program_that_is_not_there_is_named(fleet: Fleet) -> None:
    # Its errno would be the exit code 2, which a plan accepts.
    played = fleet.play("plan", "-e", "remediate_program=no-such-program")

    assert played.outcome == (2, {"edge-lab": (0, 1)})
    assert "remediate was not started: no-such-program: No such file or directory" in played.printed


def test_an_incomplete_plan_fails_until_it_is_allowed(fleet: Fleet) -> None:
    fleet.lab.faults.set_node_running("imp.steven.lab", False)

    refused = fleet.play("plan")
    allowed = fleet.play("apply", "-e", "remediate_allow_incomplete=true")

    assert refused.outcome == (2, {"edge-lab": (0, 1)})
    assert "Exit code 4, something could not be observed" in refused.printed
    assert allowed.outcome == (0, {"edge-lab": (1, 0)})

    # This lab's peers offer no removal: a rollback leaves it to people, with a sentence for each step.
    back = fleet.play("rollback")
    assert back.outcome == (2, {"edge-lab": (0, 1)})
    assert "Exit code 8, manual action is needed" in back.printed
    assert "Maintenance > Security > Trusted CA certificate" in back.printed


def test_an_approval_of_another_plan_is_none(fleet: Fleet) -> None:
    (fleet.folder / "plans").mkdir()
    (fleet.folder / "plans" / "edge-lab.json").write_text('{"id": "sha256:11"}')

    played = fleet.play("apply", "-e", '{"remediate_plan_ids": {"edge-rome": "sha256:00"}}')

    assert (played.outcome, fleet.writes) == ((2, {"edge-lab": (0, 1)}), 0)
    assert "holds the plan sha256:11, and no plan of this cluster was approved. Nothing was done." in played.printed
