"""Log of the requests to the peers, with which a test proves that a reading command sent no write."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

Transport = Literal["rest", "ssh", "mra", "certmgr", "platform"]

_PASSWORD = re.compile(r"(password\S*\s*:?\s*)(\"[^\"]*\"|\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """Request that reached a peer, whatever its outcome.

    Attributes:
        number: 1, 2, 3 … over all peers of the lab.
        peer: The peer's address; of a node's certificate management or platform shell, the node's connection address.
        method: The HTTP method, or ``login``, ``get``, ``set``, ``status``, ``command``, ``help`` of the shell.
        path: The URL's path, or the command as typed, passwords masked; of a client's request (``mra``) the target, decoded.
        write: Whether it would change something.
        authorised: Whether it had the right password.
        at: When, in seconds of this machine's monotonic clock, as in `Outage`.
        cut: Whether its sender was gone before all of it had arrived, so that nothing was done.
    """

    number: int
    peer: str
    transport: Transport
    method: str
    path: str
    write: bool
    authorised: bool
    at: float = 0.0
    cut: bool = False


@dataclass(slots=True)
class Outage:
    """A restart of one peer.

    Attributes:
        began: When it went away.
        answered: When REST and the shell answered again; None: not yet.
        ended: When its zones and tunnels had their time to come back, too.
        cut_calls: How many calls it cut.
    """

    peer: str
    began: float
    answered: float | None = None
    ended: float | None = None
    cut_calls: int = 0


class RequestLog:
    """A sequence of `Request`, also written to a file as JSON lines.

    Attributes:
        outages: The restarts, in order; `clear` keeps them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._next = 1
        self.outages: list[Outage] = []
        path.write_text("")

    def __iter__(self) -> Iterator[Request]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self._requests)

    def all(self) -> tuple[Request, ...]:
        """Return every request so far."""
        with self._lock:
            return tuple(self._requests)

    @property
    def writes(self) -> tuple[Request, ...]:
        """The requests that would change something, in order."""
        return tuple(request for request in self.all() if request.write)

    @property
    def most_away_at_once(self) -> int:
        """The largest number of peers that were away, or without zones and tunnels, at one moment."""
        outages = list(self.outages)
        return max(
            (
                sum(
                    concurrent.began <= outage.began and (concurrent.ended is None or outage.began < concurrent.ended)
                    for concurrent in outages
                )
                for outage in outages
            ),
            default=0,
        )

    def clear(self) -> None:
        """Remove all requests; numbers continue."""
        with self._lock:
            self._requests.clear()
            self.path.write_text("")

    def add(self, peer: str, transport: Transport, method: str, path: str, *, write: bool, authorised: bool = True) -> int:
        """Record one request and return its number."""
        with self._lock:
            masked = _PASSWORD.sub(r"\1***", path)
            request = Request(self._next, peer, transport, method, masked, write, authorised, time.monotonic())
            self._next += 1
            self._requests.append(request)
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(request)) + "\n")
        return request.number

    def mark_cut(self, number: int) -> None:
        """Record that request `number` never arrived as a whole; the file keeps it as it began."""
        with self._lock:
            self._requests = [replace(request, cut=True) if request.number == number else request for request in self._requests]
