"""The survey: the certificate that each target shows to one hello, without a key exchange, all from one thread.

Nothing that it sees is proven, so a plan from it is incomplete and its certificates need an approval.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from OpenSSL import SSL

from remediate.connectors.addresses import resolve
from remediate.connectors.tls.first_flight import GOODBYE, FirstFlight, HelloTemplate
from remediate.connectors.tls.handshake import (
    FAMILY_FIRST,
    FailureReason,
    HandshakeFailure,
    Offer,
    explain_no_connection,
)
from remediate.connectors.tls.lanes import limit_at_once, split_into_lanes
from remediate.connectors.tls.target import (
    Answer,
    Observation,
    Target,
    describe_failed_handshake,
    describe_no_connection,
)
from remediate.model.certificate import Certificate
from remediate.model.identity import FAMILIES, CipherList, is_ip
from remediate.model.limits import Limits

_AT_ONCE_FACTOR = 2
"""A connection of a survey costs no thread."""
_TURN_S = 0.1
"""How often it is looked for connections whose time is over."""
_CHUNK = 64 * 1024


def survey(
    targets: Sequence[Target],
    ciphers: CipherList | None,
    limits: Limits,
    on_observation: Callable[[Target, Observation], None] = lambda _target, _observation: None,
) -> tuple[Observation, ...]:
    """Return what each target presents to one hello, in order: whether it has another certificate is not looked at.

    Args:
        targets: Ports to look at.
        ciphers: The cipher list of the peers; None: both families are offered, RSA first.
        limits: On time and on connections.
        on_observation: Called as each target is done.
    """
    try:
        hello = HelloTemplate.of(Offer(ciphers or FAMILY_FIRST["rsa"]))
    except SSL.Error:
        hello = HelloTemplate.of(Offer(FAMILY_FIRST["rsa"]))
    return _Survey(targets, hello, limits, on_observation).run()


@dataclass(slots=True)
class _Look:
    """One connection, and the place in its lane.

    Attributes:
        more: Further addresses of the target, tried where this connection does not come about.
    """

    lane: deque[int]
    number: int
    wire: socket.socket
    more: Sequence[str]
    flight: FirstFlight
    deadline: float
    is_connected: bool = False


@dataclass(slots=True)
class _Survey:
    targets: Sequence[Target]
    hello: HelloTemplate
    limits: Limits
    on_observation: Callable[[Target, Observation], None]
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    observations: dict[int, Observation] = field(default_factory=dict)
    certificates: dict[bytes, Certificate] = field(default_factory=dict)
    hosts: dict[tuple[str, int, bool], list[str] | OSError | UnicodeError] = field(default_factory=dict)

    def run(self) -> tuple[Observation, ...]:
        self._resolve_names()
        waiting = deque(deque(lane) for lane in split_into_lanes(self.targets, self.limits))
        at_once = limit_at_once(_AT_ONCE_FACTOR * self.limits.parallel_endpoints, self.limits)
        next_check = time.monotonic() + _TURN_S
        with self.selector:
            while waiting or self.selector.get_map():
                while waiting and len(self.selector.get_map()) < at_once:
                    self._begin_next(waiting.popleft())
                for key, _ in self.selector.select(_TURN_S):
                    self._step(key.data)
                if time.monotonic() >= next_check:
                    self._end_late_looks()
                    next_check = time.monotonic() + _TURN_S
        return tuple(self.observations[number] for number in range(len(self.targets)))

    def _resolve_names(self) -> None:
        """Look the names up, which waits for others, before anything is timed."""
        names = list({(target.host, target.port, target.guarded) for target in self.targets if not _is_plain(target)})
        if names:
            with ThreadPoolExecutor(min(self.limits.parallel_endpoints, len(names)), thread_name_prefix="resolve") as pool:
                self.hosts.update(zip(names, pool.map(_resolve, names), strict=True))

    def _begin_next(self, lane: deque[int]) -> None:
        """Begin with the next target of a lane; where that ends at once, with the one after it."""
        while lane:
            number = lane.popleft()
            target = self.targets[number]
            addresses = self.hosts.get((target.host, target.port, target.guarded), [target.host])
            if isinstance(addresses, Exception):
                self._end(number, lane, explain_no_connection(addresses, self.limits))
            elif self._open(lane, number, addresses):
                return

    def _open(self, lane: deque[int], number: int, addresses: Sequence[str], failure: HandshakeFailure | None = None) -> bool:
        """Begin to connect to the first of these addresses that can be connected to; return False where there is none.

        Then the look at the target has ended with the last failure, of which `failure` is an earlier one.
        """
        for place, address in enumerate(addresses):
            try:
                wire = _begin_connection(address, self.targets[number].port)
            except OSError as error:
                failure = explain_no_connection(error, self.limits)
                continue
            deadline = time.monotonic() + self.limits.connect_s
            look = _Look(lane, number, wire, addresses[place + 1 :], FirstFlight(self.limits, self.certificates), deadline)
            self.selector.register(wire, selectors.EVENT_WRITE, look)
            return True
        self._end(number, lane, failure or explain_no_connection(OSError(), self.limits))
        return False

    def _step(self, look: _Look) -> None:
        answer: Answer | None = None
        try:
            if look.is_connected:
                answer = self._read(look)
            else:
                self._send_hello(look)
        except BlockingIOError:
            return
        except OSError as error:
            answer = _explain_reset(look, error, self.limits)
        if answer:
            self._close(look, answer)

    def _send_hello(self, look: _Look) -> None:
        """Send the whole hello, which a new connection has room for, once it is connected."""
        if error := look.wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise _error_of(error)
        look.is_connected, look.deadline = True, time.monotonic() + self.limits.handshake_s
        address = self.targets[look.number].address
        look.wire.sendall(self.hello.make("" if is_ip(address) else address))
        self.selector.modify(look.wire, selectors.EVENT_READ, look)

    def _read(self, look: _Look) -> Answer | None:
        data = look.wire.recv(_CHUNK)
        if not data:
            raise ConnectionResetError
        return look.flight.feed(data)

    def _end_late_looks(self) -> None:
        now = time.monotonic()
        for look in [key.data for key in self.selector.get_map().values() if key.data.deadline < now]:
            limits = self.limits
            late = HandshakeFailure(
                FailureReason.TIMED_OUT, f"the TLS handshake was not finished within {limits.handshake_s:g} s"
            )
            self._close(look, late if look.is_connected else explain_no_connection(TimeoutError(), limits))

    def _close(self, look: _Look, answer: Answer) -> None:
        self.selector.unregister(look.wire)
        with look.wire:
            if not isinstance(answer, HandshakeFailure):
                _say_goodbye(look.wire)
        if look.is_connected or not isinstance(answer, HandshakeFailure):
            self._end(look.number, look.lane, answer)
        elif self._open(look.lane, look.number, look.more, answer):
            return
        self._begin_next(look.lane)

    def _end(self, number: int, lane: deque[int], answer: Answer) -> None:
        """Record what was seen. Where a host that anyone could have named is absent, its other ports are not tried."""
        observation = _observe(answer)
        numbers = [number]
        if observation.host_absent and self.targets[number].named_without_login:
            numbers += lane
            lane.clear()
        for each_number in numbers:
            self.observations[each_number] = observation
            self.on_observation(self.targets[each_number], observation)


def _is_plain(target: Target) -> bool:
    """Return whether a target has an IPv4 address that the inventory named, which needs no look-up."""
    host = target.host
    return not target.guarded and host.replace(".", "").isdecimal() and host.isascii() and is_ip(host)


def _resolve(host: tuple[str, int, bool]) -> list[str] | OSError | UnicodeError:
    name, port, guarded = host
    try:
        return resolve(name, port, guarded=guarded)
    except (OSError, UnicodeError) as error:
        return error


def _begin_connection(address: str, port: int) -> socket.socket:
    """Return a socket that connects, without waiting for it. Raises OSError."""
    wire = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        wire.setblocking(False)  # noqa: FBT003  the socket's argument has no name
        error = wire.connect_ex((address, port))
        if error not in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
            raise _error_of(error)
    except BaseException:
        wire.close()
        raise
    return wire


def _error_of(number: int) -> OSError:
    """Return the error of this number, in its own class."""
    return OSError(number, os.strerror(number))


def _explain_reset(look: _Look, error: OSError, limits: Limits) -> HandshakeFailure:
    if not look.is_connected:
        return explain_no_connection(error, limits)
    reason = FailureReason.SILENT if look.flight.is_empty else FailureReason.RESET
    return HandshakeFailure(reason, "the connection was closed or reset during the TLS handshake")


def _say_goodbye(wire: socket.socket) -> None:
    try:
        wire.sendall(GOODBYE)
    except OSError:
        return


def _observe(answer: Answer) -> Observation:
    if isinstance(answer, HandshakeFailure):
        return describe_no_connection(answer)
    family = answer.certificates[0].key_family
    if family not in FAMILIES:
        return describe_failed_handshake("it presents a certificate that is neither RSA nor ECDSA")
    return Observation({family: answer.certificates})
