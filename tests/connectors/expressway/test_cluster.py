"""All peers of a cluster: who is logged in to, in which order, and when to stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from remediate.connectors.expressway.cluster import open_peers
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, HostKeyTrust, TlsTrust
from remediate.model.errors import AccessError, LoginRefused, PinMismatch
from remediate.model.identity import Fingerprint
from tests.connectors.support import QUICK


def test_one_login_is_made_alone_then_all_others_at_once(lab: Lab, cluster: ClusterAccess) -> None:
    # Given peers, the second and the third of which answer only when both are asked
    first, second, third = (peer.address for peer in lab.peers)
    lab.faults.gather(second, third, containing="certs/root")
    lab.faults.gather(second, third, containing="xStatus SystemUnit")

    with open_peers(cluster, replace(QUICK, read_s=20, shell_answer_s=20), writable=False) as opened:
        assert [peer.address for peer in opened.peers] == [peer.address for peer in lab.peers] == list(opened.order)
        assert opened.primary == lab.peers[0].address
        assert opened.unreachable == {}

    logins = [request.peer for request in lab.requests if request.method == "login"]
    assert sorted(logins) == [first, second, third]
    requests = [(request.peer, request.method) for request in lab.requests]
    assert requests.index((first, "login")) < min(number for number, (peer, _) in enumerate(requests) if peer != first)


def test_the_first_refused_login_ends_it_at_once(lab: Lab, cluster: ClusterAccess) -> None:
    lab.faults.refuse_login(lab.peers[0].address)

    with pytest.raises(LoginRefused, match=lab.peers[0].address):
        open_peers(cluster, QUICK, writable=False)

    assert [(request.peer, request.authorised) for request in lab.requests] == [(lab.peers[0].address, False)]


def test_a_peer_that_refuses_a_login_gets_one(lab: Lab, cluster: ClusterAccess) -> None:
    lab.faults.refuse_login(lab.peers[1].address)

    with pytest.raises(LoginRefused, match=lab.peers[1].address):
        open_peers(cluster, QUICK, writable=False)

    assert [request.authorised for request in lab.requests if request.peer == lab.peers[1].address] == [False]


def test_no_second_peer_is_tried_until_one_took_the_login(lab: Lab, cluster: ClusterAccess) -> None:
    # Given a first peer that is down, and a second that refuses the login
    lab.faults.down(lab.peers[0].address)
    lab.faults.refuse_login(lab.peers[1].address)

    with pytest.raises(LoginRefused, match=lab.peers[1].address):
        open_peers(cluster, QUICK, writable=False)

    assert lab.peers[2].address not in {request.peer for request in lab.requests}


def test_a_wrong_pin_ends_it_at_once(lab: Lab, cluster: ClusterAccess) -> None:
    wrong = replace(cluster.peers[0], tls=TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64)))

    with pytest.raises(PinMismatch):
        open_peers(replace(cluster, peers=(wrong, *cluster.peers[1:])), QUICK, writable=False)

    assert len(lab.requests) == 0


def test_a_peer_that_is_down_does_not_stop_the_others(lab: Lab, cluster: ClusterAccess) -> None:
    lab.faults.down(lab.peers[0].address)

    with open_peers(cluster, QUICK, writable=False) as opened:
        assert [peer.address for peer in opened.peers] == [peer.address for peer in lab.peers[1:]]
        assert list(opened.unreachable) == [lab.peers[0].address]
        assert "connection refused" in opened.unreachable[cluster.peers[0].address]
        assert opened.primary == lab.peers[0].address


def test_a_peer_that_only_the_cluster_names_needs_its_own_pin(lab: Lab, cluster: ClusterAccess) -> None:
    with pytest.raises(AccessError, match=f"also has the peer {lab.peers[1].address}") as caught:
        open_peers(replace(cluster, peers=cluster.peers[:1]), QUICK, writable=False)

    assert "its own pin" in caught.value.next_step
    assert {request.peer for request in lab.requests} == {lab.peers[0].address}


def test_a_stranger_in_the_place_of_a_peer_is_not_reached(lab: Lab, cluster: ClusterAccess) -> None:
    lab.faults.lose_own_address(2)

    with open_peers(cluster, QUICK, writable=False) as opened:
        assert [peer.address for peer in opened.peers] == [peer.address for peer in lab.peers]
        [(address, reason)] = opened.unreachable.items()
        assert (address, opened.order[-1]) == ("192.0.2.99", "192.0.2.99")
        assert f"lists it in the place of {lab.peers[1].address}" in reason


def test_a_ca_and_known_hosts_apply_to_peers_of_the_cluster(lab: Lab, cluster: ClusterAccess, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text("".join(_line(peer.address, peer.ssh_port) for peer in cluster.peers))
    first = replace(
        cluster.peers[0],
        tls=TlsTrust(ca=lab.directory / "pki" / "expressway-ca.pem"),
        ssh=HostKeyTrust(known_hosts=known_hosts),
    )

    with open_peers(replace(cluster, peers=(first,)), QUICK, writable=False) as opened:
        assert [peer.address for peer in opened.peers] == [peer.address for peer in lab.peers]


def test_a_cluster_that_does_not_list_its_peers_leaves_a_gap(lab: Lab, cluster: ClusterAccess) -> None:
    for peer in lab.peers:
        lab.faults.drop_request(peer.address, times=QUICK.read_attempts, containing="cluster/peers", writes_only=False)

    with open_peers(cluster, QUICK, writable=False) as opened:
        assert len(opened.peers) == 3
        assert [(gap.service, gap.kind, gap.incomplete) for gap in opened.undiscovered] == [("cluster", "not-asked", True)]

    with open_peers(cluster, QUICK, writable=False) as opened:
        assert opened.undiscovered == ()


@pytest.mark.parametrize("address", ["169.254.1.1", "224.0.0.9", "0.0.0.0", "255.255.255.255", "a" * 64])  # noqa: S104  refused
def test_a_peer_at_an_address_that_none_can_have_is_not_opened(lab: Lab, cluster: ClusterAccess, address: str) -> None:
    lab.peers[0].leaves["Alternates Peer 4 Address"] = address

    with open_peers(cluster, QUICK, writable=False) as opened:
        assert list(opened.order) == [peer.address for peer in lab.peers]
        assert [(gap.service, gap.kind, gap.incomplete, gap.names) for gap in opened.undiscovered] == [
            ("cluster", "name-refused", True, (address,))
        ]


def test_more_peers_than_a_cluster_can_have_are_not_opened(lab: Lab, cluster: ClusterAccess) -> None:
    limits = replace(QUICK, max_peers=3)
    lab.peers[0].leaves["Alternates Peer 4 Address"] = "expc4.invalid"

    with open_peers(cluster, limits, writable=False) as opened:
        assert list(opened.order) == [peer.address for peer in lab.peers]
        assert [(gap.kind, gap.incomplete, gap.count) for gap in opened.undiscovered] == [("over-limit", True, 1)]


def _line(address: str, port: int) -> str:
    """Return what ssh-keyscan would print."""
    with paramiko.Transport((address, port)) as transport:
        transport.start_client(timeout=5)
        key = transport.get_remote_server_key()
    return f"{address if port == 22 else f'[{address}]:{port}'} {key.get_name()} {key.get_base64()}\n"
