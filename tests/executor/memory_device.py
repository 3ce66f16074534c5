"""One peer in memory: its lists, what it says of itself, and what a restart does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from remediate.model.alarms import RESTART_REQUIRED_ALARMS
from remediate.model.certificate import Certificate
from remediate.model.client import ClientAnswer
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address, CipherList
from remediate.model.secret import Login
from tests.pki import NOW

HEALTHY = Health(
    started_at=NOW + timedelta(days=365),
    alarms=(),
    calls=0,
    registrations=0,
    maintenance=False,
    upgrade=UpgradeState.NONE,
    zones={"UC traversal": True},
    tunnels={"expe1.example.test": True},
    replication_behind=False,
)


@dataclass
class Device:
    """One peer's own state.

    Attributes:
        front: there is a way through it for clients' requests, and the inventory says so.
        account: what those requests are made with.
        loaded: the list that its traffic server judges by until it restarts; None: the list as it is.
        stuck: a restart loads nothing.
        clients_get: what a client gets in the place of a verdict.
        health: what it says of itself. By its start, whatever is written to it is in effect: most stories are about something else.
            `MemoryCluster.run_since_long` gives the others a start that lies before.
    """

    address: Address
    trusted: list[Certificate]
    ciphers: dict[str, CipherList]
    verify: bool | None = True
    up: bool = True
    removal: bool = True
    down_for: int = 0
    """Reads that still fail while it restarts."""
    front: bool = False
    account: Login | None = None
    loaded: list[Certificate] | None = None
    stuck: bool = False
    clients_get: ClientAnswer | None = None
    version: str = "X14.2.1"
    revocation_lists: tuple[str, ...] = ()
    health: Health = HEALTHY
    says: dict[str, Any] = field(default_factory=dict)
    """What it says of itself instead, by the names of `Health`."""
    drains_after: int | None = 0
    """Looks at its health in maintenance mode until its calls have ended; None: they do not end."""
    links_late_for: int = 0
    """Looks at its health after a restart until its zones and tunnels are active again."""
    links_late: int = 0
    """What `links_late_for` becomes with each restart."""
    keeps_down: frozenset[str] = frozenset()
    """Zones and tunnels that do not come back from a restart."""
    cut_calls: int = 0
    """Calls that its restarts have ended."""


def health_of(device: Device, members: Sequence[Address]) -> Health:
    """What a device says of itself in a cluster of these members; a look at it lets its time go by."""
    health, alone = device.health, len(members) == 1
    if health.maintenance and device.drains_after is not None:
        device.drains_after -= 1
        if device.drains_after < 0:
            health = device.health = replace(health, calls=0)
    late, device.links_late_for = device.links_late_for > 0, max(0, device.links_late_for - 1)
    health = replace(
        health,
        alarms=(*health.alarms, *([PeerAlarm("15015", "Maintenance mode")] if health.maintenance else []))
        if health.alarms is not None
        else None,
        zones={name: active and not late for name, active in (health.zones or {}).items()},
        tunnels={name: active and not late for name, active in (health.tunnels or {}).items()},
        cluster_peers=() if alone else tuple(members),
        own_address=None if alone else device.address,
    )
    return replace(health, **device.says)


def restart_health(device: Device, now: datetime) -> None:
    """What a restart does to what a device says of itself."""
    links = {"zones": device.health.zones or {}, "tunnels": device.health.tunnels or {}}
    back = {kind: {name: name not in device.keeps_down for name in names} for kind, names in links.items()}
    device.cut_calls += device.health.calls or 0
    device.links_late_for = max(device.links_late_for, device.links_late)
    alarms = (
        None
        if device.health.alarms is None
        else tuple(alarm for alarm in device.health.alarms if alarm.id not in RESTART_REQUIRED_ALARMS)
    )
    device.health = replace(
        device.health, started_at=now, calls=0, maintenance=False, zones=back["zones"], tunnels=back["tunnels"], alarms=alarms
    )
