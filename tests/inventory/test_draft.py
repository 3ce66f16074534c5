"""The draft of an inventory: what is written is read as it was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.inventory import load
from remediate.inventory.draft import Draft, DraftLogin, DraftPeer, parse_source
from remediate.model.errors import InventoryError

PIN = "sha256:" + "ab" * 32
HOST_KEY = "SHA256:" + "A" * 43


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    hostile = "yes: {prompt: true}  # admin"
    draft = Draft(
        "edge-paris",
        DraftLogin(hostile, {"env": "PASSWORD"}),
        (DraftPeer("expc1.example.test", 443, 22, PIN, HOST_KEY), DraftPeer("2001:db8::9", 7443, 5022)),
        DraftLogin("axl", {"keyring": "remediate"}),
        ({"address": "cucm.example.test", "product": "cucm", "ports": [8443]},),
        ("cucm-sub.example.test (cucm)", "odd\nname (cucm)"),
    )
    path = tmp_path / "inventory.yml"
    path.write_text(draft.text())

    [cluster] = load(path)

    assert (cluster.name, cluster.login.username, cluster.login.password.describe()) == (
        "edge-paris",
        hostile,
        "environment variable PASSWORD",
    )
    first, second = cluster.peers
    assert (first.address, first.tls.fingerprint, first.ssh.host_key) == ("expc1.example.test", PIN, HOST_KEY)
    assert (second.address, second.rest_port, second.tls.fingerprint) == ("2001:db8::9", 7443, None)
    assert cluster.axl is not None
    assert [(node.address, node.ports) for node in cluster.nodes] == [("cucm.example.test", (8443,))]


def test_found_nodes_alone_leave_a_draft_readable(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    peers = (DraftPeer("expc1.example.test", 443, 22, PIN, HOST_KEY),)
    path.write_text(Draft("edge", DraftLogin("admin", {"env": "X"}), peers, discovered=("cucm.example.test (cucm)",)).text())

    assert [cluster.name for cluster in load(path)] == ["edge"]
    assert "#   cucm.example.test (cucm)" in path.read_text()


def test_each_source_of_a_password_has_its_form(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse_source("prompt") == {"prompt": True}
    assert parse_source("env EXPC_PASSWORD") == {"env": "EXPC_PASSWORD"}
    assert parse_source("keyring remediate") == {"keyring": "remediate"}
    assert parse_source("command pass show expressway") == {"command": ["pass", "show", "expressway"]}
    assert parse_source("file my secrets/expressway") == {"file": str(tmp_path / "my secrets" / "expressway")}


@pytest.mark.parametrize("answer", ["", "secret", "env", "env A B", "prompt true"])
def test_an_answer_that_is_no_source_is_refused(answer: str) -> None:
    with pytest.raises(InventoryError) as caught:
        parse_source(answer)

    assert "not a password source" in str(caught.value)
