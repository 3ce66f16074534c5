"""Trust stores of a node, read and written over REST and over the platform shell of the lab's nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.collect import collect
from remediate.connectors.unified_cm.management import NodeManagement, open_node_management
from remediate.inventory import load
from remediate.lab import Lab
from remediate.lab.pki import peer_authority
from remediate.model.access import ClusterAccess, HostKeyTrust
from remediate.model.errors import InventoryError, NotOffered, ObservationError, WriteForbidden
from remediate.model.identity import Address
from remediate.model.secret import Login
from tests.connectors.support import QUICK, FixedSecret

LAYOUTS = {"cucm": "fields-and-pem", "cucm-sub1": "bouncy-castle", "cucm-sub2": "fields"}
EDGE = peer_authority().certificate


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Unified CM before 14."""
    with Lab(tmp_path_factory.mktemp("old"), "platform-shell", judge=False) as lab:
        yield lab


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Unified CM 14."""
    with Lab(tmp_path_factory.mktemp("new"), "refuses-peers", judge=False) as lab:
        yield lab


def opened(lab: Lab, name: str = "cucm", *, writable: bool = True, cluster: ClusterAccess | None = None) -> NodeManagement:
    authorities = lab.peers[0].trusted
    access = cluster or load(lab.inventory)[0]
    return open_node_management(access, Address(f"{name}.steven.lab"), authorities, QUICK, writable=writable)


def without_host_keys(lab: Lab, tmp_path: Path) -> ClusterAccess:
    cluster = load(lab.inventory)[0]
    empty_file = tmp_path / "known_hosts"
    empty_file.touch()
    return replace(cluster, nodes=tuple(replace(node, ssh=HostKeyTrust(known_hosts=empty_file)) for node in cluster.nodes))


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_is_read_uploaded_to_and_deleted_from(old: Lab, name: str) -> None:
    store = old.node(f"{name}.steven.lab").stores.trusted["tomcat"]
    before = list(store)

    with opened(old, name) as node:
        assert set(node.trusted("tomcat", EDGE)) == set(before)
        node.add_trusted("tomcat", EDGE)
        assert set(node.trusted("tomcat", EDGE)) == {*before, EDGE}
        assert store == [*before, EDGE]
        node.remove_trusted("tomcat", EDGE)
        assert set(node.trusted("tomcat", EDGE)) == set(before)

    assert store == before


def test_rest_uploads_and_the_shell_deletes(new: Lab) -> None:
    new.requests.clear()
    store = new.node("cucm.steven.lab").stores.trusted["CallManager"]
    before = list(store)

    with opened(new) as node:
        node.add_trusted("CallManager", EDGE)
        assert store == [*before, EDGE]
        node.remove_trusted("CallManager", EDGE)

    assert store == before
    assert [(request.transport, request.method) for request in new.requests.writes] == [
        ("certmgr", "POST"),
        ("platform", "command"),
    ]


def test_a_session_that_may_only_read_writes_nothing(old: Lab, new: Lab) -> None:
    for lab in (old, new):
        lab.requests.clear()
        with opened(lab, writable=False) as node:
            for write in (node.add_trusted, node.remove_trusted):
                with pytest.raises(WriteForbidden):
                    write("tomcat", EDGE)
        assert lab.requests.writes == ()


def test_without_a_host_key_nothing_is_deleted(new: Lab, tmp_path: Path) -> None:
    with opened(new, cluster=without_host_keys(new, tmp_path)) as node:
        node.add_trusted("tomcat", EDGE)
        with pytest.raises(NotOffered, match="host key"):
            node.remove_trusted("tomcat", EDGE)

    new.node("cucm.steven.lab").stores.remove("tomcat", EDGE)


def test_without_an_account_no_node_is_opened(new: Lab) -> None:
    with pytest.raises(InventoryError, match="platform_credentials"):
        opened(new, cluster=replace(load(new.inventory)[0], platform=None))


def test_a_store_that_is_not_there_is_not_empty(new: Lab) -> None:
    with opened(new) as node, pytest.raises(ObservationError, match="shows no cup-xmpp-trust"):
        node.trusted("cup-xmpp", EDGE)


def test_a_snapshot_has_what_the_shell_shows(old: Lab) -> None:
    old.requests.clear()

    snapshot = collect(load(old.inventory)[0], limits=QUICK)

    nodes = {node.address: node for node in snapshot.nodes}
    for name in LAYOUTS:
        node, real = nodes[Address(f"{name}.steven.lab")], old.node(f"{name}.steven.lab")
        assert (node.by, node.error) == ("shell", None)
        assert {store: set(trusted) for store, trusted in node.trust.items()} == {
            store: {certificate.fingerprint for certificate in trusted} for store, trusted in real.stores.trusted.items()
        }
    assert set(nodes[Address("cucm.steven.lab")].own) == {"tomcat", "CallManager", "CallManager-ECDSA"}
    assert nodes[Address("cucm-sub2.steven.lab")].own == {}
    assert old.requests.writes == ()


def test_a_shell_that_does_not_know_the_account_is_tried_once(old: Lab) -> None:
    cluster = replace(load(old.inventory)[0], platform=Login("ccmadmin", FixedSecret("wrong")))
    old.requests.clear()

    with pytest.raises(Exception, match="refuses the login"):
        collect(cluster, limits=QUICK)

    assert [request.authorised for request in old.requests if (request.transport, request.method) == ("platform", "login")] == [
        False
    ]
