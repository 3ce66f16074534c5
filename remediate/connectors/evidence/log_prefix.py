"""The prefix of a log line: time, peer and process, in the forms of Expressway, syslog and the traffic server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from remediate.connectors.text import parse_address
from remediate.model.evidence import LogTime

# Expressway: 2026-01-29T14:01:16.974-05:00 exp-c traffic_server[2030]: UTCTime="2026-01-29 19:01:16,974" …
_EXPRESSWAY: Final = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
    r"\s+(?P<host>[^\s:]{1,255})\s+(?P<process>[\w./-]{1,64}(?:\[\d{1,10}\])?):"
)
_SYSLOG: Final = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)\s+(?P<host>[^\s:]{1,255})\s+(?P<process>[\w./-]{1,64}(?:\[\d{1,10}\])?):"
)
# RFC 5424, as relays write it: <131>1 2026-01-29T14:01:16.974-05:00 exp-c traffic_server 2030 - - …
_RFC_5424: Final = re.compile(
    r"(?:<\d{1,3}>1 )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?P<host>[^\s:]{1,255}) "
    r"(?P<process>[\w./-]{1,64}) (?:\d{1,10}|-) [^\s]{1,32} (?:-|\[)"
)
# diags.log: [Nov 25 13:59:41.442] [ET_NET 0] WARNING: …
_DIAGS: Final = re.compile(r"\[(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)\]")
_UTC: Final = re.compile(r"UTCTime=\"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\"")
_MAX_PREFIX: Final = 900
_MAX_TIME_END: Final = 600
_LEAP_YEAR: Final = "2000"
ONE_YEAR: Final = timedelta(days=366)
"""Clocks of lines without a year are below this."""
_CLOCK_ORIGIN: Final = datetime(2000, 1, 1)  # noqa: DTZ001  a clock without a zone, for differences only


@dataclass(frozen=True)
class Prefix:
    """The origin of a line. Its time is parsed when it is asked for: that of most lines never is.

    Attributes:
        peer: The host; None where the line names none.
        process: The process, with its number.
        time: The time as the line spells it; None where it has none.
        line: The line, or as much of it as may hold the time in UTC.
    """

    peer: str | None = None
    process: str | None = None
    time: str | None = None
    line: str = ""

    @property
    def moment(self) -> LogTime | None:
        """The time; None without one."""
        return self._parsed_time[0]

    @property
    def clock(self) -> timedelta | None:
        """The time on the line's clock, in any zone, for intervals only; None without a time."""
        return self._parsed_time[1]

    @cached_property
    def _parsed_time(self) -> tuple[LogTime | None, timedelta | None]:
        return (None, None) if self.time is None else _parse_time(self.time, self.line)

    @property
    def program(self) -> str | None:
        """The name of the process, without its number; None where the line names none."""
        return self.process.partition("[")[0] if self.process else None


def has_prefix(line: str) -> bool:
    """Whether `parse_prefix` finds a prefix in `line`."""
    return any(pattern.match(line) for pattern in (_EXPRESSWAY, _SYSLOG, _RFC_5424, _DIAGS))


def parse_prefix(line: str) -> Prefix | None:
    """Return the prefix of `line`; None where it has none of the four forms."""
    match = _EXPRESSWAY.match(line) or _SYSLOG.match(line) or _RFC_5424.match(line)
    if match:
        return Prefix(parse_address(match["host"]), match["process"], match["time"], line[:_MAX_TIME_END])
    bare = _DIAGS.match(line)
    return Prefix(None, None, bare["time"], line[:_MAX_TIME_END]) if bare else None


def parse_utc_time(line: str) -> Prefix:
    """Return the time in the field ``UTCTime`` of a line that has no prefix; without any fields where it has no such field."""
    utc = _UTC.search(line)
    return Prefix(None, None, utc[1], utc[0]) if utc else Prefix()


def find_prefixes(text: str) -> list[tuple[int, Prefix]]:
    """Return every prefix anywhere in `text`, with its offset, in order."""
    prefixes = [
        (match.start(), prefix)
        for pattern in (_EXPRESSWAY, _SYSLOG, _RFC_5424, _DIAGS)
        for match in pattern.finditer(text)
        if (prefix := parse_prefix(text[match.start() : match.start() + _MAX_PREFIX]))
    ]
    return sorted(prefixes, key=lambda place: place[0])


def _parse_time(time: str, line: str) -> tuple[LogTime, timedelta | None]:
    utc = _UTC.search(line)
    try:
        moment = datetime.fromisoformat(f"{utc[1]}.{utc[2] or 0:0<6}+00:00") if utc else _parse_local_time(time)
    except ValueError:
        return LogTime(time), None
    if moment.tzinfo is None:
        return LogTime(time), moment - _CLOCK_ORIGIN
    aware = moment.astimezone(UTC)
    return LogTime(time, aware), aware.replace(tzinfo=None) - _CLOCK_ORIGIN


def _parse_local_time(time: str) -> datetime:
    if time[0].isdigit():
        return datetime.fromisoformat(time.replace(",", "."))
    form = "%Y %b %d %H:%M:%S.%f" if "." in time else "%Y %b %d %H:%M:%S"
    return datetime.strptime(f"{_LEAP_YEAR} {time}", form)  # noqa: DTZ007  the line has no zone
