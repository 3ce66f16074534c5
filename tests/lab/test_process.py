"""A lab in a process of its own: found by its directory, gone without a trace however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest

from remediate.lab import LabError, process
from remediate.lab.judge import traffic_server_path


def _judges_of(directory: Path) -> list[bytes]:
    """Return the traffic servers that run out of this directory."""
    command_lines = []
    for process_folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command_lines.append((process_folder / "cmdline").read_bytes())
    return [
        command_line
        for command_line in command_lines
        if b"traffic_server\0--run-root" in command_line and str(directory).encode() in command_line
    ]


def test_a_lab_is_used_from_another_process(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    lab = process.up(directory, "healthy")
    try:
        status = process.status(directory)
        assert status
        assert status.scenario == "healthy"
        assert status.inventory == lab.inventory
        assert {answer.status for answer in lab.ask_all().values()} == {200}
        assert process.connect(directory).ask(0, "imp.steven.lab", 8443).status == 200
        assert lab.requests() == ()
        with pytest.raises(LabError, match="already"):
            process.up(directory)
    finally:
        assert process.down(directory)

    assert process.status(directory) is None
    assert not process.down(directory)
    assert not _judges_of(directory)


def test_a_lab_imports_nothing_from_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "remediate.py").write_text("raise SystemExit('imported')")

    with contextlib.chdir(tmp_path):
        process.up(tmp_path / "lab", "healthy")

    assert process.down(tmp_path / "lab")


def test_a_lab_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no lab scenario 'nope'"):
        process.up(tmp_path, "nope")


def test_a_lab_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="No lab is running"):
        process.connect(tmp_path)


@pytest.mark.skipif(traffic_server_path() is None, reason="traffic_server is not installed")
def test_when_it_is_killed_no_traffic_server_stays_behind(tmp_path: Path) -> None:
    lab = process.up(tmp_path, "healthy")
    try:
        lab.ask_all()
        assert _judges_of(tmp_path)
    finally:
        os.kill(json.loads((tmp_path / "lab.json").read_text())["pid"], signal.SIGKILL)

    deadline = time.monotonic() + 40
    while _judges_of(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.status(tmp_path) is None


def test_a_wrong_token_gets_nothing(tmp_path: Path) -> None:
    process.up(tmp_path, "healthy")
    try:
        state = json.loads((tmp_path / "lab.json").read_text())
        stranger = process.RemoteLab(tmp_path, state["address"], state["port"], "guessed")

        with pytest.raises(LabError, match="401"):
            stranger.requests()
        assert (tmp_path / "lab.json").stat().st_mode & 0o077 == 0
    finally:
        process.down(tmp_path)
