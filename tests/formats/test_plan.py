"""The plan's file: what is written is read back, and a plan that was edited is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from remediate import Plan, Snapshot, make_plan
from remediate.formats import plan_id
from remediate.model.errors import FormatError
from tests.formats.documents import PLAN, SEEN, document
from tests.pki import NOW, YEAR, issue
from tests.planner.build import endpoint, peer, snapshot


def test_every_kind_of_action_survives_the_file() -> None:
    assert {action.kind for action in PLAN.actions} >= {
        "remove-certificate",
        "trust-certificate",
        "refresh-discovery",
        "restart-peer",
    }
    assert Plan.from_json(PLAN.to_json()) == PLAN
    assert Snapshot.from_json(SEEN.to_json().encode()) == SEEN


def test_facts_that_contradict_their_certificate_are_refused() -> None:
    forged = document(PLAN.to_json())
    key = next(iter(forged["facts"]))
    forged["facts"][key]["not_after"] = "2099-01-01T00:00:00Z"
    forged["id"] = plan_id(forged)

    with pytest.raises(FormatError, match=r"facts\[sha256:.* does not match the certificate itself"):
        Plan.from_json(json.dumps(forged))


def test_a_certificate_without_end_has_facts_that_are_read() -> None:
    endless = issue("imp.test", names=("imp.test",), lasts=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - NOW + YEAR)
    plan = make_plan(snapshot([peer(1, [])], [endpoint("imp.test", rsa=[endless])], [endless]))

    assert [facts.not_after for facts in Plan.from_json(plan.to_json()).facts.values()] == ["9999-12-31T23:59:59Z"]


def test_a_plan_of_0_1_0_keeps_its_id() -> None:
    earlier = document(PLAN.to_json())
    for base in earlier["base"].values():
        del base["version"]
    del earlier["facts"]
    earlier["id"] = plan_id(earlier)

    plan = Plan.from_json(json.dumps(earlier))

    assert Plan.from_json(plan.to_json()) == plan
    assert document(plan.to_json()) == earlier
