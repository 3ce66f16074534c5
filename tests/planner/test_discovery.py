"""The refresh with which a plan ends: for whom it is, and when discovery would be refused by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.model.expressway import REVERSE_PROXY_CIPHERS, RSA_PREFIX, UC_CLIENT_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.plan import Plan, Policy, RefreshDiscovery
from remediate.model.snapshot import Publisher, Snapshot
from remediate.planner import make_plan
from tests.executor.clusters import CORPORATE, CUCM_EC, CUCM_RSA, endpoint, story

PUBLISHER = Publisher(Address("cucm.example.test"), "cucm", "rest", tls_verify=True)
POLICY = Policy(ciphers="prefer-rsa", trust_self_signed=False)


def cluster(publisher: Publisher = PUBLISHER, ciphers: str = "EECDH:EDH:HIGH") -> Snapshot:
    """Return a cluster whose publisher prefers a self-signed ECDSA certificate on 8443, and whose last peer lacks its root."""
    start = story().snapshot()
    peers = tuple(replace(peer, ciphers={**peer.ciphers, UC_CLIENT_CIPHERS: CipherList(ciphers)}) for peer in start.peers)
    node = endpoint("cucm.example.test", 8443, CUCM_RSA, ecdsa=CUCM_EC)
    other_endpoints = tuple(present for present in start.endpoints if present.port != node.port)
    return replace(
        start,
        peers=peers,
        endpoints=(node, *other_endpoints),
        publishers=(publisher,),
        vouched_for=frozenset(start.certificates),
    )


def refresh_of(plan: Plan) -> RefreshDiscovery:
    action = plan.actions[-1]
    assert isinstance(action, RefreshDiscovery)
    return action


def test_a_plan_that_changes_something_ends_with_a_refresh() -> None:
    plan = make_plan(story().snapshot(), Policy(ciphers="prefer-rsa"))

    assert sum(isinstance(action, RefreshDiscovery) for action in plan.actions) == 1
    assert (refresh_of(plan).publisher, refresh_of(plan).by, refresh_of(plan).warning) == ("cucm.example.test", "rest", None)


def test_a_plan_without_changes_refreshes_nothing() -> None:
    healthy = replace(story().snapshot(), endpoints=())

    assert make_plan(healthy).actions == ()


def test_no_refresh_leaves_it_out_and_nothing_else() -> None:
    start = story().snapshot()

    plan, without = make_plan(start, POLICY), make_plan(start, replace(POLICY, refresh=False))

    assert without.actions == plan.actions[:-1]
    assert not any(isinstance(action, RefreshDiscovery) for action in without.actions)


def test_where_no_publisher_is_known_a_person_refreshes() -> None:
    plan = make_plan(replace(story().snapshot(), publishers=()), POLICY)

    assert (refresh_of(plan).by, refresh_of(plan).product) == ("person", "cucm")
    assert "not read" in (refresh_of(plan).warning or "")


def test_a_publisher_that_discovery_would_refuse_is_not_refreshed() -> None:
    # The traffic server gets RSA by the plan's cipher list, and discovery still ECDSA by its own.
    plan = make_plan(cluster(), POLICY)

    forecasts = [
        forecast.after.ok for forecast in plan.endpoints if forecast.port == 8443 and forecast.address == PUBLISHER.address
    ]
    assert all(forecasts)
    assert refresh_of(plan).by == "person"
    assert refresh_of(plan).warning == (
        f"Do not refresh yet: discovery verifies cucm.example.test:8443 with {UC_CLIENT_CIPHERS}, and that may fail (self signed "
        f"certificate). Put {RSA_PREFIX} in front of {UC_CLIENT_CIPHERS} on the primary first."
    )


def test_discovery_that_prefers_rsa_is_refreshed() -> None:
    plan = make_plan(cluster(ciphers=f"{RSA_PREFIX}EECDH:EDH:HIGH"), POLICY)

    assert (refresh_of(plan).by, refresh_of(plan).warning) == ("rest", None)


def test_discovery_that_verifies_nothing_is_refreshed() -> None:
    plan = make_plan(cluster(replace(PUBLISHER, tls_verify=False)), POLICY)

    assert (refresh_of(plan).by, refresh_of(plan).warning) == ("rest", None)


def test_the_obstacle_of_a_publisher_is_in_the_plan() -> None:
    obstacle = replace(PUBLISHER, refresh="person", tls_verify=False, obstacle="it has settings that are not known")
    plan = make_plan(cluster(obstacle), POLICY)

    assert refresh_of(plan).warning == "Not over REST: it has settings that are not known."
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("name", [REVERSE_PROXY_CIPHERS, UC_CLIENT_CIPHERS])
def test_the_cluster_of_these_tests_reads_both_lists(name: str) -> None:
    assert all(name in peer.ciphers for peer in cluster().peers)
    assert CORPORATE.certificate.fingerprint in cluster().peers[0].trusted_ca
