"""``doctor --pins``, and the message of a pin that a renewal broke, on the lab."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from remediate.lab import Lab
from tests.cli.conftest import Remediate


@pytest.fixture
def stale_inventory(lab: Lab) -> Path:
    """An inventory that pins other certificates and keys than the first peer has."""
    first = lab.peers[0]
    text = lab.inventory.read_text().replace(first.fingerprint, "sha256:" + "0" * 64, 1)
    path = lab.inventory.with_name("stale.yml")
    path.write_text(text.replace(first.host_key, "SHA256:" + "A" * 43))
    return path


def test_what_peers_present_is_yaml_to_paste(remediate: Remediate, lab: Lab) -> None:
    lab.requests.clear()

    ended = remediate("doctor", "-i", lab.inventory, "--pins")

    [cluster] = yaml.safe_load(ended.out)
    assert ended.code == 0
    assert [(peer["address"], peer["tls"]["fingerprint"]) for peer in cluster["expressway"]["peers"]] == [
        (peer.address, peer.fingerprint) for peer in lab.peers
    ]
    assert [peer["ssh"]["host_key"] for peer in cluster["expressway"]["peers"]] == [peer.host_key for peer in lab.peers]
    assert "compare" in ended.err.lower()
    assert len(lab.requests) == 0


def test_a_pin_that_does_not_fit_any_more_is_marked(remediate: Remediate, stale_inventory: Path) -> None:
    ended = remediate("doctor", "-i", stale_inventory, "--pins", "--json")

    pins = ended.document["clusters"][0]["pins"]
    assert ended.code == 1
    assert [(peer["tls"]["state"], peer["ssh"]["state"]) for peer in pins] == [("changed", "changed"), *[("same", "same")] * 2]


def test_a_peer_that_is_down_is_incomplete(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    path = lab.inventory.with_name("down.yml")
    path.write_text(lab.inventory.read_text().replace(f"rest_port: {lab.peers[2].rest_port}", "rest_port: 1"))

    ended = remediate("doctor", "-i", path, "--pins", "--json")

    assert ended.code == 4
    assert "cannot be reached" in ended.document["clusters"][0]["pins"][2]["error"]


def test_a_broken_pin_names_both_and_the_way_on(remediate: Remediate, lab: Lab, stale_inventory: Path) -> None:
    ended = remediate("collect", "-i", stale_inventory, "-q")

    assert ended.code == 1
    assert "sha256:" + "0" * 64 in ended.err
    assert lab.peers[0].fingerprint in ended.err
    assert "doctor -i INVENTORY --pins" in ended.err
    assert "It is not known here whether the pinned one had the same issuer." in ended.err
