"""The run of `remediate restart`: each chosen peer restarted, looked at again before the next, and what is then in effect."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from remediate.executor.boundary import as_failure
from remediate.executor.effect.after_restart import RestartedLook
from remediate.executor.effect.outcome import complete_effects, effect_exit_code
from remediate.executor.environment import Environment
from remediate.executor.guarded_restart import GuardedRestarts, RestartContext, RestartOutcome
from remediate.executor.health import read_cluster_health
from remediate.executor.journal.measurements import record_measurements
from remediate.executor.journal.restarts import load_alarms, load_unsettled_restarts, record_alarms
from remediate.executor.journal.store import Journal
from remediate.executor.maintenance import Maintenance
from remediate.executor.opening import Command, begin_command, open_to_write
from remediate.executor.reconnecting import open_reconnecting_peers
from remediate.executor.restart_choice import RestartRequest, choose_peers
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.signals import ImmediateStop, StopRequest, report_interrupted
from remediate.executor.window import WindowGuard, refuse_if_closed
from remediate.model.access import ClusterAccess
from remediate.model.canonical import parse_rfc3339
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.errors import Interrupted, RemediateError
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.measurement import measure_pairs
from remediate.model.run import RunState, join_message
from remediate.model.text import join_words


def restart(
    cluster: ClusterAccess,
    request: RestartRequest,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
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
    refuse_if_closed(request.window, environment.now())
    with begin_command(cluster, state_dir, limits, sink, environment) as command:
        try:
            restarts = _open(command, request)
        except (Interrupted, ImmediateStop):
            return report_interrupted(command.events, command.stop, "Interrupted before any peer was restarted.")
        return restarts.run().with_remark(command.events.trouble)


def _open(command: Command, request: RestartRequest) -> _RestartCommand:
    """Take the lock, open the journal and the peers until the command ends, and choose the peers."""
    cluster, environment, events, limits = command.cluster, command.environment, command.events, command.limits
    opening = open_to_write(cluster, command.state_dir, environment, command.stack, ticket=request.ticket)
    journal = opening.open_journal()
    _wait_for_restarting(command, journal)
    opened, peers = opening.open_peers(limits)
    steps = list(Maintenance(journal, cluster.name, environment, limits, events).end_left_on(peers))
    health = read_cluster_health(peers, opened.unreachable)
    chosen = tuple(effect.peer for effect in choose_peers(journal, request, opened, health))
    run = ""
    if chosen:
        run = journal.begin_without_plan("restart", cluster.name, chosen, operator=opening.operator, ticket=request.ticket)
        events.run = run
        record_alarms(journal, run, health.alarm_numbers, environment.now())

    def look() -> None:
        command.stop.check()
        opening.write_heartbeat()

    def add_open_step(step: ManualStep) -> None:
        events.emit("manual-step", step.text, peer=step.peer, open=True)
        steps.append(step)

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
        window=WindowGuard(request.window, environment.now, partial(journal.longest_write_seconds, cluster.name), limits),
        alarms_before=load_alarms(journal, run) if run else {},
        enter=lambda _step: opening.write_heartbeat(),
        look=look,
        add_open_step=add_open_step,
    )
    return _RestartCommand(context, chosen, steps, command.stop, RestartedLook(cluster, environment, context, opened))


def _wait_for_restarting(command: Command, journal: Journal) -> None:
    """Give a peer that an interrupted run restarted the time of a restart: meanwhile it takes no session.

    Raises:
        Interrupted: It was asked to stop.
    """
    cluster, environment, limits = command.cluster, command.environment, command.limits
    for attempt in range(max(1, int(limits.restart_s / limits.restart_poll_s))):
        earliest = environment.now() - timedelta(seconds=limits.restart_s)
        restarting = {
            restart.step.peer
            for restart in load_unsettled_restarts(journal, cluster.name)
            if parse_rfc3339(restart.step.started_at) > earliest
        }
        if not restarting:
            return
        with ExitStack() as sessions:
            opened, _ = open_reconnecting_peers(environment, cluster, limits, sessions, writable=False)
            away = sorted(restarting & opened.unreachable.keys())
        if not away:
            return
        if attempt == 0:
            command.events.emit(
                "waiting", f"{', '.join(away)} is restarting since an interrupted run: waiting until it answers."
            )
        command.stop.check()
        environment.pause(limits.restart_poll_s)


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
    look: RestartedLook

    def run(self) -> RunResult:
        """Restart the chosen peers, and close the run."""
        restarts = GuardedRestarts(self.context)
        if not self.chosen:
            code = ExitCode.PERSON_NEEDED if self.open_steps else ExitCode.DONE
            message = "No peer needs a restart: this tool has written to none since its start."
            return RunResult("", "applied", code, tuple(self.open_steps), has_written=False, message=message)
        try:
            restarts.settle()
            for address in self.chosen:
                if not self._restart(restarts, address):
                    break
            for address in self.chosen:
                if address not in self.look.effects:
                    self.look.observe(address, is_restarted=False)
            verdicts, products = self.look.measure() if restarts.restarted else ({}, {})
            measurements = measure_pairs({}, verdicts, self.look.client_views)
            record_measurements(self.context.journal, self.context.run, measurements)
        except (Interrupted, ImmediateStop):
            return self._close(restarts, "partial", self.stop.exit_code, "The restart was interrupted.")
        except Exception as error:  # noqa: BLE001 - the run is closed whatever happened, and never reported as unchanged
            return self._close_failed(restarts, as_failure(error))
        effects = self.look.effects.values()
        codes = [ExitCode.PERSON_NEEDED if self.open_steps else ExitCode.DONE, effect_exit_code(effects, never_restarts=False)]
        result = self._close(restarts, "partial" if self.open_steps else "applied", most_serious(codes), "")
        look = self.look
        return replace(
            result, verdicts=verdicts, products=products, client_views=look.client_views, system_names=look.system_names
        )

    def _restart(self, restarts: GuardedRestarts, address: Address) -> bool:
        """Restart one peer, and look whether clients get through it then; return whether a later one may be restarted."""
        context = self.context
        peer = next((peer for peer in context.peers if peer.address == address), None)
        if peer is None:
            reason = context.unreachable.get(address, "not connected").rstrip(".")
            text = f"{address} does not answer ({reason}): it is not restarted, nor is a later peer."
            context.add_open_step(ManualStep(text, address))
            return False
        outcome = restarts.restart(peer)
        if outcome is not RestartOutcome.RESTARTED:
            return outcome is RestartOutcome.NOT_BEGUN
        return self.look.observe(address, is_restarted=True).state is not EffectState.NO

    def _close_failed(self, restarts: GuardedRestarts, failure: RemediateError) -> RunResult:
        """Close a run that cannot go on. Raises `failure` itself where nothing was sent to a peer."""
        if not restarts.wrote:
            self.stop.closing = True
            self.context.journal.close_run(self.context.run, "partial", str(failure), failure.exit_code, self._list_effects())
            raise failure
        self.open_steps.append(ManualStep(f"{failure} {failure.next_step or ''}".strip()))
        return self._close(restarts, "partial", ExitCode.PERSON_NEEDED, str(failure))

    def _close(self, restarts: GuardedRestarts, state: RunState, code: ExitCode, reason: str) -> RunResult:
        self.stop.closing = True
        context, effects = self.context, self._list_effects()
        message = " ".join(part for part in (reason, self._describe(restarts), self._describe_refusal()) if part)
        record = join_message(message, (step.text for step in self.open_steps))
        context.journal.close_run(context.run, state, record, code, effects)
        context.events.emit("run-state", message, state=state, exit_code=code)
        return RunResult(
            context.run, state, code, tuple(self.open_steps), has_written=restarts.wrote, message=message, effects=effects
        )

    def _list_effects(self) -> tuple[PeerEffect, ...]:
        return complete_effects(self.look.effects.values(), self.chosen, "the run ended before it was checked")

    def _describe_refusal(self) -> str:
        """Return the sentence about a peer that refuses clients after its restart too; empty: none does."""
        refusing = [effect for effect in self.look.effects.values() if effect.state is EffectState.NO]
        reasons = "; ".join(f"{effect.peer}: {effect.description}" for effect in refusing)
        return f"No later peer is restarted, because clients are still refused: {reasons}." if refusing else ""

    def _describe(self, restarts: GuardedRestarts) -> str:
        remaining = [address for address in self.chosen if address not in restarts.restarted]
        if not restarts.restarted:
            return f"No peer has restarted and come back; remaining: {join_words(remaining)}."
        verb = "was restarted and is" if len(restarts.restarted) == 1 else "were restarted and are"
        remark = f" Not restarted, or not back: {join_words(remaining)}." if remaining else ""
        return f"{join_words(restarts.restarted)} {verb} back as before.{remark}"
