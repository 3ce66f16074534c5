"""The files: what is written is read back, and what is wrong is said with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from remediate import Plan, Policy, Snapshot, make_plan
from remediate.formats import plan_id
from remediate.model.canonical import canonical_json, sha256_of, sha256_of_members
from remediate.model.errors import FormatError
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address, Fingerprint
from remediate.model.snapshot import DiscoveryGap
from scripts.schemas import schemas
from tests.pki import NOW, YEAR, issue, revoke_nothing
from tests.planner.build import endpoint, peer, snapshot
from tests.report.large_plan import large_plan

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"

root = issue("Root", ca=True)
old = issue("cucm.test", names=("cucm.test",), key_name="old")
new = issue("cucm.test", names=("cucm.test",), key_name="new")
leaf = issue("imp.test", root, names=("imp.test",))
SEEN = snapshot(
    [peer(1, [old]), peer(2, [root])],
    [endpoint("cucm.test", rsa=[leaf], ecdsa=[new]), endpoint("imp.test", rsa=[leaf])],
    [root, old, new, leaf],
    available=[root],
    vouched=[root],
)
PLAN = make_plan(SEEN, Policy(allow_removal=True))


def document(text: str) -> dict[str, Any]:
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def test_every_kind_of_action_survives_the_file() -> None:
    assert {action.kind for action in PLAN.actions} >= {
        "remove-certificate",
        "trust-certificate",
        "refresh-discovery",
        "restart-peer",
    }
    assert Plan.from_json(PLAN.to_json()) == PLAN
    assert Snapshot.from_json(SEEN.to_json().encode()) == SEEN


def test_facts_that_contradict_their_certificate_are_refused() -> None:
    forged = document(PLAN.to_json())
    key = next(iter(forged["facts"]))
    forged["facts"][key]["not_after"] = "2099-01-01T00:00:00Z"
    forged["id"] = plan_id(forged)

    with pytest.raises(FormatError, match=r"facts\[sha256:.* says something else than the certificate itself"):
        Plan.from_json(json.dumps(forged))


def test_a_certificate_without_end_has_facts_that_are_read() -> None:
    endless = issue("imp.test", names=("imp.test",), lasts=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - NOW + YEAR)
    plan = make_plan(snapshot([peer(1, [])], [endpoint("imp.test", rsa=[endless])], [endless]))

    assert [facts.not_after for facts in Plan.from_json(plan.to_json()).facts.values()] == ["9999-12-31T23:59:59Z"]


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
        ({"revocation_lists": {CRL_KEY: "cut"}}, "holds another text than its key says"),
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


def test_a_start_alone_is_read() -> None:
    archived = document(SEEN.to_json())
    archived["peers"][0]["started_at"] = "2026-11-01T00:00:00Z"

    assert Snapshot.from_json(json.dumps(archived)).peers[0].started_at == HEALTH.started_at


def test_files_are_sorted_and_the_same_every_time() -> None:
    for text in (SEEN.to_json(), PLAN.to_json()):
        members = list(document(text))
        assert members == sorted(members)
        assert text.endswith("}\n")
    assert make_plan(Snapshot.from_json(SEEN.to_json()), Policy(allow_removal=True)).to_json() == PLAN.to_json()


def test_keys_of_a_later_minor_are_ignored() -> None:
    later = document(SEEN.to_json()) | {"format": "remediate.snapshot/1.3", "moon": "full"}
    assert Snapshot.from_json(json.dumps(later)) == SEEN


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


def test_a_plan_of_0_1_0_keeps_its_id() -> None:
    earlier = document(PLAN.to_json())
    for base in earlier["base"].values():
        del base["version"]
    del earlier["facts"]
    earlier["id"] = plan_id(earlier)

    plan = Plan.from_json(json.dumps(earlier))

    assert Plan.from_json(plan.to_json()) == plan
    assert document(plan.to_json()) == earlier


def edited(change: dict[str, Any]) -> str:
    return json.dumps(document(SEEN.to_json()) | change)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "This is no remediate.snapshot: it is not JSON"),
        ("[]", "its format is None"),
        (PLAN.to_json(), "its format is 'remediate.plan/1', expected 'remediate.snapshot/1'"),
        (edited({"format": "remediate.snapshot/2"}), "this version of remediate reads 'remediate.snapshot/1'"),
        (edited({"peers": 3}), "at peers: "),
        (
            edited({"peers": [{"address": "a", "primary": "perhaps", "trusted_ca": [], "ciphers": {}}]}),
            r"at peers\[0\]\.primary",
        ),
        (edited({"taken_at": "2026-11-23T10:00:00"}), "at taken_at: "),
        (edited({"available_ca": ["sha256:" + "0" * 64]}), "which is not among its certificates"),
        (edited({"certificates": {"sha256:" + "0" * 64: root.certificate.pem}}), "holds another certificate"),
        (edited({"certificates": {root.certificate.fingerprint: "nothing"}}), "cannot be read: Expected one certificate"),
        (edited({"not_in_use": ["a", "\ud800.test"]}), "holds text with half a character"),
        (edited({"unknown": {"\udfff": [[1, None]]}}), "holds text with half a character"),
        (edited({"peers": document(SEEN.to_json())["peers"] * 2}), "holds the peer expc1.test more than once"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_place(text: str, says: str) -> None:
    with pytest.raises(FormatError, match=says) as refused:
        Snapshot.from_json(text)
    assert "\n" not in str(refused.value)


def test_the_published_schemas_are_those_of_the_code() -> None:
    for name, text in schemas().items():
        assert (SCHEMAS / name).read_text(encoding="utf-8") == text, "run: python -m scripts.schemas"


def test_a_mistake_far_down_a_long_list_is_named_by_its_place() -> None:
    document = json.loads(large_plan(300).to_json())
    assert Plan.from_json(json.dumps(document | {"id": plan_id(document)}))
    document["endpoints"][1500]["port"] = 0

    with pytest.raises(FormatError, match=r"at endpoints\[1500\]\.port"):
        Plan.from_json(json.dumps(document))


def test_the_digest_of_members_is_that_of_the_whole_text() -> None:
    members = json.loads(large_plan(300).to_json()) | {"empty": [], "é": "ü"}

    assert sha256_of_members(members) == sha256_of(canonical_json(members))
    assert sha256_of_members({}) == sha256_of("{}")
