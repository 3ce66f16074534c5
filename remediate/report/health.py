"""The health of a peer in sentences, each with what to do about it; nothing where all is well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from remediate.model.alarms import RESTART_REQUIRED_ALARMS
from remediate.model.canonical import rfc3339
from remediate.model.health import Health, UpgradeState
from remediate.model.text import count

_MAX_UNREAD_REASON = 200
_UPGRADES = {
    UpgradeState.UNDER_WAY: ("an upgrade is under way", "Wait until it has finished."),
    UpgradeState.STAGED: (
        "an upgrade is staged: what is configured before its reboot is lost",
        "Finish the upgrade first; `apply` stops before its first write.",
    ),
}


def describe_health(health: Health) -> Iterator[tuple[str, str]]:
    """Yield what was observed of a peer, and what to do about it: empty where nothing needs to be done."""
    yield _summarise(health), ""
    for alarm in health.alarms or ():
        advice = "Check it before a restart."
        if alarm.id in RESTART_REQUIRED_ALARMS:
            advice = "A change is waiting for a restart, and any restart activates it. Ask who made it."
        yield f"alarm {alarm.id}: {alarm.title or 'without a title'}", advice
    if health.upgrade in _UPGRADES:
        yield _UPGRADES[health.upgrade]
    for kind, links in (("zone", health.zones), ("SSH tunnel", health.tunnels)):
        for name in _list_down(links):
            yield f"{kind} {name} is not active", "Clients may not get through this peer. Check it on the peer's status pages."
    if health.replication_behind:
        yield "its configuration may not be that of the cluster", "Check System > Clustering on every peer before a change."
    if health.own_address is None and "own_address" not in (health.unread or {}) and health.cluster_peers:
        yield (
            "its own address is not in its list of the cluster's peers",
            "Do not restart it: correct the list first (System > Clustering). A restart without it can end in a factory reset.",
        )
    for reason, names in _group_by_reason(health.unread or {}).items():
        yield (
            f"not observed: {', '.join(names)}: {reason[:_MAX_UNREAD_REASON]}",
            "Check it on the peer's own pages before a restart.",
        )


def _summarise(health: Health) -> str:
    started_at = health.started_at.replace(second=0) if health.started_at else None
    parts = [f"started {rfc3339(started_at)} by its uptime"] if started_at else []
    parts += ["no alarm"] if health.alarms == () else []
    parts += [count(health.calls, "call")] if health.calls is not None else []
    parts += [count(health.registrations, "registration")] if health.registrations is not None else []
    parts += [f"maintenance mode {'on' if health.maintenance else 'off'}"] if health.maintenance is not None else []
    active = [links for links in (health.zones, health.tunnels) if links and not _list_down(links)]
    parts += [f"{count(sum(map(len, active)), 'zone and tunnel', 'zones and tunnels')} active"] if active else []
    return "; ".join(parts) or "nothing of its health was observed"


def _group_by_reason(unread: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the readings for each reason: one shell that does not answer is the reason for most of them."""
    names: dict[str, list[str]] = {}
    for name, reason in sorted(unread.items()):
        names.setdefault(reason, []).append(name)
    return names


def _list_down(links: Mapping[str, bool] | None) -> list[str]:
    return [name for name, active in (links or {}).items() if not active]
