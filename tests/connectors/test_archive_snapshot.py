"""The snapshot from archives: what they show, and what they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediate.connectors.archive_snapshot import make_snapshot
from remediate.model.archived_peer import ArchivedPeer
from remediate.model.errors import RemediateError
from remediate.model.evidence import AnsweredRequest, BadGateway, Evidence, Handshake, LogTime
from remediate.model.identity import CipherList
from tests.pki import NOW, Entity, issue

ROOT = issue("Root", ca=True)
OWN = issue("expc1.example.test", ROOT)
RSA = issue("cucm.example.test", ROOT, names=("cucm.example.test",), family="rsa")
EC = issue("cucm-EC.example.test", names=("cucm.example.test",))
RENEWED = issue("cucm.example.test", ROOT, names=("cucm.example.test",), family="rsa", key_name="renewed")
XCP = issue("imp.example.test", names=("imp.example.test",), family="rsa")
CIPHERS = "EECDH:!aNULL"


def archived(number: int = 1, **changes: object) -> ArchivedPeer:
    settings = {
        "Alternates Cluster Name": "edge.example.test",
        "Alternates ConfigurationPrimary": "2",
        **{f"Alternates Peer {peer} Address": f"expc{peer}.example.test" for peer in (1, 2)},
        "Ethernet 1 IP V4 Address": f"10.0.0.{number}",
        "IP DNS Hostname": f"expc{number}",
        "IP DNS Domain Name": "example.test",
        "Ciphers ReverseProxyTLSCiphers Value": CIPHERS,
        "EdgeConfigServer VerifyOriginServer": "On",
    }
    peer = ArchivedPeer(
        f"expc{number}", f"{number}.tar.gz", NOW, (ROOT.certificate,), (), (OWN.certificate,), None, settings, "X14.2.1"
    )
    return replace(peer, **changes)  # type: ignore[arg-type]  # fields of ArchivedPeer


def handshake(
    chain: Entity, port: int, name: str | None = "cucm.example.test", server: str = "10.0.1.1", hours: int = 1
) -> Handshake:
    return Handshake("10.0.0.1", server, port, name, chain=(chain.certificate,), last_seen=NOW - timedelta(hours=hours))


def test_a_peer_has_what_its_archive_holds() -> None:
    snapshot = make_snapshot(Evidence(archived_peers=(archived(1), archived(2))), None, NOW)
    assert snapshot.cluster == "edge.example.test"
    first, second = snapshot.peers
    assert (first.address, first.primary, second.address, second.primary) == (
        "expc1.example.test", False, "expc2.example.test", True,
    )  # fmt: skip
    assert (first.version, first.verify_origin_server) == ("X14.2.1", True)
    assert first.ciphers == {"ReverseProxyTLSCiphers": CIPHERS}
    assert first.server_certificate == (OWN.certificate.fingerprint,)
    assert snapshot.vouched_for == {ROOT.certificate.fingerprint}
    assert not snapshot.complete


def test_the_name_in_the_inventory_can_be_given() -> None:
    assert make_snapshot(Evidence(archived_peers=(archived(),)), "edge-paris", NOW).cluster == "edge-paris"


def test_an_endpoint_has_the_certificate_that_it_showed_last() -> None:
    handshakes = (handshake(RSA, 8443, hours=3), handshake(RENEWED, 8443, hours=1))
    (endpoint,) = make_snapshot(Evidence(handshakes=handshakes, archived_peers=(archived(),)), None, NOW).endpoints
    assert endpoint.presented == {"rsa": (RENEWED.certificate.fingerprint,)}
    assert endpoint.preferred.measured == {CipherList(CIPHERS): "rsa"}
    assert (endpoint.seen_by, endpoint.learned_from) == ("archive", ("archive",))


def test_connections_to_the_peers_themselves_are_no_endpoints() -> None:
    inbound = replace(handshake(RSA, 8443), client_ip="10.0.9.9", server_ip="10.0.0.1")
    assert make_snapshot(Evidence(handshakes=(inbound,), archived_peers=(archived(),)), None, NOW).endpoints == ()


def test_other_services_that_rely_on_the_list_are_guarded() -> None:
    handshakes = (handshake(EC, 5061, None), handshake(XCP, 7400, "imp.example.test", "10.0.1.2"), handshake(RSA, 9443))
    snapshot = make_snapshot(Evidence(handshakes=handshakes, archived_peers=(archived(),)), None, NOW)
    assert snapshot.endpoints == ()
    assert [(endpoint.name, endpoint.product, endpoint.service) for endpoint in snapshot.guarded_endpoints] == [
        ("10.0.1.1:5061", "cucm", "SIP"),
        ("imp.example.test:7400", "imp", "XCP"),
    ]


def test_what_only_the_log_names_is_not_observed() -> None:
    moment = LogTime("", NOW - timedelta(minutes=5))
    evidence = Evidence(
        bad_gateways=(BadGateway("expc1", "cucm.example.test", 6972, last_seen=moment),),
        answered_requests=(AnsweredRequest("expc1", "voicemail.example.test", 8443, last_seen=moment),),
        archived_peers=(archived(),),
    )
    snapshot = make_snapshot(evidence, None, NOW)
    assert {endpoint.name: (endpoint.error or "")[:12] for endpoint in snapshot.endpoints} == {
        "cucm.example.test:6972": "not observed",
        "voicemail.example.test:8443": "not observed",
    }
    assert snapshot.taken_at == moment.at


@pytest.mark.parametrize(
    ("peer", "lacking"),
    [(archived(trusted=None), "trusted CA list"), (archived(settings=None), "configuration")],
    ids=["list", "configuration"],
)
def test_an_archive_without_a_part_leaves_the_peer_unobserved(peer: ArchivedPeer, lacking: str) -> None:
    (observed, *_) = make_snapshot(Evidence(archived_peers=(peer,)), None, NOW).peers
    assert lacking in (observed.error or "")
    assert observed.trusted_ca == ()


def test_of_two_archives_of_one_peer_the_latest_whole_one_counts() -> None:
    archives = (
        archived(version="X14.0.1", stamp=NOW - timedelta(days=2)),
        archived(version="X14.2.1", stamp=NOW - timedelta(days=1)),
        archived(version="X15.0.3", stamp=NOW, trusted=None),
    )
    (first, _) = make_snapshot(Evidence(archived_peers=archives), None, NOW).peers
    assert first.version == "X14.2.1"


def test_a_peer_that_stands_alone_is_its_own_primary() -> None:
    settings = {"IP DNS Hostname": "expc1", "IP DNS Domain Name": "example.test"}
    (peer,) = make_snapshot(Evidence(archived_peers=(archived(settings=settings),)), None, NOW).peers
    assert (peer.address, peer.primary) == ("expc1.example.test", True)


def test_archives_of_two_clusters_are_refused() -> None:
    other_peer = archived(3, settings={"Alternates Cluster Name": "other.example.test"})
    with pytest.raises(RemediateError, match="2 clusters"):
        make_snapshot(Evidence(archived_peers=(archived(), other_peer)), None, NOW)
