"""The playbooks, run by a real `ansible-playbook` on the lab. It comes with the extra `ansible`: where it is missing, they fail."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediate.lab import Lab

pytestmark = pytest.mark.lab

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
PROGRAMS = Path(sys.executable).parent
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """How a playbook ended: its exit code, all that it printed, and (changed, failed) per host."""

    code: int
    printed: str

    @property
    def hosts(self) -> dict[str, tuple[int, int]]:
        return {name: (int(change_count), int(failed)) for name, change_count, failed in RECAP.findall(self.printed)}


class Fleet:
    """An Ansible inventory over the lab's cluster, and a way to play on it that leaves the user's home alone.

    Attributes:
        calls: Every command line of remediate, one argument a line.
        home: What the playbooks' processes take for the user's home.
    """

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.lab, self.folder, self.home, self.calls = lab, folder, folder / "home", folder / "calls.txt"
        self.temporary = folder / "tmp"
        self.home.mkdir()
        self.temporary.mkdir()
        wrapper = folder / "remediate"
        wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {self.calls}\nexec {PROGRAMS / "remediate"} "$@"\n')
        wrapper.chmod(0o700)
        self.hosts("edge-lab")

    def hosts(self, *names: str) -> None:
        """Write the inventory anew with these clusters, in this order."""
        lines = [f"    {name}:\n" for name in names]
        (self.folder / "clusters.yml").write_text(
            f"all:\n  hosts:\n{''.join(lines)}  vars:\n    remediate_inventory: {self.lab.inventory}\n"
            f"    remediate_program: {self.folder / 'remediate'}\n    remediate_state_dir: {self.folder / 'state'}\n"
            f"    remediate_approve_file: {self.lab.approvals}\n"
        )

    def play(self, name: str, *arguments: str) -> Played:
        """Run one playbook as verbosely as a person would when looking for a mistake."""
        places = {f"ANSIBLE_{name}": str(self.folder / name.lower()) for name in ("HOME", "LOCAL_TEMP", "REMOTE_TEMP")}
        # Below TMPDIR, the runs of one user lock a cluster by its name; every lab's cluster has the same.
        places |= {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "REMEDIATE_"))}
        process = subprocess.run(
            [PROGRAMS / "ansible-playbook", "-vvv", "-i", self.folder / "clusters.yml", PLAYBOOKS / f"{name}.yml", *arguments],
            env=environment | places | {"ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return Played(process.returncode, process.stdout + process.stderr)

    @property
    def writes(self) -> int:
        """How many writes the peers were asked for."""
        return sum(request.write for request in self.lab.requests)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Yield a fleet of one cluster, freshly upgraded."""
    with Lab(tmp_path / "lab", "reloads-by-itself", judge=False) as lab:
        yield Fleet(tmp_path, lab)


def test_plan_apply_verify_and_a_second_apply_changes_nothing(fleet: Fleet) -> None:
    planned = fleet.play("plan")
    assert (planned.code, planned.hosts) == (0, {"edge-lab": (0, 0)})
    assert "stays refused: voicemail.steven.lab:8443, name-mismatch" in planned.printed

    rehearsed = fleet.play("apply", "--check")
    assert (rehearsed.code, rehearsed.hosts) == (0, {"edge-lab": (0, 0)})
    assert "Dry run: nothing was written." in rehearsed.printed
    assert fleet.writes == 0

    applied = fleet.play("apply", "-e", "remediate_ticket=CHG1")
    assert (applied.code, applied.hosts) == (0, {"edge-lab": (1, 0)})
    assert "Written and read back." in applied.printed
    assert "does not offer removal: a rollback would ask you" in applied.printed

    writes = fleet.writes
    again = fleet.play("apply")
    assert (again.code, again.hosts) == (0, {"edge-lab": (0, 0)})
    assert fleet.writes == writes > 0

    # The name of the voicemail node stays wrong, which no change of trust mends: that is for a person to accept.
    verified = fleet.play("verify")
    assert (verified.code, verified.hosts) == (2, {"edge-lab": (0, 1)})
    assert "30 of 33 pairs of peer and endpoint verify" in verified.printed
    assert "not in effect" not in verified.printed

    output = "".join(played.printed for played in (planned, rehearsed, applied, again, verified)) + fleet.calls.read_text()
    for secret in (fleet.lab.accounts.password, fleet.lab.accounts.axl_password):
        assert secret not in output
        assert base64.b64encode(secret.encode()).decode() not in output
    assert list(fleet.home.iterdir()) == []


def test_the_workaround_is_shown_switched_and_left_alone(fleet: Fleet) -> None:
    status = fleet.play("workaround")
    on = fleet.play("workaround", "-e", "remediate_workaround=on")
    # As YAML reads a bare `off`.
    refused = fleet.play("workaround", "-e", '{"remediate_workaround": false}')
    off = fleet.play("workaround", "-e", '{"remediate_workaround": false, "remediate_force": true}')

    assert (refused.code, "clients of edge-lab would lose these endpoints" in refused.printed) == (2, True)
    assert [(played.code, played.hosts) for played in (status, on, off)] == [
        (0, {"edge-lab": (change_count, 0)}) for change_count in (0, 1, 1)
    ]
    assert status.printed.count(": verification on") == off.printed.count(": verification on") > 0
    assert "verification OFF, the workaround is on" in on.printed


def test_a_failing_exit_code_is_a_failed_task(fleet: Fleet) -> None:
    fleet.hosts("edge-lap", "edge-lab")

    looked = fleet.play("plan")
    applied = fleet.play("apply")

    assert (looked.code, looked.hosts) == (2, {"edge-lap": (0, 1), "edge-lab": (0, 0)})
    assert "did you mean edge-lab?" in looked.printed
    assert (applied.code, applied.hosts) == (2, {"edge-lap": (0, 1)})
    assert fleet.writes == 0


def test_a_program_that_is_not_there_is_named(fleet: Fleet) -> None:
    # Its errno would be the exit code 2, which a plan accepts.
    played = fleet.play("plan", "-e", "remediate_program=no-such-program")

    assert (played.code, played.hosts) == (2, {"edge-lab": (0, 1)})
    assert "remediate was not started" in played.printed
    assert "no-such-program" in played.printed.partition("Tell what came of it")[2]


def test_an_incomplete_plan_fails_until_it_is_allowed(fleet: Fleet) -> None:
    fleet.lab.faults.set_node_running("imp.steven.lab", False)

    refused = fleet.play("plan")
    allowed = fleet.play("apply", "-e", "remediate_allow_incomplete=true")

    assert (refused.code, refused.hosts) == (2, {"edge-lab": (0, 1)})
    assert "exit code 4, something could not be observed" in refused.printed
    assert (allowed.code, allowed.hosts) == (0, {"edge-lab": (1, 0)})

    # This lab's boxes offer no removal: a person is needed, with a sentence for each step.
    back = fleet.play("rollback")
    assert (back.code, back.hosts) == (2, {"edge-lab": (0, 1)})
    assert "exit code 8, a person is needed" in back.printed
    assert "Maintenance > Security > Trusted CA certificate" in back.printed
