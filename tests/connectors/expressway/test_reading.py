"""Two looks at a cluster over the same sessions."""

from __future__ import annotations

from collections import Counter

from remediate.connectors.collect import collect
from remediate.connectors.expressway.cluster import open_peers
from remediate.lab import Lab
from remediate.model.access import ClusterAccess
from tests.connectors.support import QUICK


def logins(lab: Lab) -> Counter[str]:
    """Return how often each peer's shell was logged in to."""
    return Counter(request.peer for request in lab.requests if request.method == "login")


def test_two_looks_share_the_sessions_of_a_run(lab: Lab, cluster: ClusterAccess) -> None:
    addresses = [simulated.address for simulated in lab.peers]
    with open_peers(cluster, QUICK, writable=True) as opened:
        first = collect(cluster, limits=QUICK, opened=opened)
        lab.requests.clear()
        last = collect(cluster, limits=QUICK, opened=opened, is_last=True)

        assert [peer.trusted_ca for peer in last.peers] == [peer.trusted_ca for peer in first.peers]
        assert [peer.ciphers for peer in last.peers] == [peer.ciphers for peer in first.peers]
        assert last.endpoints == first.endpoints
        # The last look reads what a run may have changed, of the publishers on the primary alone
        paths = Counter((request.peer, request.path) for request in lab.requests)
        assert logins(lab) == Counter()
        assert {paths[address, "/api/provisioning/certs/root"] for address in addresses} == {1}
        assert [paths[address, "/api/provisioning/controller/server/cucm"] for address in addresses] == [1, 0, 0]
        assert not [path for _, path in paths if path.startswith("xStatus")]
        # And the sessions stay open
        assert opened.peers[1].trusted_ca()
        assert logins(lab) == Counter()


def test_a_session_that_ended_is_logged_in_to_once_more(lab: Lab, cluster: ClusterAccess) -> None:
    second = lab.peers[1].address
    with open_peers(cluster, QUICK, writable=True) as opened:
        collect(cluster, limits=QUICK, opened=opened)
        # Given a peer whose sessions broke
        lab.faults.down(second)
        lab.faults.up(second)
        lab.requests.clear()
        # When the cluster is looked at again
        last = collect(cluster, limits=QUICK, opened=opened, is_last=True)

    assert [peer.error for peer in last.peers] == [None, None, None]
    assert logins(lab) == Counter({second: 1})


def test_a_peer_that_came_back_is_in_the_last_look(lab: Lab, cluster: ClusterAccess) -> None:
    third = lab.peers[2].address
    lab.faults.down(third)
    with open_peers(cluster, QUICK, writable=True) as opened:
        first = collect(cluster, limits=QUICK, opened=opened)
        lab.faults.up(third)
        last = collect(cluster, limits=QUICK, opened=opened, is_last=True)

    assert [peer.error is None for peer in first.peers] == [True, True, False]
    assert [peer.error for peer in last.peers] == [None, None, None]
    assert logins(lab)[third] == 1


def test_a_peer_that_went_away_is_named_in_the_last_look(lab: Lab, cluster: ClusterAccess) -> None:
    with open_peers(cluster, QUICK, writable=True) as opened:
        collect(cluster, limits=QUICK, opened=opened)
        lab.faults.down(lab.peers[2].address)
        last = collect(cluster, limits=QUICK, opened=opened, is_last=True)

    error = last.peers[2].error
    assert error is not None
    assert error.startswith("unreadable: ")
