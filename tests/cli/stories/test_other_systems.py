"""On a system that lacks what only Unix has, reading commands run, and those that write say in one sentence why they do not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.machine.system import ENDING_SIGNALS, HAS_FILE_LOCKS
from tests.pki import NOW, issue

# Makes the process one that sees what Python has on Windows: none of these modules, signals, flags and functions. What other
# packages take from a Unix system when they are loaded is their own affair, so they are loaded before.
OTHER_SYSTEM = """
import importlib, os, signal, sys
for name in ("click", "cryptography.x509", "dpkt", "jinja2", "keyring", "OpenSSL.SSL", "paramiko", "platformdirs", "pydantic",
             "requests", "rich.console", "rich.table", "yaml", "getpass", "logging", "random", "subprocess", "tempfile"):
    importlib.import_module(name)
MISSING = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
for name in MISSING:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Refusal())
for name in ("O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "fchmod", "fork", "getegid", "geteuid", "getgid",
             "getuid", "killpg", "posix_fallocate", "setsid"):
    delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1"):
    delattr(signal, name)
"""
LOAD_EVERYTHING = """
import pkgutil
import remediate
for module in pkgutil.walk_packages(remediate.__path__, "remediate."):
    if not module.name.startswith(("remediate.lab", "remediate.__main__")):
        importlib.import_module(module.name)
from remediate.machine.system import ENDING_SIGNALS, HAS_FILE_LOCKS
print(HAS_FILE_LOCKS, [number.name for number in ENDING_SIGNALS])
"""
RUN = "from remediate.cli.app import main\nmain()\n"


def run_elsewhere(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a process that has nothing which only Unix has."""
    command = [sys.executable, "-c", OTHER_SYSTEM + program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL)


def test_all_but_the_lab_loads_without_what_only_unix_has() -> None:
    assert (HAS_FILE_LOCKS, [number.name for number in ENDING_SIGNALS]) == (True, ["SIGTERM", "SIGHUP"])

    process = run_elsewhere(LOAD_EVERYTHING)

    assert (process.stdout, process.stderr) == ("False ['SIGTERM']\n", "")


def test_reading_commands_of_files_run(snapshot: Path, tmp_path: Path) -> None:
    plan, chain, log = tmp_path / "plan.json", tmp_path / "chain.pem", tmp_path / "log.txt"
    chain.write_text(issue("cucm.example.test").certificate.pem)
    log.write_text("nothing of interest\n")

    planned = run_elsewhere(RUN, "plan", "-q", "--snapshot", snapshot, "-o", plan)
    plan_process = run_elsewhere(RUN, "show", plan, "--json")
    ended = run_elsewhere(RUN, "show", plan, "--html", tmp_path / "plan.html")
    explained = run_elsewhere(
        RUN, "explain", "--chain", chain, "--store", chain, "--address", "cucm.example.test", "--at", NOW.isoformat()
    )
    diagnosed = run_elsewhere(RUN, "diagnose", log, "--json")
    listed = run_elsewhere(RUN, "runs", "--json")
    completed = run_elsewhere(RUN, "completion", "bash")

    assert (planned.returncode, planned.stderr) == (0, "")
    assert json.loads(plan_process.stdout)["format"] == "remediate.plan/1"
    assert "cucm.example.test" in explained.stdout
    assert json.loads(diagnosed.stdout)["format"] == "remediate.diagnosis/1"
    assert json.loads(listed.stdout) == []
    assert "_REMEDIATE_COMPLETE" in completed.stdout
    for process in (plan_process, ended, explained, diagnosed, listed, completed):
        assert process.returncode != 70, process.stderr
        assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [("collect", 0), ("plan", 0), ("verify", 10), ("doctor", 0), ("workaround status", 0)],
    ids=str,
)
def test_reading_commands_of_a_cluster_run(command: str, code: int, lab: Lab, snapshot: Path, tmp_path: Path) -> None:
    output: list[str | Path] = ["-o", tmp_path / "output.json"] if command in {"collect", "plan"} else []

    process = run_elsewhere(RUN, *command.split(), "-q", "-i", lab.inventory, *output)

    assert (process.returncode, process.stderr) == (code, "")


@pytest.mark.parametrize("options", [["--yes"], ["--dry-run"], ["--yes", "--confirm-within", "15m"]], ids=" ".join)
def test_apply_says_that_it_does_not_run(options: list[str], lab: Lab, plan: Path) -> None:
    before = tuple(lab.requests)

    process = run_elsewhere(RUN, "apply", plan, "-q", "-i", lab.inventory, "--approve-file", lab.approvals, *options)

    assert process.returncode == 1
    assert "This system's file locks cannot keep two runs apart" in process.stderr
    assert "Run this command on Linux, macOS or WSL" in process.stderr
    assert not any(request.write for request in tuple(lab.requests)[len(before) :])


def test_turning_the_workaround_says_that_it_does_not_run(lab: Lab) -> None:
    before = tuple(lab.requests)

    process = run_elsewhere(RUN, "workaround", "on", "--yes", "-q", "-i", lab.inventory)

    assert process.returncode == 1
    assert "This system's file locks cannot keep two runs apart" in process.stderr
    assert not any(request.write for request in tuple(lab.requests)[len(before) :])


@pytest.mark.parametrize("command", [["lab", "up"], ["demo"]], ids=" ".join)
def test_the_lab_says_which_system_it_needs(command: list[str]) -> None:
    process = run_elsewhere(RUN, *command)

    assert process.returncode == 1
    assert "The lab needs Linux" in process.stderr
