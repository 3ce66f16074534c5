"""The textbook trap on the lab: tomcat and cup-xmpp of IM and Presence are self-signed under one name, and chat relies on one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.connectors.collect import collect
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.limits import Limits
from remediate.model.plan import Policy, RemoveCertificate
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Cause
from remediate.planner import make_plan
from remediate.trust.guarded_verifier import verify_guarded


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    folder: Path = tmp_path_factory.mktemp("chat")
    with Lab(folder, "chat", judge=False) as lab:
        yield collect(load(lab.inventory)[0], limits=Limits(shell_silence_s=0.1))


def test_the_chat_port_is_seen_and_verifies(chat: Snapshot) -> None:
    [xcp] = chat.guarded_endpoints

    assert (xcp.name, xcp.service, xcp.error) == ("imp.steven.lab:7400", "XCP", None)
    assert all(guarded.verdict.ok for guarded in verify_guarded(chat))
    assert "imp.steven.lab:7400" not in {endpoint.name for endpoint in chat.endpoints}


def test_tomcat_does_not_take_its_place(chat: Snapshot) -> None:
    plan = make_plan(chat, Policy(allow_removal=True))

    assert not any(isinstance(action, RemoveCertificate) for action in plan.actions)
    [unresolved] = plan.unresolved
    assert (unresolved.address, unresolved.port, unresolved.cause) == ("imp.steven.lab", 8443, Cause.COMMON_NAME_CONFLICT)
    assert any("only by breaking imp.steven.lab:7400 (XCP)" in note for note in plan.notes)


def test_what_chat_relies_on_is_never_called_unused(chat: Snapshot) -> None:
    [unresolved] = make_plan(chat).unresolved

    assert "in use by imp.steven.lab:7400" in unresolved.advice
    assert not any("delete it" in option for option in unresolved.options)
    assert "cup-xmpp of imp.steven.lab" in unresolved.options[0]
