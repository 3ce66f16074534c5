"""`lab`: started, queried and stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_the_lab_is_started_queried_and_stopped(remediate: Remediate, tmp_path: Path) -> None:
    where = ("--directory", tmp_path / "own-lab")

    wrong = remediate("lab", "up", "--scenario", "nonsense", *where)
    up = remediate("lab", "up", "--scenario", "healthy", *where, "--json")
    try:
        again = remediate("lab", "up", *where)
        verified = remediate("verify", "-i", up.document["inventory"], "-q")
        answered = remediate("lab", "mra", *where, "--json")
    finally:
        down = remediate("lab", "down", *where)
    after = remediate("lab", "status", *where, "--json")

    assert (wrong.code, "story" in wrong.err) == (1, True)
    assert (up.code, up.document["running"], up.document["scenario"]) == (0, True, "healthy")
    assert (again.code, "already" in again.err) == (1, True)
    assert verified.code == 0
    assert {answer["status"] for answer in answered.document} == {200}
    assert (down.code, after.document["running"]) == (0, False)
    assert remediate("lab", "mra", *where).code == 1
