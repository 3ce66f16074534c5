"""Condition of a simulated peer beside its lists: uptime, alarms, calls, zones, tunnels, upgrade. Each can be ordered."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

MRA_ZONE = "UC traversal"
_LAST_RESTART_S = 12_023_815.0
"""A peer that the lab starts has been up for months."""


@dataclass(frozen=True, slots=True)
class LabAlarm:
    """An alarm, as in Cisco's alarm reference."""

    number: str
    title: str
    severity: str = "Warning"


MAINTENANCE_ALARM = LabAlarm("15015", "Maintenance mode")
REPLICATION_ALARM = LabAlarm("20009", "Cluster replication error")
"""Of a peer that has not taken over the primary's configuration in time."""


@dataclass(slots=True)
class Condition:
    """Condition of one peer. Tests may read and change its attributes.

    Attributes:
        alarms: The raised alarms, but for that of maintenance mode.
        ordinary_calls: The calls that go on in maintenance mode.
        ce_calls: The MRA calls of CE endpoints, which maintenance mode drops at once.
        drain_s: How long after maintenance mode began the ordinary calls end by themselves; None: they do not.
        registrations: How many endpoints are registered.
        handled: How many calls it has had since it started.
        zones: Whether each zone is active when all is well.
        tunnels: Whether each SSH tunnel to the Expressway-E is active when all is well.
        stays_down: Names of zones and tunnels that do not come back at the next restarts.
        upgrade: The ``UpgradeStatus`` that REST gives; None: there was no upgrade.
        offers_upgrade_status: Whether REST has the status of an upgrade.
        statuses: Lines to print for an element of ``xStatus`` (in lower case) instead of its own.
        dropped_calls: How many calls maintenance mode has dropped.
        cut_calls: How many calls restarts have cut.
    """

    alarms: list[LabAlarm] = field(default_factory=list)
    ordinary_calls: int = 0
    ce_calls: int = 0
    drain_s: float | None = None
    registrations: int = 0
    handled: int = 20_142
    zones: dict[str, bool] = field(default_factory=lambda: {MRA_ZONE: True, "CEtls-cucm": True})
    tunnels: dict[str, bool] = field(default_factory=lambda: {"expe1.steven.lab": True})
    stays_down: set[str] = field(default_factory=set)
    upgrade: str | None = None
    offers_upgrade_status: bool = True
    statuses: dict[str, list[str]] = field(default_factory=dict)
    dropped_calls: int = 0
    cut_calls: int = 0
    _started: float = field(default_factory=lambda: time.monotonic() - _LAST_RESTART_S)
    _maintenance_since: float | None = None

    @property
    def uptime_s(self) -> int:
        """Seconds since the last restart."""
        return int(time.monotonic() - self._started)

    @property
    def maintenance(self) -> bool:
        """Whether maintenance mode is on."""
        return self._maintenance_since is not None

    @property
    def raised(self) -> list[LabAlarm]:
        """The raised alarms."""
        return [*self.alarms, *([MAINTENANCE_ALARM] if self.maintenance else [])]

    @property
    def calls(self) -> int:
        """How many calls there are now."""
        since, drain_s = self._maintenance_since, self.drain_s
        if since is not None and drain_s is not None and time.monotonic() - since >= drain_s:
            self.ordinary_calls = 0
        return self.ordinary_calls + self.ce_calls

    @property
    def reaches_clients(self) -> bool:
        """Whether clients get to it: its zone and a tunnel are active."""
        return self.zones.get(MRA_ZONE, False) and any(self.tunnels.values())

    @property
    def refusal(self) -> str | None:
        """Why a client's new request does not get through, whatever the lists; None: it does."""
        if self.maintenance:
            return "Service Unavailable"
        return None if self.reaches_clients else "Next Hop Connection Failed"

    def raise_alarm(self, number: str, title: str = "Restart required", severity: str = "Warning") -> None:
        """Raise an alarm."""
        self.alarms.append(LabAlarm(number, title, severity))

    def lower_alarm(self, number: str) -> None:
        """Lower an alarm."""
        self.alarms = [alarm for alarm in self.alarms if alarm.number != number]

    def set_maintenance(self, *, on: bool) -> None:
        """Turn maintenance mode on, which drops the MRA calls of CE endpoints, or off."""
        if on and not self.maintenance:
            self._maintenance_since = time.monotonic()
            self.dropped_calls += self.ce_calls
            self.ce_calls = 0
        elif not on:
            self._maintenance_since = None

    def stop(self) -> int:
        """End what a restart ends, and return how many calls it cut: calls, registrations, maintenance mode, zones, tunnels."""
        cut = self.calls
        self.cut_calls += cut
        self.ordinary_calls = self.ce_calls = self.registrations = 0
        self._maintenance_since = None
        self.zones = dict.fromkeys(self.zones, False)
        self.tunnels = dict.fromkeys(self.tunnels, False)
        return cut

    def start(self) -> None:
        """Start again: uptime begins, alarms that wait for a restart end. Zones and tunnels follow with `connect`."""
        self._started = time.monotonic()
        self.handled = 0
        self.alarms = [alarm for alarm in self.alarms if alarm.title != "Restart required"]

    def connect(self) -> None:
        """Bring zones and tunnels up, but for those that stay down."""
        self.zones = {name: name not in self.stays_down for name in self.zones}
        self.tunnels = {name: name not in self.stays_down for name in self.tunnels}

    def copy(self) -> Condition:
        """Return a copy to restore from."""
        return replace(
            self,
            alarms=list(self.alarms),
            zones=dict(self.zones),
            tunnels=dict(self.tunnels),
            stays_down=set(self.stays_down),
            statuses=dict(self.statuses),
        )
