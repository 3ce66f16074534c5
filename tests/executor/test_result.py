"""The options and the result of a run."""

from __future__ import annotations

import pytest

from remediate.executor.result import ApplyOptions, RestartOptions, RunResult
from remediate.model.exit_codes import ExitCode
from remediate.model.restart import Calls, Restart


@pytest.mark.parametrize(
    ("restart", "calls", "never"),
    [("never", "drain", True), ("if-needed", None, True), ("if-needed", "end", False), ("rolling", None, False)],
)
def test_if_needed_restarts_nothing_without_a_word_on_calls(restart: Restart, calls: Calls | None, never: bool) -> None:
    assert ApplyOptions(restart=restart, restarts=RestartOptions(calls=calls)).never_restarts is never


def test_a_remark_ends_the_message_and_an_empty_one_changes_nothing() -> None:
    result = RunResult("", "applied", ExitCode.DONE, (), has_written=False, message="Done.")

    assert result.with_remark("Twice.").message == "Done. Twice."
    assert result.with_remark("") == result
