"""The snapshot's file: what is written is read back, also by an earlier and a later version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from remediate import Plan, Snapshot, make_plan
from remediate.model.canonical import sha256_of
from remediate.model.errors import FormatError
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address, Fingerprint
from remediate.model.snapshot import DiscoveryGap, Publisher
from remediate.model.toward_nodes import Node
from tests.formats.documents import SEEN, document, leaf, root
from tests.pki import revoke_nothing

CRL = revoke_nothing(root).public_bytes(Encoding.PEM).decode()


CRL_KEY = Fingerprint(sha256_of(CRL))


WITH_CRL = replace(
    SEEN,
    peers=(replace(SEEN.peers[0], crls=1, revocation_lists=(CRL_KEY,)), SEEN.peers[1]),
    revocation_lists={CRL_KEY: CRL},
)


def test_crls_survive_the_file() -> None:
    assert Snapshot.from_json(WITH_CRL.to_json()) == WITH_CRL
    assert [peer["crls"] for peer in document(WITH_CRL.to_json())["peers"]] == [1, None]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"revocation_lists": {}}, "which is not among its revocation lists"),
        ({"revocation_lists": {CRL_KEY: "cut"}}, "does not match its key"),
    ],
)
def test_a_snapshot_that_lost_a_crl_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        Snapshot.from_json(json.dumps(document(WITH_CRL.to_json()) | changes))


HEALTH = Health(
    started_at=datetime(2026, 11, 1, tzinfo=UTC),
    uptime_s=60.0,
    total_since_start=7,
    alarms=(PeerAlarm("20009", "Cluster replication error", "Warning"),),
    calls=0,
    registrations=3,
    maintenance=False,
    upgrade=UpgradeState.STAGED,
    zones={"UC": True},
    tunnels={"expe1": False},
    replication_behind=True,
    cluster_peers=(Address("expc1.test"),),
    own_address=Address("expc1.test"),
    unread={"calls": "It does not answer."},
)


@pytest.mark.parametrize("health", [None, Health(), Health(alarms=(), zones={}, cluster_peers=(), unread={}), HEALTH])
def test_the_health_of_a_peer_survives_the_file(health: Health | None) -> None:
    chain = (leaf.certificate.fingerprint, root.certificate.fingerprint)
    first = replace(SEEN.peers[0], health=health, server_certificate=chain)

    read = Snapshot.from_json(replace(SEEN, peers=(first, *SEEN.peers[1:])).to_json()).peers[0]

    assert (read.health, read.server_certificate) == (health, chain)
    assert read.started_at == (health.started_at if health else None)


def test_the_name_of_a_system_survives_both_files() -> None:
    snapshot = replace(SEEN, peers=(replace(SEEN.peers[0], system_name="EDGE-01"), *SEEN.peers[1:]))

    read = Snapshot.from_json(snapshot.to_json())
    plan = Plan.from_json(make_plan(read).to_json())

    assert [peer.system_name for peer in read.peers] == ["EDGE-01", *(None for _ in SEEN.peers[1:])]
    assert plan.system_names == {SEEN.peers[0].address: "EDGE-01"}
    assert "system_name" not in SEEN.to_json()


def test_a_start_alone_is_read() -> None:
    archived = document(SEEN.to_json())
    archived["peers"][0]["started_at"] = "2026-11-01T00:00:00Z"

    assert Snapshot.from_json(json.dumps(archived)).peers[0].started_at == HEALTH.started_at


GAP = DiscoveryGap("cucm.test", "axl", "not-asked", incomplete=True, message="It is away.", names=("a",), count=3)


def test_what_was_not_discovered_survives_the_files() -> None:
    snapshot = replace(SEEN, undiscovered=(GAP, replace(GAP, incomplete=False)), not_in_use=("spare.test:8443",))

    plan = make_plan(snapshot)

    assert Snapshot.from_json(snapshot.to_json()) == snapshot
    assert (snapshot.complete, plan.complete) == (False, False)
    assert Plan.from_json(plan.to_json()) == plan
    assert document(plan.to_json())["undiscovered"][0]["message"] == "It is away."
    assert document(plan.to_json())["not_in_use"] == ["spare.test:8443"]


def test_a_service_that_a_later_version_asks_is_read() -> None:
    later = document(replace(SEEN, undiscovered=(GAP,)).to_json())
    later["undiscovered"][0] |= {"service": "telepathy", "kind": "dreamt", "moon": "full"}

    [gap] = Snapshot.from_json(json.dumps(later)).undiscovered

    assert (gap.service, gap.kind, gap.incomplete) == ("telepathy", "dreamt", True)


def test_a_snapshot_of_0_1_0_that_could_not_ask_is_incomplete() -> None:
    earlier = document(SEEN.to_json()) | {"not_asked": ["cucm.test could not be asked over AXL."]}
    del earlier["undiscovered"]

    snapshot = Snapshot.from_json(json.dumps(earlier))

    assert not snapshot.complete
    assert [gap.message for gap in snapshot.undiscovered] == ["cucm.test could not be asked over AXL."]


def test_a_null_is_read_as_a_key_that_is_absent() -> None:
    # Given what was not looked at, as a person or another program may write it
    node, publisher = Node(Address("cucm.test"), "cucm", {}, {}), Publisher(Address("cucm.test"), "cucm")
    nulls = document(replace(SEEN, nodes=(node,), publishers=(publisher,)).to_json())
    absent = document(json.dumps(nulls))
    parts = ("peers", "endpoints", "nodes", "publishers")
    for with_nulls, without in zip(_objects(nulls, parts), _objects(absent, parts), strict=True):
        for key in without.keys() - REQUIRED:
            with_nulls[key] = None
            del without[key]
    nulls["endpoints"][0] |= {"guarded": None, "service": None}

    read = Snapshot.from_json(json.dumps(nulls))

    assert read == Snapshot.from_json(json.dumps(absent))
    assert (read.nodes, read.publishers) == ((node,), (publisher,))
    assert Snapshot.from_json(json.dumps(nulls | {"nodes": None, "publishers": None})).nodes == ()
    assert make_plan(read).id


REQUIRED = {
    "format", "cluster", "taken_at", "peers", "endpoints", "certificates", "nodes", "publishers",
    "address", "port", "product", "primary", "trusted_ca", "ciphers",
}  # fmt: skip


def _objects(snapshot: dict[str, Any], parts: tuple[str, ...]) -> list[dict[str, Any]]:
    return [snapshot, *(entry for part in parts for entry in snapshot[part])]


def test_a_trust_store_that_is_null_was_not_read() -> None:
    stores = {"address": "cucm.test", "product": "cucm", "own": {"tomcat": None}, "trust": {"tomcat": None, "CallManager": []}}

    [node] = Snapshot.from_json(json.dumps(document(SEEN.to_json()) | {"nodes": [stores]})).nodes

    assert node == Node(Address("cucm.test"), "cucm", {}, {"CallManager": ()})
