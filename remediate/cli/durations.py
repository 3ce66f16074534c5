"""Durations on the command line: a whole number and its unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _ParamType = click.ParamType[timedelta]
else:
    # click 8.2 gives it no parameter yet.
    _ParamType = click.ParamType

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EXAMPLES = {"s": "900s", "m": "15m", "h": "1h", "d": "90d"}


class Duration(_ParamType):
    """A duration such as ``90d`` or ``15m``, longer than nothing.

    Args:
        units: The units that are taken, of ``smhd``.
        longest: The longest duration that makes sense.
    """

    name = "duration"

    def __init__(self, units: str, longest: timedelta) -> None:
        self._units = units
        self._longest = longest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration that `value` spells."""
        if isinstance(value, timedelta):
            return value
        text = str(value).strip()
        match = re.fullmatch(rf"([0-9]{{1,6}})([{self._units}])", text)
        if match is None or not int(match[1]):
            examples = " or ".join(_EXAMPLES[unit] for unit in self._units)
            self.fail(f"`{text}` is not a duration: give a whole number and its unit, such as {examples}.", param, ctx)
        length = timedelta(**{_UNITS[match[2]]: int(match[1])})
        if length > self._longest:
            unit = max(self._units, key="smhd".index)
            longest = self._longest // timedelta(**{_UNITS[unit]: 1})
            self.fail(f"`{text}` is longer than {longest}{unit}.", param, ctx)
        return length


DRAIN = Duration("smh", timedelta(days=1))
HORIZON = Duration("d", timedelta(days=3650))
WITHIN = Duration("smh", timedelta(hours=24))
"""The process that waits for a confirmation is lost with a restart of the machine, which is the more likely the longer it waits."""
