"""Workaround: verification off on every peer, as Expressway behaved before X14.2.

While it is on, the traffic server trusts anyone who can answer in the place of a Unified CM node. Nothing here claims more than was
read back. It is ended only where a fresh look shows that no client loses an endpoint by that, or by force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.executor.boundary import add_boundary
from remediate.executor.environment import Environment
from remediate.executor.identity import Operator
from remediate.executor.journal import switches
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.journal.switches import SwitchRecord, load_last_switches
from remediate.executor.opening import open_to_write
from remediate.executor.operations import SetVerification
from remediate.executor.operations.change import ChangeStatus
from remediate.executor.ports import PeerPort
from remediate.executor.read_back import write_and_read_back
from remediate.executor.steps import RunEvents
from remediate.model.access import ClusterAccess
from remediate.model.errors import Declined, NotOffered, ObservationError, OutcomeUnknown
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.text import escape_ascii, quote

if TYPE_CHECKING:
    from remediate.model.verdict import Verdicts

RISK = "While verification is off, anyone who can impersonate a Unified CM node is trusted by the traffic server."


class ClientsWouldBreak(Declined):
    """With verification on, endpoints would be refused that clients reach now."""

    default_next_step = (
        "Nothing was changed. Fix these first (`remediate plan` says how, and which of them no plan fixes), or use --force to turn "
        "verification on anyway; these endpoints will stop working."
    )


class NotVerified(ObservationError):
    """Whether clients would lose an endpoint is not known: the endpoint, or a peer, could not be observed."""

    default_next_step = (
        "Nothing was changed. Make these reachable from here, or use --force to turn verification on without this check."
    )


@dataclass(frozen=True, slots=True)
class PeerVerification:
    """Verification of certificates on one peer.

    Attributes:
        verification: On or off, as read; None: not known.
        problem: Why it is not known, or not as requested; None: there is no problem.
        exit_code: 0, or the contract's code for `problem`.
        has_written: This call wrote it.
        last: The last switch that this state directory knows of.
    """

    peer: Address
    verification: bool | None
    problem: str | None = None
    exit_code: int = ExitCode.DONE
    has_written: bool = False
    last: SwitchRecord | None = None


class SwitchRecorder:
    """Recorder of each switch in the journal, before and after, as long as the journal can be written.

    The workaround is the last resort: a full disk must not prevent it. Where the journal cannot be written, a warning is emitted, and
    the switch is turned all the same.
    """

    def __init__(
        self,
        cluster: str,
        peers: Sequence[Address],
        state_dir: Path,
        operator: Operator,
        environment: Environment,
        events: RunEvents,
        stack: ExitStack,
    ) -> None:
        """Open the journal in `state_dir` until `stack` ends."""
        self._cluster = cluster
        self._peers = peers
        self._operator = operator
        self._run: str | None = None
        self._now = environment.now
        self._events = events
        self._journal: Journal | None = None
        with self._warn_of_errors():
            self._journal = stack.enter_context(environment.journal(state_dir))

    def record_request(self, peer: Address, *, verification: bool) -> int | None:
        """Record what `peer` is about to be asked; return the number of the record; None: it could not be written.

        With the first request, a run begins.
        """
        number = None
        if self._journal is not None:
            with self._warn_of_errors():
                if self._run is None:
                    self._journal.close_dead_runs(self._cluster)
                    self._run = self._journal.begin_without_plan(
                        "workaround", self._cluster, self._peers, operator=self._operator
                    )
                number = switches.record_request(
                    self._journal, self._cluster, peer, self._operator, self._now(), verification=verification
                )
        return number

    def record_read_back(self, number: int | None, *, verification: bool) -> None:
        """Record what was read back after the request with this `number`."""
        if number is not None and self._journal is not None:
            with self._warn_of_errors():
                switches.record_read_back(self._journal, number, verification=verification)

    def close(self, results: Sequence[PeerVerification], *, on: bool) -> None:
        """Record how the peers were left, where any of them was asked."""
        if self._run is None or self._journal is None:
            return
        problems = [result.problem for result in results if result.problem]
        code = most_serious_code(results)
        message = " ".join([f"Workaround {'on' if on else 'off'}.", *problems])
        with self._warn_of_errors():
            self._journal.close_run(self._run, "partial" if code else "applied", message, code)

    @contextmanager
    def _warn_of_errors(self) -> Iterator[None]:
        try:
            yield
        except JournalError as error:
            self._journal = None
            self._events.emit("warning", f"{error} The switch is turned anyway, but there will be no record of who did it.")


def most_serious_code(peers: Iterable[PeerVerification]) -> ExitCode:
    """Return the exit code that counts for all peers."""
    return most_serious(peer.exit_code for peer in peers)


def read_verification(
    cluster: ClusterAccess,
    *,
    state_dir: Path | None = None,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> tuple[PeerVerification, ...]:
    """Read on each peer whether certificates are verified, and emit it.

    `state_dir`: the directory of the journal that may hold the last switches; None: they are not looked up.

    Returns:
        The peers; a peer that cannot be read has exit code 4, one that does not offer the switch has 0.
    """
    events = RunEvents(sink, cluster.name)
    with environment.open_peers(cluster, limits, writable=False) as opened:
        peers = [_read(peer) for peer in opened.peers]
        peers += [PeerVerification(peer, None, why, ExitCode.INCOMPLETE) for peer, why in opened.unreachable.items()]
    last = load_last_switches(state_dir).get(cluster.name, {}) if state_dir else {}
    peers = [replace(peer, last=last.get(peer.peer)) for peer in peers]
    _emit(peers, events)
    return tuple(peers)


def remind_of_workaround(peers: Sequence[PeerPort], events: RunEvents) -> None:
    """Emit on which of the open `peers` verification is off. A peer that cannot be read was reported before."""
    warn_of_workaround([peer.peer for peer in map(_read, peers) if peer.verification is False], events)


def warn_of_workaround(off: Sequence[Address], events: RunEvents) -> None:
    """Emit a reminder of the peers on which verification is `off`; nothing where there is none."""
    if off:
        events.emit(
            "reminder", f"The workaround is on ({', '.join(off)}): these peers accept any certificate, even a forged one."
        )


def set_workaround(
    cluster: ClusterAccess,
    *,
    on: bool,
    state_dir: Path,
    force: bool = False,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> tuple[PeerVerification, ...]:
    """Turn the workaround on (verification off) or off on every peer, the primary first, and read every peer back.

    The cluster's lock is held, as by an apply. A peer that could not be reached or read has exit code 8: the cluster is then not
    as requested, or not known to be.

    Args:
        cluster: The cluster, with its logins.
        on: True: turn the workaround on, that is, verification off.
        state_dir: The directory of the journal and of the lock.
        force: Turn it off also without looking whether clients would lose an endpoint by that.
        limits: Timeouts and repetitions of reads and writes.
        sink: Receives the events.
        environment: The peers, the clock and the journal.

    Raises:
        LockHeld: Another run is at work on this cluster; nothing was changed.
        LockError: The lock cannot be taken; nothing was changed.
        ClientsWouldBreak: Off, and a fresh look shows endpoints that do not verify; nothing was changed.
        NotVerified: Off, and an endpoint or a peer could not be observed; nothing was changed.
    """
    events = RunEvents(sink, cluster.name)
    environment = add_boundary(environment)
    if on:
        events.emit("warning", RISK)
    with ExitStack() as stack:
        opening = open_to_write(cluster, state_dir, environment, stack)
        if not on and not force:
            refuse_if_clients_break(cluster, limits, sink, environment)
        opened, open_peers = opening.open_peers(limits)
        # Whether the switch replicates is not documented: from the primary on, either answer ends well.
        ordered = sorted(open_peers, key=lambda peer: peer.address != opened.primary)
        addresses = [peer.address for peer in ordered]
        recorder = SwitchRecorder(cluster.name, addresses, state_dir, opening.operator, environment, events, stack)
        results = [
            _set_verification(peer, recorder, verification=not on, limits=limits, pause=environment.pause) for peer in ordered
        ]
        # Read again after every peer was written: a replication may have undone what an earlier read showed.
        peers = [_read_again(peer, result) for peer, result in zip(ordered, results, strict=True)]
        peers += [PeerVerification(peer, None, why, ExitCode.PERSON_NEEDED) for peer, why in opened.unreachable.items()]
        recorder.close(peers, on=on)
    _emit(peers, events)
    return tuple(peers)


def refuse_if_clients_break(cluster: ClusterAccess, limits: Limits, sink: Sink, environment: Environment) -> None:
    """Observe afresh, and judge what each endpoint would get from the peers that verify nothing now.

    Raises:
        ClientsWouldBreak: Some endpoints would be refused.
        NotVerified: For some of them that is not known.
    """
    snapshot = environment.observe(cluster, limits=limits, sink=sink)
    off = {peer.address for peer in snapshot.peers if peer.error is None and peer.verify_origin_server is False}
    verdicts = environment.judge(snapshot)
    refused = {pair: verdict for pair, verdict in verdicts.items() if pair.peer in off and not verdict.ok}
    unknown = {pair: verdict for pair, verdict in refused.items() if not verdict.observed}
    broken = {pair: verdict for pair, verdict in refused.items() if verdict.observed}
    if broken:
        lines = "\n".join(_describe_losses(broken | unknown))
        raise ClientsWouldBreak(f"With verification back on, clients of {cluster.name} would lose these endpoints:\n{lines}")
    # Also where no endpoint would break: whether the switch replicates, to a peer that was not judged too, is not documented.
    gaps = [f"  every endpoint: {escape_ascii(peer.error)} (from {peer.address})" for peer in snapshot.peers if peer.error]
    # An endpoint that discovery could not learn of was not judged.
    gaps += [f"  what discovery could not find: {escape_ascii(gap.message)}" for gap in snapshot.undiscovered if gap.incomplete]
    if unknown or gaps:
        lines = "\n".join([*gaps, *_describe_losses(unknown)])
        raise NotVerified(f"Whether clients of {cluster.name} would lose these endpoints is not known:\n{lines}")


def _describe_losses(refused: Verdicts) -> list[str]:
    """Return a line for each endpoint and reason, with the peers that would refuse it."""
    peers: dict[str, list[Address]] = {}
    for pair, verdict in refused.items():
        loss = f"{pair.endpoint}: {verdict.cause}, {quote(verdict.error or '')}"
        peers.setdefault(loss, []).append(pair.peer)
    return [f"  {loss} (from {', '.join(refusing)})" for loss, refusing in peers.items()]


def _set_verification(
    peer: PeerPort, recorder: SwitchRecorder, *, verification: bool, limits: Limits, pause: Callable[[float], None]
) -> PeerVerification:
    change = SetVerification(peer.address, on=verification)
    try:
        before = change.precondition(peer)
        if before.status is ChangeStatus.DONE:
            return PeerVerification(peer.address, verification)
        number = recorder.record_request(peer.address, verification=verification)
        attempt = write_and_read_back(peer, change, lambda: None, limits=limits, pause=pause)
    except NotOffered as error:
        return PeerVerification(peer.address, None, str(error), ExitCode.PERSON_NEEDED)
    except (ObservationError, OutcomeUnknown) as error:
        return PeerVerification(peer.address, None, f"{error} {change.manual_instruction}", ExitCode.PERSON_NEEDED)
    is_set = attempt.after.status is ChangeStatus.DONE
    recorder.record_read_back(number, verification=verification if is_set else not verification)
    if is_set:
        return PeerVerification(peer.address, verification, has_written=True)
    problem = f"{attempt.problem or 'It reported success, but does not show the change.'} {change.manual_instruction}"
    return PeerVerification(peer.address, not verification, problem, ExitCode.PERSON_NEEDED)


def _read_again(peer: PeerPort, result: PeerVerification) -> PeerVerification:
    """Return `result`, or what is read now where that differs."""
    now = _read(peer)
    if result.problem is not None or now.verification is result.verification:
        return result
    problem = now.problem or "It was set, but no longer is."
    return PeerVerification(peer.address, now.verification, problem, ExitCode.PERSON_NEEDED, result.has_written)


def _read(peer: PeerPort) -> PeerVerification:
    try:
        verification = peer.verify_origin_server()
    except ObservationError as error:
        return PeerVerification(peer.address, None, str(error), error.exit_code)
    if verification is None:
        return PeerVerification(peer.address, None, f"{peer.address} does not offer VerifyOriginServer in this version.")
    return PeerVerification(peer.address, verification)


def _emit(peers: Iterable[PeerVerification], events: RunEvents) -> None:
    words = {True: "on", False: "off (the workaround is on)", None: "not known"}
    for peer in peers:
        problem = f" {peer.problem}" if peer.problem else ""
        text = f"{peer.peer}: verification of certificates is {words[peer.verification]}.{problem}"
        events.emit("workaround", text, peer=peer.peer, verification=peer.verification, problem=peer.problem)
