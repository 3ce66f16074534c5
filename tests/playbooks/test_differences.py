"""Differences of lists and ciphers, made of a plan's document and of events."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from tests.playbooks.conftest import PLAYBOOKS

TRUST = {"peer": "expc1", "change": "trust-certificate", "certificate": "sha256:aa", "subject": "CN=corporate-CA"}
REMOVE = TRUST | {"change": "remove-certificate"}
CIPHERS = {"peer": "expc1", "change": "set-ciphers", "name": "ReverseProxyTLSCiphers", "before": "EECDH", "after": "RSA:EECDH"}


@pytest.fixture
def differences(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PLAYBOOKS / "collections")
    return importlib.import_module("ansible_collections.expressway.remediate.plugins.module_utils.differences")


def event(kind: str, change: dict[str, str]) -> dict[str, Any]:
    return change | {"type": kind, "message": "…", "seq": 1, "timestamp": "…", "cluster": "edge-lab"}


def test_a_list_and_a_cipher_list_are_shown_by_peer(differences: ModuleType) -> None:
    assert differences.make_diff("edge-lab", [TRUST, CIPHERS]) == [
        {
            "before_header": "edge-lab expc1 trusted CA list",
            "after_header": "edge-lab expc1 trusted CA list",
            "before": "",
            "after": "sha256:aa CN=corporate-CA\n",
        },
        {
            "before_header": "edge-lab expc1 ReverseProxyTLSCiphers",
            "after_header": "edge-lab expc1 ReverseProxyTLSCiphers",
            "before": "EECDH\n",
            "after": "RSA:EECDH\n",
        },
    ]


def test_what_was_rolled_back_is_no_difference(differences: ModuleType) -> None:
    undone = CIPHERS | {"before": "RSA:EECDH", "after": "EECDH"}

    assert differences.make_diff("edge-lab", [TRUST, CIPHERS, undone, REMOVE]) == []


def test_a_change_that_was_not_read_back_is_none(differences: ModuleType) -> None:
    events = [event("change-start", TRUST), event("change-failed", TRUST), event("change-start", CIPHERS)]

    assert differences.completed_changes([*events, event("change-complete", CIPHERS)]) == [CIPHERS]
    # Read back as undone already: nothing was begun, so nothing was changed
    assert differences.completed_changes([event("change-complete", REMOVE)]) == []


def test_a_dry_run_announces_changes_and_other_things(differences: ModuleType) -> None:
    backup = {"type": "would-change", "message": "Would back up 3 peers.", "step": 4}

    assert differences.planned_changes([backup, event("would-change", TRUST)]) == [TRUST]


def test_a_plan_has_a_change_for_each_peer_and_node(differences: ModuleType) -> None:
    plan = {
        "facts": {"sha256:aa": {"subject": "CN=corporate-CA"}},
        "actions": [
            {"kind": "trust-certificate", "certificate": "sha256:aa", "peers": ["expc1", "expc2"]},
            {"kind": "trust-on-node", "certificate": "sha256:aa", "node": "cucm", "store": "tomcat"},
            {"kind": "restart-peer", "peers": ["expc1"], "when": "if-needed"},
        ],
    }

    headers = [entry["after_header"] for entry in differences.make_diff("edge-lab", differences.changes_of_plan(plan))]

    assert headers == ["edge-lab expc1 trusted CA list", "edge-lab expc2 trusted CA list", "edge-lab cucm tomcat-trust"]
