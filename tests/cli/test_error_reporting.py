"""Every way of ending badly: its exit code, one sentence, a next step, and stdout kept for data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from remediate.cli.error_reporting import Terminated, report_failure
from remediate.cli.session import Session
from remediate.lab import Lab
from tests.cli.commands import real
from tests.cli.conftest import Remediate
from tests.pki import issue


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["plan", "--nonsense"],
        ["plan"],
        ["apply"],
        ["verify"],
        ["workaround", "maybe", "-i", "x"],
        ["plan", "-i", "x", "--ciphers", "none"],
        ["plan", "--snapshot", "x", "--approve", "sha256:ab"],
        ["show", "x", "--json", "--html", "y"],
        [],
    ],
)
def test_wrong_usage_is_64(arguments: list[str], remediate: Remediate) -> None:
    ended = remediate(*arguments)

    assert ended.code == 64
    assert ended.out == "" or json.loads(ended.out)["error"]["exit_code"] == 64
    assert ended.err.startswith("remediate: ")


def test_wrong_usage_under_json_is_a_document(remediate: Remediate) -> None:
    ended = remediate("plan", "--json", "--nonsense")

    assert (ended.code, ended.document["error"]["exit_code"]) == (64, 64)
    assert "--nonsense" in ended.document["error"]["message"]


def test_an_error_of_ours_is_a_sentence_a_next_step_and_its_code(remediate: Remediate, tmp_path: Path) -> None:
    ended = remediate("verify", "-i", tmp_path / "gone.yml", "--json")

    assert ended.code == 1
    assert f"remediate: {tmp_path}/gone.yml: no such inventory file or folder.\n  Give -i the path of an inventory" in ended.err
    assert ended.document["error"]["message"].endswith("no such inventory file or folder.")
    assert ended.document["error"]["next_step"]


class _Surprise(Exception):
    pass


def test_a_bug_is_70_and_its_text_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code = report_failure(_Surprise("canary"), Session(), writing=False)

    stderr = capsys.readouterr().err
    assert code == 70
    assert "_Surprise" in stderr
    assert "report" in stderr
    assert "Traceback" not in stderr
    assert "canary" not in stderr


@pytest.mark.parametrize(("writing", "expected"), [(False, 1), (True, 8)])
def test_memory_that_ends_is_one_sentence_and_no_bug(writing: bool, expected: int, capsys: pytest.CaptureFixture[str]) -> None:
    # A command that writes does not say that nothing was changed, which 1 means.
    code = report_failure(MemoryError(), Session(), writing=writing)

    stderr = capsys.readouterr().err
    assert (code, "Traceback" in stderr) == (expected, False)
    assert "not enough memory" in stderr


def test_a_bug_shows_its_traceback_when_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_DEBUG", "1")

    report_failure(_Surprise(), Session(), writing=False)

    assert "_Surprise" in capsys.readouterr().err


def test_an_abort_of_click_is_what_it_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    abort = click.Abort()
    abort.__cause__ = Terminated()

    assert report_failure(abort, Session(), writing=False) == 143
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "expected"), [(KeyboardInterrupt(), 130), (Terminated(), 143), (click.Abort(), 130)])
def test_interruptions_have_their_codes(error: BaseException, expected: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(error, Session(), writing=False) == expected
    assert "The journal (`remediate runs`) has what" in capsys.readouterr().err


def test_a_reader_that_goes_away_changes_nothing(snapshot: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for flag in ("--json", "-v"):
        command = [sys.executable, "-c", "from remediate.cli import main; main()", "plan", "--snapshot", str(snapshot), flag]
        process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
        assert (process.returncode, process.stderr) == (0, "")
    os.close(writing)


@pytest.mark.lab
def test_events_that_cannot_be_written_end_no_run(remediate: Remediate, lab: Lab) -> None:
    # Given events that go to a full disk, and a reader of them that has seen enough
    full = remediate("verify", "-i", lab.inventory, "--events", "/dev/full", "--json", "-q")
    seen_enough = subprocess.Popen(
        [sys.executable, "-m", "remediate", "verify", "-i", str(lab.inventory), "--events", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert seen_enough.stdout
    assert json.loads(seen_enough.stdout.readline())["type"] == "version"
    seen_enough.stdout.close()

    # Then each goes on to its own result and its own code
    assert (full.code, full.document["exit_code"]) == (10, 10)
    assert full.err == "remediate: events from here on are lost: No space left on device.\n"
    assert seen_enough.wait(60) == 10


@pytest.mark.lab
def test_without_stdin_no_question_is_asked(lab: Lab, snapshot: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert real(f"plan --snapshot {snapshot} -o {plan} -q").returncode == 0

    piped = real(
        f"apply - -i {lab.inventory} --approve-file {lab.approvals} -q --state-dir {tmp_path}/state", stdin=plan.read_bytes()
    )
    closed = real(f"apply {plan} -i {lab.inventory} --approve-file {lab.approvals} -q --state-dir {tmp_path}/state <&-")
    without_stdin = real("show - <&-")
    twice = real("explain --chain - --store - --address cucm.test", stdin=issue("Root", ca=True).certificate.pem.encode())

    assert (piped.returncode, closed.returncode, without_stdin.returncode) == (7, 7, 1)
    assert b"--yes" in piped.stderr
    assert b"--yes" in closed.stderr
    assert without_stdin.stderr.startswith(b"remediate: Cannot read from stdin")
    assert (twice.returncode, twice.stderr) == (
        1, b"remediate: stdin is empty, or was read already.\n  Give a file; - can be given once.\n",
    )  # fmt: skip


def test_a_usage_error_is_one_line(remediate: Remediate) -> None:
    assert remediate("completion").err.splitlines()[0].endswith("Choose from: bash, zsh, fish")
