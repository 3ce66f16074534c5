"""Lists for `init --csv`: as spreadsheets write them, and every mistake at once, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.inventory.draft import DraftLogin, DraftPeer
from remediate.inventory.draft_csv import CLUSTER_COLUMNS, ClusterRows, names_clusters, read_clusters, read_nodes
from remediate.model.errors import InventoryError

NAME_RULE = "letters, digits, dots, hyphens and underscores only: it also names files."
FILE = Path("clusters.csv")
PARIS = ClusterRows(
    "edge-paris",
    2,
    (DraftPeer("expc1.example.test", 443, 22),),
    DraftLogin("admin", {"env": "PARIS_PASSWORD"}),
    ({"address": "cucm.example.test", "product": "cucm", "ports": [8443, 6972]},),
)
OSLO = ClusterRows("edge-oslo", 4, (DraftPeer("10.0.0.5", 7443, 5022),), None, ())
TEXT = """cluster,peer,rest_port,ssh_port,username,password,node,product,ports
edge-paris,expc1.example.test,,,admin,env PARIS_PASSWORD,,,
edge-paris,,,,,,cucm.example.test,cucm,8443 6972
edge-oslo,10.0.0.5,7443,5022,,,,,
"""


def mistakes_of(text: str) -> list[str]:
    """Return what is said to be wrong in a list of clusters, line by line."""
    with pytest.raises(InventoryError) as caught:
        read_clusters(FILE, text, 443, 22)
    assert caught.value.next_step == "Nothing was written. Correct the CSV file and run the command again."
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace(",", ";").replace("8443 6972", '"8443;6972"'),
        TEXT.replace(",", "\t").replace("\n", "\r\n"),
        "\ufeff"
        + TEXT.replace("cucm,8443", '"CUCM","8443').replace("6972", '6972"').replace("cluster,peer", '"Cluster", Peer '),
        TEXT.replace(",,,\n", ",,, \n") + ",,,,,,,,\n\n ,\n",
    ],
    ids=["commas", "semicolons", "tabs", "byte order mark and quotes", "empty rows"],
)
def test_a_list_is_read_as_spreadsheets_write_it(text: str) -> None:
    assert names_clusters(text)
    assert read_clusters(FILE, text, 443, 22) == (PARIS, OSLO)


def test_a_line_for_excel_names_no_columns() -> None:
    clusters = read_clusters(FILE, "sep=;\n" + TEXT.replace(",", ";"), 443, 22)

    assert [(cluster.name, cluster.line) for cluster in clusters] == [("edge-paris", 3), ("edge-oslo", 5)]


def test_ports_that_a_row_lacks_are_those_of_the_command() -> None:
    [cluster] = read_clusters(FILE, "cluster,peer\nedge,expc1.example.test\n", 7443, 5022)

    assert cluster.peers == (DraftPeer("expc1.example.test", 7443, 5022),)


def test_all_mistakes_of_a_list_are_shown_at_once() -> None:
    text = (
        "cluster;peer;rest_port;node;product;ports;pasword\n"
        "edge paris;expc1.example.test\n"
        ";expc2.example.test\n"
        "edge-oslo;https://expc1.oslo.test:443/;0;;;\n"
        "edge-oslo;expc1.example.test;;;;\n"
        "edge-oslo;;;cucm.test;callmanager;1 x\n"
        "edge-oslo;;;;imp;\n"
        "edge-oslo\n"
        "edge-rome;;;cucm.test;cucm;\n"
        "edge-rome;;;CUCM.test;cucm;\n"
        "edge-bonn;a b;;;;;;;extra\n"
    )

    assert mistakes_of(text) == [
        f"clusters.csv:1: there is no column `pasword`. Did you mean `password`? Columns: {', '.join(CLUSTER_COLUMNS)}.",
        f"clusters.csv:2: `cluster` is `edge paris`, and may have {NAME_RULE}",
        "clusters.csv:3: `cluster` is empty.",
        "clusters.csv:4: `peer` must be one host name or IP address and nothing else: expc1.oslo.test. Ports have columns.",
        "clusters.csv:4: `rest_port` is `0`, and a port is 1 to 65535.",
        "clusters.csv:5: the peer expc1.example.test stands at line 2 already.",
        "clusters.csv:6: `product` is `callmanager`, and may be cucm, imp or unity.",
        "clusters.csv:6: `ports` is `x`, and a port is 1 to 65535.",
        "clusters.csv:7: `product`, `connect_to` and `ports` are of a node, and `node` is empty.",
        "clusters.csv:8: this row has neither a peer nor a node.",
        "clusters.csv:9: the cluster `edge-rome` has no peer. One is enough: it names the others.",
        "clusters.csv:10: the node CUCM.test stands at line 9 already.",
        "clusters.csv:11: this row has 9 cells, and the first line names 7 columns.",
        "clusters.csv:11: `peer` must be one host name or IP address, not `a b`.",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cluster\nedge\n", "clusters.csv:1: the first line lacks the column `peer`."),
        ("cluster,peer,peer\n", "clusters.csv:1: the column `peer` stands twice."),
        ("cluster,peer\n\n", "clusters.csv:1: this file names no cluster."),
        ('cluster,peer\nedge,expc1\nb,"expc2\nc,d\n', "clusters.csv:3: this row cannot be read: a quotation mark"),
        ("cluster,peer\n" + "".join(f"edge,expc{number}\n" for number in range(7)), "has 7 peers, and 6 are the most."),
        (
            "cluster,peer,username\nedge,expc1,admin\nedge,expc2,root\n",
            "clusters.csv:3: `username` is not that of line 2, and a cluster has one account.",
        ),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(text: str, sentence: str) -> None:
    assert sentence in "\n".join(mistakes_of(text))


def test_a_password_in_a_list_is_refused_unquoted() -> None:
    [mistake] = mistakes_of("cluster,peer,password\nedge,expc1,hunter2\n")

    assert mistake.startswith(
        "clusters.csv:2: `password` must say where the password comes from and never hold it: write env NAME"
    )
    assert "hunter2" not in mistake


def test_all_mistakes_of_a_file_of_nodes_are_shown_at_once() -> None:
    with pytest.raises(InventoryError) as caught:
        read_nodes(Path("nodes.csv"), "address;product;ports\n;cucm;\ncucm.test;phone;70000\n")

    assert str(caught.value).splitlines() == [
        "nodes.csv:2: `address` is empty.",
        "nodes.csv:3: `product` is `phone`, and may be cucm, imp or unity.",
        "nodes.csv:3: `ports` is `70000`, and a port is 1 to 65535.",
    ]
