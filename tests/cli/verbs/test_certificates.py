"""``remediate certificates``, on what `collect` wrote of the lab and on the lab itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediate.connectors.expressway.trusted_list import parse_certificate_list
from remediate.lab import Lab
from tests.cli.conftest import Remediate


def test_a_snapshot_is_listed_offline(remediate: Remediate, snapshot: Path) -> None:
    ended = remediate("certificates", "--snapshot", snapshot, "--json")

    [cluster] = ended.document["clusters"]
    assert ended.code == 0
    assert {entry["fingerprint"] for entry in cluster["certificates"]} == set(json.loads(snapshot.read_text())["certificates"])
    assert [drift["missing_on"] for drift in cluster["drift"]] != []


@pytest.mark.parametrize(("within", "code"), [("1d", 0), ("3650d", 2)])
def test_expiring_ends_with_2_where_something_is_listed(remediate: Remediate, snapshot: Path, within: str, code: int) -> None:
    ended = remediate("certificates", "--snapshot", snapshot, "--expiring", within, "--json")

    assert ended.code == code
    assert bool(ended.document["clusters"][0]["certificates"]) == bool(code)


def test_an_unread_peer_is_incomplete_and_gets_no_file(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    document = json.loads(snapshot.read_text())
    document["peers"][0] |= {"error": "unreachable: it is down", "trusted_ca": []}
    partial = tmp_path / "partial.json"
    partial.write_text(json.dumps(document))

    ended = remediate("certificates", "--snapshot", partial, "--expiring", "3650d", "--pem", tmp_path / "pem")

    assert ended.code == 4
    assert f"no PEM file for {document['peers'][0]['address']}" in ended.err
    assert len(list((tmp_path / "pem" / document["cluster"]).iterdir())) == 2


def test_each_list_is_written_as_pem_for_its_owner(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    ended = remediate("certificates", "-i", lab.inventory, "-q", "--pem", tmp_path / "pem", "--csv", tmp_path / "all.csv")

    assert ended.code == 0
    for peer in lab.peers:
        path = tmp_path / "pem" / lab.name / f"{peer.address}.pem"
        assert list(parse_certificate_list(path.read_text(), peer.address).certificates) == peer.trusted
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "all.csv").read_text().startswith("cluster,days_left,")


def test_a_folder_that_cannot_be_made_is_one_sentence(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ended = remediate("certificates", "--snapshot", snapshot, "--pem", tmp_path / "file" / "pem")

    assert ended.code == 1
    assert "cannot be written: Not a directory" in ended.err


@pytest.mark.parametrize("arguments", [(), ("-i", "inventory.yml", "--snapshot", "snapshot.json")])
def test_one_source_is_needed(remediate: Remediate, arguments: tuple[str, ...]) -> None:
    assert remediate("certificates", *arguments).code == 64
