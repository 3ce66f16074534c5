"""The confirm timer from the command line, for real: processes, a terminal that goes away, the lab, and a deadline of seconds."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from remediate.cli.app import run
from remediate.executor.journal.store import Journal
from remediate.lab import Lab
from remediate.lab.scenario import Removal
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab

PATIENCE_S = 40.0
ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "remediate", *sys.argv[1:]])
"""


def wait_until(true: Callable[[], bool], why: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, why
        time.sleep(0.02)


@dataclass(frozen=True)
class Bench:
    """A lab whose peers offer removal, with a plan for it, in front of an operator."""

    home: Path
    lab: Lab
    plan: Path

    @property
    def state_dir(self) -> Path:
        return self.home / "state"

    def apply(self, within: str) -> list[str]:
        where = ["-i", str(self.lab.inventory), "--state-dir", str(self.state_dir)]
        approved = ["--approve-file", str(self.lab.approvals)]
        return ["apply", str(self.plan), *where, "--yes", *approved, "--confirm-within", within, "-q"]

    def standing(self) -> list[object]:
        return [(tuple(certificate.fingerprint for certificate in peer.trusted), dict(peer.ciphers)) for peer in self.lab.peers]

    def state(self) -> str:
        with Journal(self.state_dir) as journal:
            runs = journal.runs()
        return runs[0].state if runs else ""

    def log(self) -> str:
        return "".join(path.read_text() for path in (self.state_dir / "timers").glob("*.log"))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    # Where processes of their own have their locks.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    lab = Lab(tmp_path / "lab", scenario="story", judge=False)
    lab.scenario = replace(lab.scenario, removal=Removal.FINGERPRINT, reloads_by_itself=True)
    with lab:
        plan = tmp_path / "plan.json"
        assert run(["plan", "-q", "-i", str(lab.inventory), "--approve-file", str(lab.approvals), "-o", str(plan)]) == 0
        yield Bench(tmp_path, lab, plan)


class Terminal:
    """A terminal with a command on it; `close` is what happens when the connection to it is lost."""

    def __init__(self, arguments: list[str]) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def read_until(self, text: bytes) -> None:
        while text not in b" ".join(self.shown.split()):
            self.shown += os.read(self._ours, 4096)

    def read_all(self) -> None:
        try:
            while more := os.read(self._ours, 4096):
                self.shown += more
        except OSError:  # how Linux says that nobody has the other end any more
            return

    def close(self) -> None:
        os.close(self._ours)


def test_a_terminal_lost_during_the_apply_rolls_it_back(bench: Bench) -> None:
    # Given an apply on a terminal, with two seconds to confirm it
    start = bench.standing()
    terminal = Terminal(bench.apply("2s"))
    # When the terminal is lost after the first write
    terminal.read_until(b"on this machine rolls it back")
    wait_until(lambda: bool(bench.lab.requests.writes), "no write was sent")
    terminal.close()
    assert terminal.process.wait(PATIENCE_S) == 143  # it finished its step, closed its run, and could tell nobody
    assert bench.standing() != start
    # Then every peer is as before, by a process that nobody sees
    wait_until(lambda: bench.state() == "rolled-back", bench.log())
    assert bench.standing() == start
    assert "was not confirmed in time" in bench.log()
    # And no secret is in its log
    assert bench.lab.accounts.password not in bench.log()


def test_a_terminal_lost_after_the_apply_leaves_the_timer(bench: Bench, remediate: Remediate) -> None:
    start = bench.standing()
    terminal = Terminal(bench.apply("3s"))
    terminal.read_all()
    assert terminal.process.wait(PATIENCE_S) == 9
    assert b"remediate confirm" in terminal.shown
    assert bench.lab.requests.writes
    terminal.close()
    wait_until(lambda: bench.state() == "rolled-back", bench.log())
    assert bench.standing() == start
    late = remediate("confirm", "last", "--state-dir", bench.state_dir)
    assert late.code == 1
    assert "is not waiting for confirmation" in late.err


def test_confirmed_in_time_it_stays(bench: Bench, remediate: Remediate) -> None:
    # Given an apply that waits for its confirmation
    start = bench.standing()
    applied = remediate(*bench.apply("10m"), "--json")
    body = applied.document
    assert (applied.code, body["state"], body["exit_code"]) == (9, "confirm-pending", 9)
    assert body["confirm_by"] in body["message"]
    assert "on this machine rolls it back" in applied.err
    assert remediate(*bench.apply("10m")).code == 5
    # When it is confirmed, without an inventory
    confirmed = remediate("confirm", body["run"], "--state-dir", bench.state_dir, "--json")
    # Then what was applied stays, and the timer's process ends
    assert (confirmed.code, confirmed.document["state"]) == (0, "applied")
    wait_until(lambda: "has ended" in bench.log(), "timer is still running")
    assert bench.standing() != start
    twice = remediate("confirm", "last", "--state-dir", bench.state_dir)
    assert (twice.code, "was already confirmed" in twice.out) == (0, True)
    assert remediate("runs", "show", "last", "--state-dir", bench.state_dir).code == 0


def test_a_timer_whose_process_was_killed_is_reported(bench: Bench, remediate: Remediate) -> None:
    # Given an apply that waits for its confirmation, with the process that would undo it
    applied = remediate(*bench.apply("10m"))
    where = ["--state-dir", bench.state_dir]
    assert "Otherwise it is rolled back." in remediate("runs", *where).out
    assert "Otherwise it is rolled back." in remediate("runs", "show", "last", "--json", *where).document["remark"]
    # When that process is killed
    match = re.search(r"process (\d+) on this machine", applied.err)
    assert match
    os.kill(int(match[1]), signal.SIGKILL)
    os.waitpid(int(match[1]), 0)
    # Then whoever looks is told
    for ended in (remediate("runs", *where), remediate("runs", "show", "last", *where)):
        assert "The timer process is gone" in ended.out
    doctor = " ".join(remediate("doctor", "-i", bench.lab.inventory, *where).out.split())
    assert "The timer process is gone" in doctor
    assert remediate("confirm", "last", *where).code == 0
    assert "gone" not in remediate("runs", *where).out


def test_a_run_that_cannot_be_confirmed_is_refused(remediate: Remediate, tmp_path: Path) -> None:
    without_run = remediate("confirm", "last", "--state-dir", tmp_path / "state")
    assert (without_run.code, "There is no run yet" in without_run.err) == (1, True)
    for option, value in (
        ("--confirm-within", "15 minutes"),
        ("--confirm-within", ""),
        ("--window", "22-02"),
        ("--window", ""),
    ):
        ended = remediate("apply", tmp_path / "plan.json", "-i", tmp_path / "inventory.yml", option, value)
        assert (ended.code, option in ended.err) == (64, True)
