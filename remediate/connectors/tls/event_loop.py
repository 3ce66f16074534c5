"""Connections to many targets at once, all from one thread, which sleeps only while every one of them waits.

Targets are looked at in lanes, so that no node gets more connections than it may.

Threads would cost as much as the handshakes themselves: each call into OpenSSL lets go of the interpreter's lock, which wakes another.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from remediate.connectors.addresses import SocketAddress, SpecialAddress, resolve
from remediate.connectors.text import describe_failure
from remediate.connectors.tls.handshake import Answer, FailureReason, HandshakeFailure
from remediate.connectors.tls.target import Attempt, Attempts, Observation, Target
from remediate.machine.system import max_open_files
from remediate.model.identity import is_ip
from remediate.model.limits import Limits

MAX_RECEIVED_BYTES = 512 * 1024
"""More than any chain that OpenSSL itself takes (100 kB by default, here as on the appliance)."""

_TURN_S = 0.1
"""How often it is looked for connections whose time is over."""
_LOOK_UP_TURN_S = 0.01
"""How often it is looked for names that were looked up, while some are."""
_CHUNK = 64 * 1024

_Result = TypeVar("_Result")


class LookUp(Protocol):
    """Looks up the addresses of a name, as `addresses.resolve` does."""

    def __call__(self, host: str, port: int, *, guarded: bool) -> list[SocketAddress]:
        """Return at least one address. Raises SpecialAddress, OSError, UnicodeError."""


def look_in_lanes(
    targets: Sequence[Target],
    look: Callable[[Target], Attempts[Observation]],
    limits: Limits,
    on_observation: Callable[[Target, Observation], None],
) -> tuple[Observation, ...]:
    """Return what is observed at each target, in order.

    Args:
        targets: Ports to look at.
        look: Makes the attempts at one of them.
        limits: On time and on connections.
        on_observation: Called as each target is done, never concurrently.
    """
    observations: dict[int, Observation] = {}

    def look_in_lane(lane: Sequence[int]) -> Attempts[None]:
        """Look at targets in order. Where a host that anyone could have named is absent, its other ports are not tried."""
        absent: Observation | None = None
        for number in lane:
            target = targets[number]
            observation = absent or (yield from look(target))
            if observation.host_absent and target.named_without_login:
                absent = observation
            observations[number] = observation
            on_observation(target, observation)

    lanes = [look_in_lane(lane) for lane in _split_into_lanes(targets, limits)]
    run_attempts(lanes, _limit_at_once(limits.parallel_endpoints, limits), limits)
    return tuple(observations[number] for number in range(len(targets)))


def run_attempts(lanes: Iterable[Attempts[None]], at_once: int, limits: Limits, look_up: LookUp = resolve) -> None:
    """Make the attempts of each lane one after the other, and those of different lanes at once.

    Args:
        lanes: What one of them raises ends them all.
        at_once: How many lanes are under way at the same time.
        limits: On time.
        look_up: Looks up names, in threads.
    """
    _EventLoop(lanes, at_once, limits, look_up).run()


def run_alone(attempts: Attempts[_Result], limits: Limits, look_up: LookUp = resolve) -> _Result:
    """Make attempts one after the other, and return their result."""
    results: list[_Result] = []

    def keep_result() -> Attempts[None]:
        results.append((yield from attempts))

    run_attempts([keep_result()], 1, limits, look_up)
    return results[0]


@dataclass(slots=True)
class _Connection:
    """One connection.

    Attributes:
        lane: Gets the answer.
        more: Further addresses of the target, tried where this connection does not come about.
        received: How many bytes.
    """

    lane: Attempts[None]
    attempt: Attempt
    wire: socket.socket
    more: Sequence[SocketAddress]
    deadline: float
    is_connected: bool = False
    received: int = 0


class _EventLoop:
    """Lanes under way: each waits for its connection, for the addresses of a name, or for the end of a pause."""

    def __init__(self, lanes: Iterable[Attempts[None]], at_once: int, limits: Limits, look_up: LookUp) -> None:
        self._lanes, self._at_once, self._limits, self._look_up = deque(lanes), at_once, limits, look_up
        self._under_way = 0
        self._answers: deque[tuple[Attempts[None], Answer]] = deque()
        self._selector = selectors.DefaultSelector()
        self._pauses: list[tuple[float, Attempts[None], Attempt]] = []
        self._look_ups: list[tuple[Future[list[SocketAddress]], Attempts[None], Attempt]] = []
        self._addresses: dict[tuple[str, int, bool], list[SocketAddress]] = {}
        self._resolvers = ThreadPoolExecutor(limits.parallel_nodes, thread_name_prefix="resolve")
        self._next_check = 0.0

    def run(self) -> None:
        try:
            self._continue_lanes()
            while self._under_way:
                for connection in self._wait():
                    self._step(connection)
                self._end_look_ups()
                self._end_pauses()
                self._end_late_connections()
                self._continue_lanes()
        finally:
            self._resolvers.shutdown(wait=False, cancel_futures=True)
            for connection in self._list_connections():
                connection.wire.close()
            self._selector.close()

    def _list_connections(self) -> list[_Connection]:
        return [key.data for key in self._selector.get_map().values()]

    def _continue_lanes(self) -> None:
        """Give the lanes their answers, and begin with others while so many may be under way."""
        while self._answers or (self._lanes and self._under_way < self._at_once):
            try:
                if self._answers:
                    lane, answer = self._answers.popleft()
                    attempt = lane.send(answer)
                else:
                    lane = self._lanes.popleft()
                    self._under_way += 1
                    attempt = next(lane)
            except StopIteration:
                self._under_way -= 1
            else:
                self._begin(lane, attempt)

    def _begin(self, lane: Attempts[None], attempt: Attempt) -> None:
        if attempt.delay_s:
            self._pauses.append((time.monotonic() + attempt.delay_s, lane, attempt))
        else:
            self._find_addresses(lane, attempt)

    def _find_addresses(self, lane: Attempts[None], attempt: Attempt) -> None:
        """Connect to the target of an attempt, once its name is looked up, in a thread where that may take a while."""
        target = attempt.target
        if _is_ipv4(target.host) and not target.guarded:
            self._connect(lane, attempt, [(socket.AF_INET, (target.host, target.port))])
        elif addresses := self._addresses.get((target.host, target.port, target.guarded)):
            self._connect(lane, attempt, addresses)
        else:
            future = self._resolvers.submit(self._look_up, target.host, target.port, guarded=target.guarded)
            self._look_ups.append((future, lane, attempt))

    def _connect(
        self,
        lane: Attempts[None],
        attempt: Attempt,
        addresses: Sequence[SocketAddress],
        failure: HandshakeFailure | None = None,
    ) -> None:
        """Begin to connect to the first of these addresses that can be connected to; where there is none, that is the answer.

        Args:
            lane: Gets the answer.
            attempt: What is attempted.
            addresses: Those that are left to try.
            failure: Of the address before them.
        """
        for place, address in enumerate(addresses):
            try:
                wire = _begin_connection(address)
            except OSError as error:
                failure = _explain_no_connection(error, self._limits)
                continue
            deadline = time.monotonic() + self._limits.connect_s
            connection = _Connection(lane, attempt, wire, addresses[place + 1 :], deadline)
            self._selector.register(wire, selectors.EVENT_WRITE, connection)
            return
        self._answers.append((lane, failure or _explain_no_connection(OSError(), self._limits)))

    def _wait(self) -> list[_Connection]:
        """Return the connections that can go on, once there are any, or once it is time to look for something else."""
        turn_s = _LOOK_UP_TURN_S if self._look_ups else _TURN_S
        if self._pauses:
            turn_s = max(0.0, min(turn_s, min(until for until, _, _ in self._pauses) - time.monotonic()))
        if self._selector.get_map():
            return [key.data for key, _ in self._selector.select(turn_s)]
        time.sleep(turn_s)  # Windows cannot wait for no connection.
        return []

    def _step(self, connection: _Connection) -> None:
        try:
            reply = self._read(connection) if connection.is_connected else self._begin_exchange(connection)
            if isinstance(reply, bytes):
                if reply:
                    # A flight of a client without a certificate is far shorter than what a new connection has room for.
                    connection.wire.sendall(reply)
                return
        except BlockingIOError:
            return
        except OSError as error:
            reply = _explain_end(connection, error, self._limits)
        self._close(connection, reply)

    def _begin_exchange(self, connection: _Connection) -> bytes | Answer:
        if error := connection.wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        connection.is_connected, connection.deadline = True, time.monotonic() + self._limits.handshake_s
        self._selector.modify(connection.wire, selectors.EVENT_READ, connection)
        return connection.attempt.exchange.begin()

    def _read(self, connection: _Connection) -> bytes | Answer:
        data = connection.wire.recv(_CHUNK)
        connection.received += len(data)
        if not data or connection.received > MAX_RECEIVED_BYTES:
            raise ConnectionResetError
        return connection.attempt.exchange.feed(data)

    def _close(self, connection: _Connection, answer: Answer) -> None:
        self._selector.unregister(connection.wire)
        with connection.wire:
            if not isinstance(answer, HandshakeFailure) and (last := connection.attempt.exchange.finish()):
                _send_last(connection.wire, last)
        if not connection.is_connected and isinstance(answer, HandshakeFailure):
            self._connect(connection.lane, connection.attempt, connection.more, answer)
        else:
            self._answers.append((connection.lane, answer))

    def _end_look_ups(self) -> None:
        """Connect to the targets whose names are looked up now."""
        look_ups, self._look_ups = self._look_ups, []
        for future, lane, attempt in look_ups:
            if not future.done():
                self._look_ups.append((future, lane, attempt))
                continue
            try:
                addresses = future.result()
            except (OSError, UnicodeError) as error:
                self._answers.append((lane, _explain_no_connection(error, self._limits)))
            else:
                target = attempt.target
                self._addresses[target.host, target.port, target.guarded] = addresses
                self._connect(lane, attempt, addresses)

    def _end_pauses(self) -> None:
        """Go on with the attempts whose time has come."""
        pauses, self._pauses = self._pauses, []
        for until, lane, attempt in pauses:
            if time.monotonic() < until:
                self._pauses.append((until, lane, attempt))
            else:
                self._find_addresses(lane, attempt)

    def _end_late_connections(self) -> None:
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + _TURN_S
        for connection in self._list_connections():
            if connection.deadline < now:
                self._close(connection, _explain_end(connection, TimeoutError(), self._limits))


def _limit_at_once(number: int, limits: Limits) -> int:
    """Return how many of so many connections to open at once, so that all clusters together stay far below the limit of a process."""
    allowed = max_open_files()
    return number if allowed is None else max(1, min(number, allowed * 3 // 4 // limits.parallel_clusters))


def _split_into_lanes(targets: Sequence[Target], limits: Limits) -> list[list[int]]:
    """Return the numbers of the targets in lanes, each to be looked at in its order.

    A node that only a source without a login names has one lane: where it is absent, its other ports are not tried.
    """
    by_node: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        by_node.setdefault(target.host.casefold(), []).append(number)
    lanes: list[list[int]] = []
    for numbers in by_node.values():
        hearsay = all(targets[number].named_without_login for number in numbers)
        width = 1 if hearsay else limits.parallel_per_node
        lanes += [numbers[start::width] for start in range(min(width, len(numbers)))]
    return lanes


def _is_ipv4(host: str) -> bool:
    """Return whether a host is an IPv4 address, which needs no look-up."""
    return host.isascii() and host.replace(".", "").isdecimal() and is_ip(host)


def _begin_connection(address: SocketAddress) -> socket.socket:
    """Return a socket that connects, without waiting for it. Raises OSError."""
    family, place = address
    wire = socket.socket(family, socket.SOCK_STREAM)
    try:
        wire.settimeout(0)
        error = wire.connect_ex(place)
        if error not in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
            raise OSError(error, os.strerror(error))
    except BaseException:
        wire.close()
        raise
    return wire


def _explain_no_connection(error: Exception, limits: Limits) -> HandshakeFailure:
    """Return the failure for a connection that did not come about."""
    if isinstance(error, SpecialAddress):
        return HandshakeFailure(
            FailureReason.SPECIAL_ADDRESS, "its name resolves to an address that is accepted only from the inventory"
        )
    if isinstance(error, ConnectionRefusedError):
        return HandshakeFailure(FailureReason.REFUSED, "connection refused")
    if isinstance(error, socket.gaierror | UnicodeError):
        return HandshakeFailure(FailureReason.NO_NAME, "its name does not resolve")
    if isinstance(error, TimeoutError):
        return HandshakeFailure(FailureReason.UNREACHABLE, f"no answer within {limits.connect_s:g} s")
    return HandshakeFailure(FailureReason.UNREACHABLE, describe_failure(error))


def _explain_end(connection: _Connection, error: OSError, limits: Limits) -> HandshakeFailure:
    """Return the failure of a connection that ended with an error before there was an answer."""
    if not connection.is_connected:
        return _explain_no_connection(error, limits)
    if isinstance(error, TimeoutError):
        return HandshakeFailure(FailureReason.TIMED_OUT, f"the TLS handshake was not finished within {limits.handshake_s:g} s")
    reason = FailureReason.RESET if connection.received else FailureReason.SILENT
    return HandshakeFailure(reason, "the connection was closed or reset during the TLS handshake")


def _send_last(wire: socket.socket, data: bytes) -> None:
    """Send what a server need not get for its answer to count."""
    try:
        wire.sendall(data)
    except OSError:
        return
