"""A command line to call in this process, and one lab that the tests of this room share."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from remediate.cli.app import run
from remediate.lab import Lab
from remediate.lab.pace import LAB_LIMITS
from remediate.model.limits import Limits
from tests import french
from tests.cli.approving import ANYWHERE, Terminal, list_fingerprints
from tests.cli.shapes import check_output
from tests.pki import NOW, issue


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


AT = NOW.isoformat()
"""The moment of the certificates in `chain`, for ``--at``."""

Remediate = Callable[..., Ended]
"""Runs a command line and returns how it ended."""


def answer_on_terminal(answer: str, *arguments: str | Path) -> Ended:
    """Run a command line with a terminal as its stdin, on which `answer` is typed; its end of file where it is empty."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode() if answer else b"\x04")
    command = [sys.executable, "-c", "from remediate.cli import main; main()", *map(str, arguments)]
    try:
        process = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)
    return Ended(process.returncode, process.stdout, process.stderr)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "REMEDIATE_DEBUG", "REMEDIATE_JSON", "REMEDIATE_INVENTORY", "REMEDIATE_YES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REMEDIATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def limits() -> Limits:
    """How long the command lines wait: a module may have others."""
    return LAB_LIMITS


@pytest.fixture
def remediate(capfd: pytest.CaptureFixture[str], limits: Limits) -> Remediate:
    """Run a command line and return how it ended; every JSON document is held against its published shape."""

    def call(*arguments: str | Path) -> Ended:
        words = [str(argument) for argument in arguments]
        code = run(words, limits)
        captured = capfd.readouterr()
        check_output(words, captured.out)
        french.check_output(words, captured.out, captured.err)
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield a lab that no test writes to."""
    with Lab(tmp_path_factory.mktemp("lab"), judge=False) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh_edges(request: pytest.FixtureRequest) -> None:
    """Let the lab's edges forget the clients of earlier tests."""
    if "lab" in request.fixturenames:
        running = request.getfixturevalue("lab")
        if isinstance(running, Lab):
            running.forget_clients()


@pytest.fixture(scope="session")
def snapshot(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what `collect` wrote of the lab."""
    path = tmp_path_factory.mktemp("snapshot") / "snapshot.json"
    assert run(["collect", "-q", "-i", str(lab.inventory), "-o", str(path)]) == 0
    return path


@pytest.fixture
def plan(remediate: Remediate, snapshot: Path, tmp_path: Path) -> Path:
    """Return the plan of `snapshot`."""
    path = tmp_path / "plan.json"
    assert remediate("plan", "--snapshot", snapshot, "-o", path).code == 0
    return path


@pytest.fixture
def chain(tmp_path: Path) -> tuple[Path, Path]:
    """Return a file with the chain of cucm.test, and one with the root that it needs; empty.pem beside them has another root."""
    root = issue("Root", ca=True)
    middle = issue("Middle", root, ca=True)
    leaf = issue("cucm.test", middle, names=("cucm.test",))
    (tmp_path / "chain.pem").write_text(leaf.certificate.pem + middle.certificate.pem + root.certificate.pem)
    (tmp_path / "store.pem").write_text(root.certificate.pem)
    (tmp_path / "empty.pem").write_text(issue("Unrelated", ca=True).certificate.pem)
    return tmp_path / "chain.pem", tmp_path / "store.pem"


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Go on as on another machine."""
    return lambda: monkeypatch.setenv(ANYWHERE, str(tmp_path / "elsewhere"))


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a person at a terminal of this machine."""
    return Terminal(tmp_path / "state")


@pytest.fixture
def approvable(remediate: Remediate, snapshot: Path, tmp_path: Path) -> Path:
    """Return a plan with several certificates that need an approval."""
    path = tmp_path / "plan.json"
    assert remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", "-o", path, "-q").code == 0
    assert len(list_fingerprints(path, "required")) > 1
    return path
