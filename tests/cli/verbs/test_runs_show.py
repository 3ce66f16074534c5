"""``remediate runs show``: one run as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.store import Journal
from remediate.model.identity import Address
from tests.cli.conftest import Remediate


@pytest.fixture
def run_id(tmp_path: Path) -> str:
    """Return a restart in the journal of the state directory."""
    with Journal(tmp_path / "state", writable=True) as journal:
        run = journal.begin_without_plan("restart", "edge", [Address("expc1")], operator=identify_operator(), ticket="CHG1")
        journal.close_run(run, "applied", "Restarted.")
    return run


def test_a_run_is_written_as_page_and_as_ticket(remediate: Remediate, run_id: str, tmp_path: Path) -> None:
    page = tmp_path / "run.html"

    to_file = remediate("runs", "show", "last", "--html", page)
    to_stdout = remediate("runs", "show", run_id, "--markdown", "-")

    assert (to_file.code, to_file.out) == (0, "")
    assert page.read_text().startswith("<!doctype html>")
    assert run_id in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert to_stdout.out.startswith(f"# Run {run_id}\n")


def test_the_forms_of_a_run_exclude_each_other(remediate: Remediate, run_id: str) -> None:
    assert remediate("runs", "show", run_id, "--json", "--markdown", "-").code == 64
