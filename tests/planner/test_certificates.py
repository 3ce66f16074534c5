"""The survey of a cluster's certificates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediate.model.certificate_overview import CertificateOverview, ListedCertificate
from remediate.model.identity import Address
from remediate.model.toward_nodes import Node
from remediate.planner.certificates import make_overview
from tests.pki import YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot

NODE = "cucm.test"
root = issue("Root", ca=True, lasts=5 * YEAR)
idle = issue("Idle root", ca=True, lasts=9 * YEAR)
leaf = issue(NODE, root, names=(NODE,), lasts=YEAR + timedelta(days=30))
own = issue("imp.test", names=("imp.test",))
renewed = issue("imp.test", names=("imp.test",), key_name="renewed")
ENTITIES = [root, idle, leaf, own]
SEEN = snapshot(
    [peer(1, [root, idle]), peer(2, [idle])],
    [endpoint(NODE, rsa=[leaf, root]), endpoint("imp.test", rsa=[own])],
    ENTITIES,
    vouched=[root, idle],
)


def listed(overview: CertificateOverview, entity: Entity) -> ListedCertificate:
    [certificate] = [entry for entry in overview.certificates if entry.fingerprint == entity.certificate.fingerprint]
    return certificate


def test_a_certificate_is_found_in_lists_and_where_it_is_presented() -> None:
    overview = make_overview(SEEN)

    assert listed(overview, root).lists == ("expc1.test",)
    assert [(str(place.endpoint), place.depth) for place in listed(overview, root).presented] == [("cucm.test:8443", 1)]
    assert [(str(place.endpoint), place.depth) for place in listed(overview, leaf).presented] == [("cucm.test:8443", 0)]


def test_only_checks_that_pass_rely_on_a_certificate() -> None:
    overview = make_overview(SEEN)

    assert [(pair.peer, str(pair.endpoint)) for pair in listed(overview, root).relied_on_by] == [
        ("expc1.test", "cucm.test:8443")
    ]
    assert listed(overview, own).relied_on_by == ()


def test_certificates_are_ordered_by_their_end() -> None:
    overview = make_overview(SEEN)

    assert overview.certificates[0].fingerprint == leaf.certificate.fingerprint
    assert overview.days_left(overview.certificates[0]) == 30


@pytest.mark.parametrize(("days", "names"), [(29, []), (30, [NODE])])
def test_expiring_lists_what_ends_within_the_given_time(days: int, names: list[str]) -> None:
    overview = make_overview(SEEN)

    assert [entry.facts.common_name for entry in overview.expiring(timedelta(days=days))] == names


def test_expiring_lists_what_has_already_ended() -> None:
    over = issue("Old root", ca=True, starts=-2 * YEAR, lasts=YEAR)
    overview = make_overview(snapshot([peer(1, [over])], [], [over]))

    [entry] = overview.expiring(timedelta(days=1))
    assert overview.days_left(entry) == -365


def test_expiring_leaves_out_a_certificate_nothing_uses() -> None:
    spare = issue("Spare root", ca=True, lasts=YEAR + timedelta(days=1))
    overview = make_overview(snapshot([peer(1, [root])], [], [root, spare], available=[spare]))

    assert listed(overview, spare).is_in_use is False
    assert overview.expiring(timedelta(days=60)) == ()


def test_drift_names_the_peers_with_and_without_a_certificate() -> None:
    [drift] = make_overview(SEEN).drift

    assert (drift.certificate, drift.held_by, drift.missing_on) == (
        root.certificate.fingerprint,
        ("expc1.test",),
        ("expc2.test",),
    )


def test_a_list_that_was_not_read_does_not_count_as_drift() -> None:
    unread = replace(SEEN, peers=(SEEN.peers[0], replace(SEEN.peers[1], trusted_ca=(), error="unreachable: it is down")))

    overview = make_overview(unread)

    assert (overview.drift, overview.unread, overview.complete) == ((), ("expc2.test",), False)


def test_the_overview_lists_certificates_that_no_check_needs() -> None:
    assert make_overview(SEEN).not_relied_on == (idle.certificate.fingerprint,)


def test_the_overview_lists_certificates_that_share_a_name() -> None:
    twins = snapshot([peer(1, [own, renewed, root]), peer(2, [own])], [], [own, renewed, root])

    [shared] = make_overview(twins).shared_names

    assert (shared.peer, shared.common_name) == ("expc1.test", "imp.test")
    assert shared.certificates == (own.certificate.fingerprint, renewed.certificate.fingerprint)


def test_a_root_that_only_another_service_needs_is_in_use() -> None:
    chat = issue("imp.test", idle, names=("imp.test",), key_name="chat")
    certificates = {**SEEN.certificates, chat.certificate.fingerprint: chat.certificate}
    guarded = replace(endpoint("imp.test", 7400, rsa=[chat]), product="imp", service="XCP")

    overview = make_overview(replace(SEEN, certificates=certificates, guarded_endpoints=(guarded,)))

    assert idle.certificate.fingerprint not in overview.not_relied_on
    assert ("expc2.test", "imp.test:7400") in {(pair.peer, str(pair.endpoint)) for pair in listed(overview, idle).relied_on_by}


def test_the_overview_shows_what_peers_and_nodes_present() -> None:
    web = issue("expc1.test", root, lasts=YEAR + timedelta(days=10))
    node = Node(
        Address(NODE), "cucm", own={"tomcat": leaf.certificate.fingerprint}, trust={"tomcat": (root.certificate.fingerprint,)}
    )
    placed = replace(
        SEEN,
        peers=(replace(SEEN.peers[0], server_certificate=(web.certificate.fingerprint,)), SEEN.peers[1]),
        certificates={**SEEN.certificates, web.certificate.fingerprint: web.certificate},
        nodes=(node,),
    )

    overview = make_overview(placed)

    assert listed(overview, web).own_of == ("expc1.test",)
    assert overview.expiring(timedelta(days=11))[0].fingerprint == web.certificate.fingerprint
    assert listed(overview, root).on_nodes == ("cucm.test tomcat-trust",)
    assert listed(overview, leaf).on_nodes == ("cucm.test tomcat",)
