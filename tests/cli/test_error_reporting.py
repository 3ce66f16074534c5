"""Every way of ending badly: its exit code, one sentence, a next step, and stdout kept for data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from remediate.cli import app
from remediate.cli.error_reporting import Terminated
from remediate.cli.files import open_private, write_atomically
from remediate.lab import Lab
from remediate.model.errors import RemediateError
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


def _command_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setattr(app, "import_module", lambda _: SimpleNamespace(command=broken))


def test_a_bug_is_70_and_its_text_is_not_shown(remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that_raises(monkeypatch, _Surprise("canary"))

    ended = remediate("plan")

    assert ended.code == 70
    assert "_Surprise" in ended.err
    assert "report" in ended.err
    assert "Traceback" not in ended.err
    assert "canary" not in ended.err


@pytest.mark.parametrize(("verb", "code"), [("plan", 1), ("workaround", 8)])
def test_memory_that_ends_is_one_sentence_and_no_bug(
    verb: str, code: int, remediate: Remediate, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A command that writes does not say that nothing was changed, which 1 means.
    _command_that_raises(monkeypatch, MemoryError())

    ended = remediate(verb)

    assert (ended.code, "Traceback" in ended.err) == (code, False)
    assert "there is not enough memory" in ended.err


def test_a_bug_shows_its_traceback_when_asked(remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    _command_that_raises(monkeypatch, _Surprise())
    monkeypatch.setenv("REMEDIATE_DEBUG", "1")

    assert "Traceback" in remediate("plan").err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143), (click.Abort(), 130)])
def test_interruptions_have_their_codes(
    error: BaseException, code: int, remediate: Remediate, monkeypatch: pytest.MonkeyPatch
) -> None:
    _command_that_raises(monkeypatch, error)

    ended = remediate("plan")

    assert ended.code == code
    assert "is in the journal (`remediate runs`)" in ended.err


def test_sigterm_ends_the_real_program_with_143() -> None:
    command = [sys.executable, "-c", "from remediate.cli import main; main()", "show", "-"]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert program.stdin is not None
    # More than a pipe holds: once it is written, the program is in the middle of its command, and reads.
    program.stdin.write(b"x" * 200_000)
    program.stdin.flush()
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=60)

    assert program.returncode == 143
    assert b"interrupted" in err


def test_a_reader_that_goes_away_changes_nothing(snapshot: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for flag in ("--json", "-v"):
        command = [sys.executable, "-c", "from remediate.cli import main; main()", "plan", "--snapshot", str(snapshot), flag]
        process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
        assert (process.returncode, process.stderr) == (0, "")
    os.close(writing)


def test_files_are_whole_private_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)

    write_atomically(path, "new")

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    for write in (lambda path: write_atomically(path, ""), open_private):
        with pytest.raises(RemediateError, match=r"cannot be written: No such file or directory\."):
            write(tmp_path / "gone" / "file")


def real(arguments: str, *, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the real program, started by a shell, so that its streams can be what a shell makes of them."""
    command = f"exec {sys.executable} -m remediate {arguments}"
    return subprocess.run(["sh", "-c", command], input=stdin, capture_output=True, check=False, timeout=60)


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
    assert without_stdin.stderr.startswith(b"remediate: There is no stdin to read from")
    assert (twice.returncode, twice.stderr) == (
        1, b"remediate: There is nothing on stdin, or it was read already.\n  Name a file; - can be given once.\n",
    )  # fmt: skip


def test_a_document_is_utf_8_whatever_the_terminal_has(snapshot: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert real(f"plan --snapshot {snapshot} -o {plan} -q").returncode == 0
    for form in ("--html", "--markdown"):
        command = f"PYTHONUTF8=0 PYTHONIOENCODING=latin-1 exec {sys.executable} -m remediate show {plan} {form} -"
        process = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
        assert "✗" in process.stdout.decode()
        assert b"\\u" not in process.stdout


def test_a_disk_that_is_full_is_no_bug() -> None:
    for arguments in ("--version", "explain --help"):
        ended = real(f"{arguments} >/dev/full")
        assert (ended.returncode, b"No space left on device" in ended.stderr, b"bug" in ended.stderr) == (1, True, False)


def test_a_usage_error_is_one_line(remediate: Remediate) -> None:
    assert remediate("completion").err.splitlines()[0].endswith("Choose from: bash, zsh, fish")
