"""The restarts after a rollback, by the rules of every restart: of peers that do not work with their earlier lists again.

Whether a peer does is seen once all is undone. Before that, only its start can show that it never loaded the lists of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remediate.executor.effect.decision import is_started_after, is_started_before
from remediate.executor.environment import Environment
from remediate.executor.foreign_alarms import judge_guards_now
from remediate.executor.guarded_restart import (
    GuardedRestarts,
    RestartContext,
    RestartOutcome,
    describe_obstacles,
    emit_guards,
)
from remediate.executor.health import read_cluster_health
from remediate.executor.journal.writes import load_writes
from remediate.executor.result import ManualStep, RestartOptions
from remediate.executor.undo import UndoContext
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.restart import Restart

_RESTART_CONDITION: Mapping[Restart, str] = {
    "if-needed": "if clients still pass with the list of the run",
    "rolling": "unless clients show that it works with its earlier list",
}


@dataclass(frozen=True, slots=True)
class RollbackRestarts:
    """Whether a rollback restarts peers, and how.

    Attributes:
        choice: Never; only peers that are seen not to work with their earlier lists; or every peer that is not known to.
    """

    choice: Restart = "never"
    how: RestartOptions = RestartOptions()

    @property
    def is_never(self) -> bool:
        """Whether nothing restarts: in a job without a choice of what happens to calls, `if-needed` restarts nothing either."""
        return self.choice == "never" or (self.choice == "if-needed" and self.how.calls is None)

    def choose(self, effects: Sequence[PeerEffect]) -> tuple[Address, ...]:
        """Return the peers to restart."""
        states = {EffectState.NO} if self.choice == "if-needed" else {EffectState.NO, EffectState.NOT_KNOWN}
        return () if self.is_never else tuple(effect.peer for effect in effects if effect.state in states)


def restart_after_undo(
    context: UndoContext,
    cluster: str,
    environment: Environment,
    restarts: RollbackRestarts,
    effects: Sequence[PeerEffect],
    alarms: Mapping[Address, frozenset[str]],
) -> tuple[bool, tuple[ManualStep, ...]]:
    """Restart the peers that `restarts` takes; return whether any is back, and what is left for a person."""
    chosen = {address.casefold() for address in restarts.choose(effects)}
    peers = [peer for peer in context.peers if peer.address.casefold() in chosen]
    steps: list[ManualStep] = []
    if not peers:
        return False, ()

    def look() -> None:
        context.check_stop()
        context.write_heartbeat()

    def add_open_step(step: ManualStep) -> None:
        context.events.emit("manual-step", step.text, peer=step.peer, open=True)
        steps.append(step)

    context.before_write()
    guarded = GuardedRestarts(
        RestartContext(
            cluster=cluster,
            run=context.run,
            peers=context.peers,
            unreachable=context.unreachable,
            journal=context.journal,
            limits=context.limits,
            environment=environment,
            events=context.events,
            options=restarts.how,
            window=None,
            alarms_before=alarms,
            enter=lambda _step: context.write_heartbeat(),
            look=look,
            add_open_step=add_open_step,
        )
    )
    guarded.settle()
    for peer in peers:
        if guarded.restart(peer) is RestartOutcome.STOPPED:
            break
    return bool(guarded.restarted), tuple(steps)


def rehearse_restarts_after_undo(context: UndoContext, restarts: RollbackRestarts) -> tuple[ManualStep, ...]:
    """Emit the guards, as they are now, of each peer that a rollback may restart.

    Returns:
        A step for each peer that a guard would keep in service, where every peer restarts that loaded the lists of the run.
    """
    if restarts.is_never:
        return ()
    steps: list[ManualStep] = []
    cluster = read_cluster_health(context.peers, context.unreachable)
    for peer in context.peers:
        health = cluster.peers.get(peer.address, Health())
        if not _may_have_loaded_the_run(context, peer.address, health):
            continue
        findings = judge_guards_now(context.journal, peer.address, cluster, restarts.how.assume)
        emit_guards(context.events, peer.address, findings, rehearsed=True)
        obstacles = describe_obstacles(peer.address, findings)
        if obstacles and restarts.choice == "rolling":
            steps.append(ManualStep(obstacles, peer.address))
        elif not obstacles:
            message = f"Would restart {peer.address} after everything is undone, {_RESTART_CONDITION[restarts.choice]}."
            context.events.emit("would-change", message, peer=peer.address)
    return tuple(steps)


def _may_have_loaded_the_run(context: UndoContext, peer: Address, health: Health) -> bool:
    """Return whether a peer may work with a list of the run: it was written to, and its start does not show that it does not."""
    own = [
        entry
        for entry in load_writes(context.journal, peer, own_run=context.run, limits=context.limits)
        if entry.run == context.run
    ]
    is_settled = all(entry.is_undone for entry in own) and is_started_after(health.started_at, own)
    return bool(own) and not is_settled and not is_started_before(health.started_at, own)
