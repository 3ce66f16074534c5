"""`workaround`: what every command says while it is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_a_workaround_that_is_on_is_not_forgotten(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    # Given the workaround, turned on from here
    plan = tmp_path / "plan.json"
    remediate("plan", "-i", lab.inventory, "-o", plan, "-q")
    assert remediate("workaround", "on", "--yes", "-i", lab.inventory, "-q").code == 0
    try:
        # Then every later command says so, those that look at no cluster too
        for arguments in (
            ["verify", "-i", lab.inventory],
            ["plan", "-i", lab.inventory],
            ["apply", plan, "-i", lab.inventory, "--dry-run", "--approve-file", lab.approvals],
        ):
            for how in ("-v", "-q"):
                assert "the workaround is on" in remediate(*arguments, how).err.casefold(), (arguments[0], how)
        rehearsed = remediate("apply", plan, "-i", lab.inventory, "--dry-run", "--approve-file", lab.approvals, "--json", "-q")
        assert any(note.startswith("The workaround is on") for note in rehearsed.document["notes"])
        assert "the workaround may be on; last switched from here" in remediate("runs").err
    finally:
        assert remediate("workaround", "off", "--yes", "--force", "-i", lab.inventory, "-q").code == 0
    # And when it is off again, nothing is said any more
    assert "workaround" not in remediate("runs").err
