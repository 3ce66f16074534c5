"""The whole of reading, on the lab: what is in the snapshot, what was sent for it, what stops it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remediate.connectors.collect import collect
from remediate.inventory import load
from remediate.lab import Lab
from remediate.lab.faults import LOGIN_PAGE
from remediate.lab.requestlog import Request
from remediate.language.messages import translate, use_language
from remediate.model.access import ClusterAccess, NodeAccess
from remediate.model.errors import InventoryError, LoginRefused
from remediate.model.events import Event
from remediate.model.identity import Address
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Cause
from tests.connectors.servers import tcp_server
from tests.connectors.support import QUICK

THEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def collect_snapshot(cluster: ClusterAccess, events: list[Event] | None = None) -> Snapshot:
    return collect(cluster, limits=QUICK, sink=(events if events is not None else []).append, now=lambda: THEN)


@dataclass(frozen=True)
class Story:
    """The default story, read once."""

    lab: Lab
    snapshot: Snapshot
    events: tuple[Event, ...]
    requests: tuple[Request, ...]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Lab(tmp_path_factory.mktemp("story"), judge=False) as lab:
        events: list[Event] = []
        snapshot = collect_snapshot(load(lab.inventory)[0], events)
        yield Story(lab, snapshot, tuple(events), lab.requests.all())


def test_the_snapshot_holds_the_state_of_the_peers(story: Story) -> None:
    lab, snapshot = story.lab, story.snapshot

    assert (snapshot.cluster, snapshot.taken_at, snapshot.complete) == (lab.name, THEN, True)
    assert [peer.trusted_ca for peer in snapshot.peers] == [
        tuple(certificate.fingerprint for certificate in simulated.trusted) for simulated in lab.peers
    ]
    assert [peer.primary for peer in snapshot.peers] == [True, False, False]
    assert {peer.verify_origin_server for peer in snapshot.peers} == {True}
    assert [dict(peer.ciphers) for peer in snapshot.peers] == [simulated.ciphers for simulated in lab.peers]
    assert [(publisher.address, publisher.product, publisher.refresh) for publisher in snapshot.publishers] == [
        ("cucm.steven.lab", "cucm", "rest"),
        ("imp.steven.lab", "imp", "rest"),
    ]
    for endpoint in snapshot.endpoints:
        chains = lab.node(endpoint.address).presented[endpoint.port]
        assert endpoint.presented == {
            family: tuple(certificate.fingerprint for certificate in chain) for family, chain in chains.items()
        }


def test_a_publisher_with_an_unknown_setting_is_for_a_person(lab: Lab, cluster: ClusterAccess) -> None:
    for peer in lab.peers:
        peer.publishers[0].settings = {"MediaPolicy": "new"}
        peer.publishers[1].tls_verify = "Off"

    cucm, imp = collect_snapshot(cluster).publishers

    assert (cucm.refresh, cucm.tls_verify, imp.refresh, imp.tls_verify) == ("person", True, "rest", False)
    assert cucm.obstacle is not None
    assert "MediaPolicy" in cucm.obstacle
    assert imp.obstacle is None


def test_crls_in_a_list_are_counted_and_kept(lab: Lab, cluster: ClusterAccess) -> None:
    crl = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"
    lab.peers[1].revocation_lists.append(crl)

    snapshot = collect_snapshot(cluster)

    assert [peer.crls for peer in snapshot.peers] == [0, 1, 0]
    assert [snapshot.revocation_lists[key] for key in snapshot.peers[1].revocation_lists] == [crl]
    assert all(peer.error is None for peer in snapshot.peers)


def test_operator_and_peers_vouch_for_certificates(story: Story) -> None:
    lab, snapshot = story.lab, story.snapshot
    operator = [lab.pki.certificate(name).fingerprint for name in lab.scenario.operator_ca]
    trusted = {certificate.fingerprint for simulated in lab.peers for certificate in simulated.trusted}

    assert snapshot.vouched_for == trusted | set(operator)
    assert list(snapshot.available_ca[: len(operator)]) == operator
    assert set(snapshot.available_ca) == trusted | set(operator)
    presented = {
        certificate for endpoint in snapshot.endpoints for chain in endpoint.presented.values() for certificate in chain
    }
    own = {simulated.server_certificate.fingerprint for simulated in lab.peers}
    assert set(snapshot.certificates) == presented | trusted | set(operator) | own


def test_reading_writes_nothing_and_emits_events(story: Story) -> None:
    lab, snapshot, events = story.lab, story.snapshot, story.events

    assert not any(request.write for request in story.requests)
    assert {request.method for request in story.requests} <= {"GET", "login", "get", "status"}
    kinds = [event.type for event in events]
    looked_at = len(snapshot.endpoints) + len(snapshot.not_in_use)
    assert (kinds[0], kinds.count("peer-read"), kinds.count("endpoint-probed")) == ("observe-start", 3, looked_at)
    assert [event.fields["total"] for event in events if event.type == "observe-start"] == [3, looked_at]
    assert {event.cluster for event in events} == {lab.name}
    use_language("fr")
    read = [translate(event.message) for event in events if event.type == "peer-read"]
    assert f"{snapshot.peers[0].address} (X14.2.1) : sa liste des AC de confiance contient 2 certificats." in read


def test_peers_are_read_at_once_and_their_lists_once(lab: Lab, cluster: ClusterAccess) -> None:
    # Given peers that answer this question only when each of them was asked
    addresses = [simulated.address for simulated in lab.peers]
    lab.faults.gather(*addresses, containing="xStatus ResourceUsage")
    # When the cluster is collected
    snapshot = collect(cluster, limits=replace(QUICK, read_s=20, shell_answer_s=20))
    # Then all of them answered it, and each list was read by the login alone
    assert [peer.health.total_since_start is not None for peer in snapshot.peers if peer.health] == [True] * 3
    lists = [request.peer for request in lab.requests if (request.method, request.path[-11:]) == ("GET", "/certs/root")]
    assert sorted(lists) == addresses


def test_twice_is_the_same_and_survives_its_file(story: Story) -> None:
    first, second = story.snapshot, collect_snapshot(load(story.lab.inventory)[0])

    assert first == second
    assert without_health(first).to_json() == without_health(second).to_json()
    assert Snapshot.from_json(first.to_json()) == first


def without_health(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, peers=tuple(replace(peer, health=None) for peer in snapshot.peers))


def test_the_snapshot_holds_the_health_and_own_certificate(story: Story) -> None:
    for peer, simulated in zip(story.snapshot.peers, story.lab.peers, strict=True):
        assert peer.server_certificate == (simulated.server_certificate.fingerprint,)
        assert peer.health is not None
        assert (peer.health.unread, peer.health.own_address) == ({}, simulated.address)
        assert peer.started_at is not None


def test_a_health_that_was_not_read_makes_nothing_incomplete(lab: Lab, cluster: ClusterAccess) -> None:
    lab.peers[1].condition.statuses["alarm"] = ["no status"]
    lab.faults.substitute(lab.peers[2].address, LOGIN_PAGE, containing="/certs/server")
    events: list[Event] = []

    snapshot = collect_snapshot(cluster, events)

    assert snapshot.complete
    assert snapshot.peers[2].server_certificate is None
    unread = [(event.fields["peer"], event.fields["reading"]) for event in events if event.type == "health-unread"]
    assert unread == [(lab.peers[1].address, "alarms"), (lab.peers[1].address, "replication_behind")]


def test_a_peer_that_is_down_makes_it_incomplete(lab: Lab, cluster: ClusterAccess) -> None:
    events: list[Event] = []
    lab.faults.down(lab.peers[1].address)

    snapshot = collect_snapshot(cluster, events)
    down = snapshot.peers[1]

    assert not snapshot.complete
    assert (down.address, down.rest_port) == (lab.peers[1].address, cluster.peers[1].rest_port)
    assert (down.trusted_ca, down.ciphers) == ((), {})
    assert down.error is not None
    assert down.error.startswith("unreachable: The REST interface of")
    assert [event.type for event in events].count("warning") == 1
    assert all(endpoint.presented for endpoint in snapshot.endpoints)


def test_a_refused_login_stops_the_cluster(lab: Lab, cluster: ClusterAccess) -> None:
    lab.faults.refuse_login(lab.peers[0].address)

    with pytest.raises(LoginRefused):
        collect_snapshot(cluster)

    assert len(lab.requests) == 1


def test_a_refused_port_is_a_fault_only_where_it_is_declared(lab: Lab, cluster: ClusterAccess) -> None:
    extra = (
        NodeAccess(Address("spare.steven.lab"), "unity", connect_to=lab.subnet.address(200)),
        NodeAccess(Address("wanted.steven.lab"), "unity", connect_to=lab.subnet.address(200), ports=(8443,)),
    )

    snapshot = collect_snapshot(replace(cluster, nodes=(*cluster.nodes, *extra)))

    spare = [name for name in snapshot.not_in_use if name.startswith("spare.")]
    assert spare == ["spare.steven.lab:443", "spare.steven.lab:8443", "spare.steven.lab:7443"]
    errors = {endpoint.name: endpoint.error for endpoint in snapshot.endpoints if endpoint.error}
    assert errors == {"wanted.steven.lab:8443": "unreachable: connection refused"}
    assert not snapshot.complete


def test_a_port_that_does_not_answer_is_not_out_of_use(lab: Lab, cluster: ClusterAccess) -> None:
    """Nobody insists on it, and it takes the connection without ever speaking."""
    host, silent = lab.subnet.address(230), threading.Event()
    extra = NodeAccess(Address("silent.steven.lab"), "unity", connect_to=host)

    def talk(_connection: socket.socket) -> None:
        silent.wait(20)

    with tcp_server(talk, host, 8443):
        snapshot = collect_snapshot(replace(cluster, nodes=(*cluster.nodes, extra)))
        silent.set()

    failures = {endpoint.name: endpoint.failure for endpoint in snapshot.endpoints if endpoint.error}
    assert (failures, snapshot.complete) == ({"silent.steven.lab:8443": Cause.HANDSHAKE_FAILED}, False)
    assert "silent.steven.lab:8443" not in snapshot.not_in_use


def test_ports_of_other_services_are_guarded_and_needed_by_none(lab: Lab, cluster: ClusterAccess) -> None:
    host, silent = lab.subnet.address(202), threading.Event()
    extra = NodeAccess(Address("silent.steven.lab"), "unity", connect_to=host, ports=())

    def wait_in_silence(_connection: socket.socket) -> None:
        silent.wait(20)

    with tcp_server(wait_in_silence, host, 7443):
        snapshot = collect_snapshot(replace(cluster, nodes=(*cluster.nodes, extra)))
        silent.set()

    [guarded] = snapshot.guarded_endpoints
    assert (guarded.name, guarded.service) == ("silent.steven.lab:7443", "Unity Connection notifications")
    assert guarded.error is not None
    assert snapshot.complete
    assert "cucm.steven.lab:5061" in snapshot.not_in_use


PUBLISHER = "cucm.steven.lab"


@pytest.fixture
def publisher(lab: Lab) -> Iterator[dict[str, tuple[int, str]]]:
    """Return what the lab's publisher answers instead of the truth, by path."""
    instead = lab.node(PUBLISHER).scripted_answers
    yield instead
    instead.clear()


def test_discovery_that_could_not_ask_makes_it_incomplete(
    lab: Lab, cluster: ClusterAccess, publisher: dict[str, tuple[int, str]]
) -> None:
    events: list[Event] = []
    publisher["/cucm-uds/servers"] = (403, "no")
    publisher["/axl/"] = (500, "<f><faultstring>the database is away</faultstring></f>")

    snapshot = collect_snapshot(cluster, events)

    assert not snapshot.complete
    assert {*(peer.error for peer in snapshot.peers), *(endpoint.error for endpoint in snapshot.endpoints)} == {None}
    assert [(gap.source, gap.service, gap.incomplete) for gap in snapshot.undiscovered] == [
        (PUBLISHER, "uds", True),
        (PUBLISHER, "axl", True),
    ]
    assert [event.message for event in events if event.type == "warning"] == [gap.message for gap in snapshot.undiscovered]
    assert Snapshot.from_json(snapshot.to_json()) == snapshot


def test_names_of_unauthenticated_sources_leave_it_complete(
    cluster: ClusterAccess, publisher: dict[str, tuple[int, str]]
) -> None:
    names = [PUBLISHER, *(f"n{number}.invalid" for number in range(40)), "127.0.0.1", "169.254.169.254"]
    publisher["/cucm-uds/servers"] = (200, f"<servers>{''.join(f'<server>{name}</server>' for name in names)}</servers>")

    snapshot = collect_snapshot(cluster)

    assert snapshot.complete
    assert not any("invalid" in endpoint.address for endpoint in snapshot.endpoints)
    assert [(gap.kind, gap.incomplete, gap.count) for gap in snapshot.undiscovered] == [
        ("name-refused", False, 1),
        ("name-refused", False, 1),
        ("no-login-needed", False, 4 * 40),
    ]
    assert "named only by an unauthenticated source" in snapshot.undiscovered[-1].message


def test_a_name_that_axl_gives_and_that_is_not_there_is_missed(
    cluster: ClusterAccess, publisher: dict[str, tuple[int, str]]
) -> None:
    row = "<processNode><name>{}</name><processNodeRole>CUCM Voice/Video</processNodeRole></processNode>"
    rows = "".join(row.format(name) for name in (PUBLISHER, "gone.invalid"))
    publisher["/axl/"] = (200, f"<a><listProcessNodeResponse>{rows}</listProcessNodeResponse></a>")

    snapshot = collect_snapshot(cluster)

    assert (snapshot.complete, snapshot.undiscovered) == (False, ())
    assert {endpoint.address for endpoint in snapshot.endpoints if endpoint.error} == {"gone.invalid"}


def test_the_inventorys_list_can_be_declared_whole(cluster: ClusterAccess, publisher: dict[str, tuple[int, str]]) -> None:
    publisher["/cucm-uds/servers"] = publisher["/axl/"] = (500, "")

    snapshot = collect_snapshot(replace(cluster, discovery="inventory"))

    assert (snapshot.complete, snapshot.undiscovered) == (True, ())
    assert {source for endpoint in snapshot.endpoints for source in endpoint.learned_from} == {"inventory"}
    assert len(snapshot.publishers) == 2


def test_peers_without_a_list_of_publishers_leave_a_gap(lab: Lab, cluster: ClusterAccess) -> None:
    def listing(peers: int) -> Snapshot:
        for number, peer in enumerate(lab.peers):
            peer.lists_publishers = number < peers
        return collect_snapshot(cluster)

    try:
        assert [(gap.service, gap.kind, gap.incomplete) for gap in listing(0).undiscovered] == [
            ("publisher", "not-asked", True)
        ]
        assert listing(1).complete
    finally:
        listing(3)


def test_more_publishers_than_one_cluster_has_are_named(lab: Lab, cluster: ClusterAccess) -> None:
    limits = replace(QUICK, max_publishers=1)

    snapshot = collect(cluster, limits=limits, now=lambda: THEN)

    assert not snapshot.complete
    assert len(snapshot.publishers) == 1
    assert [(gap.service, gap.kind, gap.count) for gap in snapshot.undiscovered] == [("publisher", "over-limit", 1)]


def test_a_ca_file_that_is_none_is_an_inventory_error(lab: Lab, cluster: ClusterAccess, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")

    with pytest.raises(InventoryError, match=r"key\.pem: PEM block 1 is a private key") as caught:
        collect_snapshot(replace(cluster, ca=(tmp_path / "key.pem",)))

    assert "a private key must never be in this file" in caught.value.next_step
    assert "AAAA" not in str(caught.value)
    assert len(lab.requests) == 0


@pytest.mark.parametrize("scenario", ["tls13", "selfsigned", "unreachable"])
def test_other_stories_are_read_as_well(tmp_path: Path, scenario: str) -> None:
    with Lab(tmp_path, scenario, judge=False) as lab:
        snapshot = collect_snapshot(load(lab.inventory)[0])

        assert snapshot.complete == (scenario != "unreachable")
        assert {endpoint.tls13 for endpoint in snapshot.endpoints if endpoint.error is None} == {
            False,
            *([True] if scenario == "tls13" else []),
        }
        assert lab.requests.writes == ()
