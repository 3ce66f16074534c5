"""The inventory plugin: the clusters of a remediate inventory as hosts, none written twice, and no secret among the variables."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from remediate.inventory import load
from tests.playbooks.conftest import COLLECTION, PROGRAMS, Fleet, Played

INVENTORY = """version: 1
clusters:
  - name: edge-paris
    expressway:
      username: admin
      password: {env: EXPC_PASSWORD}
      peers: [{address: expc1.example.test}, {address: expc2.example.test}]
  - name: edge-oslo
    expressway:
      username: admin
      password: {command: [vault, read, hunter2]}
      peers: [{address: expc3.example.test}]
"""
SOURCE = """plugin: expressway.remediate.clusters
inventory: inventory.yml
name_groups: {nordic: edge-oslo*, all_edges: [edge-*]}
keyed_groups: [{prefix: peers, key: remediate_peers | length | string}]
"""
COLLECTIONS = {"ANSIBLE_COLLECTIONS_PATH": str(Path(__file__).parents[2] / "playbooks" / "collections")}


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Return a fleet of clusters that are never contacted."""
    fleet = Fleet(tmp_path, {})
    fleet.inventory.write_text(INVENTORY)
    return fleet


def list_hosts(fleet: Fleet, source: str, name: str = "clusters.remediate.yml", **variables: str) -> Played:
    fleet.clusters = fleet.folder / name
    fleet.clusters.write_text(source)
    return fleet.run("ansible-inventory", "--list", variables=COLLECTIONS | variables)


def read_document(listed: Played) -> Any:
    """Return what `ansible-inventory` printed; text of a file, which Ansible never takes for a template, is marked in it."""
    return json.loads(listed.printed, object_hook=lambda fields: fields.get("__ansible_unsafe", fields))


def test_each_cluster_is_a_host_with_its_peers(fleet: Fleet) -> None:
    listed = list_hosts(fleet, SOURCE)

    document = read_document(listed)
    variables = document["_meta"]["hostvars"]
    assert sorted(variables) == sorted(cluster.name for cluster in load(fleet.inventory))
    for cluster in load(fleet.inventory):
        assert variables[cluster.name]["remediate_peers"] == [peer.address for peer in cluster.peers]
        assert variables[cluster.name]["remediate_inventory"] == str(fleet.inventory)
    assert document["nordic"]["hosts"] == ["edge-oslo"]
    assert sorted(document["all_edges"]["hosts"]) == ["edge-oslo", "edge-paris"]
    assert document["peers_2"]["hosts"] == ["edge-paris"]
    assert not any(word in listed.printed for word in ("hunter2", "EXPC_PASSWORD", "admin"))


def test_an_inventory_of_remediate_is_a_source_where_it_is_enabled(fleet: Fleet) -> None:
    listed = list_hosts(fleet, INVENTORY, "edges.yml", ANSIBLE_INVENTORY_ENABLED="expressway.remediate.clusters")

    variables = read_document(listed)["_meta"]["hostvars"]
    assert variables["edge-oslo"]["remediate_inventory"] == str(fleet.folder / "edges.yml")


def test_a_folder_and_a_choice_of_clusters(fleet: Fleet) -> None:
    (fleet.folder / "regions").mkdir()
    for region, name in (("north", "edge-oslo"), ("south", "edge-rome")):
        (fleet.folder / "regions" / f"{region}.yml").write_text(
            INVENTORY.partition("  - name: edge-oslo")[0].replace("edge-paris", name)
        )

    listed = list_hosts(fleet, "plugin: expressway.remediate.clusters\ninventory: regions\nclusters: ['*-rome']\n")

    assert list(read_document(listed)["_meta"]["hostvars"]) == ["edge-rome"]


@pytest.mark.parametrize(
    ("inventory", "problem"),
    [
        ("version: 1\nclusters: [{name: edge-oslo}]\n", "a cluster without its name or peers"),
        ("clusters: [\thunter2", "is not YAML"),
        (INVENTORY.replace("edge-oslo", "edge-paris"), "the cluster edge-paris is in another place"),
        ("version: 1\n", "no cluster of an inventory of remediate is in it"),
    ],
    ids=["no-peers", "no-yaml", "twice", "none"],
)
def test_a_wrong_inventory_is_one_sentence_without_its_content(inventory: str, problem: str, fleet: Fleet) -> None:
    fleet.inventory.write_text(inventory)

    listed = list_hosts(fleet, SOURCE, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1")

    assert listed.code != 0
    assert problem in " ".join(listed.printed.split())
    assert "hunter2" not in listed.printed
    assert "Traceback" not in listed.printed


def test_an_installed_collection_brings_plugin_and_playbooks(fleet: Fleet) -> None:
    # As from the share/ of the wheel, and into a folder of an operator
    install = [
        str(PROGRAMS / "ansible-galaxy"),
        "collection",
        "install",
        "--offline",
        "-p",
        f"{fleet.folder}/installed",
        str(COLLECTION),
    ]
    subprocess.run(install, env=os.environ | {"ANSIBLE_HOME": str(fleet.folder / "ansible")}, check=True, capture_output=True)
    fleet.clusters = fleet.folder / "clusters.remediate.yml"
    fleet.clusters.write_text(SOURCE)

    where = {"ANSIBLE_COLLECTIONS_PATH": str(fleet.folder / "installed")}
    played = fleet.run("ansible-playbook", "expressway.remediate.certificates", "--list-hosts", variables=where)

    assert played.code == 0, played.printed
    assert "hosts (2):" in played.printed
    assert "edge-oslo" in played.printed
