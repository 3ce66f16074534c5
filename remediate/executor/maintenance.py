"""Maintenance mode: turned on and off with the journal ahead of it, so that no process that dies leaves a peer in it unknown."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The switch of maintenance mode on the peers of one cluster.

    Attributes:
        cluster: The name of the cluster.
    """

    journal: Journal
    cluster: str
    environment: Environment
    limits: Limits
    events: RunEvents

    def turn_on(self, peer: PeerPort, health: Health, run: str) -> tuple[int, str]:
        """Turn it on for `run`, and read it back; return the number of its record, and why it is not on; empty: it is."""
        now, start = self.environment.now(), health.started_at
        number = record_maintenance(self.journal, run, self.cluster, peer.address, identify_operator(), now, start)
        problem = _send(peer, on=True)
        if self._is_seen(peer, on=True):
            self.events.emit("maintenance", f"Maintenance mode is on on {peer.address}.", peer=peer.address, on=True)
            return number, ""
        return number, problem or f"{peer.address} does not show that maintenance mode is on."

    def turn_off(self, peer: PeerPort, number: int) -> bool:
        """Turn it off, and read it back; return whether it is off."""
        _send(peer, on=False)
        if not self._is_seen(peer, on=False):
            return False
        self._record_end(number, "turned off")
        self.events.emit("maintenance", f"Maintenance mode is off on {peer.address}.", peer=peer.address, on=False)
        return True

    def end(self, peer: Address, number: int) -> None:
        """Record that it was read as off: a peer turns it off by itself when it restarts."""
        self._record_end(number, f"{peer} restarted")

    def end_left_on(self, peers: Sequence[PeerPort]) -> tuple[ManualStep, ...]:
        """End what an earlier run left on; return a step for each peer where it is not read back as off."""
        steps: list[ManualStep] = []
        by_name = {peer.address.casefold(): peer for peer in peers}
        for record in load_open_maintenance(self.journal, self.cluster):
            peer = by_name.get(record.peer.casefold())
            if peer is None or not self._end_record(peer, record):
                step = ManualStep(describe_left_on(record), record.peer)
                self.events.emit("manual-step", step.text, peer=record.peer, open=True)
                steps.append(step)
        return tuple(steps)

    def _end_record(self, peer: PeerPort, record: MaintenanceRecord) -> bool:
        health, _ = read_peer_health(peer)
        if health.maintenance is False:
            self._record_end(record.number, "read as off")
            return True
        if _has_started_after(health, record):
            # The peer turned it off when it restarted; what is on now is not this tool's.
            self._record_end(record.number, "the peer restarted since")
            return True
        message = f"Maintenance mode of {peer.address} was {record}, and was not turned off: it is turned off now."
        self.events.emit("warning", message, peer=peer.address)
        return self.turn_off(peer, record.number)

    def _record_end(self, number: int, message: str) -> None:
        end_maintenance(self.journal, number, self.environment.now(), message)

    def _is_seen(self, peer: PeerPort, *, on: bool) -> bool:
        """Return whether the peer shows it as it was set, looking again for a while."""
        looks, pause_s = schedule_of_late_looks(self.limits)
        for look in range(looks + 1):
            if look:
                self.environment.pause(pause_s)
            if read_peer_health(peer)[0].maintenance is on:
                return True
        return False


def warn_of_maintenance_left_on(journal: Journal, cluster: str, events: RunEvents) -> None:
    """Emit, for a command that writes nothing, which maintenance mode an earlier run left on."""
    for record in load_open_maintenance(journal, cluster):
        events.emit(
            "warning", f"{describe_left_on(record)} The next run that may write to the cluster ends it first.", peer=record.peer
        )


def describe_left_on(record: MaintenanceRecord) -> str:
    """Return the sentences about maintenance mode that may be on, and what turns it off."""
    return (
        f"Maintenance mode of {record.peer}, {record}, may still be on: then it takes no new calls. To end it, restart that "
        "peer, or run `xConfiguration SystemUnit Maintenance Mode: Off` there."
    )


def _has_started_after(health: Health, record: MaintenanceRecord) -> bool:
    start = parse_rfc3339(record.started_at) if record.started_at else None
    return has_restarted(BeforeRestart(start), health, parse_rfc3339(record.at)) is True


def _send(peer: PeerPort, *, on: bool) -> str:
    """Send the switch; return the error of the peer or of the connection; empty: there was none."""
    try:
        peer.set_maintenance(on)
    except (WriteRefused, OutcomeUnknown, ObservationError, NotOffered) as error:
        return str(error)
    return ""
