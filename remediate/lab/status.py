"""Status of a simulated peer as ``xStatus`` prints it: blocks, an empty list being ``*s Calls: /``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from remediate.lab.state import SimulatedCluster, SimulatedPeer

_END = "*s/end"
_SINCE = "2026-08-05 03:12:41"


def print_status(element: str, cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str] | None:
    """Return the lines of one element, without the ``OK`` after them; None if there is no such element."""
    name = element.casefold()
    with cluster.lock:
        if name in peer.condition.statuses:
            return list(peer.condition.statuses[name])
        printer = _ELEMENTS.get(name)
        return printer(cluster, peer, now) if printer else None


def _print_unit(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    return [
        "*s SystemUnit: /",
        '  Product: "TANDBERG VCS"',
        f'  Uptime: "{peer.condition.uptime_s}"',
        f'  SystemTime: "{now:%Y-%m-%d %H:%M:%S}"',
        f'  Name: "{peer.name}"',
        "  Software: /",
        f'    Version: "{cluster.scenario.version}"',
        '    Name: "s42700"',
        "  Hardware: /",
        '    SerialNumber: "00000000"',
        _END,
    ]


def _print_alarms(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del cluster, now
    blocks = [
        [
            f"*s Alarm {number}:",
            f'  ID: "{alarm.number}"',
            f'  Title: "{alarm.title}"',
            f'  Severity: "{alarm.severity}"',
            '  State: "Unacknowledged"',
            _END,
        ]
        for number, alarm in enumerate(peer.condition.raised, start=1)
    ]
    return [line for block in blocks for line in block] or ["*s Alarm: /", _END]


def _print_usage(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del cluster, now
    usage = {"Traversal": peer.condition.calls, "NonTraversal": 0}
    calls = [
        line for kind, current in usage.items() for line in (f"    {kind}:", *_print_counters(current, peer.condition.handled))
    ]
    registrations = [f'    {name}: "{value}"' for name, value in (("Current", peer.condition.registrations), ("Total", 0))]
    return ["*s ResourceUsage:", "  Calls:", *calls, "  Registrations:", *registrations, _END]


def _print_counters(current: int, total: int) -> list[str]:
    return [f'      {name}: "{value}"' for name, value in (("Current", current), ("Max", current), ("Total", total))]


def _print_calls(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del cluster, now
    return _print_list(
        "Calls",
        "Call",
        (
            [f'SerialNumber: "{number:08x}-0000-4000-8000-000000000000"', 'State: "Connected"']
            for number in range(peer.condition.calls)
        ),
    )


def _print_registrations(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del cluster, now
    members = ([f'SerialNumber: "{number:08x}"', 'Protocol: "SIP"'] for number in range(peer.condition.registrations))
    return _print_list("Registrations", "Registration", members)


def _print_zones(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del cluster, now
    members = (
        [f'Name: "{name}"', f'Status: "{_word(active=active)}"', 'Type: "TraversalClient"']
        for name, active in peer.condition.zones.items()
    )
    _, *zones = _print_list("Zones", "Zone", members)
    local = ["  LocalZone:", "    DefaultSubZone:", '      Name: "DefaultSubZone"', "  Searches:", '    Current: "0"']
    return ["*s Zones:", "  DefaultZone:", '    Name: "DefaultZone"', *local, *zones]


def _print_tunnels(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del cluster, now
    members = ([f'Name: "{name}"', f'Status: "{_word(active=active)}"'] for name, active in peer.condition.tunnels.items())
    return _print_list("Tunnels", "Tunnel", members)


def _print_alternates(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> list[str]:
    del peer, now
    members = (
        [f'Address: "{alternate.address}"', f'Status: "{_word(active=alternate.running)}"', f'LastStatusChange: "{_SINCE}"']
        for alternate in (cluster.peers if len(cluster.peers) > 1 else ())
    )
    return _print_list("Alternates", "Peer", members)


def _print_list(element: str, member: str, members: Iterable[list[str]]) -> list[str]:
    lines: list[str] = []
    for number, values in enumerate(members, start=1):
        lines.append(f"  {member} {number}:")
        lines.extend(f"    {value}" for value in values)
    return [f"*s {element}:", *lines, _END] if lines else [f"*s {element}: /", _END]


def _word(*, active: bool) -> str:
    return "Active" if active else "Failed"


_ELEMENTS: dict[str, Callable[[SimulatedCluster, SimulatedPeer, datetime], list[str]]] = {
    "systemunit": _print_unit,
    "alarm": _print_alarms,
    "resourceusage": _print_usage,
    "calls": _print_calls,
    "registrations": _print_registrations,
    "zones": _print_zones,
    "tunnels": _print_tunnels,
    "alternates": _print_alternates,
}
