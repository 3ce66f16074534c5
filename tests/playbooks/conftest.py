"""Real `ansible-playbook` on the lab: fleets of one or several clusters. It comes with the extra `ansible`; without it, tests fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediate.lab import Lab

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
COLLECTION = PLAYBOOKS / "collections" / "ansible_collections" / "expressway" / "remediate"
PROGRAMS = Path(sys.executable).parent
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """How a playbook ended: its exit code, all that it printed, and (changed, failed) per host."""

    code: int
    printed: str

    @property
    def hosts(self) -> dict[str, tuple[int, int]]:
        return {name: (int(changes), int(failures)) for name, changes, failures in RECAP.findall(self.printed)}

    @property
    def outcome(self) -> tuple[int, dict[str, tuple[int, int]]]:
        return self.code, self.hosts


class Fleet:
    """Ansible over the clusters of labs, and a way to play on them that leaves the user's home alone.

    Attributes:
        clusters: The Ansible inventory.
        calls: Every command line of remediate, one argument a line.
        home: What the playbooks' processes take for the user's home.
    """

    def __init__(self, folder: Path, labs: dict[str, Lab]) -> None:
        self.labs, self.folder, self.home, self.calls = labs, folder, folder / "home", folder / "calls.txt"
        self.clusters = folder / "clusters.yml"
        self.temporary = folder / "tmp"
        self.home.mkdir()
        self.temporary.mkdir()
        self.program = folder / "remediate"
        self.program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {self.calls}\nexec {PROGRAMS / "remediate"} "$@"\n')
        self.program.chmod(0o700)
        self.inventory = folder / "inventory.yml"
        self.inventory.write_text("version: 1\nclusters:\n" + "".join(_entry(name, lab) for name, lab in labs.items()))
        self.hosts(*labs)

    def hosts(self, *names: str, **variables: object) -> None:
        """Write the Ansible inventory anew with these clusters, in this order."""
        settings = {
            "remediate_inventory": self.inventory,
            "remediate_program": self.program,
            "remediate_state_dir": self.folder / "state",
            "remediate_approve_file": self.approve_file(),
        } | variables
        hosts = "".join(f"    {name}:\n" for name in names)
        lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
        self.clusters.write_text(f"all:\n  hosts:\n{hosts}  vars:\n{lines}")

    def approve_file(self) -> Path:
        """Return a file with what was read on the consoles of every cluster's nodes."""
        path = self.folder / "approved.txt"
        path.write_text("".join(lab.approvals.read_text() for lab in self.labs.values()))
        return path

    def run(self, program: str, *arguments: str | Path, variables: dict[str, str] | None = None) -> Played:
        """Run a program of Ansible as verbosely as an operator does who looks for a mistake."""
        places = {
            f"ANSIBLE_{name}": str(self.folder / name.lower()) for name in ("HOME", "LOCAL_TEMP", "REMOTE_TEMP", "ASYNC_DIR")
        }
        # Below TMPDIR, the runs of one user lock a cluster by its name; every lab's cluster has the same.
        places |= {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "REMEDIATE_"))}
        ended = subprocess.run(
            [PROGRAMS / program, "-i", self.clusters, *arguments],
            env=environment | places | {"ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"} | (variables or {}),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return Played(ended.returncode, ended.stdout + ended.stderr)

    def play(self, name: str, *arguments: str, variables: dict[str, str] | None = None) -> Played:
        """Run one playbook of the repository."""
        return self.run("ansible-playbook", "-vvv", PLAYBOOKS / f"{name}.yml", *arguments, variables=variables)

    def play_tasks(self, text: str, *arguments: str, variables: dict[str, str] | None = None) -> Played:
        """Run a playbook of the test, as an operator writes it, with the collection on its path."""
        path = self.folder / "site.yml"
        path.write_text(text)
        collections = {"ANSIBLE_COLLECTIONS_PATH": str(PLAYBOOKS / "collections")}
        return self.run("ansible-playbook", "-vvv", path, *arguments, variables=collections | (variables or {}))

    @property
    def lab(self) -> Lab:
        """The lab of the first cluster."""
        return next(iter(self.labs.values()))

    @property
    def writes(self) -> int:
        """How many writes the peers of all clusters were asked for."""
        return sum(request.write for lab in self.labs.values() for request in lab.requests)


def _entry(name: str, lab: Lab) -> str:
    """Return the entry of a lab's cluster in an inventory that lies elsewhere."""
    entry = lab.inventory.read_text().partition("clusters:\n")[2].replace(f"name: {lab.name}\n", f"name: {name}\n")
    for folder in ("secrets/", "pki/"):
        entry = entry.replace(folder, f"{lab.directory}/{folder}")
    return entry


@pytest.fixture
def start_fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Start a fleet of freshly upgraded clusters, by their names."""
    with ExitStack() as stack:

        def start(*names: str) -> Fleet:
            labs = {
                name: stack.enter_context(Lab(tmp_path / "labs" / name, "reloads-by-itself", judge=False)) for name in names
            }
            return Fleet(tmp_path, labs)

        yield start


@pytest.fixture
def fleet(start_fleet: Callable[..., Fleet]) -> Fleet:
    """Return a fleet of one cluster."""
    return start_fleet("edge-lab")
