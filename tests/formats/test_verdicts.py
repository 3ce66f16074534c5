"""Verdicts in the document of a plan: those that are alike are read once, and none of them passes unread."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from remediate import Plan
from remediate.formats import plan_document, plan_id
from remediate.formats.verdicts import share_verdicts
from remediate.model.errors import FormatError
from tests.report.large_plan import large_plan

PLAN = replace(large_plan(300), id=plan_id(plan_document(large_plan(300))))


@pytest.fixture
def document() -> dict[str, Any]:
    """The document of a plan with 1,800 forecasts, in which the last outcome equals earlier ones."""
    document: dict[str, Any] = json.loads(PLAN.to_json())
    last = document["endpoints"][-1]["after"]
    assert sum(entry["after"] == last for entry in document["endpoints"]) > 100
    return document


def test_what_is_alike_in_a_plan_is_one_value() -> None:
    plan = Plan.from_json(PLAN.to_json())

    outcomes = [outcome for forecast in plan.endpoints for outcome in (forecast.before, forecast.after)]

    assert plan == PLAN
    assert len({id(outcome) for outcome in outcomes}) == len(set(outcomes)) == 5


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [
        ("ok", "perhaps", r"endpoints\[1799\]\.after\.ok"),
        ("cause", "bad-luck", r"endpoints\[1799\]\.after\.cause"),
        ("error", ["a list"], r"endpoints\[1799\]\.after\.error"),
        ("depth", {"an": "object"}, r"endpoints\[1799\]\.after\.depth"),
    ],
)
def test_one_wrong_outcome_among_many_is_named(document: dict[str, Any], member: str, value: object, place: str) -> None:
    document["endpoints"][-1]["after"][member] = value

    with pytest.raises(FormatError, match=place):
        Plan.from_json(json.dumps(document))


@pytest.mark.parametrize("outcome", [None, 7, "good", [], {}])
def test_what_is_no_outcome_is_refused_at_its_place(document: dict[str, Any], outcome: object) -> None:
    document["endpoints"][-1]["before"] = outcome

    with pytest.raises(FormatError, match=r"endpoints\[1799\]\.before"):
        Plan.from_json(json.dumps(document))


@pytest.mark.parametrize("entry", [None, 7, [], {"address": "a"}])
def test_an_entry_without_outcomes_is_refused(document: dict[str, Any], entry: object) -> None:
    document["endpoints"][-1] = entry

    with pytest.raises(FormatError, match=r"endpoints\[1799\]"):
        Plan.from_json(json.dumps(document))


def test_an_edit_that_changes_a_type_alone_is_seen(document: dict[str, Any]) -> None:
    # Given a plan in which one `true` of many became 1, which Python takes for the same
    outcome = next(entry["after"] for entry in reversed(document["endpoints"]) if entry["after"]["ok"])
    outcome["ok"] = 1

    with pytest.raises(FormatError, match="was changed after it was made"):
        Plan.from_json(json.dumps(document))


def test_only_outcomes_are_shared() -> None:
    good = '{"ok": true, "cause": null, "error": null, "code": 0, "depth": null, "key": "rsa"}'
    letters = '{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}'

    first, second, third, fourth = json.loads(f"[{good}, {good}, {letters}, {letters}]", object_hook=share_verdicts())

    assert first is second
    assert third == fourth
    assert third is not fourth
