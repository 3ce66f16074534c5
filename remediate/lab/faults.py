"""Faults on demand: what real peers and networks do, a number of times or until cleared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from remediate.lab.requestlog import Transport
from remediate.lab.scenario import PageStyle, Removal
from remediate.model.certificate import Certificate


class Fault(StrEnum):
    """Kind of fault that hits a request."""

    DROP_ANSWER = "the write is done, the answer never comes"
    DROP_REQUEST = "the connection breaks before anything is done"
    IGNORE_WRITE = "the write is answered with success and not done"
    SLOW = "the answer takes its time"
    HALF_CLOSE = "the write is done, the shell says that it ends, and stays open"
    ASK = "the shell asks a question instead of doing anything, and waits"


class LoggingFault(StrEnum):
    """What goes wrong with the diagnostic logging of every peer."""

    NOT_OFFERED = "this version does not have it over REST"
    NEVER_READY = "collecting never ends"
    CUT = "the download breaks off"
    STOP_LOST = "a stop is answered with success and not done"


@dataclass(frozen=True, slots=True)
class Substitute:
    """Answer in the place of a peer. The content length is added to `headers`."""

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
    """How a peer describes its REST interface.

    Attributes:
        style: How the page is written; None is as in the scenario.
        removal: The form of removal that it offers; None is that of the scenario.
    """

    style: PageStyle | None = None
    removal: Removal | None = None


@dataclass(slots=True)
class _ArmedFault:
    fault: Fault
    peer: str
    times: int
    containing: str
    transport: Transport | None
    writes_only: bool
    seconds: float = 0.0


@dataclass(slots=True)
class _LockOut:
    """Automated protection of one peer: after some refused logins, no client is answered for a while."""

    refusals_left: int
    seconds: float
    until: float = 0.0


@dataclass(slots=True)
class _PendingChange:
    peer: str
    change: Callable[[], None]
    reads_left: int


@dataclass(slots=True)
class _Gathering:
    """Requests with `containing` that wait for each other: one of each of these peers."""

    containing: str
    peers: frozenset[str]
    missing: set[str]


@dataclass(slots=True)
class Faults:
    """Faults of one lab. Peers are given by address; `containing` limits a fault to paths or commands with that text.

    Attributes:
        logging: What goes wrong with diagnostic logging.
        two_minutes_s: How long two minutes of replication are here. A peer that is behind for longer raises its alarm.
        restart_s: How long a peer is away when it restarts: three minutes of a real one. Uptime is in whole seconds: a shorter restart
            may not show in it.
        connect_s: How much longer its zones and tunnels take.
    """

    set_running: Callable[[str, bool], None]
    restart_peer: Callable[[str], None]
    set_node_running: Callable[[str, bool], None]
    set_trusted: Callable[[str, Certificate | None, Certificate | None], None]
    intercept: Callable[[str, int], None]
    load_at_restart: Callable[[str, bool], None]
    set_leaf_everywhere: Callable[[str, str], None]
    logging: LoggingFault | None = None
    two_minutes_s: float = 0.3
    restart_s: float = 1.0
    connect_s: float = 0.3
    _armed: list[_ArmedFault] = field(default_factory=list)
    _pending_changes: list[_PendingChange] = field(default_factory=list)
    _replication_s: dict[str, float] = field(default_factory=dict)
    _loading: dict[str, bool] = field(default_factory=dict)
    _refusing: set[str] = field(default_factory=set)
    _lock_outs: dict[str, _LockOut] = field(default_factory=dict)
    _login_prompts: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    _shell_questions: dict[str, str] = field(default_factory=dict)
    _skews: dict[str, timedelta] = field(default_factory=dict)
    _descriptions: dict[str, SelfDescription] = field(default_factory=dict)
    _substitutes: dict[str, tuple[str, Substitute]] = field(default_factory=dict)
    _refused_certificates: set[tuple[str, str]] = field(default_factory=set)
    _gatherings: list[_Gathering] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def drop_answer(self, peer: str, *, times: int = 1, containing: str = "", transport: Transport | None = None) -> None:
        """Do the next writes, but break the connection instead of answering."""
        self._arm(_ArmedFault(Fault.DROP_ANSWER, peer, times, containing, transport, writes_only=True))

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
        self._arm(_ArmedFault(Fault.DROP_REQUEST, peer, times, containing, transport, writes_only))

    def ignore_write(self, peer: str, *, times: int = 1, containing: str = "", transport: Transport | None = None) -> None:
        """Answer the next writes with success and change nothing."""
        self._arm(_ArmedFault(Fault.IGNORE_WRITE, peer, times, containing, transport, writes_only=True))

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
        self._arm(_ArmedFault(Fault.SLOW, peer, times, containing, transport, writes_only, seconds))

    def gather(self, *peers: str, containing: str) -> None:
        """Answer such requests of these peers only once each of them has got one, so that a client must ask them at once."""
        with self._lock:
            self._gatherings.append(_Gathering(containing, frozenset(peers), set(peers)))

    def half_close(self, peer: str, *, times: int = 1, containing: str = "") -> None:
        """Do the next writes that come over the shell, then end its stream (EOF) without an answer and without closing it."""
        self._arm(_ArmedFault(Fault.HALF_CLOSE, peer, times, containing, "ssh", writes_only=True))

    def substitute(self, peer: str, answer: Substitute, *, containing: str = "") -> None:
        """Answer REST requests in the place of this peer, until `clear`."""
        with self._lock:
            self._substitutes[peer] = (containing, answer)

    def describe(self, peer: str, *, style: PageStyle | None = None, removal: Removal | None = None) -> None:
        """Let a peer describe its REST interface, and remove certificates from its list, in this way."""
        with self._lock:
            self._descriptions[peer] = SelfDescription(style, removal)

    def replicate_late(self, peer: str, seconds: float) -> None:
        """Let the primary's configuration take so many real seconds to this peer, until `clear`."""
        with self._lock:
            self._replication_s[peer] = seconds

    def lock_out(self, peer: str, *, after: int, seconds: float) -> None:
        """Answer no client of this peer for `seconds` after `after` more refused logins, as fail2ban does.

        On loopback nothing can be dropped before it connects, so connections are accepted and not answered.
        """
        with self._lock:
            self._lock_outs[peer] = _LockOut(after, seconds)

    def clock(self, peer: str, ahead: timedelta) -> None:
        """Set a peer's clock ahead of this machine's; a negative time sets it behind."""
        self._skews[peer] = ahead

    def man_in_the_middle(self, address: str, port: int) -> None:
        """Put a man in the middle before one service of a node: self-signed certificates with the node's names.

        `port` is any of the service's; `Lab.node(address).presented` then has what is presented.
        """
        self.intercept(address, port)

    def ask_at_login(self, peer: str, *requests: tuple[str, ...]) -> None:
        """Make the SSH login of this peer keyboard-interactive, with these requests, each a tuple of prompts, until `clear`.

        The answer to the first prompt must be the password; every answer to the others is wrong.
        """
        with self._lock:
            self._login_prompts[peer] = requests

    def ask_in_shell(
        self, peer: str, question: str, *, times: int = 1, containing: str = "", writes_only: bool = False
    ) -> None:
        """Print `question` instead of carrying the next commands out, and wait for an answer, which has no effect."""
        with self._lock:
            self._shell_questions[peer] = question
        self._arm(_ArmedFault(Fault.ASK, peer, times, containing, "ssh", writes_only))

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
        """Restart a peer without a request: it is away for a moment."""
        self.restart_peer(peer)

    def reload_by_itself(self, peer: str) -> None:
        """Make the traffic server of a peer use each change of its list at once, until `clear`."""
        self._loading[peer] = False
        self.load_at_restart(peer, False)  # noqa: FBT003  positional in the callable's type

    def trust_waits_for_restart(self, peer: str) -> None:
        """Make one peer of a lab whose lists reload by themselves use its present list until it restarts, until `clear`."""
        self._loading[peer] = True
        self.load_at_restart(peer, True)  # noqa: FBT003  positional in the callable's type

    def refuse_certificate(self, peer: str, node: str) -> None:
        """Let a node refuse the certificate that this peer shows it, until `clear`: clients get 502, whatever the peer trusts."""
        with self._lock:
            self._refused_certificates.add((peer, node))

    def lose_own_address(self, number: int) -> None:
        """Put another address in the place of peer `number` (from 1) into the cluster's list of peers."""
        self.set_leaf_everywhere(f"Alternates Peer {number} Address", "192.0.2.99")

    def node_down(self, address: str) -> None:
        """Stop a UC node: its ports refuse until `node_up`."""
        self.set_node_running(address, False)  # noqa: FBT003  positional in the callable's type

    def node_up(self, address: str) -> None:
        """Start a UC node again."""
        self.set_node_running(address, True)  # noqa: FBT003  positional in the callable's type

    def change_trusted_list(
        self, peer: str, *, adds: Certificate | None = None, removes: Certificate | None = None, after_reads: int = 1
    ) -> None:
        """Change the trusted CA list, as another administrator would, right after it was read `after_reads` more times."""
        with self._lock:
            self._pending_changes.append(_PendingChange(peer, lambda: self.set_trusted(peer, adds, removes), after_reads))

    def clear(self) -> None:
        """Disarm every fault; peers and nodes that are down stay down, and a man in the middle stays."""
        with self._lock:
            self._armed.clear()
            self._pending_changes.clear()
            self._refusing.clear()
            self._lock_outs.clear()
            self._skews.clear()
            self._login_prompts.clear()
            self._descriptions.clear()
            self._substitutes.clear()
            self._refused_certificates.clear()
            self._gatherings.clear()
            self._replication_s.clear()
        self.logging = None
        for peer, waits in self._loading.items():
            self.load_at_restart(peer, not waits)
        self._loading.clear()

    def login_prompts(self, peer: str) -> tuple[tuple[str, ...], ...]:
        """Return the prompts of this peer's keyboard-interactive login; empty if it takes a plain password."""
        with self._lock:
            return self._login_prompts.get(peer, ())

    def shell_question(self, peer: str) -> str:
        """Return the question of this peer's shell for `Fault.ASK`."""
        with self._lock:
            return self._shell_questions[peer]

    def substitute_for(self, peer: str, path: str) -> Substitute | None:
        """Return the answer in the place of this peer; None if it answers itself."""
        with self._lock:
            containing, answer = self._substitutes.get(peer, ("", None))
            return answer if answer and containing in path else None

    def refuses_certificate(self, peer: str, node: str) -> bool:
        """Return whether a node refuses the certificate of this peer."""
        with self._lock:
            return (peer, node) in self._refused_certificates

    def replication_s(self, peer: str, lab_seconds: float) -> float:
        """Return the real seconds until a peer has the primary's configuration, which takes `lab_seconds` where nothing is wrong."""
        with self._lock:
            return self._replication_s.get(peer, self.two_minutes_s * lab_seconds / 120.0)

    def description_of(self, peer: str) -> SelfDescription:
        """Return how this peer describes its REST interface."""
        with self._lock:
            return self._descriptions.get(peer, SelfDescription())

    def refuses_login(self, peer: str) -> bool:
        """Return whether this peer refuses every login now."""
        with self._lock:
            return peer in self._refusing

    def count_refused_login(self, peer: str) -> None:
        """Count a refused login; to be called after each."""
        with self._lock:
            if lock_out := self._lock_outs.get(peer):
                lock_out.refusals_left -= 1
                if lock_out.refusals_left == 0:
                    lock_out.until = time.monotonic() + lock_out.seconds

    def silence_s(self, peer: str) -> float:
        """Return for how many more seconds this peer answers no client; 0 if it answers."""
        with self._lock:
            lock_out = self._lock_outs.get(peer)
            return max(0.0, lock_out.until - time.monotonic()) if lock_out else 0.0

    def time_at(self, peer: str) -> datetime:
        """Return the time of this peer's clock, aware."""
        return datetime.now(UTC) + self._skews.get(peer, timedelta(0))

    def take(self, peer: str, transport: Transport, text: str, *, write: bool) -> tuple[frozenset[Fault], float]:
        """Use up and return the faults that hit this request, and the seconds to delay its answer."""
        with self._lock:
            hits = [armed for armed in self._armed if _hits(armed, peer, transport, text, write=write)]
            for hit in hits:
                hit.times -= 1
            self._armed = [armed for armed in self._armed if armed.times > 0]
            return frozenset(hit.fault for hit in hits), sum(hit.seconds for hit in hits)

    def is_held(self, peer: str, text: str) -> bool:
        """Return whether a request of this peer waits for one of another peer (`gather`)."""
        with self._lock:
            gatherings = [
                gathering for gathering in self._gatherings if gathering.containing in text and peer in gathering.peers
            ]
            for gathering in gatherings:
                gathering.missing.discard(peer)
            return any(gathering.missing for gathering in gatherings)

    def count_trusted_list_read(self, peer: str) -> None:
        """Make the changes of other administrators that are due; to be called after each read of the trusted CA list."""
        with self._lock:
            due = [pending for pending in self._pending_changes if pending.peer == peer]
            for pending in due:
                pending.reads_left -= 1
            self._pending_changes = [pending for pending in self._pending_changes if pending.reads_left > 0]
        for pending in due:
            if pending.reads_left <= 0:
                pending.change()

    def _arm(self, armed: _ArmedFault) -> None:
        with self._lock:
            self._armed.append(armed)


def _hits(armed: _ArmedFault, peer: str, transport: Transport, text: str, *, write: bool) -> bool:
    return (
        armed.peer == peer
        and armed.transport in (None, transport)
        and (write or not armed.writes_only)
        and armed.containing.casefold() in text.casefold()
    )
