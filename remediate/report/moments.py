"""Moments for a person: in local time and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from remediate.language.messages import mark_words, translate

_WEEKDAYS = mark_words("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = mark_words("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_moment(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return an aware `moment` as ``Sun 29 Nov 2026 06:16 CET (05:16 UTC)``; once where local time is UTC.

    Args:
        moment: The moment.
        zone: The zone of the reader; None: that of this machine.
    """
    local, utc = moment.astimezone(zone), moment.astimezone(UTC)
    if local.utcoffset() == utc.utcoffset():
        return f"{_format_day(utc)} {utc:%Y %H:%M} UTC"
    other_day = "" if local.date() == utc.date() else f"{_format_day(utc)} "
    return f"{_format_day(local)} {local:%Y %H:%M %Z} ({other_day}{utc:%H:%M} UTC)"


def _format_day(moment: datetime) -> str:
    return f"{translate(_WEEKDAYS[moment.weekday()])} {moment:%d} {translate(_MONTHS[moment.month - 1])}"


def format_duration(seconds: float) -> str:
    """Return a duration as ``4:02`` or ``1:02:03``."""
    minutes, odd_seconds = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{odd_seconds:02}" if hours else f"{minutes}:{odd_seconds:02}"
