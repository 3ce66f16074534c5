"""Which endpoints there are, and what Unified CM may be asked and believed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.http import Account
from remediate.connectors.tls.pinning import make_issuer_check
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.discovery import DiscoveryResult, discover
from remediate.connectors.unified_cm.node import UnifiedCmNode, open_node
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, HostKeyTrust, NodeAccess, PeerAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import AccessError, LoginRefused, ObservationError
from remediate.model.identity import Address
from remediate.model.secret import Login, Secret
from remediate.model.snapshot import DiscoveryGap
from tests.connectors.servers import LONG, http, https_talk, server_identity, tcp_server, tls_context
from tests.connectors.support import QUICK, FixedSecret
from tests.pki import issue

NODE = "node.example.test"
CA = issue("Lab Root", ca=True, lasts=LONG)
GOOD, SELF_SIGNED = server_identity(NODE, issuer=CA), server_identity(NODE, "ecdsa")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def node(stack: ExitStack, *answers: bytes, requests: list[bytes] | None = None, trusted: bool = True) -> UnifiedCmNode:
    """Open a node with these answers, under its CA or under none."""
    port = stack.enter_context(tcp_server(https_talk(tls_context(GOOD), http(404), *answers, requests=requests)))
    target = Target(Address(NODE), port, "cucm", connect_to="127.0.0.1")
    return open_node(target, (CA.certificate,) if trusted else (), QUICK)


ACCOUNT = Account("axl", Secret("axl-secret"))


def test_a_node_verifies_with_the_one_certificate_that_does(stack: ExitStack) -> None:
    """It prefers its self-signed ECDSA certificate; the RSA one is signed by a CA that counts."""
    port = stack.enter_context(tcp_server(https_talk(tls_context(SELF_SIGNED, GOOD), http(200))))
    target = Target(Address(NODE), port, "cucm", connect_to="127.0.0.1")

    assert open_node(target, (CA.certificate,), QUICK).verified
    assert open_node(target, (SELF_SIGNED.certificate,), QUICK).verified
    assert not open_node(target, (), QUICK).verified
    assert not open_node(replace(target, address=Address("other.example.test")), (CA.certificate,), QUICK).verified


def test_no_account_is_sent_where_the_node_does_not_verify(stack: ExitStack) -> None:
    requests: list[bytes] = []
    unverified = node(stack, http(200, "<servers><server>a.example.test</server></servers>"), requests=requests, trusted=False)

    for read in (unverified.read_process_nodes, unverified.read_certificates):
        with pytest.raises(AccessError, match="No account is sent"):
            read(ACCOUNT)

    assert not any(b"uthorization" in request for request in requests)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><servers><server>&a;</server></servers>', "document type"),
        ("<servers>", "not XML"),
        ("", "not XML"),
    ],
)
def test_xml_that_is_hostile_or_broken_is_refused(stack: ExitStack, body: str, error: str) -> None:
    with pytest.raises(ObservationError, match=error):
        node(stack, http(200, body)).read_uds_servers()


def test_every_name_is_handed_on_as_it_was_given(stack: ExitStack) -> None:
    body = "<s:servers xmlns:s='x'><s:server> a.example.test </s:server><s:server>$(reboot)</s:server><s:server/></s:servers>"

    assert node(stack, http(200, body)).read_uds_servers().names == (
        ("a.example.test", "cucm"),
        ("$(reboot)", "cucm"),
        ("", "cucm"),
    )


def test_a_refused_axl_account_is_not_tried_elsewhere(stack: ExitStack) -> None:
    with pytest.raises(LoginRefused, match=f"AXL on {NODE}") as caught:
        node(stack, http(401)).read_process_nodes(ACCOUNT)

    assert "axl-secret" not in f"{caught.value}{caught.value.next_step}"


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"identities": 5}', '{"identities": [{"certificate": "-----BEGIN CERTIFICATE-----"}]}']
)
def test_a_snapshot_that_cannot_be_read_is_reported(stack: ExitStack, body: str) -> None:
    with pytest.raises(ObservationError, match="cannot be read"):
        node(stack, http(200, body)).read_certificates(ACCOUNT)


CLUSTER = ClusterAccess("edge", Login("admin", FixedSecret("x")), (PeerAccess(Address("expc1.example.test")),))


def discovered(cluster: ClusterAccess, *publishers: PublisherRecord, gaps: list[DiscoveryGap] | None = None) -> DiscoveryResult:
    return discover(cluster, publishers, (), QUICK, (gaps if gaps is not None else []).append)


def test_ports_come_from_the_inventory_or_from_the_product() -> None:
    nodes = (
        NodeAccess(Address("B.example.test"), "cucm"),
        NodeAccess(Address("a.example.test"), "unity", connect_to="127.0.0.9", ports=(443,)),
    )

    targets = discovered(replace(CLUSTER, nodes=nodes)).targets

    assert [(target.address, target.port, target.declared_in_use, target.connect_to) for target in targets] == [
        ("a.example.test", 443, True, "127.0.0.9"),
        ("B.example.test", 443, False, None),
        ("B.example.test", 6971, False, None),
        ("B.example.test", 6972, False, None),
        ("B.example.test", 8443, False, None),
    ]


def test_a_silent_publisher_is_reported_and_its_port_is_probed() -> None:
    gaps: list[DiscoveryGap] = []
    nodes = (NodeAccess(Address("CUCM.invalid"), "cucm"),)
    record = PublisherRecord(Address("cucm.invalid"), "cucm", "axl", "On")

    targets = discovered(replace(CLUSTER, nodes=nodes), record, gaps=gaps).targets

    assert [(target.address, target.port, target.declared_in_use) for target in targets] == [
        ("CUCM.invalid", 443, False),
        ("CUCM.invalid", 6971, False),
        ("CUCM.invalid", 6972, False),
        ("CUCM.invalid", 8443, True),
    ]
    assert {target.learned_from for target in targets} == {("inventory", "publisher")}
    assert [(gap.source, gap.service, gap.incomplete) for gap in gaps] == [("CUCM.invalid", "web", True)]
    assert "its name does not resolve" in gaps[0].message


def _publishers(lab: Lab) -> list[PublisherRecord]:
    return [
        PublisherRecord(Address(publisher.address), publisher.product, "axl", "On") for publisher in lab.peers[0].publishers
    ]


def test_the_labs_nodes_are_found_over_uds_and_axl(lab: Lab, cluster: ClusterAccess) -> None:
    by_address = {node.address: node for node in cluster.nodes}
    trusted = lab.peers[0].trusted

    gaps: list[DiscoveryGap] = []

    result = discover(cluster, _publishers(lab), trusted, QUICK, gaps.append)

    assert gaps == []

    assert {(target.address, target.port) for target in result.targets} == {
        (target.address, target.port) for target in lab.targets
    }
    assert all(target.connect_to == by_address[target.address].connect_to for target in result.targets)
    sources = {(target.address, target.product): target.learned_from for target in result.targets}
    assert sources[Address("cucm.steven.lab"), "cucm"] == ("axl", "inventory", "publisher", "uds")
    assert sources[Address("imp.steven.lab"), "imp"] == ("axl", "inventory", "publisher")
    assert result.authenticated == ()


def test_certificate_management_vouches_only_when_verified(lab: Lab, cluster: ClusterAccess) -> None:
    platform = Login(lab.accounts.platform_username, FixedSecret(lab.accounts.platform_password))
    nodes = tuple(replace(node, ssh=HostKeyTrust()) for node in cluster.nodes)
    cluster = replace(cluster, platform=platform, nodes=nodes)
    gaps: list[DiscoveryGap] = []

    result = discover(cluster, _publishers(lab), lab.peers[0].trusted, QUICK, gaps.append)
    unverified = discover(cluster, _publishers(lab), (), QUICK, lambda _gap: None)

    ecdsa = lab.pki.certificate("cucm.steven.lab/CallManager/ecdsa")
    assert ecdsa in result.authenticated
    assert ("certificate-management", "unverified", False) in {(gap.service, gap.kind, gap.incomplete) for gap in gaps}
    assert any("no account is sent" in gap.message for gap in gaps)
    assert unverified.authenticated == ()


def test_a_known_host_key_is_a_verified_channel(lab: Lab, cluster: ClusterAccess) -> None:
    platform = Login(lab.accounts.platform_username, FixedSecret(lab.accounts.platform_password))

    result = discover(replace(cluster, platform=platform), _publishers(lab), (), QUICK, lambda _gap: None)

    sources = {target.address: node.by for target, node in result.management if not isinstance(node, str)}
    assert set(sources.values()) == {"shell"}
    assert lab.pki.certificate("imp.steven.lab/tomcat/rsa") in result.authenticated


def test_a_wrong_platform_account_stops_at_the_first_node(lab: Lab, cluster: ClusterAccess) -> None:
    cluster = replace(cluster, platform=Login("ccmadmin", FixedSecret("wrong")))

    with pytest.raises(LoginRefused, match="certificate management on"):
        discover(cluster, _publishers(lab), lab.peers[0].trusted, QUICK, lambda _gap: None)


def test_an_authority_that_openssl_cannot_use_is_skipped() -> None:
    broken = Certificate.from_der(b"\x30\x03\x02\x01\x00")

    assert make_issuer_check((broken, CA.certificate), "rsa").context.get_ca_certs() != []
