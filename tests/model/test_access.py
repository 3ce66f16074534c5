"""Access to a cluster: peers whose clients come the same way."""

from __future__ import annotations

from remediate.model.access import ClusterAccess, MraAccess, PeerAccess, peers_sharing_way
from remediate.model.identity import Address
from remediate.model.secret import Login
from tests.executor.memory import PlainSecret

FIRST, SECOND, THIRD, FOURTH = (Address(f"expc{number}.test") for number in range(1, 5))


def test_peers_share_a_way_whatever_the_case_and_the_last_dot() -> None:
    # Given two peers behind one Expressway-E, one behind another port of it, and one without a way
    login = Login("admin", PlainSecret())
    peers = (
        PeerAccess(FIRST, mra=MraAccess("expe.test", 8443)),
        PeerAccess(SECOND, mra=MraAccess("EXPE.test.", 8443)),
        PeerAccess(THIRD, mra=MraAccess("expe.test", 443)),
        PeerAccess(FOURTH),
    )
    cluster = ClusterAccess("edge", login, peers)

    assert [peers_sharing_way(cluster, peer) for peer in (FIRST, SECOND, THIRD)] == [(SECOND,), (FIRST,), ()]


def test_a_login_of_its_own_for_rest_wins() -> None:
    shell, api = Login("root", PlainSecret()), Login("api", PlainSecret())

    assert ClusterAccess("edge", shell, (), rest=api).rest_login == api
    assert ClusterAccess("edge", shell, ()).rest_login == shell


def test_the_url_of_a_way_has_brackets_around_ipv6() -> None:
    assert MraAccess("2001:db8::1", 8443).url == "https://[2001:db8::1]:8443"
