"""The health of one peer, read over its shell and REST. A form that is not understood is *not observed*, never *clear*.

The elements of ``xStatus`` are those of Cisco's command reference (X14.2 to X15.5), which does not document their fields. What is
known of those, and from where, is in decision 0025.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from remediate.connectors.expressway.alarm_text import BLOCK_NAMES, parse_alarms
from remediate.connectors.expressway.records import Alternates, parse_alternates
from remediate.connectors.expressway.shell_text import parse_leaves
from remediate.connectors.expressway.status_text import StatusGroup, StatusNotUnderstood, parse_blocks
from remediate.connectors.text import parse_address
from remediate.model.alarms import REPLICATION_ALARMS, TUNNEL_ALARMS, UPGRADE_ALARM
from remediate.model.errors import AccessError, LoginRefused, NotOffered, ObservationError, PinMismatch
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address
from remediate.model.text import mask_and_escape

MAINTENANCE_MODE = "SystemUnit Maintenance Mode"
UPGRADE_STATUS = ("/api/v1/status/common/upgradestatus", "/api/status/common/upgradestatus")
"""REST API Summary Guide X14.2; ``/api`` and ``/api/v1`` are equivalent spellings."""

_UPGRADE_STATES = {
    "UPGD_INITIATED": UpgradeState.UNDER_WAY,
    "UPGD_FILE_DOWNLOADING": UpgradeState.UNDER_WAY,
    "UPGD_FILE_DOWNLOADED": UpgradeState.STAGED,
    "UPGD_FILE_DOWNLOADFAILED": UpgradeState.NONE,
    "UPGD_WAIT_FOR_CALLDISCONNECT": UpgradeState.UNDER_WAY,
    "UPGD_STARTED": UpgradeState.UNDER_WAY,
    "UPGD_REBOOT": UpgradeState.STAGED,
    "UPGD_FAILED": UpgradeState.NONE,
    "UPGD_SUCCESSFUL": UpgradeState.NONE,
}
_ACTIVE = frozenset({"active", "on"})
"""*On* is the status of a zone that has no connections of its own, such as DNS (administrator guide X15.5, zone status)."""
_NOT_ACTIVE = frozenset({"failed", "inactive", "off", "warning", "unknown", "checking"})
_UPTIME_STEP = timedelta(seconds=1)
"""Uptime is printed in whole seconds."""
_MAX_DIGITS = 10
_Value = TypeVar("_Value")


class StatusSource(Protocol):
    """Where the readings come from: the shell and REST of one peer."""

    @property
    def address(self) -> Address:
        """The address that the peer was opened under."""

    def query(self, command: str) -> Sequence[str]:
        """Return the lines of the answer to a command that only reads."""

    def get_page(self, path: str) -> str:
        """Return the text at an absolute path."""


@dataclass(slots=True)
class _Readings:
    source: StatusSource
    names: Collection[str] | None = None
    unread: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, reader: Callable[[], _Value]) -> _Value | None:
        """Return one reading; None, with the reason under its name, where it was not observed, or was not asked for."""
        if self.names is not None and name not in self.names:
            return None
        try:
            return reader()
        except (LoginRefused, PinMismatch):
            raise
        except StatusNotUnderstood as error:
            self.unread[name] = f"{self.source.address} answers in an unknown format: {error}."
        except (ObservationError, NotOffered, AccessError) as error:
            self.unread[name] = str(error)
        return None

    def blocks(self, element: str, *names: str) -> tuple[StatusGroup, ...]:
        return parse_blocks(self.source.query(f"xStatus {element}"), *names)

    def leaves(self, path: str) -> dict[str, str]:
        leaves = parse_leaves(self.source.query(f"xConfiguration {path}"))
        return {name.casefold(): value for name, value in leaves.items()}


def read_health(source: StatusSource, now: Callable[[], datetime], names: Collection[str] | None = None) -> Health:
    """Return the status of a peer.

    Args:
        source: The peer.
        now: This machine's clock.
        names: The readings to make, each by its name in `Health`, of those that need no other; None: all of them.

    Raises:
        LoginRefused, PinMismatch: At once; nothing else of it is read.
    """
    readings = _Readings(source, names)
    asked_at = now()
    uptime = readings.read("started_at", lambda: _read_uptime(readings))
    if "started_at" in readings.unread:
        readings.unread["uptime_s"] = readings.unread["started_at"]
    total = readings.read("total_since_start", lambda: _read_total(readings))
    raised = readings.read("alarms", lambda: parse_alarms(readings.blocks("Alarm", *BLOCK_NAMES)))
    alternates = readings.read("cluster_peers", lambda: _read_alternates(readings))
    return Health(
        started_at=asked_at - timedelta(seconds=uptime) - _UPTIME_STEP if uptime is not None else None,
        uptime_s=float(uptime) if uptime is not None else None,
        total_since_start=total,
        alarms=raised,
        calls=readings.read("calls", lambda: _count_members(readings, "Calls", "call")),
        registrations=readings.read("registrations", lambda: _count_members(readings, "Registrations", "registration")),
        maintenance=readings.read("maintenance", lambda: _read_maintenance(readings)),
        upgrade=readings.read("upgrade", lambda: _read_upgrade(readings, raised)),
        zones=readings.read("zones", lambda: _read_zones(readings)),
        tunnels=readings.read("tunnels", lambda: _read_tunnels(readings, raised)),
        replication_behind=readings.read("replication_behind", lambda: _read_replication(readings, raised, alternates)),
        cluster_peers=alternates.peers if alternates else None,
        own_address=readings.read("own_address", lambda: _find_own_address(readings, alternates)),
        unread=readings.unread,
    )


def _read_uptime(readings: _Readings) -> int:
    """Return the seconds since the system last restarted, which is how Cisco's guides define *Up time*."""
    (unit, *_) = readings.blocks("SystemUnit", "systemunit")
    text = unit.value("uptime")
    if text is None:
        raise StatusNotUnderstood("its `SystemUnit` has no uptime")
    return _parse_number(text, "its uptime")


def _read_total(readings: _Readings) -> int:
    """Return the sum of the counters ``Total`` of calls and registrations, which are set to zero by a restart."""
    totals = [total for block in readings.blocks("ResourceUsage", "resourceusage") for total in _iterate_totals(block)]
    if not totals:
        raise StatusNotUnderstood("its `ResourceUsage` has no totals")
    return sum(totals)


def _iterate_totals(group: StatusGroup) -> Iterator[int]:
    for member in group.groups:
        if member.first_word in ("calls", "registrations", "traversal", "nontraversal", "collaborationedge"):
            yield from _iterate_totals(member)
    text = group.value("total")
    if text is not None:
        yield _parse_number(text, "a total of its `ResourceUsage`")


def _parse_number(text: str, subject: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise StatusNotUnderstood(f"{subject} is `{mask_and_escape(text, 40)}`")
    return int(text)


def _read_maintenance(readings: _Readings) -> bool:
    text = readings.leaves(MAINTENANCE_MODE).get(MAINTENANCE_MODE.casefold(), "")
    if text.casefold() not in ("on", "off"):
        raise StatusNotUnderstood(f"its maintenance mode is `{mask_and_escape(text, 40)}`")
    return text.casefold() == "on"


def _count_members(readings: _Readings, element: str, member: str) -> int:
    """Return how many members a list has, such as ``Call 1`` of ``Calls``; an empty one is printed as ``*s Calls: /``."""
    count = 0
    for block in readings.blocks(element, element.casefold()):
        if block.values or any(group.first_word != member for group in block.groups):
            raise StatusNotUnderstood(f"its `{element}` holds something other than {element.casefold()}")
        count += len(block.groups)
    return count


def _read_zones(readings: _Readings) -> dict[str, bool]:
    """Return whether each zone that was made is active; the default zone and the local zone have no status."""
    zones: dict[str, bool] = {}
    for block in readings.blocks("Zones", "zones"):
        for group in block.groups:
            if group.first_word == "zone":
                name, active = _read_link(group, ("name",))
                zones[name] = active and zones.get(name, True)
    return zones


def _read_tunnels(readings: _Readings, raised: tuple[PeerAlarm, ...] | None) -> dict[str, bool]:
    """Return the SSH tunnels by ``xStatus Tunnels``. Their alarm is believed wherever that is not understood."""
    failed = [alarm for alarm in raised or () if alarm.id in TUNNEL_ALARMS]
    if failed:
        return {f"alarm {alarm.id}": False for alarm in failed}
    tunnels: dict[str, bool] = {}
    for block in readings.blocks("Tunnels", "tunnels"):
        for group in block.groups:
            if group.first_word != "tunnel":
                raise StatusNotUnderstood(f"its `Tunnels` holds `{mask_and_escape(group.name, 40)}`")
            name, active = _read_link(group, ("name", "host", "address", "peer"))
            tunnels[name] = active and tunnels.get(name, True)
    if not tunnels:
        raise StatusNotUnderstood("it lists no tunnel, and the form of this list is not documented")
    return tunnels


def _read_link(group: StatusGroup, names: tuple[str, ...]) -> tuple[str, bool]:
    """Return name and state of a zone or a tunnel."""
    name, state = group.value(*names), group.value("status", "state")
    if not name or state is None:
        raise StatusNotUnderstood(f"its `{mask_and_escape(group.name, 40)}` has no name or no status")
    return mask_and_escape(name, 80), _is_active(group.name, state)


def _is_active(name: str, state: str) -> bool:
    word = state.strip().casefold()
    if word not in _ACTIVE | _NOT_ACTIVE:
        raise StatusNotUnderstood(f"the status of its `{mask_and_escape(name, 40)}` is `{mask_and_escape(state, 40)}`")
    return word in _ACTIVE


def _read_replication(readings: _Readings, raised: tuple[PeerAlarm, ...] | None, alternates: Alternates | None) -> bool:
    """Return whether replication is behind: by the alarms that Cisco documents, and by the status of the other peers."""
    if any(alarm.id in REPLICATION_ALARMS for alarm in raised or ()):
        return True
    if raised is None or alternates is None:
        raise ObservationError(
            f"It depends on data that was not read: {readings.unread['alarms' if raised is None else 'cluster_peers']}"
        )
    if len(alternates.peers) <= 1:
        return False
    states = [
        _is_active(group.name, state)
        for block in readings.blocks("Alternates", "alternates")
        for group in block.groups
        if (state := group.value("status", "state")) is not None
    ]
    if not states:
        raise StatusNotUnderstood("its `Alternates` have no status")
    return not all(states)


def _read_alternates(readings: _Readings) -> Alternates:
    """Return the peer's own list of its cluster; empty on a peer without a cluster."""
    leaves = parse_leaves(readings.source.query("xConfiguration Alternates"))
    if not any(path.casefold().startswith("alternates ") for path in leaves):
        raise StatusNotUnderstood("its `Alternates` have no settings")
    alternates = parse_alternates(leaves)
    unusable = [address for address in alternates.peers if parse_address(address) is None]
    if unusable:
        raise StatusNotUnderstood(f"it lists the peer `{mask_and_escape(unusable[0], 80)}`")
    return alternates


def _find_own_address(readings: _Readings, alternates: Alternates | None) -> Address | None:
    """Return the peer's own address in its list: that of the inventory, of an interface, or its full name."""
    if alternates is None:
        raise ObservationError(f"It depends on data that was not read: {readings.unread['cluster_peers']}")
    own = {str(readings.source.address).casefold()}
    if not any(address.casefold() in own for address in alternates.peers):
        own |= _read_own_addresses(readings)
    return next((address for address in alternates.peers if address.casefold() in own), None)


def _read_own_addresses(readings: _Readings) -> set[str]:
    leaves = readings.leaves("Ethernet") | readings.leaves("IP DNS")
    addresses = {
        value.casefold() for path, value in leaves.items() if path.startswith("ethernet ") and path.endswith(" address")
    }
    host, domain = leaves.get("ip dns hostname", ""), leaves.get("ip dns domain name", "")
    addresses |= {f"{host}.{domain}".casefold()} if host and domain else set()
    addresses.discard("")
    if not addresses:
        raise StatusNotUnderstood("it lists none of its own addresses")
    return addresses


def _read_upgrade(readings: _Readings, raised: tuple[PeerAlarm, ...] | None) -> UpgradeState:
    if any(alarm.id == UPGRADE_ALARM for alarm in raised or ()):
        return UpgradeState.UNDER_WAY
    try:
        page = readings.source.get_page(UPGRADE_STATUS[0])
    except NotOffered:
        page = readings.source.get_page(UPGRADE_STATUS[1])
    return parse_upgrade_status(page)


def parse_upgrade_status(page: str) -> UpgradeState:
    """Return the state in ``[{"StatusUpdateTime": …, "UpgradeStatus": "UPGD_STARTED"}]``; an empty list is that of no upgrade.

    Raises:
        StatusNotUnderstood: It is anything else.
    """
    try:
        document = json.loads(page)
    except (ValueError, RecursionError) as error:
        raise StatusNotUnderstood("the status of its upgrade is not JSON") from error
    records = document if isinstance(document, list) else [document]
    states = []
    for record in records:
        text = record.get("UpgradeStatus") if isinstance(record, dict) else None
        state = _UPGRADE_STATES.get(text) if isinstance(text, str) else None
        if state is None:
            raise StatusNotUnderstood(f"the status of its upgrade is `{mask_and_escape(str(text), 60)}`")
        states.append(state)
    return next((state for state in states if state is not UpgradeState.NONE), UpgradeState.NONE)
