"""The report of a run, in the state directory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from remediate.cli.run_report import write_run_report
from remediate.cli.session import Session
from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal
from tests.executor.clusters import plan_for, story


def begin_run(state: Path) -> str:
    with Journal(state, writable=True) as journal:
        plan = plan_for(replace(story(), name="paris"))
        return journal.begin_run(plan, (), (), operator=Operator("anna", "jump", 1), ticket="CHG-9")


def test_the_report_of_a_run_is_private_and_says_who(tmp_path: Path) -> None:
    run = begin_run(tmp_path)

    path = write_run_report(Session(chosen_state_dir=tmp_path), run)

    assert path == tmp_path / "reports" / f"{run}.html"
    assert path.stat().st_mode & 0o777 == 0o600
    page = path.read_text()
    assert all(word in page for word in ("anna", "CHG-9", "paris", run))


def test_a_report_that_cannot_be_written_ends_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = begin_run(tmp_path)
    (tmp_path / "reports").write_text("in the way")

    assert write_run_report(Session(chosen_state_dir=tmp_path), run) is None
    assert f"The report of run {run} could not be written" in capsys.readouterr().err
