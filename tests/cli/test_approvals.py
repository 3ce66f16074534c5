"""What `plan` and `approve` were given counts for `apply` on this machine; elsewhere, a file or an option says it again."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.model.canonical import canonical_json, sha256_of
from tests.cli.conftest import Ended, Remediate
from tests.pki import issue

pytestmark = pytest.mark.lab
ANYWHERE = "REMEDIATE_STATE_DIR"


def rehearse(remediate: Remediate, lab: Lab, plan: Path, *more: str | Path) -> Ended:
    """Run `apply` without effect, and return how it ended."""
    return remediate("apply", plan, "-i", lab.inventory, "--dry-run", "-q", *more)


def to_trust(plan: Path, *words: str) -> list[str]:
    """Return the certificates that a plan would trust, of those words for their approval."""
    return [load["certificate"] for load in json.loads(plan.read_text())["actions"] if load.get("approval") in words]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Go on as on another machine."""
    return lambda: monkeypatch.setenv(ANYWHERE, str(tmp_path / "elsewhere"))


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


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a person at a terminal of this machine."""
    return Terminal(tmp_path / "state")


@pytest.fixture
def plan(remediate: Remediate, snapshot: Path, tmp_path: Path) -> Path:
    """Return a plan with several certificates that need an approval."""
    path = tmp_path / "plan.json"
    assert remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", "-o", path, "-q").code == 0
    assert len(to_trust(path, "required")) > 1
    return path


def test_what_was_approved_for_the_plan_counts_on_this_machine(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path, elsewhere: Callable[[], None]
) -> None:
    # Given a plan that was made with approvals
    plan = tmp_path / "plan.json"
    remediate("plan", "--snapshot", snapshot, "--approve-file", lab.approvals, "-o", plan, "-q")
    [record] = (tmp_path / "state" / "approvals").iterdir()
    assert {load["how"] for load in json.loads(record.read_text())["approved"]} == {"approve-file"}
    # Then apply finds them here, and elsewhere it names the flag and what it is for
    assert rehearse(remediate, lab, plan).code in {0, 10}
    elsewhere()
    ended = rehearse(remediate, lab, plan)
    assert ended.code == 7
    assert all(part in ended.err for part in ("--approve", "seen at", *to_trust(plan, "granted")))
    assert rehearse(remediate, lab, plan, "--approve-file", lab.approvals).code in {0, 10}


def test_a_ca_given_to_plan_has_to_be_given_again_elsewhere(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path, elsewhere: Callable[[], None]
) -> None:
    # Given certificates that a plan holds for vouched for, since a file with them was given
    plan, ca = tmp_path / "plan.json", tmp_path / "ca.pem"
    remediate("plan", "--snapshot", snapshot, "-o", plan, "-q")
    pems = json.loads(plan.read_text())["certificates"]
    ca.write_text("".join(pems[fingerprint] for fingerprint in to_trust(plan, "required")))
    remediate("plan", "--snapshot", snapshot, "--ca", ca, "-o", plan, "-q")
    assert to_trust(plan, "required") == []
    # Then that counts here, elsewhere it does not, and given again, or in the inventory, it does
    assert rehearse(remediate, lab, plan).code in {0, 10}
    elsewhere()
    assert rehearse(remediate, lab, plan).code == 7
    assert rehearse(remediate, lab, plan, "--ca", ca).code in {0, 10}
    inventory = lab.inventory.with_name("with-ca.yml")
    text = lab.inventory.read_text()
    assert "ca: [pki/corporate.pem]" in text
    inventory.write_text(text.replace("ca: [pki/corporate.pem]", f"ca: [pki/corporate.pem, {ca}]"))
    assert remediate("apply", plan, "-i", inventory, "--dry-run", "-q").code in {0, 10}


def test_an_approval_that_was_edited_into_the_file_is_refused(
    remediate: Remediate, lab: Lab, plan: Path, tmp_path: Path
) -> None:
    # Given a plan whose word was changed, and another one with a stranger's authority, each with an id that fits
    document = json.loads(plan.read_text())
    stranger = issue("A stranger's authority", ca=True).certificate
    for action in document["actions"]:
        if "approval" in action:
            action["approval"] = "vouched"
    edited = tmp_path / "edited.json"
    for smuggled in (False, True):
        if smuggled:
            added = {**document["actions"][0], "id": "a9", "certificate": stranger.fingerprint, "role": "root"}
            document["actions"].append(added)
            document["certificates"][stranger.fingerprint] = stranger.pem
        body = {key: value for key, value in document.items() if key not in {"id", "made_at"}}
        edited.write_text(json.dumps({**document, "id": sha256_of(canonical_json(body))}))
        # Then each is refused before anything is written, the second even with all of it approved
        approvals = ["--approve", stranger.fingerprint, "--approve-file", str(lab.approvals)] if smuggled else []
        ended = remediate("apply", edited, "-i", lab.inventory, "--yes", "-q", *approvals)
        assert ended.code == (6 if smuggled else 7), ended.err
    assert lab.requests.writes == ()


def test_each_certificate_is_shown_and_approved_by_yes_in_full(
    remediate: Remediate, lab: Lab, terminal: Terminal, plan: Path, tmp_path: Path, elsewhere: Callable[[], None]
) -> None:
    # Given a person who answers yes for each certificate
    required, file = to_trust(plan, "required"), tmp_path / "approvals.json"
    process = terminal.answer("yes\n" * len(required), "approve", plan, "-o", file)
    # Then each was shown with what it takes to compare it
    assert process.returncode == 0, process.stderr
    assert all(fingerprint in process.stderr for fingerprint in required)
    assert process.stderr.count("Security > Certificate Management") == len(required)
    # And the file is for this plan, private, and names who approved what and when
    document = json.loads(file.read_text())
    assert (document["format"], document["plan"]) == ("remediate.approvals/1", json.loads(plan.read_text())["id"])
    assert [approval["certificate"] for approval in document["approved"]] == required
    assert all(
        approval["by"] and approval["at"].endswith("Z") and approval["how"] == "terminal" for approval in document["approved"]
    )
    assert file.stat().st_mode & 0o777 == 0o600
    # And it counts here by itself, and elsewhere with the file
    assert rehearse(remediate, lab, plan).code in {0, 10}
    elsewhere()
    assert rehearse(remediate, lab, plan).code == 7
    assert rehearse(remediate, lab, plan, "--approvals", file).code in {0, 10}
    # And the question says who approved what
    ended = Terminal(tmp_path / "elsewhere").answer("no\n", "apply", plan, "-i", lab.inventory, "--approvals", file)
    assert ended.returncode == 7
    approved = document["approved"][0]
    assert (
        f"({required[0]}): approved by a person, asked by `remediate approve`, {approved['by']}, {approved['at']}."
        in ended.stderr
    )


@pytest.mark.parametrize("answers", ["yes\nno\n", "y\n", "\x04"])
def test_anything_but_yes_in_full_approves_nothing(terminal: Terminal, plan: Path, tmp_path: Path, answers: str) -> None:
    file = tmp_path / "approvals.json"
    process = terminal.answer(answers, "approve", plan, "-o", file)
    assert process.returncode == 7
    assert not file.exists()
    assert not (terminal.state_dir / "approvals").exists()


@pytest.mark.parametrize("option", [(), ("--no-input",)])
def test_without_a_terminal_nothing_is_approved(
    remediate: Remediate, plan: Path, tmp_path: Path, option: tuple[str, ...]
) -> None:
    file = tmp_path / "approvals.json"
    ended = remediate("approve", plan, "-o", file, *option)
    assert (ended.code, "--approve" in ended.err) == (7, True)
    assert not file.exists()
    assert not (tmp_path / "state").exists()


def test_approvals_for_another_plan_are_refused_with_both_ids(
    remediate: Remediate, lab: Lab, plan: Path, tmp_path: Path
) -> None:
    file, other_id = tmp_path / "approvals.json", "sha256:" + "5" * 64
    approved = [
        {"certificate": fingerprint, "at": "2026-11-23T10:00:00Z", "by": "anna", "how": "terminal"}
        for fingerprint in to_trust(plan, "required")
    ]
    file.write_text(json.dumps({"format": "remediate.approvals/1", "plan": other_id, "approved": approved}))
    ended = rehearse(remediate, lab, plan, "--approvals", file)
    assert ended.code == 7
    assert other_id in ended.err
    assert json.loads(plan.read_text())["id"] in ended.err


def test_a_plan_that_needs_no_person_asks_nothing(remediate: Remediate, tmp_path: Path, snapshot: Path, plan: Path) -> None:
    # Given a plan all of whose certificates a file of the operator vouches for
    ca, file = tmp_path / "ca.pem", tmp_path / "approvals.json"
    pems = json.loads(plan.read_text())["certificates"]
    ca.write_text("".join(pems[fingerprint] for fingerprint in to_trust(plan, "required")))
    remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", "--ca", ca, "-o", plan, "-q")
    # Then approve asks nothing, and writes a file that approves nothing
    assert remediate("approve", plan, "-o", file).code == 0
    assert json.loads(file.read_text())["approved"] == []


def test_approvals_that_lead_to_another_plan_are_reported(remediate: Remediate, lab: Lab, snapshot: Path) -> None:
    # Given a node that shows a certificate of its own first: approved, the cipher list can be left alone
    required = json.loads(remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", "--json").out)["actions"]
    options = [
        part for action in required if action.get("approval") == "required" for part in ("--approve", action["certificate"])
    ]
    sentence = "leads to another plan"
    assert sentence in remediate("plan", "--snapshot", snapshot, *options).err
    assert sentence not in remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", *options).err


def test_a_plan_is_made_where_its_approvals_cannot_be_kept(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way")
    ended = remediate("plan", "--snapshot", snapshot, "--approve-file", lab.approvals)
    assert ended.code == 0
    assert "again" in ended.err
