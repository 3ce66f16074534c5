"""A person who approves, at a terminal of this machine or elsewhere, and what plans wait for."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.lab import Lab

if TYPE_CHECKING:
    from tests.cli.conftest import Ended, Remediate

ANYWHERE = "REMEDIATE_STATE_DIR"


def rehearse(remediate: Remediate, lab: Lab, plan: Path, *more: str | Path) -> Ended:
    """Run `apply` without effect, and return how it ended."""
    return remediate("apply", plan, "-i", lab.inventory, "--dry-run", "-q", *more)


def list_fingerprints(plan: Path, *words: str) -> list[str]:
    """Return the certificates that a plan would trust, of those words for their approval."""
    return [load["certificate"] for load in json.loads(plan.read_text())["actions"] if load.get("approval") in words]


@dataclass
class Terminal:
    """A person at a terminal."""

    state_dir: Path

    def answer(self, answers: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command and type `answers`."""
        ours, theirs = pty.openpty()
        os.write(ours, answers.encode())
        command = [sys.executable, "-m", "remediate", *map(str, arguments)]
        environment = {**os.environ, ANYWHERE: str(self.state_dir)}
        process = subprocess.run(
            command, stdin=theirs, capture_output=True, text=True, check=False, timeout=60, env=environment
        )
        os.close(ours)
        os.close(theirs)
        return process
