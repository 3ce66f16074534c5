"""Moments for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from remediate.report.moments import format_duration, format_moment

MOMENT = datetime(2026, 11, 29, 23, 16, tzinfo=UTC)


def test_local_time_and_utc_are_shown_together() -> None:
    assert format_moment(MOMENT - timedelta(hours=18), ZoneInfo("Europe/Paris")) == "Sun 29 Nov 2026 06:16 CET (05:16 UTC)"


def test_another_day_in_utc_is_shown() -> None:
    assert format_moment(MOMENT, ZoneInfo("Europe/Paris")) == "Mon 30 Nov 2026 00:16 CET (Sun 29 Nov 23:16 UTC)"


def test_utc_is_shown_once_where_it_is_the_local_time() -> None:
    assert format_moment(MOMENT, UTC) == "Sun 29 Nov 2026 23:16 UTC"


def test_a_duration_has_hours_only_where_it_takes_any() -> None:
    assert [format_duration(seconds) for seconds in (0, 62, 3723, -5)] == ["0:00", "1:02", "1:02:03", "0:00"]
