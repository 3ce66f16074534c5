"""``remediate collect --survey``: a fast look, and what a plan from it may rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


@pytest.fixture
def survey(remediate: Remediate, lab: Lab, tmp_path: Path) -> Path:
    """Return what a survey of the lab wrote."""
    path = tmp_path / "survey.json"
    assert remediate("collect", "-i", lab.inventory, "--survey", "-o", path, "-q").code == 4
    return path


def test_a_survey_shows_one_certificate_of_each_endpoint(survey: Path, snapshot: Path) -> None:
    surveyed, looked_at = (json.loads(path.read_text())["endpoints"] for path in (survey, snapshot))

    assert {endpoint["seen_by"] for endpoint in surveyed} == {"survey"}
    assert [len(endpoint["presented"]) for endpoint in surveyed] == [1] * len(looked_at)
    assert max(len(endpoint["presented"]) for endpoint in looked_at) == 2
    whole = {(endpoint["address"], endpoint["port"]): endpoint["presented"] for endpoint in looked_at}
    assert all(endpoint["presented"].items() <= whole[endpoint["address"], endpoint["port"]].items() for endpoint in surveyed)


def test_every_certificate_of_a_survey_needs_an_approval(remediate: Remediate, survey: Path, lab: Lab) -> None:
    planned = remediate("plan", "--snapshot", survey, "--ca", lab.inventory.parent / "pki" / "corporate.pem", "--json", "-q")

    plan = planned.document
    assert (planned.code, plan["complete"]) == (4, False)
    assert {action["approval"] for action in plan["actions"] if action["kind"] == "trust-certificate"} == {"required"}
    assert not [action for action in plan["actions"] if action["kind"] == "set-ciphers"]


def test_a_survey_without_its_own_gap_is_incomplete(remediate: Remediate, survey: Path) -> None:
    document = json.loads(survey.read_text())
    survey.write_text(json.dumps({**document, "undiscovered": []}))

    assert remediate("plan", "--snapshot", survey, "-q").code == 4


def test_archives_are_not_surveyed(remediate: Remediate, tmp_path: Path) -> None:
    assert remediate("collect", "--archive", tmp_path, "--survey").code == 64
