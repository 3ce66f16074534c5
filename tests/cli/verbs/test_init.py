"""A first inventory: what is asked, what is shown to compare, and that a refusal writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.inventory import load
from remediate.lab import Lab
from tests.cli.conftest import Remediate, answer_on_terminal

pytestmark = pytest.mark.lab


def ports(lab: Lab) -> tuple[str, ...]:
    return "--rest-port", str(lab.peers[0].rest_port), "--ssh-port", str(lab.peers[0].ssh_port)


def answers(lab: Lab, *, axl: bool = True) -> str:
    """What a person types: compared, the account, compared, the name, the AXL account."""
    secrets = lab.directory / "secrets"
    account = [lab.accounts.axl_username, f"file {secrets / 'axl'}"] if axl else [""]
    return "\n".join(["yes", lab.accounts.username, f"file {secrets / 'expressway'}", "yes", "edge-new", *account])


def test_a_first_inventory_has_every_peer_with_its_pins(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    output, nodes = tmp_path / "inventory.yml", tmp_path / "nodes.csv"
    lab_nodes = load(lab.inventory)[0].nodes
    rows = [f"{node.address},{node.product},{node.connect_to},{' '.join(map(str, node.ports or ()))}" for node in lab_nodes]
    nodes.write_text("address,product,connect_to,ports\n" + "\n".join(rows) + "\n")
    writes = len(lab.requests.writes)

    ended = answer_on_terminal(answers(lab), "init", lab.peers[0].address, *ports(lab), "-o", output, "--csv", nodes, "-q")

    assert ended.code == 0, ended.err
    [cluster] = load(output)
    assert (cluster.name, cluster.login.username) == ("edge-new", lab.accounts.username)
    assert [(peer.address, peer.tls.fingerprint, peer.ssh.host_key) for peer in cluster.peers] == [
        (peer.address, peer.fingerprint, peer.host_key) for peer in lab.peers
    ]
    assert [(node.address, node.connect_to, node.ports) for node in cluster.nodes] == [
        (node.address, node.connect_to, node.ports) for node in lab_nodes
    ]
    assert all(peer.fingerprint in ended.err and peer.host_key in ended.err for peer in lab.peers)
    assert "Publisher: cucm.steven.lab (cucm)" in ended.err
    assert ended.err.count("On the peer itself: the certificate at Maintenance > Security > Server certificate") == 2
    assert "The cluster has 2 other peers." in ended.err
    for secret in (lab.accounts.password, lab.accounts.axl_password):
        assert secret not in output.read_text() + ended.err
    assert output.stat().st_mode & 0o777 == 0o600
    assert len(lab.requests.writes) == writes
    # And it is good for a plan
    assert remediate("plan", "-i", output, "-q").code == 0


@pytest.mark.parametrize("typed", ["no", "", "yes\n"], ids=["no", "end of input", "at the account"])
def test_a_declined_init_writes_nothing(typed: str, lab: Lab, tmp_path: Path) -> None:
    output = tmp_path / "inventory.yml"

    ended = answer_on_terminal(f"{typed}\x04" if typed else "", "init", lab.peers[0].address, *ports(lab), "-o", output)

    assert (ended.code, output.exists()) == (7, False)


def test_init_needs_a_terminal(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    request_count = len(lab.requests)

    ended = remediate("init", lab.peers[0].address, "-o", tmp_path / "inventory.yml")

    assert (ended.code, len(lab.requests)) == (7, request_count)


def test_an_existing_file_is_left_alone(lab: Lab) -> None:
    before = lab.inventory.read_text()

    ended = answer_on_terminal("yes", "init", lab.peers[0].address, "-o", lab.inventory)

    assert (ended.code, lab.inventory.read_text()) == (64, before)


@pytest.mark.parametrize("source", ["hunter2", "env", "file", "prompt me"])
def test_what_is_no_source_of_a_password_is_refused(source: str, lab: Lab, tmp_path: Path) -> None:
    output = tmp_path / "inventory.yml"

    ended = answer_on_terminal(f"yes\nadmin\n{source}", "init", lab.peers[0].address, *ports(lab), "-o", output)

    assert (ended.code, output.exists()) == (1, False)
    assert "not a password source" in ended.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [("address,host\na,b\n", "column `host`"), ("address\na\n", "lacks"), ("address,product\n,cucm\n", "nodes.csv:2"),
     ("address,product,ports\na,cucm,x\n", "nodes.csv:2")],
)  # fmt: skip
def test_a_csv_that_cannot_be_meant_is_refused(text: str, reason: str, lab: Lab, tmp_path: Path) -> None:
    nodes = tmp_path / "nodes.csv"
    nodes.write_text(text)

    ended = answer_on_terminal("yes", "init", lab.peers[0].address, *ports(lab), "-o", tmp_path / "new.yml", "--csv", nodes)

    assert (ended.code, reason in ended.err) == (1, True)


def test_a_list_makes_an_inventory_of_many_clusters(
    remediate: Remediate, lab: Lab, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Lab(tmp_path_factory.mktemp("oslo"), judge=False) as oslo:
        labs = {"edge-paris": lab, "edge-oslo": oslo}
        rows = [
            ";".join([name, at.peers[0].address, *ports(at)[1::2], "admin", f"file {at.directory}/secrets/expressway", ";;"])
            for name, at in labs.items()
        ]
        rows += [f"edge-oslo;;;;;;{node.address};{node.spec.product};{node.connect_to}" for node in oslo.nodes]
        path, folder = tmp_path / "clusters.csv", tmp_path / "inventory"
        header = "cluster;peer;rest_port;ssh_port;username;password;node;product;connect_to"
        path.write_text("\n".join(["\ufeff" + header, *rows, ""]), encoding="utf-8")
        writes = [len(at.requests.writes) for at in labs.values()]

        # No AXL account; the pins of each first peer and of the others were compared.
        ended = answer_on_terminal("\nyes\nyes\nyes\nyes", "init", "--csv", path, "-o", folder, "--json")

        assert ended.code == 0, ended.err
        clusters = {cluster.name: cluster for cluster in load(folder)}
        assert {file.name for file in folder.iterdir()} == {"edge-oslo.yml", "edge-paris.yml"}
        for name, at in labs.items():
            assert [(peer.address, peer.tls.fingerprint, peer.ssh.host_key) for peer in clusters[name].peers] == [
                (peer.address, peer.fingerprint, peer.host_key) for peer in at.peers
            ]
        assert ended.document["clusters"][1] == {"cluster": "edge-oslo", "peers": [peer.address for peer in oslo.peers]}
        assert "Cluster edge-oslo (2 of 2)" in ended.err
        assert [node.connect_to for node in clusters["edge-oslo"].nodes] == [node.connect_to for node in oslo.nodes]
        assert [len(at.requests.writes) for at in labs.values()] == writes
        # And it is good for a look at one of them.
        assert remediate("verify", "-i", folder, "-c", "edge-oslo", "--no-clients", "-q").code == 10


def test_a_cluster_that_is_away_is_written_without_pins(lab: Lab, tmp_path: Path) -> None:
    path, output = tmp_path / "clusters.csv", tmp_path / "all.yml"
    rows = [f"here,{lab.peers[0].address}", "away,127.0.0.1"]
    path.write_text("\n".join(["cluster,peer", *rows, ""]))
    source = f"admin\nfile {lab.directory / 'secrets/expressway'}\n"

    ended = answer_on_terminal(f"{source}\nyes\nyes", "init", "--csv", path, "-o", output, *ports(lab))

    assert ended.code == 4, ended.err
    near, away = load(output)
    assert [peer.fingerprint for peer in lab.peers] == [peer.tls.fingerprint for peer in near.peers]
    assert [(peer.address, peer.tls.fingerprint) for peer in away.peers] == [("127.0.0.1", None)]
    assert "add its pins with `remediate doctor --pins`" in output.read_text()


def test_a_list_that_is_declined_writes_nothing(lab: Lab, tmp_path: Path) -> None:
    path, folder = tmp_path / "clusters.csv", tmp_path / "inventory"
    path.write_text(f"cluster,peer\nedge,{lab.peers[0].address}\n")

    ended = answer_on_terminal("admin\nprompt\n\nno", "init", "--csv", path, "-o", folder, *ports(lab))

    assert (ended.code, folder.exists()) == (7, False)


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("cluster,peer\nedge,expc1\n", ("expc1",), "is a list of clusters"),
        ("cluster,peer\nedge,expc1\n", ("--name", "edge"), "is a list of clusters"),
        ("address,product\ncucm,cucm\n", (), "An ADDRESS is missing"),
    ],
)
def test_an_address_and_a_list_exclude_each_other(
    remediate: Remediate, text: str, words: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)

    ended = remediate("init", *words, "--csv", path, "-o", tmp_path / "new.yml")

    assert (ended.code, reason in ended.err) == (64, True)


def test_a_file_of_a_cluster_that_exists_is_left_alone(remediate: Remediate, tmp_path: Path) -> None:
    path, inventory = tmp_path / "clusters.csv", tmp_path / "edge-oslo.yml"
    path.write_text("cluster,peer\nedge-paris,expc1\nedge-oslo,expc2\n")
    inventory.write_text("mine")

    ended = remediate("init", "--csv", path, "-o", tmp_path)

    assert (ended.code, inventory.read_text(), "edge-oslo.yml already exists" in ended.err) == (64, "mine", True)
    assert not (tmp_path / "edge-paris.yml").exists()
