"""The command `remediate restart`: which peers it takes, the guards as they stand, and the run that restarts them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from remediate.executor.boundary import as_failure, guarded
from remediate.executor.effect.decision import EffectEvidence, decide_effect, find_pending_writes
from remediate.executor.effect.observe import find_record
from remediate.executor.effect.outcome import effect_exit_code
from remediate.executor.environment import Environment
from remediate.executor.guarded_restart import GuardedRestarts, RestartContext, RestartOutcome, describe_obstacles
from remediate.executor.guards import ClusterHealth, GuardFinding, judge_guards
from remediate.executor.health import read_cluster_health
from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import load_alarms, record_alarms
from remediate.executor.journal.store import Journal
from remediate.executor.journal.writes import load_writes
from remediate.executor.lock import hold_cluster, peer_lock_paths, refuse_if_held, refuse_if_peers_held, shared_directory
from remediate.executor.maintenance import Maintenance, warn_of_maintenance_left_on
from remediate.executor.ports import ClusterPort
from remediate.executor.reconnecting import open_reconnecting_peers
from remediate.executor.result import ManualStep, RestartOptions, RunResult
from remediate.executor.signals import ImmediateStop, StopRequest, handle_signals
from remediate.executor.steps import RunEvents
from remediate.executor.window import Window, WindowGuard, emit_whether_open, refuse_if_closed
from remediate.model.access import ClusterAccess
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.errors import Interrupted, RemediateError, UsageError
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.run import RunState
from remediate.model.text import join_words


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """What a caller asks for.

    Attributes:
        peers: These peers; empty: those that are not known to work with what was written to them.
        everywhere: Every peer.
        restarts: How a peer is restarted.
        window: Begin nothing outside of it, or that would not end within it; None: at any time.
        ticket: The change ticket, for the lock and the journal.
    """

    peers: tuple[Address, ...] = ()
    everywhere: bool = False
    restarts: RestartOptions = RestartOptions()
    window: Window | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class PeerPreview:
    """One peer that would be restarted, as it is now.

    Attributes:
        effect: Whether what was written to it is in effect.
        findings: What was found of each guard.
        calls: How many calls it carries; None: not observed.
        registrations: How many endpoints are registered on it; None: not observed.
    """

    peer: Address
    effect: PeerEffect
    findings: tuple[GuardFinding, ...]
    calls: int | None
    registrations: int | None

    @property
    def obstacles(self) -> str:
        """Why it would stay in service; empty: it would be restarted."""
        return describe_obstacles(self.peer, self.findings)


@dataclass(frozen=True, slots=True)
class RestartPreview:
    """The peers that would be restarted, in their order.

    Attributes:
        is_single: It is a cluster of one peer.
        is_closed: The window is closed now.
    """

    cluster: str
    peers: tuple[PeerPreview, ...]
    is_single: bool
    is_closed: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """What would stop the command: a closed window, or a guard."""
        codes = [ExitCode.PERSON_NEEDED if peer.obstacles else ExitCode.DONE for peer in self.peers]
        return most_serious([*codes, ExitCode.ERROR if self.is_closed else ExitCode.DONE])


def preview_restart(
    cluster: ClusterAccess,
    request: RestartRequest,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),  # noqa: B008 - a frozen value
) -> RestartPreview:
    """Return what would be restarted, over connections that cannot write.

    Raises:
        LockHeld, LockError: Another run is at work on the cluster, or no lock could be taken.
        UsageError: The cluster has no such peer.
        JournalError: The journal cannot be read.
        AccessError: A login was refused.
    """
    events, environment = RunEvents(sink, cluster.name), guarded(environment)
    shared = environment.lock_directory or shared_directory()
    refuse_if_held(cluster, state_dir, shared)
    emit_whether_open(request.window, environment.now(), events)
    is_closed = request.window is not None and request.window.closes(environment.now()) is None
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(state_dir))
        warn_of_maintenance_left_on(journal, cluster.name, events)
        opened, peers = open_reconnecting_peers(environment, cluster, limits, stack, writable=False)
        refuse_if_peers_held(opened, cluster.name, shared)
        health = read_cluster_health(peers, opened.unreachable)
        chosen = _choose(journal, request, opened, health)
        previews = tuple(_preview(effect, health, request.restarts) for effect in chosen)
    return RestartPreview(cluster.name, previews, health.is_single, is_closed)


def _preview(effect: PeerEffect, cluster: ClusterHealth, options: RestartOptions) -> PeerPreview:
    health = cluster.peers.get(effect.peer, Health())
    findings = judge_guards(effect.peer, cluster, _alarm_numbers(health), options.assume)
    return PeerPreview(effect.peer, effect, findings, health.calls, health.registrations)


def _alarm_numbers(health: Health) -> frozenset[str] | None:
    return None if health.alarms is None else frozenset(alarm.id for alarm in health.alarms)


def restart(
    cluster: ClusterAccess,
    request: RestartRequest,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),  # noqa: B008 - a frozen value
) -> RunResult:
    """Restart peers of a cluster one at a time, the primary first, each guarded, drained and back before the next.

    Once something was sent to a peer, no error is raised: the result describes it (exit 8).

    Raises:
        LockHeld, LockError: Another run is at work on the cluster, or the lock could not be taken.
        WindowClosed: Outside of the window, or it is too short for the first restart.
        UsageError: The cluster has no such peer.
        JournalError: The journal cannot be read or written.
        AccessError: A login was refused.
    """
    events, environment = RunEvents(sink, cluster.name), guarded(environment)
    refuse_if_closed(request.window, environment.now())
    with handle_signals(lambda text: events.emit("warning", text)) as stop, ExitStack() as stack:
        try:
            command = _open(cluster, request, state_dir, limits, environment, events, stop, stack)
        except (Interrupted, ImmediateStop):
            message = "Interrupted before any peer was restarted."
            events.emit("run-state", message, state="interrupted", exit_code=stop.exit_code)
            return RunResult("", "interrupted", stop.exit_code, (), (), has_written=False, message=message)
        return events.add_trouble(command.run())


def _open(
    cluster: ClusterAccess,
    request: RestartRequest,
    state_dir: Path,
    limits: Limits,
    environment: Environment,
    events: RunEvents,
    stop: StopRequest,
    stack: ExitStack,
) -> _RestartCommand:
    """Take the lock, open the journal and the peers until `stack` ends, and choose the peers."""
    shared, operator = environment.lock_directory or shared_directory(), identify_operator()
    lock = stack.enter_context(
        hold_cluster(cluster, state_dir, shared, operator=operator, ticket=request.ticket, now=environment.now)
    )
    journal = stack.enter_context(environment.journal(state_dir))
    journal.close_dead_runs(cluster.name)
    opened, peers = open_reconnecting_peers(environment, cluster, limits, stack, writable=True)
    lock.acquire(peer_lock_paths(opened, shared))
    steps = list(Maintenance(journal, cluster.name, environment, limits, events).end_left_on(peers))
    health = read_cluster_health(peers, opened.unreachable)
    chosen = [effect.peer for effect in _choose(journal, request, opened, health)]
    run = ""
    if chosen:
        run = events.run = journal.begin_restart(cluster.name, chosen, operator=operator, ticket=request.ticket)
        alarms = {address: _alarm_numbers(entry) for address, entry in health.peers.items()}
        observed = {address: numbers for address, numbers in alarms.items() if numbers is not None}
        record_alarms(journal, run, observed, environment.now())

    def look() -> None:
        stop.check()
        lock.write_heartbeat()

    def leave_to_person(step: ManualStep) -> None:
        events.emit("manual-step", step.text, peer=step.peer, open=True)
        steps.append(step)

    def longest(kind: str) -> float | None:
        return journal.longest_write_seconds(cluster.name, kind)

    context = RestartContext(
        cluster=cluster.name,
        run=run,
        peers=peers,
        unreachable=opened.unreachable,
        journal=journal,
        limits=limits,
        environment=environment,
        events=events,
        options=request.restarts,
        window=WindowGuard(request.window, environment.now, longest, limits),
        alarms_before=load_alarms(journal, run) if run else {},
        enter=lambda _step: lock.write_heartbeat(),
        look=look,
        leave_to_person=leave_to_person,
    )
    return _RestartCommand(context, tuple(chosen), steps, stop)


@dataclass(frozen=True, slots=True)
class _RestartCommand:
    """A restart of chosen peers, under the lock.

    Attributes:
        chosen: The peers, in the order in which they are restarted.
        open_steps: What is left for a person so far.
    """

    context: RestartContext
    chosen: tuple[Address, ...]
    open_steps: list[ManualStep]
    stop: StopRequest

    def run(self) -> RunResult:
        """Restart the chosen peers, and close the run."""
        restarts = GuardedRestarts(self.context)
        if not self.chosen:
            code = ExitCode.PERSON_NEEDED if self.open_steps else ExitCode.DONE
            message = "No peer waits for a restart: none has a write by this tool that is younger than its start."
            return RunResult("", "applied", code, tuple(self.open_steps), (), has_written=False, message=message)
        try:
            restarts.settle()
            for address in self.chosen:
                if self._restart(restarts, address) is RestartOutcome.STOPPED:
                    break
            effects = self._look_at_effects(restarts.restarted)
        except (Interrupted, ImmediateStop):
            return self._close(restarts, "partial", self.stop.exit_code, "The restart was interrupted.")
        except Exception as error:  # noqa: BLE001 - the run is closed whatever happened, and never reported as unchanged
            return self._close_failed(restarts, as_failure(error))
        code = most_serious(
            [
                ExitCode.PERSON_NEEDED if self.open_steps else ExitCode.DONE,
                effect_exit_code(effects, never_restarts=False),
            ]
        )
        return self._close(restarts, "partial" if self.open_steps else "applied", code, "", effects)

    def _restart(self, restarts: GuardedRestarts, address: Address) -> RestartOutcome:
        context = self.context
        peer = next((peer for peer in context.peers if peer.address == address), None)
        if peer is not None:
            return restarts.restart(peer)
        reason = context.unreachable.get(address, "it was not opened").rstrip(".")
        text = f"{address} does not answer ({reason}): it is not restarted, nor is a later peer."
        context.leave_to_person(ManualStep(text, address))
        return RestartOutcome.STOPPED

    def _look_at_effects(self, restarted: Sequence[Address]) -> tuple[PeerEffect, ...]:
        context = self.context
        peers = read_cluster_health([peer for peer in context.peers if peer.address in restarted], {}).peers
        return tuple(_decide(context.journal, address, peers.get(address, Health())) for address in restarted)

    def _close_failed(self, restarts: GuardedRestarts, failure: RemediateError) -> RunResult:
        """Close a run that cannot go on. Raises `failure` itself where nothing was sent to a peer."""
        if not restarts.wrote:
            self.stop.closing = True
            self.context.journal.close_run(self.context.run, "partial", str(failure), failure.exit_code)
            raise failure
        self.open_steps.append(ManualStep(f"{failure} {failure.next_step or ''}".strip()))
        return self._close(restarts, "partial", ExitCode.PERSON_NEEDED, str(failure))

    def _close(
        self,
        restarts: GuardedRestarts,
        state: RunState,
        code: ExitCode,
        reason: str,
        effects: tuple[PeerEffect, ...] = (),
    ) -> RunResult:
        self.stop.closing = True
        context = self.context
        message = " ".join(part for part in (reason, self._describe(restarts)) if part)
        context.journal.close_run(
            context.run, state, " ".join([message, *(step.text for step in self.open_steps)]), code, effects
        )
        context.events.emit("run-state", message, state=state, exit_code=code)
        return RunResult(
            context.run, state, code, tuple(self.open_steps), (), has_written=restarts.wrote, message=message, effects=effects
        )

    def _describe(self, restarts: GuardedRestarts) -> str:
        remaining = [address for address in self.chosen if address not in restarts.restarted]
        if not restarts.restarted:
            return f"No peer was restarted and is back; left: {join_words(remaining)}."
        verb = "was restarted and is" if len(restarts.restarted) == 1 else "were restarted and are"
        remark = f" Not restarted, or not back: {join_words(remaining)}." if remaining else ""
        return f"{join_words(restarts.restarted)} {verb} back as before.{remark}"


def _choose(journal: Journal, request: RestartRequest, opened: ClusterPort, cluster: ClusterHealth) -> list[PeerEffect]:
    """Return the effect on each peer to restart, the primary first; a peer that does not answer may be among them.

    Raises:
        UsageError: The cluster has no such peer.
    """
    members = [*(peer.address for peer in opened.peers), *opened.unreachable]
    _refuse_unknown(request.peers, members)
    ordered = sorted(members, key=lambda address: address != opened.primary)
    effects = [_decide(journal, address, cluster.peers.get(address, Health())) for address in ordered]
    if request.everywhere:
        return effects
    if request.peers:
        names = {address.casefold() for address in request.peers}
        return [effect for effect in effects if effect.peer.casefold() in names]
    return [effect for effect in effects if effect.state is not EffectState.YES]


def _refuse_unknown(chosen: Collection[Address], members: Sequence[Address]) -> None:
    names = {address.casefold() for address in members}
    unknown = [address for address in chosen if address.casefold() not in names]
    if unknown:
        raise UsageError(
            f"--peer: the cluster has no peer {join_words(unknown)}; it has {join_words(members)}.",
            next_step="Nothing was done. Write the address as the inventory, or the cluster's own list, has it.",
        )


def _decide(journal: Journal, peer: Address, health: Health) -> PeerEffect:
    """Return whether a peer works with what was written to it, by the journal and by its start."""
    started_at = health.started_at
    writes = load_writes(journal, peer)
    pending = find_pending_writes(writes, started_at)
    record = find_record(journal, peer, pending, started_at)
    return decide_effect(EffectEvidence(peer, writes, started_at, record=record, why_no_client="no client was asked"))
