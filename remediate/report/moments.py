"""Moments for a person: in local time and in UTC."""

from __future__ import annotations

from datetime import datetime, tzinfo

from remediate.language.messages import translate
from remediate.language.moments import spell_moment


def format_moment(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return an aware `moment` as ``Sun 29 Nov 2026 06:16 CET (05:16 UTC)``, in `zone` or that of this machine."""
    return spell_moment(moment, translate, zone)


def format_duration(seconds: float) -> str:
    """Return a duration as ``4:02`` or ``1:02:03``."""
    minutes, odd_seconds = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{odd_seconds:02}" if hours else f"{minutes}:{odd_seconds:02}"
