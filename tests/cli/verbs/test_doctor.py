"""`doctor` on the lab: accounts, secrets, health, the clock, and what would stop an apply."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.lab.scenario import Removal
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_doctor_names_the_sources_of_secrets_and_no_secret(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    ended = remediate("doctor", "-i", lab.inventory)

    assert "secrets/expressway" in ended.out
    assert "by hand:" in ended.out
    assert "is writable" in ended.out
    for secret in (lab.accounts.password, lab.accounts.axl_password):
        assert secret not in ended.out + ended.err


def test_doctor_names_what_would_stop_an_apply(remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = lab.inventory.read_text()
    no_secret, bad_pin = lab.inventory.with_name("no-secret.yml"), lab.inventory.with_name("bad-pin.yml")
    no_secret.write_text(text.replace("secrets/expressway", "secrets/gone"))
    bad_pin.write_text(text.replace(lab.peers[0].fingerprint, "sha256:" + "0" * 64))

    missing = remediate("doctor", "-i", no_secret, "--state-dir", "/proc/nowhere")
    pinned = remediate("doctor", "-i", bad_pin, "--json")

    assert missing.code == 1
    assert "secrets/gone cannot be read" in missing.out
    assert "/proc/nowhere cannot be used" in missing.out
    assert pinned.code == 1
    assert any("sha256:" + "0" * 64 in finding["said"] for finding in pinned.document["clusters"][0]["findings"])


def test_doctor_names_verdicts_that_a_wrong_clock_changes(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    # Given a peer that lives five years ahead, where the nodes' certificates are past their end, and one that is a minute late
    with Lab(tmp_path / "lab", scenario="healthy", judge=False) as healthy:
        healthy.faults.clock(healthy.peers[1].address, timedelta(days=5 * 365))
        healthy.faults.clock(healthy.peers[2].address, -timedelta(minutes=1))
        ended = remediate("doctor", "-i", healthy.inventory)
        document = remediate("doctor", "-i", healthy.inventory, "--json").document

    assert ended.code == 0
    assert ended.out.count("its clock agrees with this machine's") == 2
    findings = [
        finding
        for finding in document["clusters"][0]["findings"]
        if finding["next_step"] and finding["subject"].startswith("peer ") and not finding["said"].startswith("by hand")
    ]
    assert {finding["subject"] for finding in findings} == {f"peer {healthy.peers[1].address}"}
    assert "days ahead of this machine's" in findings[0]["said"]
    assert findings[1]["said"].startswith(
        "refused (expired) by its clock, passes by this machine's: cucm-sub1.steven.lab:6971, "
    )
    assert findings[1]["said"].endswith(" and 7 more")
    assert "  ! " in ended.out


def test_doctor_lists_manual_work_and_the_workaround(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with Lab(tmp_path / "lab", judge=False) as story:
        without = story.inventory.with_name("no-axl.yml")
        lines = story.inventory.read_text().splitlines(True)
        absent = ("secrets/axl", " mra: ", "secrets/mra")
        without.write_text("".join(line for line in lines if not any(text in line for text in absent)))
        with_account = remediate("doctor", "-i", story.inventory)
        story.peers[1].leaves["EdgeConfigServer VerifyOriginServer"] = "Off"
        ended = remediate("doctor", "-i", without)

    assert "done for you: restarting over REST, refreshing cucm discovery over REST, refreshing imp discovery over REST" in (
        with_account.out
    )
    assert "by hand: removing from the trusted CA list, refreshing unity discovery" in with_account.out
    assert with_account.err == ""
    assert f"probe signed in over {story.edges[0].url}, so an apply can test" in with_account.out
    assert ended.out.count("an apply cannot test whether new trust is in effect: the inventory has no `mra` for this peer") == 3
    assert "refreshing cucm discovery (until the inventory has its AXL account)" in ended.out
    assert f"accepted by {story.peers[1].address}, even a forged one" in ended.err
    assert "remediate workaround off -i INVENTORY -c edge-lab" in ended.err
    assert "journal" in ended.out


def test_doctor_says_that_a_form_of_removal_is_not_known(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    lab.faults.describe(lab.peers[0].address, removal=Removal.UNKNOWN)
    try:
        ended = remediate("doctor", "-i", lab.inventory)
    finally:
        lab.faults.clear()

    assert ended.out.count("removing from the trusted CA list (its description of DELETE is in an unknown format)") == 1


def test_doctor_shows_the_health_of_each_peer(remediate: Remediate, lab: Lab) -> None:
    condition = lab.peers[1].condition
    condition.raise_alarm("25026")
    condition.ordinary_calls = 4
    try:
        ended = remediate("doctor", "-i", lab.inventory)
        document = remediate("doctor", "-i", lab.inventory, "--json").document
    finally:
        condition.lower_alarm("25026")
        condition.ordinary_calls = 0

    text = " ".join(ended.out.split())
    assert "alarm 25026: Restart required" in text
    assert "4 calls; 0 registrations; maintenance mode off" in text
    health = document["clusters"][0]["health"]
    assert set(health) == {peer.address for peer in lab.peers}
    assert health[lab.peers[1].address]["calls"] == 4
    assert health[lab.peers[0].address]["alarms"] == []
    assert ended.code == 0
