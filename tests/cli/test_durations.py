"""Durations on the command line."""

from __future__ import annotations

from datetime import timedelta

import click
import pytest

from remediate.cli.durations import HORIZON, WITHIN, Duration


@pytest.mark.parametrize(("text", "seconds"), [("900s", 900), ("15m", 900), ("1h", 3600), (" 2m ", 120)])
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert WITHIN.convert(text, None, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["15", "m", "0m", "-5m", "1.5h", "15 min", "1h30m", "9999999s", "", "1d", "\u0661\u0665m", "\uff11h"]
)
def test_what_is_no_duration_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a duration: .* 15m or 1h"):
        WITHIN.convert(text, None, None)


@pytest.mark.parametrize("text", ["25h", "1441m", "86401s", "999999h"])
def test_no_one_waits_longer_than_a_day_for_a_confirmation(text: str) -> None:
    assert WITHIN.convert("24h", None, None) == timedelta(days=1)
    with pytest.raises(click.BadParameter, match=f"`{text}` is longer than 24h"):
        WITHIN.convert(text, None, None)


@pytest.mark.parametrize(
    ("duration", "text", "limit"), [(HORIZON, "3651d", "3650d"), (Duration("smh", timedelta(hours=4)), "5h", "4h")]
)
def test_the_limit_is_named_in_the_largest_unit(duration: Duration, text: str, limit: str) -> None:
    with pytest.raises(click.BadParameter, match=f"`{text}` is longer than {limit}"):
        duration.convert(text, None, None)
