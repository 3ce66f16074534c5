"""What stands before a line: when, on which peer, by which process. Three forms: Expressway's, syslog's, the traffic server's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from remediate.connectors.text import parse_address
from remediate.model.evidence import Moment

# Expressway: 2026-01-29T14:01:16.974-05:00 exp-c traffic_server[2030]: UTCTime="2026-01-29 19:01:16,974" …
_EXPRESSWAY: Final = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
    r"\s+(?P<host>[^\s:]{1,255})\s+(?P<process>[\w./-]{1,64}(?:\[\d{1,10}\])?):"
)
_SYSLOG: Final = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)\s+(?P<host>[^\s:]{1,255})\s+(?P<process>[\w./-]{1,64}(?:\[\d{1,10}\])?):"
)
# diags.log: [Nov 25 13:59:41.442] [ET_NET 0] WARNING: …
_DIAGS: Final = re.compile(r"\[(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)\]")
_UTC: Final = re.compile(r"UTCTime=\"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\"")
_LONGEST_PREFIX: Final = 900
_A_LEAP_YEAR: Final = "2000"
A_YEAR: Final = timedelta(days=366)
"""The clock of a line whose time has no year is within it."""
_LONG_AGO: Final = datetime(2000, 1, 1)  # noqa: DTZ001  a clock without a zone, only to tell what is close to what


@dataclass(frozen=True, slots=True)
class Prefix:
    """Where a line comes from.

    Attributes:
        peer: None where the line does not say.
        process: with its number.
        clock: what the line's clock showed, whatever its zone: for what is close in time; None without a time.
    """

    peer: str | None = None
    process: str | None = None
    moment: Moment | None = None
    clock: timedelta | None = None

    @property
    def program(self) -> str | None:
        """The name of the process, without its number."""
        return self.process.partition("[")[0] if self.process else None


def prefix_of(line: str) -> Prefix | None:
    """Return what stands before `line`; None where it begins with none of the three forms."""
    found = _EXPRESSWAY.match(line) or _SYSLOG.match(line)
    if found:
        return Prefix(parse_address(found["host"]), found["process"], *_time_of(found["time"], line))
    bare = _DIAGS.match(line)
    return Prefix(None, None, *_time_of(bare["time"], line)) if bare else None


def prefixes_in(text: str) -> list[tuple[int, Prefix]]:
    """Return every prefix in `text`, wherever it stands, with its place; in order."""
    found = [
        (match.start(), prefix)
        for pattern in (_EXPRESSWAY, _SYSLOG, _DIAGS)
        for match in pattern.finditer(text)
        if (prefix := prefix_of(text[match.start() : match.start() + _LONGEST_PREFIX]))
    ]
    return sorted(found, key=lambda place: place[0])


def _time_of(written: str, line: str) -> tuple[Moment, timedelta | None]:
    utc = _UTC.search(line, 0, 600)
    try:
        moment = datetime.fromisoformat(f"{utc[1]}.{utc[2] or 0:0<6}+00:00") if utc else _parsed(written)
    except ValueError:
        return Moment(written), None
    if moment.tzinfo is None:
        return Moment(written), moment - _LONG_AGO
    aware = moment.astimezone(UTC)
    return Moment(written, aware), aware.replace(tzinfo=None) - _LONG_AGO


def _parsed(written: str) -> datetime:
    if written[0].isdigit():
        return datetime.fromisoformat(written.replace(",", "."))
    form = "%Y %b %d %H:%M:%S.%f" if "." in written else "%Y %b %d %H:%M:%S"
    return datetime.strptime(f"{_A_LEAP_YEAR} {written}", form)  # noqa: DTZ007  no zone stands there
