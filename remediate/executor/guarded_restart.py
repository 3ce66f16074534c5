"""The restart of one peer at a time: guarded, drained, and followed until it is back as it was (contract, *Restart*).

For each peer, in this order: every guard is looked at; maintenance mode is turned on and the peer drains; the guards are looked at
once more, since a drain takes minutes; the restart is in the journal and is sent; the peer is followed until it is back. Before the
next peer goes away, it is given time for clients to register, and looked at again. Whatever ends this on the way, the journal knows of
the maintenance mode and of the restart, and no later peer is restarted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from remediate.executor.comeback import describe_lost, describe_missing, has_restarted
from remediate.executor.environment import Environment
from remediate.executor.foreign_alarms import find_foreign_alarms
from remediate.executor.guards import (
    ClusterHealth,
    GuardFinding,
    GuardState,
    find_failing,
    find_not_looked_at,
    judge_guards,
)
from remediate.executor.health import read_cluster_health, read_peer_health
from remediate.executor.journal.restarts import UnsettledRestart, load_unsettled_restarts, record_assumptions
from remediate.executor.journal.store import Journal
from remediate.executor.maintenance import Maintenance
from remediate.executor.operations.restart import BeforeRestart, RestartOnPeer
from remediate.executor.ports import PeerPort
from remediate.executor.result import ManualStep, RestartOptions
from remediate.executor.steps import RunEvents, Step
from remediate.executor.window import WindowGuard
from remediate.model.alarms import MAINTENANCE_ALARM
from remediate.model.canonical import parse_rfc3339
from remediate.model.errors import Interrupted, NotOffered, ObservationError, RemediateError, WriteRefused
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.restart import ASSUMABLE
from remediate.model.text import count

_SHUTDOWN_SHARE = 10
"""A peer that does not go down within a tenth of the time that a restart may take did not accept the restart."""


class RestartOutcome(Enum):
    """What became of the restart of one peer, and whether the next one may be restarted."""

    RESTARTED = "back as it was"
    NOT_BEGUN = "left in service; the next peer may be restarted"
    STOPPED = "no later peer may be restarted"


@dataclass(frozen=True, slots=True)
class RestartContext:
    """Everything that the restarts of one run work with.

    Attributes:
        cluster: The name of the cluster.
        peers: The open peers, in the cluster's order.
        unreachable: Why each other peer could not be opened.
        alarms_before: The alarms of each peer before the run's first write.
        enter: Called with each numbered step.
        look: Called while something is waited for: the lock's heartbeat, the confirm timer; raises Interrupted to stop.
        add_open_step: Called with each step that is left for a person.
    """

    cluster: str
    run: str
    peers: Sequence[PeerPort]
    unreachable: Mapping[Address, str]
    journal: Journal
    limits: Limits
    environment: Environment
    events: RunEvents
    options: RestartOptions
    window: WindowGuard | None
    alarms_before: Mapping[Address, frozenset[str]]
    enter: Callable[[Step], None]
    look: Callable[[], None]
    add_open_step: Callable[[ManualStep], None]

    @property
    def maintenance(self) -> Maintenance:
        """The switch of maintenance mode."""
        return Maintenance(self.journal, self.cluster, self.environment, self.limits, self.events)

    def judge(self, peer: Address, cluster: ClusterHealth) -> tuple[GuardFinding, ...]:
        """Return what is known of each guard of a peer."""
        started_at = cluster.peers.get(peer, Health()).started_at
        before = find_foreign_alarms(self.journal, peer, started_at, self.alarms_before.get(peer))
        return judge_guards(peer, cluster, before, self.options.assume)


@dataclass(slots=True)
class GuardedRestarts:
    """The restarts of one run.

    Attributes:
        restarted: The peers that were restarted and are back.
        is_stopped: No later peer may be restarted.
        wrote: Something was sent to a peer.
    """

    context: RestartContext
    restarted: list[Address] = field(default_factory=list)
    is_stopped: bool = False
    wrote: bool = False
    _last: tuple[PeerPort, BeforeRestart] | None = None

    def settle(self) -> None:
        """Find out what became of restarts that an earlier process did not follow to their end.

        A peer that is not back as it was keeps every other peer from being restarted.
        """
        context = self.context
        by_name = {peer.address.casefold(): peer for peer in context.peers}
        for restart in load_unsettled_restarts(context.journal, context.cluster):
            peer = by_name.get(restart.step.peer.casefold())
            reason = context.unreachable.get(restart.step.peer, "it is no longer a peer of this cluster")
            missing = self._settle(peer, restart) if peer else (_describe_silence(reason),)
            if missing:
                self._stop(
                    restart.step.peer,
                    f"{restart.step.peer} was sent a restart on {restart.step.started_at} and is not back as it was: "
                    f"{'; '.join(missing)}. No other peer is restarted until it is.",
                )

    def restart(self, peer: PeerPort) -> RestartOutcome:
        """Restart one peer, unless a guard, its calls or the window keep it in service.

        Raises:
            WindowClosed: It would not be back within the window; nothing was begun.
            Interrupted: It was asked to stop; the peer is in service, and maintenance mode is off or in the journal.
        """
        context = self.context
        if self.is_stopped or not self._is_last_peer_settled():
            return RestartOutcome.STOPPED
        cluster = read_cluster_health(context.peers, context.unreachable)
        if (outcome := self._check_guards(peer, cluster)) is not None:
            return outcome
        health = cluster.peers[peer.address]
        if unread := _describe_unread(health):
            text = f"{peer.address} is not restarted: not known whether it is back, since {unread}."
            return self._skip(peer.address, text)
        drain = context.options.calls == "drain"
        change = RestartOnPeer(peer.address, BeforeRestart.of(health))
        if context.window:
            context.window.refuse_if_too_late(change, context.options.drain_for.total_seconds() if drain else 0.0)
        if not drain:
            return self._restart_and_follow(peer, change, None)
        return self._drain_and_restart(peer, change, health)

    def _check_guards(self, peer: PeerPort, cluster: ClusterHealth) -> RestartOutcome | None:
        """Judge and emit the guards of a peer; return None where they let it restart."""
        context = self.context
        findings = context.judge(peer.address, cluster)
        emit_guards(context.events, peer.address, findings)
        if find_failing(findings):
            return self._stop(peer.address, describe_obstacles(peer.address, findings))
        if find_not_looked_at(findings):
            return self._skip(peer.address, describe_obstacles(peer.address, findings))
        assumed = [finding.guard for finding in findings if finding.assumed]
        if assumed:
            record_assumptions(context.journal, context.run, peer.address, assumed, context.environment.now())
        return None

    def _drain_and_restart(self, peer: PeerPort, change: RestartOnPeer, health: Health) -> RestartOutcome:
        context = self.context
        context.look()
        self.wrote = True
        number, problem = context.maintenance.turn_on(peer, health, context.run)
        try:
            reason = problem or self._wait_for_calls(peer) or self._find_trouble_since(peer)
        except (Interrupted, RemediateError):
            self._turn_off(peer, number)
            raise
        if reason:
            self._turn_off(peer, number)
            return self._stop(peer.address, f"{peer.address} is not restarted, nor is a later peer: {reason}")
        return self._restart_and_follow(peer, change, number)

    def _wait_for_calls(self, peer: PeerPort) -> str:
        """Wait until the peer carries no call; return why it is not restarted; empty: it is drained, or its calls may end."""
        context, environment = self.context, self.context.environment
        end = environment.now() + context.options.drain_for
        self._emit_wait(f"{peer.address} drains.", peer.address, context.options.drain_for.total_seconds())
        calls, last = None, None
        for look in range(int(context.options.drain_for.total_seconds() / context.limits.drain_poll_s) + 1):
            if look:
                environment.pause(context.limits.drain_poll_s)
            context.look()
            calls = read_peer_health(peer)[0].calls
            if calls == 0:
                return ""
            if calls != last:
                words = "an unknown number of calls" if calls is None else count(calls, "call")
                context.events.emit("drain", f"{peer.address} carries {words}.", peer=peer.address, calls=calls)
            last = calls
            if environment.now() >= end:
                break
        return self._ask_to_end_calls(peer, calls)

    def _emit_wait(self, message: str, peer: Address, seconds: float) -> None:
        self.context.events.emit("waiting", message, peer=peer, seconds=int(seconds))

    def _ask_to_end_calls(self, peer: PeerPort, calls: int | None) -> str:
        options = self.context.options
        words = "the number of its calls is not known" if calls is None else f"it still carries {count(calls, 'call')}"
        minutes = f"{options.drain_for.total_seconds() / 60:.0f} min"
        question = f"After {minutes} in maintenance mode, {peer.address}: {words}. A restart ends them."
        if options.ask_to_end_calls is not None and options.ask_to_end_calls(question):
            return ""
        return (
            f"{words} after {minutes} in maintenance mode. Try again later, give it more time with --drain-for, or let them end "
            "with --calls end."
        )

    def _find_trouble_since(self, peer: PeerPort) -> str:
        """Return what fails now of the guards, or cannot be seen any more; empty: they hold as before the drain."""
        context = self.context
        cluster = read_cluster_health(context.peers, context.unreachable)
        if peer.address in cluster.peers:
            # Maintenance mode of this peer is this run's own.
            health = _without_maintenance(cluster.peers[peer.address])
            cluster = replace(cluster, peers={**cluster.peers, peer.address: health})
        findings = context.judge(peer.address, cluster)
        trouble = (*find_failing(findings), *find_not_looked_at(findings))
        return f"while it drained: {_list(trouble)}" if trouble else ""

    def _restart_and_follow(self, peer: PeerPort, change: RestartOnPeer, number: int | None) -> RestartOutcome:
        """Send the restart, with its intent in the journal, and follow the peer until it is back as it was."""
        context = self.context
        context.enter(Step.INTENT)
        seq = context.journal.record_intent(context.run, Step.RESTART.value, change, "")
        context.enter(Step.WRITE)
        context.events.emit("change-start", f"Now: {change.summary}.", peer=peer.address, change=change.kind, seq=seq)
        sent_at = context.environment.now()
        self.wrote = True
        try:
            change.write(peer)
        except (WriteRefused, NotOffered, ObservationError) as error:
            context.enter(Step.READ_BACK)
            return self._report_not_sent(peer, change, seq, number, error)
        context.enter(Step.READ_BACK)
        self._emit_wait(f"{peer.address} restarts.", peer.address, context.limits.restart_s)
        missing = self._wait_until_back(peer, change.before, sent_at, number)
        if missing:
            return self._report_not_back(peer, seq, missing)
        if number is not None:
            context.maintenance.end(peer.address, number)
        seconds = (context.environment.now() - sent_at).total_seconds()
        context.journal.record_outcome(context.run, seq, "done", after="", seconds=seconds)
        self.restarted.append(peer.address)
        self._last = (peer, change.before)
        message = f"{peer.address} restarted and is back as it was, {seconds:.0f} s later."
        context.events.emit("change-complete", message, peer=peer.address, change=change.kind, seq=seq)
        return RestartOutcome.RESTARTED

    def _report_not_sent(
        self, peer: PeerPort, change: RestartOnPeer, seq: int, number: int | None, error: RemediateError
    ) -> RestartOutcome:
        # A request over REST that could not be sent may have been: the peer's start shows it to the next command.
        is_refused = not isinstance(error, ObservationError)
        self.context.journal.record_outcome(
            self.context.run, seq, "failed" if is_refused else "unknown", message=str(error), proven=is_refused
        )
        if number is not None:
            self._turn_off(peer, number)
        return self._stop(
            peer.address, f"{peer.address} did not accept the restart command: {error} {change.manual_instruction}"
        )

    def _report_not_back(self, peer: PeerPort, seq: int, missing: Sequence[str]) -> RestartOutcome:
        text = (
            f"{peer.address} was restarted and is not back as it was after {self.context.limits.restart_s:.0f} s: "
            f"{'; '.join(missing)}. No other peer is restarted. Check it, then run `remediate restart` again: it checks the "
            "peer first."
        )
        self.context.journal.record_outcome(self.context.run, seq, "unknown", message="; ".join(missing))
        return self._stop(peer.address, text)

    def _is_last_peer_settled(self) -> bool:
        """Return whether the peer that was restarted last stays as it was, after the time that clients need to register again."""
        if self._last is None:
            return True
        peer, before = self._last
        settle_s = self.context.limits.restart_settle_s
        self._emit_wait(f"Clients register again through {peer.address}.", peer.address, settle_s)
        self.context.environment.pause(settle_s)
        self.context.look()
        health, silence = read_peer_health(peer)
        missing = (_describe_silence(silence),) if silence else describe_lost(before, health)
        if missing:
            text = f"{peer.address} was back as it was, but no longer is: {'; '.join(missing)}. No other peer is restarted."
            self._stop(peer.address, text)
        return not missing

    def _wait_until_back(self, peer: PeerPort, before: BeforeRestart, sent_at: datetime, number: int | None) -> tuple[str, ...]:
        context, limits, environment = self.context, self.context.limits, self.context.environment
        end = environment.now() + timedelta(seconds=limits.restart_s)
        missing: tuple[str, ...] = ()
        for look in range(max(1, int(limits.restart_s / limits.restart_poll_s))):
            if look:
                environment.pause(limits.restart_poll_s)
            context.look()
            missing = _describe_state(peer, before, sent_at)
            if number is not None and missing == ("its maintenance mode is on",):
                self._turn_off(peer, number)
                missing = _describe_state(peer, before, sent_at)
            if not missing or environment.now() >= end:
                break
        return missing

    def _settle(self, peer: PeerPort, restart: UnsettledRestart) -> tuple[str, ...]:
        """Return what is missing of a peer that an earlier process restarted, or was about to; record the outcome."""
        context, limits, step = self.context, self.context.limits, restart.step
        before, sent_at = BeforeRestart.from_facts(step.facts), parse_rfc3339(step.started_at)
        for look in range(max(1, int(limits.restart_s / _SHUTDOWN_SHARE / limits.restart_poll_s))):
            if look:
                context.environment.pause(limits.restart_poll_s)
            context.look()
            health, silence = read_peer_health(peer)
            if silence or has_restarted(before, health, sent_at) is not False:
                break
        else:
            message = "checked after an interruption: it had not happened"
            context.journal.record_outcome(restart.run, step.seq, "failed", message=message, proven=True)
            return ()
        missing = self._wait_until_back(peer, before, sent_at, None)
        if not missing:
            context.journal.record_outcome(restart.run, step.seq, "done", message="checked after an interruption: it was done")
        return missing

    def _turn_off(self, peer: PeerPort, number: int) -> None:
        """Turn maintenance mode off again; where that is not read back, it is left to a person, and the journal knows of it."""
        if not self.context.maintenance.turn_off(peer, number):
            text = (
                f"Maintenance mode of {peer.address} could not be turned off: it takes no new calls. Run `xConfiguration SystemUnit "
                "Maintenance Mode: Off` there; the next run on this cluster tries again."
            )
            self._leave_to_person(peer.address, text)

    def _stop(self, peer: Address, text: str) -> RestartOutcome:
        self.is_stopped = True
        self._leave_to_person(peer, text)
        return RestartOutcome.STOPPED

    def _skip(self, peer: Address, text: str) -> RestartOutcome:
        self._leave_to_person(peer, text)
        return RestartOutcome.NOT_BEGUN

    def _leave_to_person(self, peer: Address, text: str) -> None:
        self.context.add_open_step(ManualStep(text, peer))


def emit_guards(events: RunEvents, peer: Address, findings: Sequence[GuardFinding], *, rehearsed: bool = False) -> None:
    """Emit what was found of each guard of a peer; `rehearsed`: it is what a dry run has to show."""
    for finding in findings:
        holds, fails = (finding.state is state for state in (GuardState.HOLDS, GuardState.FAILS))
        events.emit(
            "guard",
            (
                f"{peer}: guard {finding.guard.value} {'holds' if holds else 'fails' if fails else 'was not checked'}: "
                f"{finding.description}"
            ),
            peer=peer,
            guard=finding.guard.value,
            state=finding.state.value,
            assumed=finding.assumed,
            rehearsed=rehearsed,
        )


def describe_obstacles(peer: Address, findings: Sequence[GuardFinding]) -> str:
    """Return the sentences about the guards that keep a peer in service; empty: none does."""
    if problems := find_failing(findings):
        return f"{peer} is not restarted, nor is a later peer: {_list(problems)}"
    if unseen := find_not_looked_at(findings):
        return f"{peer} is not restarted: not checked: {_list(unseen)}{_advise(unseen)}"
    return ""


def _describe_state(peer: PeerPort, before: BeforeRestart, sent_at: datetime) -> tuple[str, ...]:
    health, silence = read_peer_health(peer)
    return (_describe_silence(silence),) if silence else describe_missing(before, health, sent_at)


def _describe_silence(reason: str) -> str:
    return f"it does not answer: {reason.rstrip('.')}"


def _describe_unread(health: Health) -> str:
    """Return which reading is missing that a peer is recognised by when it is back; empty: none."""
    names = {"started_at": "its start", "zones": "the state of its zones"}
    unread = [words for name, words in names.items() if getattr(health, name) is None]
    return f"{' and '.join(unread)} could not be read" if unread else ""


def _without_maintenance(health: Health) -> Health:
    alarms = None if health.alarms is None else tuple(alarm for alarm in health.alarms if alarm.id != MAINTENANCE_ALARM)
    return replace(health, maintenance=False, alarms=alarms)


def _list(findings: Sequence[GuardFinding]) -> str:
    return " ".join(f"{finding.guard.value}: {finding.description}" for finding in findings)


def _advise(findings: Sequence[GuardFinding]) -> str:
    """Return how an operator takes what was not looked at as right, where that is possible."""
    names = [finding.guard for finding in findings]
    options = " ".join(f"--assume {name.value}" for name in names if name in ASSUMABLE)
    return f" After checking it by hand, pass {options}." if options else ""
