"""Moments for a person: in local time and in UTC, wherever a message names one as RFC 3339 does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

Translate = Callable[[str], str]
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY_WORDS = (*_WEEKDAYS, *_MONTHS)
_MOMENT_OR_CODE = re.compile(r"`[^`]*`|(?<![\w:.-])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?!\w)")
"""A moment; or code, such as a command, in which one stays as it is."""


def spell_moment(moment: datetime, translate: Translate, zone: tzinfo | None = None, *, clock: str = "%H:%M") -> str:
    """Return an aware `moment` as ``Sun 29 Nov 2026 06:16 CET (05:16 UTC)``; once where local time is UTC.

    Args:
        moment: The moment.
        translate: Translates the names of days and months.
        zone: The zone of the reader; None: that of this machine.
        clock: The form of the time of day, as of `strftime`.
    """
    local, utc = moment.astimezone(zone), moment.astimezone(UTC)
    if local.utcoffset() == utc.utcoffset():
        return f"{_spell_day(utc, translate)} {utc:%Y} {utc:{clock}} UTC"
    other_day = "" if local.date() == utc.date() else f"{_spell_day(utc, translate)} "
    return f"{_spell_day(local, translate)} {local:%Y} {local:{clock}} {local:%Z} ({other_day}{utc:{clock}} UTC)"


def _spell_day(moment: datetime, translate: Translate) -> str:
    return f"{translate(_WEEKDAYS[moment.weekday()])} {moment:%d} {translate(_MONTHS[moment.month - 1])}"


def spell_moments(text: str, translate: Translate) -> str:
    """Return `text` with each moment in it as a person reads it; with seconds, where it has any."""
    return _MOMENT_OR_CODE.sub(lambda match: _spell_match(match[0], translate), text) if "Z" in text else text


def _spell_match(text: str, translate: Translate) -> str:
    try:
        moment = datetime.fromisoformat(text)
        return spell_moment(moment, translate, clock="%H:%M:%S" if moment.second else "%H:%M")
    except (ValueError, OverflowError):  # code, or a date that is none
        return text
