"""`approve`: each certificate of a plan is shown, and approved by `yes` in full."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.language.messages import translate
from tests.cli.approving import Terminal, list_fingerprints, rehearse
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_each_certificate_is_shown_and_approved_by_yes_in_full(
    remediate: Remediate, lab: Lab, terminal: Terminal, approvable: Path, tmp_path: Path, elsewhere: Callable[[], None]
) -> None:
    # Given a person who answers yes for each certificate
    required, file = list_fingerprints(approvable, "required"), tmp_path / "approvals.json"
    process = terminal.answer("yes\n" * len(required), "approve", approvable, "-o", file)
    # Then each was shown with what it takes to compare it
    assert process.returncode == 0, process.stderr
    assert all(fingerprint in process.stderr for fingerprint in required)
    assert process.stderr.count("Security > Certificate Management") == len(required)
    # And the file is for this plan, private, and names who approved what and when
    document = json.loads(file.read_text())
    assert (document["format"], document["plan"]) == ("remediate.approvals/1", json.loads(approvable.read_text())["id"])
    assert [approval["certificate"] for approval in document["approved"]] == required
    assert all(
        approval["by"] and approval["at"].endswith("Z") and approval["how"] == "terminal" for approval in document["approved"]
    )
    assert file.stat().st_mode & 0o777 == 0o600
    # And it counts here by itself, and elsewhere with the file
    assert rehearse(remediate, lab, approvable).code in {0, 10}
    elsewhere()
    assert rehearse(remediate, lab, approvable).code == 7
    assert rehearse(remediate, lab, approvable, "--approvals", file).code in {0, 10}
    # And the question says who approved what
    ended = Terminal(tmp_path / "elsewhere").answer("no\n", "apply", approvable, "-i", lab.inventory, "--approvals", file)
    assert ended.returncode == 7
    approved = document["approved"][0]
    assert (
        f"(approved by the operator, with `remediate approve`, {approved['by']}, {translate(approved['at'])}):" in ended.stderr
    )
    assert all(f"({fingerprint})" in ended.stderr for fingerprint in required)


@pytest.mark.parametrize("answers", ["yes\nno\n", "y\n", "\x04"])
def test_anything_but_yes_in_full_approves_nothing(terminal: Terminal, approvable: Path, tmp_path: Path, answers: str) -> None:
    file = tmp_path / "approvals.json"
    process = terminal.answer(answers, "approve", approvable, "-o", file)
    assert process.returncode == 7
    assert not file.exists()
    assert not (terminal.state_dir / "approvals").exists()


@pytest.mark.parametrize("option", [(), ("--no-input",)])
def test_without_a_terminal_nothing_is_approved(
    remediate: Remediate, approvable: Path, tmp_path: Path, option: tuple[str, ...]
) -> None:
    file = tmp_path / "approvals.json"
    ended = remediate("approve", approvable, "-o", file, *option)
    assert (ended.code, "--approve" in ended.err) == (7, True)
    assert not file.exists()
    assert not (tmp_path / "state").exists()


def test_a_plan_that_needs_no_person_asks_nothing(
    remediate: Remediate, tmp_path: Path, snapshot: Path, approvable: Path
) -> None:
    # Given a plan all of whose certificates a file of the operator vouches for
    ca, file = tmp_path / "ca.pem", tmp_path / "approvals.json"
    pems = json.loads(approvable.read_text())["certificates"]
    ca.write_text("".join(pems[fingerprint] for fingerprint in list_fingerprints(approvable, "required")))
    remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", "--ca", ca, "-o", approvable, "-q")
    # Then approve asks nothing, and writes a file that approves nothing
    assert remediate("approve", approvable, "-o", file).code == 0
    assert json.loads(file.read_text())["approved"] == []
