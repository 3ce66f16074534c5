"""Log of the requests to the peers, with which a test proves that a reading command sent no write."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Transport = Literal["rest", "ssh", "mra"]

_PASSWORD = re.compile(r"(password\S*\s*:?\s*)(\"[^\"]*\"|\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """Request that reached a peer, whatever its outcome.

    Attributes:
        number: 1, 2, 3 … over all peers of the lab.
        peer: The peer's address.
        method: The HTTP method, or ``login``, ``get``, ``set``, ``status``, ``command``, ``help`` of the shell.
        path: The URL's path, or the command as typed, passwords masked; of a client's request (``mra``) the target, decoded.
        write: Whether it would change something.
        authorised: Whether it had the right password.
    """

    number: int
    peer: str
    transport: Transport
    method: str
    path: str
    write: bool
    authorised: bool


class RequestLog:
    """A sequence of `Request`, also written to a file as JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._next = 1
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

    def clear(self) -> None:
        """Remove all requests; numbers continue."""
        with self._lock:
            self._requests.clear()
            self.path.write_text("")

    def add(self, peer: str, transport: Transport, method: str, path: str, *, write: bool, authorised: bool = True) -> None:
        """Record one request."""
        with self._lock:
            masked = _PASSWORD.sub(r"\1***", path)
            request = Request(self._next, peer, transport, method, masked, write, authorised)
            self._next += 1
            self._requests.append(request)
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(request)) + "\n")
