"""The recipes, each run on the lab as docs/recipes.md has it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediate.lab import Lab

pytestmark = pytest.mark.lab

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Desk:
    """A folder of an operator: an inventory, and stand-ins for the programs of others.

    Attributes:
        notes: What the stand-in for a ticket system was given: its arguments, then its standard input.
    """

    folder: Path
    lab: Lab
    notes: Path

    def run(self, script: str, answers: str = "", state: str = "state") -> int:
        """Run a block on a terminal on which `answers` are typed, and return its exit code."""
        ours, theirs = pty.openpty()
        os.write(ours, answers.encode())
        environment = {key: value for key, value in os.environ.items() if not key.startswith("REMEDIATE_")}
        environment |= {"PATH": f"{self.folder / 'bin'}:{PROGRAMS}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        environment |= {"REMEDIATE_STATE_DIR": str(self.folder / state)}
        try:
            command = ["bash", "-euc", script]
            ended = subprocess.run(command, cwd=self.folder, env=environment, stdin=theirs, capture_output=True, check=False)
        finally:
            os.close(ours)
            os.close(theirs)
        return ended.returncode

    def edit(self, old: str, new: str) -> None:
        """Replace a part of the inventory, which has to be there."""
        path = self.folder / "inventory.yml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))


def blocks_of(heading: str) -> list[str]:
    """Return the blocks of a section, in order."""
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [text for _, text in BLOCK.findall(section)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), judge=False) as running:
        yield running


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Desk:
    text = lab.inventory.read_text()
    for folder in ("secrets/", "pki/"):
        text = text.replace(folder, f"{lab.directory}/{folder}")
    (tmp_path / "inventory.yml").write_text(text)
    (tmp_path / "bin").mkdir()
    programs = {
        "vault": f"cat {lab.directory}/secrets/expressway",
        "ticket": f'echo "$@" >> {tmp_path}/notes; cat >> {tmp_path}/notes',
    }
    for name, script in programs.items():
        (tmp_path / "bin" / name).write_text(
            f'#!/bin/sh\n[ -t 0 ] && exec < /dev/null\necho "$@" > {tmp_path}/{name}.arguments\n{script}\n'
        )
        (tmp_path / "bin" / name).chmod(0o700)
    return Desk(tmp_path, lab, tmp_path / "notes")


def test_passwords_come_from_a_vault(desk: Desk) -> None:
    line, doctor = blocks_of("Passwords from a vault")
    desk.edit(f"password: {{file: {desk.lab.directory}/secrets/expressway}}\n", line)

    assert desk.run(doctor) == 0
    assert (desk.folder / "vault.arguments").read_text() == "kv get -field=password secret/expressway\n"


def test_a_plan_and_a_finding_reach_the_ticket(desk: Desk) -> None:
    attach, line, verify = blocks_of("A change ticket")
    # The lists of the lab's peers differ, which is a finding.
    desk.edit("    ca: ", f"    {line}    ca: ")

    assert (desk.run(attach), desk.run(verify)) == (0, 10)

    attached, _, noticed = desk.notes.read_text().partition("\n")
    assert attached == "attach CHG0012345 plan.md"
    assert (desk.folder / "plan.md").read_text().startswith("#")
    words, _, document = noticed.partition("\n")
    assert (words, json.loads(document.partition("\ncomment")[0])["format"]) == ("comment CHG0012345", "remediate.notice/1")


def test_a_line_of_a_crontab_writes_the_metrics(desk: Desk) -> None:
    (line,) = blocks_of("A look every five minutes")

    # 10: the name of the lab's voicemail node is wrong, and its certificates are not trusted yet.
    assert desk.run(line.partition("remediate ")[1] + line.partition("remediate ")[2]) == 10
    assert 'remediate_exit_code{cluster="edge-lab"} 10.0' in (desk.folder / "remediate.prom").read_text()


def test_a_plan_from_a_snapshot_is_approved_for_elsewhere(desk: Desk) -> None:
    collect, plan = blocks_of("A plan in a pipeline, from a snapshot")
    approve, apply = blocks_of("Approved here, applied there")
    assert desk.run(collect) == 0
    requests = len(desk.lab.requests)

    assert desk.run(plan) == 0
    assert ("#" in (desk.folder / "plan.md").read_text(), len(desk.lab.requests)) == (True, requests)

    # Without approvals, the other machine refuses; with them, nothing stands against the plan.
    without = apply.replace("--approvals approvals.json ", "")
    assert desk.run(without, state="elsewhere") == 7
    assert desk.run(approve, "yes\n" * 9) == 0
    approved = json.loads((desk.folder / "approvals.json").read_text())
    assert approved["plan"] == json.loads((desk.folder / "plan.json").read_text())["id"]
    assert desk.run(apply, state="elsewhere") == 10
