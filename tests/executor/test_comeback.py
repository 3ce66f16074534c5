"""What shows that a peer restarted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from remediate.executor.comeback import describe_lost, describe_missing, has_restarted
from remediate.executor.operations.restart import BeforeRestart
from remediate.model.health import Health

SENT = datetime(2026, 11, 29, 2, tzinfo=UTC)
OLD_START = SENT - timedelta(days=30)
BEFORE = BeforeRestart(OLD_START, total=120)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (Health(started_at=SENT + timedelta(seconds=40)), True),
        (Health(started_at=OLD_START), False),
        (Health(started_at=OLD_START + timedelta(seconds=2)), False),
        (Health(), None),
        (Health(started_at=OLD_START, total_since_start=3), True),
        (Health(total_since_start=0), True),
        (Health(started_at=OLD_START, total_since_start=120), False),
        (Health(total_since_start=121), None),
    ],
)
def test_a_start_or_counters_that_fell_show_a_restart(health: Health, expected: bool | None) -> None:
    assert has_restarted(BEFORE, health, SENT) is expected


def test_a_start_read_twice_is_one_start_on_a_clock_set_back() -> None:
    before = BeforeRestart(SENT + timedelta(hours=1))

    assert has_restarted(before, Health(started_at=before.started_at), SENT) is False


def test_counters_that_were_not_read_before_show_nothing() -> None:
    assert has_restarted(replace(BEFORE, total=None), Health(total_since_start=0), SENT) is None


def test_a_start_that_was_proven_is_not_asked_for_again() -> None:
    # A restart of a second, and a reading whose uptime was cut to whole seconds.
    before = BeforeRestart(SENT - timedelta(seconds=4), zones=frozenset({"Traversal"}))
    health = Health(
        started_at=SENT - timedelta(milliseconds=200),
        zones={"Traversal": True},
        alarms=(),
        replication_behind=False,
        maintenance=False,
    )

    assert describe_missing(before, health, SENT) == ("it did not start again",)
    assert describe_lost(before, health) == ()
    assert describe_lost(before, replace(health, zones={"Traversal": False})) == ("zone Traversal not active",)


def test_the_journal_keeps_what_a_peer_was_like() -> None:
    before = replace(BEFORE, zones=frozenset({"Traversal"}), tunnels=frozenset())

    assert BeforeRestart.from_facts(before.facts()) == before
    assert BeforeRestart.from_facts({}) == BeforeRestart()
