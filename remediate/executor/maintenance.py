"""Maintenance mode: turned on and off with the journal ahead of it, so that no process that dies leaves a peer in it unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from remediate.executor.comeback import has_restarted
from remediate.executor.environment import Environment
from remediate.executor.health import read_peer_health
from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import (
    MaintenanceRecord,
    end_maintenance,
    load_open_maintenance,
    record_maintenance,
)
from remediate.executor.journal.store import Journal
from remediate.executor.operations.restart import BeforeRestart
from remediate.executor.ports import PeerPort
from remediate.executor.read_back import schedule_of_late_looks
from remediate.executor.result import ManualStep
from remediate.executor.steps import RunEvents
from remediate.model.canonical import parse_rfc3339
from remediate.model.errors import NotOffered, ObservationError, OutcomeUnknown, WriteRefused
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.limits import Limits

_MAY_HAVE_HAPPENED = (WriteRefused, OutcomeUnknown, ObservationError)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The switch of maintenance mode on the peers of one cluster.

    Attributes:
        cluster: The name of the cluster.
        run: The run that turns it on.
    """

    journal: Journal
    cluster: str
    run: str
    environment: Environment
    limits: Limits
    events: RunEvents

    def turn_on(self, peer: PeerPort, health: Health) -> tuple[int, str]:
        """Turn it on, and read it back; return the number of its record, and why it is not on; empty: it is."""
        environment = self.environment
        number = record_maintenance(
            self.journal, self.run, self.cluster, peer.address, identify_operator(), environment.now(), health.started_at
        )
        problem = _send(peer, on=True)
        is_on = _read_until(peer, self.limits, environment.pause, on=True)
        if is_on:
            self.events.emit("maintenance", f"Maintenance mode is on on {peer.address}.", peer=peer.address, on=True)
            return number, ""
        return number, problem or f"{peer.address} does not show that maintenance mode is on."

    def turn_off(self, peer: PeerPort, number: int) -> bool:
        """Turn it off, and read it back; return whether it is off."""
        return _turn_off(self.journal, peer, number, self.environment, self.limits, self.events)

    def end(self, peer: Address, number: int) -> None:
        """Record that it was read as off: a peer turns it off by itself when it restarts."""
        end_maintenance(self.journal, number, self.environment.now(), f"{peer} restarted")


def end_maintenance_left_on(
    journal: Journal, cluster: str, peers: Sequence[PeerPort], environment: Environment, limits: Limits, events: RunEvents
) -> tuple[ManualStep, ...]:
    """End the maintenance mode that an earlier run left on; return a step for each peer where it is not read back as off."""
    steps: list[ManualStep] = []
    by_name = {peer.address.casefold(): peer for peer in peers}
    for record in load_open_maintenance(journal, cluster):
        peer = by_name.get(record.peer.casefold())
        if peer is None or not _end(journal, peer, record, environment, limits, events):
            step = ManualStep(describe_left_on(record), record.peer)
            events.emit("manual-step", step.text, peer=record.peer, open=True)
            steps.append(step)
    return tuple(steps)


def warn_of_maintenance_left_on(journal: Journal, cluster: str, events: RunEvents) -> None:
    """Emit, for a command that writes nothing, which maintenance mode an earlier run left on."""
    for record in load_open_maintenance(journal, cluster):
        events.emit(
            "warning", f"{describe_left_on(record)} A run that may write to the cluster ends it first.", peer=record.peer
        )


def describe_left_on(record: MaintenanceRecord) -> str:
    """Return the sentences about maintenance mode that may be on, and what turns it off."""
    return (
        f"Maintenance mode of {record.peer}, {record}, may still be on: then it takes no new calls. It ends with a restart of that "
        "peer, or with `xConfiguration SystemUnit Maintenance Mode: Off` there."
    )


def _end(
    journal: Journal, peer: PeerPort, record: MaintenanceRecord, environment: Environment, limits: Limits, events: RunEvents
) -> bool:
    health, _ = read_peer_health(peer)
    if health.maintenance is False:
        end_maintenance(journal, record.number, environment.now(), "read as off")
        return True
    if _started_after(health, record):
        # The peer turned it off when it restarted; what is on now is not this tool's.
        end_maintenance(journal, record.number, environment.now(), "the peer restarted since")
        return True
    events.emit(
        "warning", f"Maintenance mode of {peer.address} was {record}, and not turned off: it is ended now.", peer=peer.address
    )
    return _turn_off(journal, peer, record.number, environment, limits, events)


def _started_after(health: Health, record: MaintenanceRecord) -> bool:
    start = parse_rfc3339(record.started_at) if record.started_at else None
    return has_restarted(BeforeRestart(start), health, parse_rfc3339(record.at)) is True


def _turn_off(
    journal: Journal, peer: PeerPort, number: int, environment: Environment, limits: Limits, events: RunEvents
) -> bool:
    _send(peer, on=False)
    if not _read_until(peer, limits, environment.pause, on=False):
        return False
    end_maintenance(journal, number, environment.now(), "turned off")
    events.emit("maintenance", f"Maintenance mode is off on {peer.address}.", peer=peer.address, on=False)
    return True


def _send(peer: PeerPort, *, on: bool) -> str:
    """Send the switch; return what the peer, or the connection to it, answered instead of yes."""
    try:
        peer.set_maintenance(on)
    except (*_MAY_HAVE_HAPPENED, NotOffered) as error:
        return str(error)
    return ""


def _read_until(peer: PeerPort, limits: Limits, pause: Callable[[float], None], *, on: bool) -> bool:
    """Return whether the peer shows it as it was set, looking again for a while."""
    looks, pause_s = schedule_of_late_looks(limits)
    for look in range(looks + 1):
        if look:
            pause(pause_s)
        if read_peer_health(peer)[0].maintenance is on:
            return True
    return False
