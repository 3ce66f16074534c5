"""`plan` of a snapshot file: the same each time, with the policy and the approvals of the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import AT, Remediate
from tests.pki import issue


def test_a_snapshot_is_planned_offline_and_the_same_each_time(remediate: Remediate, snapshot: Path, plan: Path) -> None:
    ended = remediate("plan", "--snapshot", snapshot, "--json")

    assert ended.code == 0
    assert ended.document["format"] == "remediate.plan/1"
    assert ended.document["id"] == json.loads(plan.read_text())["id"]
    assert plan.stat().st_mode & 0o777 == 0o600


def test_the_detailed_exit_code_is_10_where_something_stays_refused(remediate: Remediate, snapshot: Path) -> None:
    ended = remediate("plan", "--snapshot", snapshot, "--detailed-exitcode")

    assert ended.code == 10
    assert "name-mismatch" in ended.out


def test_policy_options_reach_the_plan(remediate: Remediate, snapshot: Path) -> None:
    never = remediate("plan", "--snapshot", snapshot, "--never-trust-self-signed", "--ciphers", "keep", "--json").document

    roles = [action.get("role") for action in never["actions"]]
    assert "self-signed" not in roles


def test_approvals_from_option_and_file_are_granted(remediate: Remediate, snapshot: Path, plan: Path, tmp_path: Path) -> None:
    required = [load["certificate"] for load in json.loads(plan.read_text())["actions"] if load.get("approval") == "required"]
    assert required
    listed = tmp_path / "approved.txt"
    printed = tmp_path / "printed.txt"
    listed.write_text(f"# seen on the console\n{required[0].upper()}  # cucm\n")
    digits = required[0].removeprefix("sha256:").upper()
    pairs = ":".join(digits[place : place + 2] for place in range(0, 64, 2))
    printed.write_text(f"sha256 Fingerprint={pairs}\n")  # as `openssl x509 -fingerprint -sha256` says it

    for option in (("--approve-file", listed), ("--approve-file", printed), ("--approve", required[0])):
        document = remediate("plan", "--snapshot", snapshot, *option, "--json").document
        granted = [action["certificate"] for action in document["actions"] if action.get("approval") == "granted"]
        assert granted == required[:1]


def test_a_bad_line_in_the_approvals_is_named(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    listed = tmp_path / "approved.txt"
    listed.write_text("\nsha256:1234\n")

    ended = remediate("plan", "--snapshot", snapshot, "--approve-file", listed)

    assert ended.code == 64
    assert f"{listed}:2: `sha256:1234`" in ended.err

    listed.write_text('{"format": "remediate.approvals/1"}')
    ended = remediate("plan", "--snapshot", snapshot, "--approve-file", listed)
    assert ended.code == 64
    assert "with --approvals" in ended.err


def test_a_ca_that_the_operator_gives_is_vouched_for(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / "ca.pem").write_text(issue("Another CA", ca=True).certificate.pem)

    assert remediate("plan", "--snapshot", snapshot, "--ca", folder, "-q").code == 0
    for text in ("nothing", ""):
        (folder / "ca.pem").write_text(text)
        ended = remediate("plan", "--snapshot", snapshot, "--ca", folder)
        assert (ended.code, "There is no certificate in it" in ended.err) == (1, True)


def test_certificates_may_be_der_too(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    # Given a CA as a Windows server hands it out, and text before a PEM block that begins as DER does
    root = issue("Root", ca=True)
    leaf = issue("cucm.test", root, names=("cucm.test",))
    (tmp_path / "root.cer").write_bytes(root.certificate.der)
    (tmp_path / "chain.pem").write_text("0 s:CN=cucm.test\n" + leaf.certificate.pem)

    # Then both are read
    options = ["--address", "cucm.test", "--at", AT]
    ended = remediate("explain", "--chain", tmp_path / "chain.pem", "--store", tmp_path / "root.cer", *options)
    assert (ended.code, "✓ cucm.test verifies" in ended.out) == (0, True)
    planned = remediate("plan", "--snapshot", snapshot, "--ca", tmp_path / "root.cer", "--json", "-q")
    assert planned.code == 0


def test_a_snapshot_and_an_inventory_cannot_both_be_meant(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_path, missing_inventory = tmp_path / "snapshot.json", tmp_path / "none.yml"
    assert remediate("plan", "--snapshot", snapshot_path, "-i", missing_inventory).code == 64
    # What stands on the command line wins over the environment: the inventory is looked for, and is not there.
    monkeypatch.setenv("REMEDIATE_SNAPSHOT", str(snapshot_path))
    assert "none.yml" in remediate("plan", "-i", missing_inventory).err
