"""Faults to order: what real boxes and networks do to us, on demand and once, twice or until cleared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from remediate.lab.raml import PageStyle, Removal
from remediate.lab.requestlog import Transport
from remediate.model.certificate import Certificate


class Fault(StrEnum):
    """What happens to a request."""

    DROP_ANSWER = "the write is done, the answer never comes"
    DROP_REQUEST = "the connection breaks before anything is done"
    IGNORE_WRITE = "the box says yes and does nothing"
    SLOW = "the answer takes its time"
    HALF_CLOSE = "the write is done, the shell says that it ends, and stays open"
    ASK = "the shell asks a question instead of doing anything, and waits"


@dataclass(frozen=True, slots=True)
class Substitute:
    """What is answered in the place of a peer. `headers` must fit the body; its length is added."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


LOGIN_PAGE = Substitute(
    200,
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action='/login'></form></body></html>",
    (("Content-Type", "text/html"),),
)
"""What single sign-on, or a proxy, shows whatever is asked."""


@dataclass(frozen=True, slots=True)
class SelfDescription:
    """How a peer describes its REST interface. `removal`: None: as its scenario has it."""

    style: PageStyle = PageStyle.BLOCK
    removal: Removal | None = None


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
class _LockOut:
    """Automated protection of one peer: after so many refused logins, nobody is answered for a while."""

    refusals_left: int
    seconds: float
    until: float = 0.0


@dataclass(slots=True)
class _Intruder:
    peer: str
    change: Callable[[], None]
    reads_left: int


@dataclass(slots=True)
class Faults:
    """The faults of one lab. A peer is named by its address; `containing` narrows a fault to paths or commands with that text.

    Attributes:
        replication_lag_s: how long the primary's configuration takes to the other peers.
        restart_s: how long a peer is away when it restarts.
    """

    set_running: Callable[[str, bool], None]
    restart_peer: Callable[[str], None]
    set_node_running: Callable[[str, bool], None]
    set_trusted: Callable[[str, Certificate | None, Certificate | None], None]
    intercept: Callable[[str, int], None]
    load_at_restart: Callable[[str, bool], None]
    replication_lag_s: float = 0.3
    restart_s: float = 0.5
    _armed: list[_Armed] = field(default_factory=list)
    _intruders: list[_Intruder] = field(default_factory=list)
    _waiting: set[str] = field(default_factory=set)
    _refusing: set[str] = field(default_factory=set)
    _lock_outs: dict[str, _LockOut] = field(default_factory=dict)
    _login_prompts: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    _shell_questions: dict[str, str] = field(default_factory=dict)
    _skews: dict[str, timedelta] = field(default_factory=dict)
    _descriptions: dict[str, SelfDescription] = field(default_factory=dict)
    _substitutes: dict[str, tuple[str, Substitute]] = field(default_factory=dict)
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

    def half_close(self, peer: str, *, times: int = 1, containing: str = "") -> None:
        """Do the next writes that come over the shell, then end its stream (EOF) without an answer and without closing it."""
        self._arm(_Armed(Fault.HALF_CLOSE, peer, times, containing, "ssh", writes_only=True))

    def substitute(self, peer: str, answer: Substitute, *, containing: str = "") -> None:
        """Let something else answer all REST requests of this peer, until `clear`; `containing`: only for paths with that text."""
        with self._lock:
            self._substitutes[peer] = (containing, answer)

    def describe(self, peer: str, *, style: PageStyle = PageStyle.BLOCK, removal: Removal | None = None) -> None:
        """Let a peer describe its REST interface, and take certificates out of its list, in this way."""
        with self._lock:
            self._descriptions[peer] = SelfDescription(style, removal)

    def lock_out(self, peer: str, *, after: int, seconds: float) -> None:
        """Once this peer has refused `after` more logins, leave everybody without an answer for `seconds`, as fail2ban does.

        On loopback nothing can be dropped before it connects, so connections are taken and then met with silence.
        """
        with self._lock:
            self._lock_outs[peer] = _LockOut(after, seconds)

    def clock(self, peer: str, ahead: timedelta) -> None:
        """Let the clock of a peer be ahead (behind: negative)."""
        self._skews[peer] = ahead

    def man_in_the_middle(self, address: str, port: int) -> None:
        """Put somebody in front of the ports of one service of a node, who shows self-signed certificates with the node's names.

        `port` is any of the service's; `Lab.node(address).presented` then says what is shown.
        """
        self.intercept(address, port)

    def ask_at_login(self, peer: str, *requests: tuple[str, ...]) -> None:
        """Let the SSH login of this peer be keyboard-interactive and ask what `requests` say, each a tuple of prompts, until `clear`.

        The answer to the first prompt must be the password; nothing that is answered to the others is right.
        """
        with self._lock:
            self._login_prompts[peer] = requests

    def ask_in_shell(
        self, peer: str, question: str, *, times: int = 1, containing: str = "", writes_only: bool = False
    ) -> None:
        """Print `question` instead of carrying the next commands out, and wait for an answer, for which nothing is done either."""
        with self._lock:
            self._shell_questions[peer] = question
        self._arm(_Armed(Fault.ASK, peer, times, containing, "ssh", writes_only))

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

    def trust_waits_for_restart(self, peer: str) -> None:
        """Let the traffic server of a peer judge by the list that it has now until the peer restarts, as 8.x and 9.x do.

        Without this, a change is in effect at once.
        """
        self._waiting.add(peer)
        self.load_at_restart(peer, True)  # noqa: FBT003  positional in the callable's type

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
        """Disarm everything that is still armed; peers and nodes that are down stay down, and who is in the middle stays there."""
        with self._lock:
            self._armed.clear()
            self._intruders.clear()
            self._refusing.clear()
            self._lock_outs.clear()
            self._skews.clear()
            self._login_prompts.clear()
            self._descriptions.clear()
            self._substitutes.clear()
        for peer in self._waiting:
            self.load_at_restart(peer, False)  # noqa: FBT003  positional in the callable's type
        self._waiting.clear()

    def login_prompts(self, peer: str) -> tuple[tuple[str, ...], ...]:
        """Return what the login of this peer asks by keyboard-interactive; nothing where it takes a password as such."""
        with self._lock:
            return self._login_prompts.get(peer, ())

    def shell_question(self, peer: str) -> str:
        """Return what the shell of this peer asks where `Fault.ASK` hits it."""
        with self._lock:
            return self._shell_questions[peer]

    def substitute_for(self, peer: str, path: str) -> Substitute | None:
        """Return what answers in the place of this peer; None where it answers itself."""
        with self._lock:
            containing, answer = self._substitutes.get(peer, ("", None))
            return answer if answer and containing in path else None

    def description_of(self, peer: str) -> SelfDescription:
        """Return how this peer describes its REST interface."""
        with self._lock:
            return self._descriptions.get(peer, SelfDescription())

    def refuses_login(self, peer: str) -> bool:
        """Whether this peer refuses every login now."""
        with self._lock:
            return peer in self._refusing

    def login_was_refused(self, peer: str) -> None:
        """Called after each refused login."""
        with self._lock:
            if lock_out := self._lock_outs.get(peer):
                lock_out.refusals_left -= 1
                if lock_out.refusals_left == 0:
                    lock_out.until = time.monotonic() + lock_out.seconds

    def silence_s(self, peer: str) -> float:
        """Return for how many seconds this peer answers nobody; 0 when it does answer."""
        with self._lock:
            lock_out = self._lock_outs.get(peer)
            return max(0.0, lock_out.until - time.monotonic()) if lock_out else 0.0

    def time_at(self, peer: str) -> datetime:
        """Return the moment by the clock of this peer, aware."""
        return datetime.now(UTC) + self._skews.get(peer, timedelta(0))

    def take(self, peer: str, transport: Transport, text: str, *, write: bool) -> tuple[frozenset[Fault], float]:
        """Return the faults that hit this request, used up by it, and the seconds to delay its answer."""
        with self._lock:
            hits = [one for one in self._armed if _hits(one, peer, transport, text, write=write)]
            for hit in hits:
                hit.times -= 1
            self._armed = [one for one in self._armed if one.times > 0]
            return frozenset(hit.fault for hit in hits), sum(hit.seconds for hit in hits)

    def trusted_list_was_read(self, peer: str) -> None:
        """Called after each answer with the trusted CA list: now somebody else may come."""
        with self._lock:
            due = [intruder for intruder in self._intruders if intruder.peer == peer]
            for one in due:
                one.reads_left -= 1
            self._intruders = [intruder for intruder in self._intruders if intruder.reads_left > 0]
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
