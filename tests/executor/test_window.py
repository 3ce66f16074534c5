"""A window is two times of day in a zone: over midnight, on days when the clocks change, and written wrongly (promise 9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from remediate.executor.window import parse_window
from remediate.model.errors import UsageError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "closes"),
    [
        ("2026-11-23T20:59", None),  # 21:59 in Paris
        ("2026-11-23T21:00", "2026-11-24T01:00"),
        ("2026-11-24T00:59", "2026-11-24T01:00"),  # the day after it began
        ("2026-11-24T01:00", None),
        ("2026-11-24T12:00", None),
    ],
)
def test_a_window_over_midnight_follows_its_own_zone(now: str, closes: str | None) -> None:
    window = parse_window("22:00/02:00 Europe/Paris")
    assert window.closes(at(now)) == (at(closes) if closes else None)


def test_a_window_within_a_day_opens_again_the_next_day() -> None:
    window = parse_window("9:30/11:00 UTC")
    assert window.closes(at("2026-11-23T10:00")) == at("2026-11-23T11:00")
    assert window.opens_next(at("2026-11-23T09:00")) == at("2026-11-23T09:30")
    assert window.opens_next(at("2026-11-23T09:30")) == at("2026-11-24T09:30")


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-03-28T22:00", 3),  # the night that loses an hour: 22:00 (+1) to 02:00 does not reach it, 22:00/03:30 does
        ("2026-10-24T21:00", 5),  # the night that has 02:00 to 03:00 twice: closed when it first shows 02:30
    ],
)
def test_the_hours_of_a_window_follow_the_clocks_on_the_wall(now: str, hours: int) -> None:
    # Given windows that end after the clocks have changed
    long = {"2026-03-28T22:00": "23:00/03:30 Europe/Paris", "2026-10-24T21:00": "23:00/03:30 Europe/Paris"}[now]
    closes = parse_window(long).closes(at(now))
    assert closes is not None
    # Then they last as long as the wall shows: from 23:00 to 03:30 is an hour less in spring, and one more in autumn
    assert closes - at(now) == timedelta(hours=hours, minutes=30)


def test_a_clock_change_at_an_end_shortens_the_window() -> None:
    # Given a night on which 02:30 does not exist, and one on which it comes twice
    window = parse_window("22:00/02:30 Europe/Paris")
    skipped, repeated = window.closes(at("2026-03-28T22:00")), window.closes(at("2026-10-24T22:00"))
    # Then it is closed before the clock jumps, and at the first of the two
    assert skipped == at("2026-03-29T00:30")
    assert repeated == at("2026-10-25T00:30")
    # And a window that begins there begins late
    late = parse_window("02:30/05:00 Europe/Paris")
    assert late.opens_next(at("2026-03-28T22:00")) == at("2026-03-29T01:30")
    assert late.opens_next(at("2026-10-24T22:00")) == at("2026-10-25T01:30")
    # And one that the jump leaves nothing of is not open that night
    vanished = parse_window("02:15/02:45 Europe/Paris")
    assert vanished.opens_next(at("2026-03-28T22:00")) == at("2026-03-30T00:15")


@pytest.fixture
def in_tokyo(set_local_zone: Callable[[str], None]) -> None:
    set_local_zone("Asia/Tokyo")


@pytest.mark.usefixtures("in_tokyo")
def test_a_window_without_a_zone_follows_this_machines() -> None:
    window = parse_window("22:00/02:00")
    assert window.closes(at("2026-11-23T13:00")) == at("2026-11-23T17:00")
    assert window.closes(at("2026-11-23T12:59")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("22:00", "is not a window"),
        ("22-02", "is not a window"),
        ("\u0662\u0662:\u0660\u0660/02:00", "is not a window"),
        ("22:00/\uff10\uff12:00", "is not a window"),
        ("25:00/02:00", "is not a window"),
        ("22:00/22:00", "begins and ends at the same time"),
        ("22:00/02:00 Europe/Pariss", "`Europe/Pariss` is not a time zone"),
        ("22:00/02:00 ../../etc/passwd", "is not a time zone"),
        ("22:00/02:00 Europe", "is not a time zone"),
    ],
)
def test_a_malformed_window_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_window(text)


@pytest.mark.parametrize(
    ("zone", "spelled"),
    [
        ("Asia/Tokyo", "2026-11-24T01:00:00Z (02:00 in Europe/Paris)"),
        ("Europe/Paris", "2026-11-24T01:00:00Z"),
        ("Europe/Berlin", "2026-11-24T01:00:00Z"),
    ],
)
def test_an_end_is_also_said_by_the_clock_of_the_window(set_local_zone: Callable[[str], None], zone: str, spelled: str) -> None:
    set_local_zone(zone)
    window = parse_window("22:00/02:00 Europe/Paris")
    assert window.describe_opening(at("2026-11-23T22:00")) == f"The window {window} is open until {spelled}."


def test_an_opening_is_also_said_by_the_clock_of_the_window(set_local_zone: Callable[[str], None]) -> None:
    set_local_zone("UTC")
    window = parse_window("22:00/02:00 Europe/Paris")
    assert "It opens next on 2026-11-23T21:00:00Z (22:00 in Europe/Paris)." in window.describe_opening(at("2026-11-23T12:00"))
