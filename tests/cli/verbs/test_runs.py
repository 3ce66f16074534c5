"""`runs`: what the journal holds, also where there is none."""

from __future__ import annotations

from tests.cli.conftest import Remediate


def test_an_absent_journal_is_an_empty_list(remediate: Remediate) -> None:
    assert remediate("runs", "--json").document == []
    assert "No run yet" in remediate("runs").out
    assert remediate("runs", "show", "last").code == 1
