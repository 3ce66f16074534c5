"""The tally of log lines and handshakes: equal ones are counted together, so that logs of any length take little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeVar

from remediate.connectors.evidence.log_prefix import ONE_YEAR, Prefix
from remediate.connectors.evidence.mra_target import Target
from remediate.model.evidence import (
    AnsweredRequest,
    BadGateway,
    Coverage,
    Handshake,
    LoggedFailure,
    OpenSSLGeneration,
    OpenSSLSign,
    OtherProcessFailures,
    View,
)
from remediate.model.limits import Limits

_Key = TypeVar("_Key")
_Line = TypeVar("_Line", LoggedFailure, BadGateway, AnsweredRequest, OtherProcessFailures, OpenSSLSign)

# proxy.config.http.connect_attempts_max_retries is 3 by default: a request leaves at most four lines, within seconds.
_MAX_LINES_PER_REQUEST: Final = 4
_MAX_RETRY_INTERVAL: Final = timedelta(seconds=5)


@dataclass(slots=True)
class _LineCount:
    """The count of equal lines; `run` counts the latest ones that may belong to one request."""

    lines: int = 0
    requests: int = 0
    run: int = 0
    clock: timedelta | None = None
    earliest: Prefix | None = None
    latest: Prefix | None = None

    def add_times(self, line: _Line) -> _Line:
        """Return `line` with when it was seen first and last."""
        first_seen = self.earliest.moment if self.earliest else None
        return replace(line, first_seen=first_seen, last_seen=self.latest.moment if self.latest else None)

    def add(self, prefix: Prefix, *, retried: bool) -> None:
        self.lines += 1
        if not (retried and 0 < self.run < _MAX_LINES_PER_REQUEST and self._is_close(prefix.clock)):
            self.requests, self.run = self.requests + 1, 0
        self.run += 1
        self.clock = prefix.clock
        if prefix.moment is not None:
            self.earliest = prefix if self.earliest is None or _is_before(prefix, self.earliest) else self.earliest
            self.latest = prefix if self.latest is None or not _is_before(prefix, self.latest) else self.latest

    def _is_close(self, clock: timedelta | None) -> bool:
        return self.clock is None or clock is None or abs(clock - self.clock) <= _MAX_RETRY_INTERVAL


class Tally:
    """The failures in logs and the handshakes in captures so far.

    Attributes:
        has_overflowed: Further kinds were dropped, because a limit was reached.
        looked_at: how much was looked at, and passed over, so far.
    """

    def __init__(self, limits: Limits) -> None:
        self._max_kinds = limits.evidence_kinds
        self._max_bytes = limits.capture_buffered_bytes
        self._certificate_bytes = 0
        self._logged_failures: dict[LoggedFailure, _LineCount] = {}
        self._bad_gateways: dict[BadGateway, _LineCount] = {}
        self._answered_requests: dict[AnsweredRequest, _LineCount] = {}
        self._handshakes: dict[Handshake, Handshake] = {}
        self._other_failures: dict[OtherProcessFailures, _LineCount] = {}
        self._openssl_signs: dict[OpenSSLSign, _LineCount] = {}
        self.has_overflowed = False
        self.coverage = Coverage()

    def add_coverage(self, coverage: Coverage) -> None:
        """Add the counts of a whole file or block; this is too slow for single packets or lines."""
        self.coverage += coverage

    def add_logged_failure(self, failure: LoggedFailure, prefix: Prefix) -> None:
        """Count a line. Without enforcement there are no retries: each line is a connection of its own."""
        self._count(self._logged_failures, failure, prefix, retried=failure.enforced)

    def add_bad_gateway(self, target: Target, prefix: Prefix, view: View = "peer", *, tunnel_down: bool = False) -> None:
        """Count a request that was answered with 502."""
        gateway = BadGateway(prefix.peer, target.address, target.port, view=view, tunnel_down=tunnel_down)
        self._count(self._bad_gateways, gateway, prefix)

    def add_answered_request(self, target: Target, prefix: Prefix) -> None:
        """Count a request that the node answered."""
        request = AnsweredRequest(prefix.peer, target.address, target.port)
        self._count(self._answered_requests, request, prefix)

    def add_other_failure(self, process: str, prefix: Prefix) -> None:
        """Count a line of a process that is not the traffic server."""
        failures = OtherProcessFailures(prefix.peer, process)
        self._count(self._other_failures, failures, prefix)

    def add_openssl_sign(self, generation: OpenSSLGeneration, prefix: Prefix) -> None:
        """Count a line that shows which OpenSSL a peer runs."""
        sign = OpenSSLSign(prefix.peer, generation)
        self._count(self._openssl_signs, sign, prefix)

    def add_handshake(self, handshake: Handshake) -> None:
        """Count a handshake."""
        key = replace(handshake, first_seen=None, last_seen=None)
        previous = self._handshakes.get(key)
        if previous is not None:
            self._handshakes[key] = _merge(previous, handshake)
        elif self._has_room(self._handshakes, key) and self._can_hold(handshake):
            self._handshakes[key] = handshake

    def list_logged_failures(self) -> Iterator[LoggedFailure]:
        """Yield the failures in logs, with their counts and times."""
        for failure, counted in self._logged_failures.items():
            yield counted.add_times(replace(failure, lines=counted.lines, requests=counted.requests))

    def list_bad_gateways(self) -> Iterator[BadGateway]:
        """Yield the requests that were answered with 502."""
        for gateway, counted in self._bad_gateways.items():
            yield counted.add_times(replace(gateway, requests=counted.lines))

    def list_answered_requests(self) -> Iterator[AnsweredRequest]:
        """Yield the requests that nodes answered."""
        for request, counted in self._answered_requests.items():
            yield counted.add_times(replace(request, requests=counted.lines))

    def list_other_failures(self) -> Iterator[OtherProcessFailures]:
        """Yield the failures that other processes logged."""
        for failures, counted in self._other_failures.items():
            yield counted.add_times(replace(failures, lines=counted.lines))

    def list_openssl_signs(self) -> Iterator[OpenSSLSign]:
        """Yield the generations of OpenSSL that lines of the peers show."""
        for sign, counted in self._openssl_signs.items():
            yield counted.add_times(replace(sign, lines=counted.lines))

    def list_handshakes(self) -> Iterator[Handshake]:
        """Yield the handshakes in captures."""
        yield from self._handshakes.values()

    def _can_hold(self, handshake: Handshake) -> bool:
        self._certificate_bytes += sum(len(certificate.der) for certificate in (*handshake.chain, *handshake.client_chain))
        self.has_overflowed = self.has_overflowed or self._certificate_bytes > self._max_bytes
        return self._certificate_bytes <= self._max_bytes

    def _count(self, counts: dict[_Line, _LineCount], key: _Line, prefix: Prefix, *, retried: bool = False) -> None:
        if self._has_room(counts, key):
            counts.setdefault(key, _LineCount()).add(prefix, retried=retried)

    def _has_room(self, counts: Mapping[_Key, object], key: _Key) -> bool:
        has_room = key in counts or len(counts) < self._max_kinds
        self.has_overflowed = self.has_overflowed or not has_room
        return has_room


def _merge(handshake: Handshake, duplicate: Handshake) -> Handshake:
    first = min((moment for moment in (handshake.first_seen, duplicate.first_seen) if moment), default=None)
    last = max((moment for moment in (handshake.last_seen, duplicate.last_seen) if moment), default=None)
    return replace(handshake, connections=handshake.connections + duplicate.connections, first_seen=first, last_seen=last)


def _is_before(prefix: Prefix, reference: Prefix) -> bool:
    """Whether `prefix` is earlier; False where the times cannot be compared, as only one of them has a zone."""
    times = (prefix.moment and prefix.moment.at, reference.moment and reference.moment.at)
    if times[0] and times[1]:
        return times[0] < times[1]
    if times[0] or times[1] or prefix.clock is None or reference.clock is None:
        return False
    # Without a year, December is before January.
    over_new_year = max(prefix.clock, reference.clock) < ONE_YEAR and abs(prefix.clock - reference.clock) > ONE_YEAR / 2
    return (prefix.clock < reference.clock) is not over_new_year
