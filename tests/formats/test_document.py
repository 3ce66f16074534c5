"""The files: what is written is read back, and what is wrong is said with its place."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from remediate import Plan, Policy, Snapshot, make_plan
from remediate.formats import actions, plan, plan_id, snapshot
from remediate.formats.document import Wire
from remediate.model import plan as model
from remediate.model.errors import FormatError
from remediate.model.evidence import Coverage
from remediate.model.health import PeerAlarm
from remediate.model.snapshot import Alarm, DiscoveryGap, Publisher
from remediate.model.toward_nodes import TowardNode
from scripts.schemas import schemas
from tests.formats.documents import PLAN, SEEN, document, root
from tests.report.large_plan import large_plan

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"


def test_files_are_sorted_and_the_same_every_time() -> None:
    for text in (SEEN.to_json(), PLAN.to_json()):
        members = list(document(text))
        assert members == sorted(members)
        assert text.endswith("}\n")
    assert make_plan(Snapshot.from_json(SEEN.to_json()), Policy(allow_removal=True)).to_json() == PLAN.to_json()


def test_keys_of_a_later_minor_are_ignored() -> None:
    later = document(SEEN.to_json()) | {"format": "remediate.snapshot/1.3", "moon": "full"}
    assert Snapshot.from_json(json.dumps(later)) == SEEN


def edited(change: dict[str, Any]) -> str:
    return json.dumps(document(SEEN.to_json()) | change)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Not a valid remediate.snapshot: it is not JSON"),
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
        (edited({"not_in_use": ["a", "\ud800.test"]}), "has text with half a character"),
        (edited({"unknown": {"\udfff": [[1, None]]}}), "has text with half a character"),
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


_WRITTEN_WHOLE: tuple[tuple[type, type[Wire], dict[str, str]], ...] = (
    (model.TrustCertificate, actions.TrustCertificateWire, {}),
    (model.SetCiphers, actions.SetCiphersWire, {"before": "from", "after": "to"}),
    (model.RefreshDiscovery, actions.RefreshDiscoveryWire, {}),
    (model.RestartPeer, actions.RestartPeerWire, {}),
    (model.RemoveCertificate, actions.RemoveCertificateWire, {}),
    (model.TrustOnNode, actions.TrustOnNodeWire, {}),
    (model.Unresolved, plan.UnresolvedWire, {}),
    (model.Alternative, plan.AlternativeWire, {}),
    (model.CertificateFacts, plan.FactsWire, {}),
    (model.ChainGroup, plan.ChainGroupWire, {}),
    (model.Shortfall, plan.ShortfallWire, {}),
    (TowardNode, plan.TowardNodeWire, {}),
    (Publisher, snapshot.PublisherWire, {}),
    (DiscoveryGap, snapshot.DiscoveryGapWire, {}),
    (Alarm, snapshot.AlarmWire, {}),
    (PeerAlarm, snapshot.PeerAlarmWire, {}),
)
"""Values that a document holds with all their fields, the shape that is published, and the fields whose key is another word."""


@pytest.mark.parametrize(("value", "wire", "words"), _WRITTEN_WHOLE, ids=lambda each: getattr(each, "__name__", ""))
def test_a_field_of_the_model_is_a_key_that_is_published(value: Any, wire: type[Wire], words: dict[str, str]) -> None:
    keys = {words.get(field.name, field.name) for field in fields(value)}

    assert keys == {field.alias or name for name, field in wire.model_fields.items()}


def test_what_a_diagnosis_looked_at_is_told_in_ten_counts() -> None:
    assert {field.name for field in fields(Coverage)} == {
        "traffic_server_lines", "joined_messages", "unread_refusals", "other_failures", "unknown_bad_gateways",
        "tls_records", "cut_packets", "ip_fragments", "encapsulated_packets", "unreadable_packets",
    }  # fmt: skip


def test_a_mistake_far_down_a_long_list_is_named_by_its_place() -> None:
    document = json.loads(large_plan(300).to_json())
    assert Plan.from_json(json.dumps(document | {"id": plan_id(document)}))
    document["endpoints"][1500]["port"] = 0

    with pytest.raises(FormatError, match=r"at endpoints\[1500\]\.port"):
        Plan.from_json(json.dumps(document))
