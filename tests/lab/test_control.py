"""The control interface of a lab: for who has its token alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from remediate.lab.control import Control, remove_state
from remediate.lab.lab import Lab
from remediate.lab.process import STATE_FILE, TOKEN_HEADER


def ask(lab: Lab, method: str, path: str, *, token: str | None = None) -> tuple[int, Any]:
    state = json.loads((lab.directory / STATE_FILE).read_text())
    connection = HTTPConnection(state["address"], state["port"], timeout=10)
    try:
        connection.request(method, path, headers={TOKEN_HEADER: state["token"] if token is None else token})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture
def stop(story: Lab) -> Iterator[threading.Event]:
    """Yield what is set when the lab is asked to stop."""
    event = threading.Event()
    Control(story, event.set).start()
    yield event
    remove_state(story.directory)


def test_the_state_is_private_and_status_names_the_scenario(story: Lab, stop: threading.Event) -> None:
    assert (story.directory / STATE_FILE).stat().st_mode & 0o777 == 0o600

    status, document = ask(story, "GET", "/status")

    assert (status, document["scenario"], document["peers"]) == (200, "story", [peer.address for peer in story.peers])
    assert not stop.is_set()


def test_without_the_token_nothing_is_done(story: Lab, stop: threading.Event) -> None:
    assert ask(story, "POST", "/stop", token="guessed")[0] == 401
    assert not stop.is_set()


def test_it_stops_when_it_is_asked_to(story: Lab, stop: threading.Event) -> None:
    assert ask(story, "POST", "/stop") == (200, {"message": "stopping"})
    assert stop.is_set()
