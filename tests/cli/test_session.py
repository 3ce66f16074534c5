"""A session: stdout and stderr of one command, its events, and where it keeps its state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediate.cli.session import find_state_dir
from remediate.formats.outputs import EventOutput
from remediate.lab import Lab
from remediate.model.errors import UsageError
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_a_user_without_a_home_is_asked_for_a_folder(tmp_path: Path) -> None:
    def find_no_home() -> Path:
        # What `platformdirs` says of a user without a home; root, who runs tests in a container, always has one.
        raise RuntimeError("Could not determine home directory.")

    assert find_state_dir(tmp_path, find_no_home) == tmp_path
    with pytest.raises(UsageError, match="This user has no home directory"):
        find_state_dir(None, find_no_home)


def test_what_needs_no_state_runs_where_none_can_be_kept(
    remediate: Remediate, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMEDIATE_STATE_DIR", "/dev/null/state")

    assert remediate("show", plan, "-q").code == 0


def test_stdout_is_one_document_and_progress_is_on_stderr(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "--json")

    [cluster] = ended.document["clusters"]
    assert (cluster["cluster"], cluster["exit_code"], cluster["complete"]) == ("edge-lab", 10, True)
    assert {"address", "port", "peer", "ok", "cause", "error", "code", "depth", "key"} <= cluster["endpoints"][0].keys()
    assert ended.err
    assert remediate("verify", "-i", lab.inventory, "--json", "-q").err == ""


def test_events_begin_with_the_version_and_end_in_a_summary(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"

    code = remediate("collect", "-i", lab.inventory, "--events", events, "-q").code
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        EventOutput.model_validate(line)

    assert (lines[0]["type"], lines[-1]["type"], lines[-1]["exit_code"]) == ("version", "summary", code)
    assert [line["seq"] for line in lines] == list(range(len(lines)))
    assert all({"type", "message", "cluster", "timestamp"} <= line.keys() for line in lines)
    assert events.stat().st_mode & 0o777 == 0o600


def test_events_on_stdout_leave_nothing_else_there(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("collect", "-i", lab.inventory, "--events", "-", "-q")

    assert all(json.loads(line) for line in ended.out.splitlines())
    assert "edge-lab: 3 peers" in ended.err
    assert remediate("collect", "-i", lab.inventory, "--events", "-", "--json").code == 64
