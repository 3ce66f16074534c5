"""Faults to order: what real boxes and networks do to us, on demand and once, twice or until cleared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from remediate.lab.requestlog import Transport
from remediate.model.certificate import Certificate


class Fault(StrEnum):
    """What happens to a request."""

    DROP_ANSWER = "the write is done, the answer never comes"
    DROP_REQUEST = "the connection breaks before anything is done"
    IGNORE_WRITE = "the box says yes and does nothing"
    SLOW = "the answer takes its time"


@dataclass(slots=True)
class _Armed:
    fault: Fault
    peer: str
    times: int
    containing: str
    transport: Transport | None
    writes_only: bool
    seconds: float = 0.0


@dataclass(slots=True)
class _Intruder:
    peer: str
    change: Callable[[], None]
    reads_left: int


@dataclass(slots=True)
class Faults:
    """The faults of one lab. A peer is named by its address; `containing` narrows a fault to paths or commands with that text."""

    set_running: Callable[[str, bool], None]
    restart_peer: Callable[[str], None]
    set_node_running: Callable[[str, bool], None]
    set_trusted: Callable[[str, Certificate | None, Certificate | None], None]
    replication_lag_s: float = 0.3
    _armed: list[_Armed] = field(default_factory=list)
    _intruders: list[_Intruder] = field(default_factory=list)
    _refusing: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def drop_answer(self, peer: str, *, times: int = 1, containing: str = "", transport: Transport | None = None) -> None:
        """Do the next writes, but break the connection instead of answering."""
        self._arm(_Armed(Fault.DROP_ANSWER, peer, times, containing, transport, writes_only=True))

    def drop_request(
        self,
        peer: str,
        *,
        times: int = 1,
        containing: str = "",
        transport: Transport | None = None,
        writes_only: bool = True,
    ) -> None:
        """Break the connection before the next requests are carried out."""
        self._arm(_Armed(Fault.DROP_REQUEST, peer, times, containing, transport, writes_only))

    def ignore_write(self, peer: str, *, times: int = 1, containing: str = "", transport: Transport | None = None) -> None:
        """Answer the next writes with success and change nothing."""
        self._arm(_Armed(Fault.IGNORE_WRITE, peer, times, containing, transport, writes_only=True))

    def slow(
        self,
        peer: str,
        seconds: float,
        *,
        times: int = 1,
        containing: str = "",
        transport: Transport | None = None,
        writes_only: bool = False,
    ) -> None:
        """Carry the next requests out at once, but answer only after `seconds`."""
        self._arm(_Armed(Fault.SLOW, peer, times, containing, transport, writes_only, seconds))

    def refuse_login(self, peer: str, *, on: bool = True) -> None:
        """Refuse every login of this peer, whatever the password, until switched off."""
        with self._lock:
            (self._refusing.add if on else self._refusing.discard)(peer)

    def down(self, peer: str) -> None:
        """Take a peer off the network: connections are refused until `up`."""
        self.set_running(peer, False)  # noqa: FBT003  positional in the callable's type

    def up(self, peer: str) -> None:
        """Bring a peer back."""
        self.set_running(peer, True)  # noqa: FBT003  positional in the callable's type

    def restart(self, peer: str) -> None:
        """Let a peer restart by itself: it is away for a moment."""
        self.restart_peer(peer)

    def node_down(self, address: str) -> None:
        """Stop a UC node: its ports refuse until `node_up`."""
        self.set_node_running(address, False)  # noqa: FBT003  positional in the callable's type

    def node_up(self, address: str) -> None:
        """Start a UC node again."""
        self.set_node_running(address, True)  # noqa: FBT003  positional in the callable's type

    def someone_else(
        self, peer: str, *, adds: Certificate | None = None, removes: Certificate | None = None, after_reads: int = 1
    ) -> None:
        """Let somebody else change the trusted CA list right after it was read `after_reads` more times."""
        with self._lock:
            self._intruders.append(_Intruder(peer, lambda: self.set_trusted(peer, adds, removes), after_reads))

    def clear(self) -> None:
        """Disarm everything that is still armed; peers and nodes that are down stay down."""
        with self._lock:
            self._armed.clear()
            self._intruders.clear()
            self._refusing.clear()

    def refuses_login(self, peer: str) -> bool:
        """Whether this peer refuses every login now."""
        with self._lock:
            return peer in self._refusing

    def take(self, peer: str, transport: Transport, text: str, *, write: bool) -> tuple[frozenset[Fault], float]:
        """Return the faults that hit this request, used up by it, and the seconds to delay its answer."""
        with self._lock:
            hits = [one for one in self._armed if _hits(one, peer, transport, text, write=write)]
            for one in hits:
                one.times -= 1
            self._armed = [one for one in self._armed if one.times > 0]
            return frozenset(one.fault for one in hits), sum(one.seconds for one in hits)

    def trusted_list_was_read(self, peer: str) -> None:
        """Called after each answer with the trusted CA list: now somebody else may come."""
        with self._lock:
            due = [one for one in self._intruders if one.peer == peer]
            for one in due:
                one.reads_left -= 1
            self._intruders = [one for one in self._intruders if one.reads_left > 0]
        for one in due:
            if one.reads_left <= 0:
                one.change()

    def _arm(self, armed: _Armed) -> None:
        with self._lock:
            self._armed.append(armed)


def _hits(armed: _Armed, peer: str, transport: Transport, text: str, *, write: bool) -> bool:
    return (
        armed.peer == peer
        and armed.transport in (None, transport)
        and (write or not armed.writes_only)
        and armed.containing.casefold() in text.casefold()
    )
