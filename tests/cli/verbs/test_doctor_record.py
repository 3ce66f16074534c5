"""`doctor --record` and `lab up --like`: how the truth about real peers gets in, without what names them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from remediate.formats.recording import read_recording
from remediate.lab import Lab
from remediate.lab.scenario import PageStyle, Removal
from tests.cli.conftest import Remediate


@pytest.fixture
def recording(remediate: Remediate, lab: Lab, tmp_path: Path) -> Path:
    path = tmp_path / "recording.json"
    lab.peers[0].condition.raise_alarm("20009", "Replication of expc2.steven.lab")
    ended = remediate("doctor", "-i", lab.inventory, "--record", path)
    lab.peers[0].condition.lower_alarm("20009")
    assert ended.code == 0, ended.err
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def test_a_recording_names_nothing_of_the_cluster(lab: Lab, recording: Path) -> None:
    text = recording.read_text()
    names = [*(peer.address for peer in lab.peers), *(peer.name for peer in lab.peers), *(node.address for node in lab.nodes)]
    secrets = [lab.accounts.password, lab.accounts.axl_password, lab.accounts.axl_username]
    assert [word for word in (*names, *secrets, "steven", "expc1", "edge.steven.lab") if word in text] == []
    for certificate in (*lab.peers[0].trusted, lab.peers[0].server_certificate):
        assert certificate.common_name not in text
        assert certificate.pem.splitlines()[1] not in text


def test_a_recording_has_the_forms_of_the_answers(recording: Path) -> None:
    peers = read_recording(recording.read_text()).peers
    answers = {exchange.question: exchange for exchange in peers[0].exchanges}
    assert [peer.primary for peer in peers] == [True, False, False]
    assert 'Uptime: "' in answers["xStatus SystemUnit"].text
    assert "/provisioning:" in answers["/api/raml"].text
    assert 'ID: "20009"' in answers["xStatus Alarm"].text
    assert answers["xStatus Cluster"].outcome == "not-offered"
    assert answers["/api/provisioning/certs/root"].text.count("BEGIN CERTIFICATE") == 2


def test_one_name_is_replaced_by_one_word(recording: Path) -> None:
    peers = read_recording(recording.read_text()).peers
    answers = {exchange.question: exchange.text for exchange in peers[0].exchanges}
    listed = re.findall(r'Peer \d Address: "([0-9.]+)"', answers["xConfiguration Alternates"])
    assert listed == [peer.peer for peer in peers]
    assert set(re.findall(r'"PeerAddress":"([0-9.]+)"', answers["/api/provisioning/common/cluster/peers"])) == set(listed)


def test_a_form_that_is_not_understood_is_named(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    lab.faults.describe(lab.peers[0].address, removal=Removal.UNKNOWN)
    lab.peers[1].condition.statuses["zones"] = ["*s Zonen: /", "*s/end"]
    ended = remediate("doctor", "-i", lab.inventory, "--record", tmp_path / "recording.json")
    lab.faults.clear()
    del lab.peers[1].condition.statuses["zones"]
    document = json.loads((tmp_path / "recording.json").read_text())
    misread = [sentence for peer in document["peers"] for sentence in peer["not_understood"]]
    assert any("removal" in sentence for sentence in misread)
    assert any("Zonen" in sentence for sentence in misread)
    assert "Not understood" in ended.err


def test_a_lab_answers_as_the_recorded_peers(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    # Given peers that write their page in flow style, know no tunnels, and have another version and cipher list
    path = tmp_path / "recording.json"
    for peer in lab.peers:
        lab.faults.describe(peer.address, style=PageStyle.FLOW)
        peer.condition.statuses["systemunit"] = ["*s SystemUnit: /", "  Software: /", '    Version: "X15.5.1"', "*s/end"]
    remediate("doctor", "-i", lab.inventory, "--record", path)
    lab.faults.clear()
    for peer in lab.peers:
        del peer.condition.statuses["systemunit"]

    with Lab(tmp_path / "like", judge=False, like=read_recording(path.read_text())) as imitation:
        document = remediate("collect", "-i", imitation.inventory, "--json").document
    assert {peer["version"] for peer in document["peers"]} == {"X15.5.1"}
    assert {peer["started_at"] for peer in document["peers"]} == {None}


def test_several_clusters_are_not_one_recording(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    inventory = lab.inventory.read_text()
    folder = lab.inventory.parent / "several"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.yml").write_text(inventory.replace("edge-lab", name).replace("secrets/", "../secrets/"))
    ended = remediate("doctor", "-i", folder, "--record", tmp_path / "recording.json")
    assert ended.code in {1, 64}
    assert not (tmp_path / "recording.json").exists()
