"""Read-back of a change: a change is written once, and what is read afterwards decides, never what the peer answered.

A change that the peer did not refuse, and does not show, is looked for again for a while: some peers show a write seconds later. After
a lost answer at most one second attempt follows, and only when the peer can be read, does not show the change, and refused nothing. (A
first request that is still on its way for longer than that would then be done twice; appending a certificate that is there already
changes nothing that is known.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from remediate.executor.operations.change import Change, ChangeStatus, Observed
from remediate.executor.ports import PeerPort, SystemPort
from remediate.model.alarms import REPLICATION_ALARMS
from remediate.model.errors import AccessError, ObservationError, OutcomeUnknown, RemediateError, WriteRefused
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address, CipherList
from remediate.model.limits import Limits
from remediate.model.run import StepState
from remediate.trust.ciphers import means_the_same

_SHORTEST_PAUSE_S = 0.001


class ChangeFailed(RemediateError):
    """A write that the peer refused, or that changed something else, or that other peers did not take over."""

    exit_code = ExitCode.PERSON_NEEDED
    default_next_step = "Fix what the answer reports and run `remediate apply` again: it continues where it stopped."


@dataclass(frozen=True, slots=True)
class WriteAttempt:
    """One change that was written and read back.

    Attributes:
        after: What was read back.
        problem: What the peer, or the connection to it, answered instead of yes.
    """

    after: Observed
    problem: RemediateError | None

    @property
    def is_lost(self) -> bool:
        """Whether the answer never came."""
        return isinstance(self.problem, OutcomeUnknown | ObservationError)

    @property
    def is_refused(self) -> bool:
        """Whether the peer refused the write."""
        return isinstance(self.problem, WriteRefused | AccessError)

    @property
    def is_unknown(self) -> bool:
        """Whether the peer neither refused the change nor shows it: it may show it later."""
        return self.after.status is ChangeStatus.TO_DO and not self.is_refused


def write_and_read_back(
    peer: SystemPort, change: Change, on_read_back: Callable[[], None], *, limits: Limits, pause: Callable[[float], None]
) -> WriteAttempt:
    """Write one change to a peer and read it back (steps 6 and 7).

    `on_read_back` is called between the write and the read, so that the run can enter step 7.

    Raises:
        OutcomeUnknown: The answer was lost and the peer cannot be read either, or what was done cannot be read.
        NotOffered: The peer has no such operation; nothing was sent.
    """
    problem = _write(peer, change)
    on_read_back()
    attempt = WriteAttempt(_read_until_shown(peer, change, problem, limits, pause), problem)
    if attempt.is_lost and attempt.after.status is ChangeStatus.TO_DO and change.is_verifiable:
        problem = _write(peer, change)
        attempt = WriteAttempt(_read_until_shown(peer, change, problem, limits, pause), problem)
    return attempt


def _write(peer: SystemPort, change: Change) -> RemediateError | None:
    try:
        change.write(peer)
    except (WriteRefused, OutcomeUnknown, ObservationError, AccessError) as problem:
        return problem
    return None


def _read_until_shown(
    peer: SystemPort, change: Change, problem: RemediateError | None, limits: Limits, pause: Callable[[float], None]
) -> Observed:
    """Read back; where the peer did not refuse, and does not show the change, look again for a while."""
    refused = isinstance(problem, WriteRefused | AccessError)
    schedule = (limits.read_attempts, limits.read_pause_s) if refused else schedule_of_late_looks(limits)
    return _read_repeatedly(peer, change, schedule, limits, pause)


def look_for_late_write(
    peer: SystemPort, change: Change, state: StepState, *, limits: Limits, pause: Callable[[float], None]
) -> Observed:
    """Read whether `change` was made in the end; one that may still show is looked for again.

    `state` is how the journal left the step of the change.

    Raises:
        OutcomeUnknown: The peer cannot be read.
    """
    schedules = {"unknown": schedule_of_late_looks(limits), "intended": (limits.read_attempts, limits.read_pause_s)}
    return _read_repeatedly(peer, change, schedules.get(state, (0, 0.0)), limits, pause)


def _read_repeatedly(
    peer: SystemPort, change: Change, schedule: tuple[int, float], limits: Limits, pause: Callable[[float], None]
) -> Observed:
    """Read back, and read again until the change shows: so many times, so many seconds apart."""
    looks, pause_s = schedule
    after: Observed | None = None
    failures: list[ObservationError] = []
    for look in range(looks + 1):
        if look:
            pause(pause_s)
        try:
            after = change.read_back(peer)
        except ObservationError as error:
            failures.append(error)
            if len(failures) > limits.read_attempts or not change.is_verifiable:
                raise _not_read_back(change, error) from error
            continue
        except AccessError as error:
            raise _not_read_back(change, error) from error
        if after.status is not ChangeStatus.TO_DO or not change.is_verifiable:
            return after
    if after is None:
        raise _not_read_back(change, failures[-1]) from failures[-1]
    return after


def schedule_of_late_looks(limits: Limits) -> tuple[int, float]:
    """Return how often a peer is read again that may show something late, and the seconds before each look."""
    return max(limits.read_attempts, int(limits.write_seen_s / limits.write_seen_poll_s)), limits.write_seen_poll_s


def _not_read_back(change: Change, error: RemediateError) -> OutcomeUnknown:
    return OutcomeUnknown(f"Sent, but not known whether it was done: {change.summary}. Reading it back failed: {error}")


def wait_for_replication(
    peers: Sequence[PeerPort],
    name: str,
    value: CipherList,
    *,
    limits: Limits,
    pause: Callable[[float], None],
    check: Callable[[], None],
    on_seen: Callable[[PeerPort], None] = lambda _peer: None,
    primary: PeerPort | None = None,
) -> None:
    """Wait until every peer shows the cipher list that was set on the primary: soon at first, then each time twice as long.

    Args:
        peers: The peers of the cluster.
        name: The cipher list.
        value: Its new value.
        limits: On the first pause, the longest one, and all of them together.
        pause: Waits so many seconds.
        check: Called between looks; may raise to stop.
        on_seen: Called with each peer when it first shows the list.
        primary: The peer to which the list was written, and which showed it when it was read back just now: it is not asked again,
            and the others not before the first pause.

    Raises:
        ChangeFailed: A peer did not take it over within the limit.
    """
    if primary is not None:
        on_seen(primary)
    behind = [peer for peer in peers if peer is not primary]
    for pause_s in _list_pauses(limits) if primary is not None else (0.0, *_list_pauses(limits)):
        if not behind:
            return
        check()
        if pause_s:
            pause(pause_s)
        for peer in tuple(behind):
            if _has_cipher_list(peer, name, value):
                on_seen(peer)
                behind.remove(peer)
    if not behind:
        return
    names = ", ".join(peer.address for peer in behind)
    raise ChangeFailed(
        f"{name} did not replicate from the primary to {names} within {limits.replication_s:.0f} s. "
        f"{_describe_replication(peers)}"
    )


def _list_pauses(limits: Limits) -> tuple[float, ...]:
    """Return the pauses before each look for replication, in seconds: each twice the one before, up to the longest."""
    pauses: list[float] = []
    pause_s = limits.replication_first_poll_s
    while (remaining_s := limits.replication_s - sum(pauses)) > _SHORTEST_PAUSE_S:
        pauses.append(min(pause_s, limits.replication_poll_s, remaining_s))
        pause_s *= 2
    return tuple(pauses)


def _describe_replication(peers: Sequence[PeerPort]) -> str:
    """Return what the peers of a cluster report of replication: one sentence or more."""
    raised: list[str] = []
    unread: list[Address] = []
    for peer in peers:
        try:
            alarms = peer.health().alarms
        except ObservationError:
            alarms = None
        if alarms is None:
            unread.append(peer.address)
            continue
        raised += [
            f"{peer.address}: alarm {alarm.id}, {REPLICATION_ALARMS[alarm.id]}"
            for alarm in alarms
            if alarm.id in REPLICATION_ALARMS
        ]
    sentences = [f"{'; '.join(raised)}."] if raised else []
    if unread:
        sentences.append(f"The alarms of {', '.join(unread)} could not be read.")
    return " ".join(sentences) or "No peer has a replication alarm."


def _has_cipher_list(peer: PeerPort, name: str, value: CipherList) -> bool:
    try:
        return means_the_same(peer.ciphers().get(name, CipherList("")), value)
    except ObservationError:
        return False
