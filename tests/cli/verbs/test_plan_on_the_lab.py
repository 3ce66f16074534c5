"""`plan` of a cluster that it looks at."""

from __future__ import annotations

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_a_wrong_password_is_1_and_only_one_peer_was_asked(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = lab.inventory.with_name("wrong.yml")
    wrong.write_text(lab.inventory.read_text().replace("{file: secrets/expressway}", "{env: WRONG}"))
    monkeypatch.setenv("WRONG", "canary-password")

    ended = remediate("plan", "-i", wrong, "--json")

    assert ended.code == 1
    assert "canary-password" not in ended.out + ended.err
    assert len({request.peer for request in lab.requests if not request.authorised}) == 1
