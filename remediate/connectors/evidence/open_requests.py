"""Requests of clients that a log shows without a response so far, and the ports that they may go to."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.mra_target import Target

Key = tuple[str | None, str | None, str]
"""The peer and the process that have the request, and the number of its transaction."""
_MAX_OPEN: Final = 1_000


@dataclass(slots=True)
class OpenRequest:
    """A request without a response so far.

    Attributes:
        target: The target in its URL.
        sent_to: The servers that it was sent to.
        is_answered: Whether one of these answered.
        is_from_outside: Whether it did not come through a tunnel, so that this is the log of an Expressway-E.
    """

    target: Target | None = None
    sent_to: set[Target] = field(default_factory=set)
    is_answered: bool = False
    is_from_outside: bool = False


class OpenRequests:
    """The latest requests without a response, with an index of the servers that they may go to."""

    def __init__(self) -> None:
        self._requests = OrderedDict[Key, OpenRequest]()
        self._ports: dict[tuple[str | None, str | None, str], Counter[int]] = {}

    def find(self, key: Key) -> OpenRequest | None:
        """Return the request with this key; None where it is not known."""
        return self._requests.get(key)

    def add(self, key: Key) -> OpenRequest:
        """Return the request with this key, a new one where it is not known; the oldest one is dropped where there are too many."""
        request = self._requests.get(key)
        if request is None:
            if len(self._requests) >= _MAX_OPEN:
                self.remove(next(iter(self._requests)))
            request = self._requests[key] = OpenRequest()
        return request

    def set_target(self, key: Key, target: Target) -> None:
        """Note the target in the URL of a request."""
        request = self.add(key)
        if request.target:
            self._count(key, request.target, -1)
        request.target = target
        self._count(key, target, 1)

    def add_server(self, key: Key, server: Target) -> None:
        """Note a server that a request is sent to."""
        request = self.add(key)
        if server not in request.sent_to:
            request.sent_to.add(server)
            self._count(key, server, 1)

    def remove(self, key: Key) -> OpenRequest | None:
        """Forget a request, and return it; None where it is not known."""
        request = self._requests.pop(key, None)
        if request:
            for target in (*([request.target] if request.target else []), *request.sent_to):
                self._count(key, target, -1)
        return request

    def find_ports(self, peer: str | None, process: str | None, names: Iterable[str | None]) -> set[int]:
        """Return the ports of a host with one of `names` that the requests of a process may go to."""
        counts = (self._ports.get((peer, process, name)) for name in names if name is not None)
        return {port for count in counts if count for port in count}

    def _count(self, key: Key, target: Target, change: int) -> None:
        place = (key[0], key[1], str(target.address))
        counts = self._ports.setdefault(place, Counter())
        counts[target.port] += change
        if counts[target.port] <= 0:
            del counts[target.port]
        if not counts:
            del self._ports[place]
