"""Counts what says the same, so that a log of any length takes little room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from remediate.connectors.evidence.log_prefix import A_YEAR, Prefix
from remediate.connectors.evidence.mra_target import Target
from remediate.model.evidence import BadGateway, Handshake, Logged, LookedAt, Moment, OtherFailures
from remediate.model.limits import Limits

# proxy.config.http.connect_attempts_max_retries is 3 by default: one request leaves four lines at the most, right after each other.
_LINES_OF_A_REQUEST: Final = 4
_CLOSE: Final = timedelta(seconds=5)


@dataclass(slots=True)
class _Lines:
    """One kind of line so far; `run` counts those that may be one request."""

    lines: int = 0
    requests: int = 0
    run: int = 0
    clock: timedelta | None = None
    earliest: Prefix | None = None
    latest: Prefix | None = None

    @property
    def first(self) -> Moment | None:
        return self.earliest.moment if self.earliest else None

    @property
    def last(self) -> Moment | None:
        return self.latest.moment if self.latest else None

    def add(self, prefix: Prefix, *, retried: bool) -> None:
        self.lines += 1
        if not (retried and 0 < self.run < _LINES_OF_A_REQUEST and self._is_close(prefix.clock)):
            self.requests, self.run = self.requests + 1, 0
        self.run += 1
        self.clock = prefix.clock
        if prefix.moment is not None:
            self.earliest = prefix if self.earliest is None or _is_before(prefix, self.earliest) else self.earliest
            self.latest = prefix if self.latest is None or not _is_before(prefix, self.latest) else self.latest

    def _is_close(self, clock: timedelta | None) -> bool:
        return self.clock is None or clock is None or abs(clock - self.clock) <= _CLOSE


class Tally:
    """What logs and captures showed so far.

    Attributes:
        overflowed: there was more that is different than is counted.
        looked_at: how much was looked at, and passed over, so far.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.evidence_kinds
        self._most_bytes = limits.capture_buffered_bytes
        self._held = 0
        self._logged: dict[Logged, _Lines] = {}
        self._answered: dict[BadGateway, _Lines] = {}
        self._handshakes: dict[Handshake, Handshake] = {}
        self._other_failures: dict[OtherFailures, _Lines] = {}
        self.overflowed = False
        self.looked_at = LookedAt()

    def count(self, more: LookedAt) -> None:
        """Add to what was looked at. Add sums: this is too slow for each packet or line of its own."""
        self.looked_at = self.looked_at.plus(more)

    def logged(self, what: Logged, prefix: Prefix) -> None:
        """Count one line. Where verification is not enforced there are no retries: each line is a connection of its own."""
        if self._has_room(self._logged, what):
            self._logged.setdefault(what, _Lines()).add(prefix, retried=what.enforced)

    def answered_502(self, target: Target, prefix: Prefix) -> None:
        """Count one request that was answered with 502."""
        what = BadGateway(prefix.peer, target.address, target.port)
        if self._has_room(self._answered, what):
            self._answered.setdefault(what, _Lines()).add(prefix, retried=False)

    def count_other_failure(self, process: str, prefix: Prefix) -> None:
        """Count one line of a process that is not the traffic server."""
        failures = OtherFailures(prefix.peer, process)
        if self._has_room(self._other_failures, failures):
            self._other_failures.setdefault(failures, _Lines()).add(prefix, retried=False)

    def handshake(self, one: Handshake) -> None:
        """Count one handshake."""
        what = replace(one, first=None, last=None)
        before = self._handshakes.get(what)
        if before is not None:
            self._handshakes[what] = _both(before, one)
        elif self._has_room(self._handshakes, what) and self._can_hold(one):
            self._handshakes[what] = one

    def all_logged(self) -> Iterator[Logged]:
        """Give what logs said."""
        for what, lines in self._logged.items():
            yield replace(what, lines=lines.lines, requests=lines.requests, first=lines.first, last=lines.last)

    def all_answered(self) -> Iterator[BadGateway]:
        """Give the requests that were answered with 502."""
        for what, lines in self._answered.items():
            yield replace(what, requests=lines.lines, first=lines.first, last=lines.last)

    def all_other_failures(self) -> Iterator[OtherFailures]:
        """Give what other processes said."""
        for failures, lines in self._other_failures.items():
            yield replace(failures, lines=lines.lines, first=lines.first, last=lines.last)

    def all_handshakes(self) -> Iterator[Handshake]:
        """Give what captures showed."""
        yield from self._handshakes.values()

    def _can_hold(self, one: Handshake) -> bool:
        self._held += sum(len(certificate.der) for certificate in (*one.chain, *one.client_certificate))
        self.overflowed = self.overflowed or self._held > self._most_bytes
        return self._held <= self._most_bytes

    def _has_room(
        self,
        counted: dict[Logged, _Lines] | dict[BadGateway, _Lines] | dict[Handshake, Handshake] | dict[OtherFailures, _Lines],
        what: object,
    ) -> bool:
        room = what in counted or len(counted) < self._most
        self.overflowed = self.overflowed or not room
        return room


def _both(one: Handshake, other: Handshake) -> Handshake:
    first = min((moment for moment in (one.first, other.first) if moment), default=None)
    last = max((moment for moment in (one.last, other.last) if moment), default=None)
    return replace(one, connections=one.connections + other.connections, first=first, last=last)


def _is_before(one: Prefix, other: Prefix) -> bool:
    """Files come in any order. Times that cannot be compared, as one has a zone and the other has none, stand as they came."""
    times = (one.moment and one.moment.at, other.moment and other.moment.at)
    if times[0] and times[1]:
        return times[0] < times[1]
    if times[0] or times[1] or one.clock is None or other.clock is None:
        return False
    # Without a year, December and January are of one winter.
    over_new_year = max(one.clock, other.clock) < A_YEAR and abs(one.clock - other.clock) > A_YEAR / 2
    return (one.clock < other.clock) is not over_new_year
