"""`demo`: the whole story, and whether the judge agrees."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_the_demo_ends_well_only_if_the_judge_agrees(remediate: Remediate) -> None:
    ended = remediate("demo", "--json", "-q")

    assert ended.code == 0
    assert ended.document["agrees"] is True
    assert {endpoint["after"] for endpoint in ended.document["endpoints"]} == {200, 502}
