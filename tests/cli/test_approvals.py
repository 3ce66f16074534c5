"""What `plan` and `approve` were given counts for `apply` on this machine; elsewhere, a file or an option says it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.model.canonical import canonical_json, sha256_of
from tests.cli.approving import list_fingerprints, rehearse
from tests.cli.conftest import Remediate
from tests.pki import issue

pytestmark = pytest.mark.lab


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
    assert all(part in ended.err for part in ("--approve", "seen at", *list_fingerprints(plan, "granted")))
    assert rehearse(remediate, lab, plan, "--approve-file", lab.approvals).code in {0, 10}


def test_a_ca_given_to_plan_has_to_be_given_again_elsewhere(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path, elsewhere: Callable[[], None]
) -> None:
    # Given certificates that a plan holds for vouched for, since a file with them was given
    plan, ca = tmp_path / "plan.json", tmp_path / "ca.pem"
    remediate("plan", "--snapshot", snapshot, "-o", plan, "-q")
    pems = json.loads(plan.read_text())["certificates"]
    ca.write_text("".join(pems[fingerprint] for fingerprint in list_fingerprints(plan, "required")))
    remediate("plan", "--snapshot", snapshot, "--ca", ca, "-o", plan, "-q")
    assert list_fingerprints(plan, "required") == []
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
    remediate: Remediate, lab: Lab, approvable: Path, tmp_path: Path
) -> None:
    # Given a plan whose word was changed, and another one with a stranger's authority, each with an id that fits
    document = json.loads(approvable.read_text())
    stranger = issue("A stranger's authority", ca=True).certificate
    for action in document["actions"]:
        if "approval" in action:
            action["approval"] = "vouched"
    edited, writes = tmp_path / "edited.json", len(lab.requests.writes)
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
    assert len(lab.requests.writes) == writes


def test_approvals_for_another_plan_are_refused_with_both_ids(
    remediate: Remediate, lab: Lab, approvable: Path, tmp_path: Path
) -> None:
    file, other_id = tmp_path / "approvals.json", "sha256:" + "5" * 64
    approved = [
        {"certificate": fingerprint, "at": "2026-11-23T10:00:00Z", "by": "anna", "how": "terminal"}
        for fingerprint in list_fingerprints(approvable, "required")
    ]
    file.write_text(json.dumps({"format": "remediate.approvals/1", "plan": other_id, "approved": approved}))
    ended = rehearse(remediate, lab, approvable, "--approvals", file)
    assert ended.code == 7
    assert other_id in ended.err
    assert json.loads(approvable.read_text())["id"] in ended.err


def test_approvals_that_lead_to_another_plan_are_reported(remediate: Remediate, lab: Lab, snapshot: Path) -> None:
    # Given a node that shows a certificate of its own first: approved, the cipher list can be left alone
    required = json.loads(remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", "--json").out)["actions"]
    options = [
        part for action in required if action.get("approval") == "required" for part in ("--approve", action["certificate"])
    ]
    sentence = "lead to a different plan"
    assert sentence in remediate("plan", "--snapshot", snapshot, *options).err
    assert sentence not in remediate("plan", "--snapshot", snapshot, "--ciphers", "keep", *options).err


def test_a_plan_is_made_where_its_approvals_cannot_be_kept(
    remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way")
    ended = remediate("plan", "--snapshot", snapshot, "--approve-file", lab.approvals)
    assert ended.code == 0
    assert "again" in ended.err
