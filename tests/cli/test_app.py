"""The program: its verbs, what it loads, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.cli.app import VERBS
from tests.cli.commands import real
from tests.cli.conftest import Remediate

HEAVY = (
    "cryptography",
    "paramiko",
    "requests",
    "pydantic",
    "rich",
    "jinja2",
    "yaml",
    "OpenSSL",
    "keyring",
    "starlette",
    "sqlite3",
    "dpkt",
)


def test_the_verbs_are_the_documented_ones(remediate: Remediate) -> None:
    ended = remediate("--help")

    assert all(re.search(rf"^  {verb} ", ended.out, re.MULTILINE) for verb in VERBS)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["plan", "--help"], ["apply", "--help"], ["lab", "--help"], ["diagnose", "--help"], ["completion", "bash"]],
)
def test_help_loads_click_and_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom remediate.cli.app import run\n"
        f"assert run({arguments!r}) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    # What measures coverage in a child loads things of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    process = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert process.stderr.strip() == "[]"


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
