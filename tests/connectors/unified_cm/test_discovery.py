"""Which endpoints there are, and what Unified CM may be asked and believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.tls.pinning import make_issuer_check
from remediate.connectors.unified_cm.discovery import DiscoveryResult, discover
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, HostKeyTrust, NodeAccess, PeerAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import LoginRefused
from remediate.model.identity import Address
from remediate.model.secret import Login
from remediate.model.snapshot import DiscoveryGap
from tests.connectors.support import QUICK, FixedSecret
from tests.connectors.unified_cm.nodes import CA

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
