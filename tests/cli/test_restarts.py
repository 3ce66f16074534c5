"""Restarts from the command line: what happens to calls, and what a person sees first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediate.cli.restarts import choose_calls, count_calls, preview_json, preview_lines, restart_lines
from remediate.executor.restart_preview import PeerPreview, RestartPreview
from remediate.executor.result import RestartOptions
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.identity import Address
from remediate.model.restart import Calls, Restart, RestartPolicy
from tests.executor.clusters import known_as

PEER = Address("expc1.test")
PREVIEW = RestartPreview("edge", (PeerPreview(PEER, PeerEffect(PEER, EffectState.NO), (), 3, None),), is_single=True)


@pytest.mark.parametrize(
    ("option", "policy", "restart", "yes", "chosen"),
    [
        ("end", "drain", "rolling", True, "end"),
        (None, "end", "if-needed", True, "end"),
        (None, None, "rolling", True, "drain"),
        (None, None, "if-needed", False, "drain"),
        (None, None, "if-needed", True, None),
    ],
)
def test_what_happens_to_calls_is_chosen_before_a_restart(
    option: Calls | None, policy: Calls | None, restart: Restart, yes: bool, chosen: Calls | None
) -> None:
    cluster = replace(known_as("edge", "expc1.test"), restarts=RestartPolicy(calls=policy))
    assert choose_calls(option, cluster, restart, yes=yes) == chosen


def test_a_cluster_of_one_peer_is_warned_that_mra_stops() -> None:
    options = RestartOptions(calls="drain", drain_for=timedelta(minutes=10))

    lines = list(restart_lines(known_as("edge", "expc1.test"), "rolling", options))

    assert "draining it for up to 10 min" in lines[0]
    assert "MRA stops while it restarts" in lines[1]
    assert list(restart_lines(known_as("edge", "expc1.test"), "never", options)) == []


def test_a_preview_shows_calls_and_names_what_is_not_observed() -> None:
    text = "\n".join(preview_lines(PREVIEW))

    assert "1. expc1.test: 3 calls, registrations not observed" in text
    assert "MRA stops" in text
    assert preview_json(PREVIEW)["peers"][0]["calls"] == 3
    assert list(preview_lines(replace(PREVIEW, peers=()))) == ["edge: no peer needs a restart."]


def test_calls_that_were_not_observed_are_at_least_the_others() -> None:
    blind = replace(PREVIEW, peers=(replace(PREVIEW.peers[0], calls=None),))
    assert (count_calls([PREVIEW]), count_calls([PREVIEW, blind])) == ("3 calls", "at least 3 calls")
