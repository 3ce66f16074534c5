"""The restart of peers on which the change is not in effect (step 10), one at a time, each looked at again before the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from remediate.executor import changes
from remediate.executor.confirm_timer import check_in
from remediate.executor.context import RunContext, RunState
from remediate.executor.effect.observe import EffectLook, observe_effect
from remediate.executor.foreign_alarms import judge_guards_now
from remediate.executor.guarded_restart import (
    GuardedRestarts,
    RestartContext,
    RestartOutcome,
    describe_obstacles,
    emit_guards,
)
from remediate.executor.health import read_cluster_health
from remediate.executor.journal.restarts import load_alarms
from remediate.executor.journal.writes import load_writes
from remediate.executor.operations import RestartOnPeer
from remediate.executor.result import ManualStep
from remediate.executor.steps import Step
from remediate.executor.writer import DryRunWriter, JournalingWriter
from remediate.model.effect import ClientState, EffectState, PeerEffect
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE
from remediate.model.identity import Address


def rehearse_restarts(context: RunContext, state: RunState, writer: DryRunWriter) -> None:
    """Emit the guards as they are now, and what would be restarted in any case; what clients get depends on what was not written."""
    context.steps.enter(Step.RESTART)
    is_rolling = context.options.restart == "rolling"
    addresses = changes.list_peers_to_restart(context.plan, everywhere=is_rolling)
    cluster = read_cluster_health(context.peers, context.unreachable)
    for address in addresses if context.options.restart != "never" else ():
        findings = judge_guards_now(context.journal, address, cluster, context.options.restarts.assume)
        emit_guards(context.events, address, findings, rehearsed=True)
        peer = context.open_peer(address)
        if is_rolling and any(not finding.lets_restart for finding in findings):
            state.add_open_step(context.events, ManualStep(describe_obstacles(address, findings), address))
        elif is_rolling and peer is not None:
            writer.carry_out(peer, RestartOnPeer(address), Step.RESTART)
    if addresses:
        message = f"Whether the change is in effect on {', '.join(addresses)}: unknown until apply."
        context.events.emit("unknown", message, step=Step.RESTART.value)
    if addresses and context.options.diagnostic_log:
        message = "Diagnostic logging would be started on every peer if no client request shows that, and stopped again."
        context.events.emit("would-change", message, step=Step.RESTART.value)


def restart_peers(context: RunContext, state: RunState, writer: JournalingWriter, look: EffectLook) -> None:
    """Look whether the change is in effect on each peer that it concerns, and restart it by `ApplyOptions.restart`.

    After a peer that does not come back, or does not let clients through then, no other peer is restarted.
    """
    context.steps.enter(Step.RESTART)
    choice = context.options.restart
    guarded = GuardedRestarts(_make_restart_context(context, state, writer))
    restarts = _Restarts(context, state, guarded, look)
    if not context.options.never_restarts:
        guarded.settle()
    for address in changes.list_peers_to_restart(context.plan, everywhere=choice == "rolling"):
        if context.open_peer(address) is None:
            continue
        if context.options.never_restarts:
            observe_effect(look, address)
            continue
        may_continue = restarts.restart_in_any_case(address) if choice == "rolling" else restarts.restart_if_needed(address)
        if not may_continue:
            break


def _make_restart_context(context: RunContext, state: RunState, writer: JournalingWriter) -> RestartContext:
    return RestartContext(
        cluster=context.plan.cluster,
        run=state.run,
        peers=context.peers,
        unreachable=context.unreachable,
        journal=context.journal,
        limits=context.limits,
        environment=context.environment,
        events=context.events,
        options=context.options.restarts,
        window=writer.window,
        alarms_before=load_alarms(context.journal, state.run),
        enter=context.steps.enter,
        look=partial(check_in, context, state),
        add_open_step=lambda step: state.add_open_step(context.events, step),
    )


@dataclass(slots=True)
class _Restarts:
    """The restarts of one run, one peer after the other.

    Attributes:
        restarted: The peers that were restarted so far.
    """

    context: RunContext
    state: RunState
    guarded: GuardedRestarts
    look: EffectLook
    restarted: list[Address] = field(default_factory=list)

    def restart_if_needed(self, peer: Address) -> bool:
        """Restart a peer on which the change is seen not to be in effect; return whether the next peer may be restarted."""
        if observe_effect(self.look, peer).state is not EffectState.NO:
            return True
        return self.restart_in_any_case(peer)

    def restart_in_any_case(self, peer: Address) -> bool:
        """Restart a peer; return whether the next one may be restarted."""
        if (outcome := self._restart(peer)) is not RestartOutcome.RESTARTED:
            return outcome is RestartOutcome.NOT_BEGUN
        after = observe_effect(self.look, peer, is_restarted=True)
        if after.state is EffectState.NO:
            self._report_still_refusing(peer, after)
            return False
        return self._lets_clients_through(peer)

    def _restart(self, peer: Address) -> RestartOutcome:
        """Restart a peer, unless this run did since its last write."""
        opened = self.context.open_peer(peer)
        if opened is None or self._is_restarted_since_writes(peer):
            outcome = RestartOutcome.STOPPED if self.guarded.is_stopped else RestartOutcome.RESTARTED
        else:
            outcome = self.guarded.restart(opened)
            self.state.has_written = self.state.has_written or self.guarded.wrote
        if outcome is RestartOutcome.RESTARTED:
            self.restarted.append(peer)
        return outcome

    def _is_restarted_since_writes(self, peer: Address) -> bool:
        """Return whether this tool restarted a peer after the last write of this run to it."""
        context, run = self.context, self.state.run
        writes = load_writes(context.journal, peer, own_run=run, limits=context.limits)
        return any(entry.run == run and entry.is_restarted for entry in writes)

    def _lets_clients_through(self, peer: Address) -> bool:
        """Return whether a client that was asked got through a restarted peer, or none was asked; else leave it to a person."""
        of_peer = [view for pair, view in self.state.client_views.items() if pair.peer == peer]
        views = [view for view in of_peer if view.state is not ClientState.NOT_ASKED]
        if not views or any(view.state is ClientState.REACHED for view in views):
            return True
        text = (
            f"{peer} was restarted, but no request gets through it: {views[0].description}. "
            f"{self._describe_earlier_restarts(peer)} Check its zones and tunnels."
        )
        self.state.add_open_step(self.context.events, ManualStep(text, peer))
        return False

    def _report_still_refusing(self, peer: Address, after: PeerEffect) -> None:
        """Leave to a person a peer that refuses clients after its restart too."""
        text = (
            f"{peer} was restarted, but still: {after.description}. {self._describe_earlier_restarts(peer)} Take a diagnostic log "
            f"of {peer} ({DIAGNOSTIC_LOGGING_PAGE}) while a client tries again, and look for `verification failed` and `not "
            "in certificate`."
        )
        self.state.add_effect_step(self.context.events, ManualStep(text, peer))

    def _describe_earlier_restarts(self, peer: Address) -> str:
        earlier = [restarted for restarted in self.restarted if restarted != peer]
        if not earlier:
            return "No other peer was restarted."
        return f"Before it, {', '.join(earlier)} {'was' if len(earlier) == 1 else 'were'} restarted, and no other peer was."
