"""The restarts after a rollback, by the rules of every restart: of peers that do not work with their earlier lists again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remediate.executor.environment import Environment
from remediate.executor.guarded_restart import GuardedRestarts, RestartContext, RestartOutcome
from remediate.executor.health import read_cluster_health
from remediate.executor.result import ManualStep, RestartOptions
from remediate.executor.undo import UndoContext
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.identity import Address
from remediate.model.restart import Restart


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
        """Whether nothing restarts: with a job that does not say what happens to calls, `if-needed` restarts nothing either."""
        return self.choice == "never" or (self.choice == "if-needed" and self.how.calls is None)

    def choose(self, effects: Sequence[PeerEffect]) -> tuple[Address, ...]:
        """Return the peers to restart."""
        states = {EffectState.NO} if self.choice == "if-needed" else {EffectState.NO, EffectState.NOT_KNOWN}
        return () if self.is_never else tuple(effect.peer for effect in effects if effect.state in states)


def read_alarms(context: UndoContext, restarts: RollbackRestarts) -> Mapping[Address, frozenset[str]]:
    """Return the alarms of each peer before the rollback writes anything; nothing where it restarts no peer."""
    if restarts.is_never:
        return {}
    peers = read_cluster_health(context.peers, context.unreachable).peers
    return {
        address: frozenset(alarm.id for alarm in health.alarms)
        for address, health in peers.items()
        if health.alarms is not None
    }


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

    def leave_to_person(step: ManualStep) -> None:
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
            leave_to_person=leave_to_person,
        )
    )
    guarded.settle()
    for peer in peers:
        if guarded.restart(peer) is RestartOutcome.STOPPED:
            break
    return bool(guarded.restarted), tuple(steps)
