"""The guards of a restart: conditions that must be seen to hold before a peer restarts (contract, *Restart*).

A guard that could not be looked at is neither one that holds nor one that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from remediate.model.alarms import CLUSTER_ALARMS, MAINTENANCE_ALARM, RESTART_REQUIRED_ALARMS
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address
from remediate.model.restart import ASSUMABLE, Guard
from remediate.model.text import count


class GuardState(Enum):
    """Whether a guard holds."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_LOOKED_AT = "not-looked-at"


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """What was found of one guard of one peer.

    Attributes:
        description: One sentence for a person, without the name of the guard.
        assumed: It was not looked at, and the operator takes it as right.
    """

    guard: Guard
    state: GuardState
    description: str
    assumed: bool = False

    @property
    def lets_restart(self) -> bool:
        """Whether the peer may be restarted as far as this guard is concerned."""
        return self.state is GuardState.HOLDS or self.assumed


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """The health of every peer of a cluster at one moment.

    Attributes:
        peers: The status of each peer that answers, in the cluster's order.
        silent: Why each other peer does not answer.
    """

    peers: Mapping[Address, Health]
    silent: Mapping[Address, str] = field(default_factory=dict)

    @property
    def is_single(self) -> bool:
        """Whether it is a cluster of one peer, as far as is known."""
        return len(self.peers) + len(self.silent) == 1

    @property
    def alarm_numbers(self) -> dict[Address, frozenset[str]]:
        """The numbers of the alarms that are raised, on each peer of which they could be read."""
        numbers = {address: health.alarm_numbers for address, health in self.peers.items()}
        return {address: raised for address, raised in numbers.items() if raised is not None}


def judge_guards(
    peer: Address, cluster: ClusterHealth, alarms_before: Collection[str] | None, assume: Collection[Guard] = ()
) -> tuple[GuardFinding, ...]:
    """Return what is known of each guard of `peer`, in the order of `Guard`.

    Args:
        peer: The peer that is to be restarted.
        cluster: The health of every peer of its cluster, read just now.
        alarms_before: The alarms of `peer` before the run's first write; None: they were not read.
        assume: The guards that the operator takes as right where they could not be looked at.
    """
    health = cluster.peers.get(peer, Health())
    findings = (
        _judge_peers_up(cluster, health),
        _judge_alarms(cluster),
        _judge_replication(cluster),
        _judge_upgrade(cluster),
        _judge_own_address(health, cluster),
        _judge_restart_required(health, alarms_before),
        _judge_maintenance(cluster),
    )
    return tuple(_assume(finding, assume) for finding in findings)


def find_failing(findings: Iterable[GuardFinding]) -> tuple[GuardFinding, ...]:
    """Return the guards that fail."""
    return tuple(finding for finding in findings if finding.state is GuardState.FAILS)


def find_not_looked_at(findings: Iterable[GuardFinding]) -> tuple[GuardFinding, ...]:
    """Return the guards that could not be looked at and that the operator does not take as right."""
    return tuple(finding for finding in findings if finding.state is GuardState.NOT_LOOKED_AT and not finding.assumed)


def _assume(finding: GuardFinding, assume: Collection[Guard]) -> GuardFinding:
    if finding.state is GuardState.NOT_LOOKED_AT and finding.guard in assume and finding.guard in ASSUMABLE:
        return GuardFinding(finding.guard, finding.state, f"{finding.description} Accepted with --assume.", assumed=True)
    return finding


def _judge_peers_up(cluster: ClusterHealth, health: Health) -> GuardFinding:
    if cluster.silent:
        return _fails(Guard.PEERS_UP, f"Does not answer: {_list_reasons(cluster.silent)}.")
    total = len(cluster.peers)
    if health.cluster_peers and len(health.cluster_peers) > total:
        listed = count(len(health.cluster_peers), "peer")
        return _unknown(
            Guard.PEERS_UP, f"The peer's own list of cluster peers has {listed}, but only {total} could be reached."
        )
    return _holds(Guard.PEERS_UP, "The only peer answers." if total == 1 else f"All {total} peers answer.")


def _judge_alarms(cluster: ClusterHealth) -> GuardFinding:
    raised = {
        # One that asks for a restart is a guard of its own.
        address: [alarm for alarm in health.alarms or () if alarm.id in CLUSTER_ALARMS - RESTART_REQUIRED_ALARMS]
        for address, health in cluster.peers.items()
    }
    return _judge_everywhere(
        Guard.ALARMS,
        cluster,
        {address: _list_alarms(alarms) for address, alarms in raised.items() if alarms},
        unread=lambda health: health.alarms is None,
        unread_words="The alarms were not observed on {peers}.",
        good="No cluster alarm is raised.",
    )


def _judge_replication(cluster: ClusterHealth) -> GuardFinding:
    behind = {address: "its replication is behind" for address, health in cluster.peers.items() if health.replication_behind}
    return _judge_everywhere(
        Guard.REPLICATION,
        cluster,
        behind,
        # A peer without a cluster replicates nothing.
        unread=lambda health: health.replication_behind is None and not (cluster.is_single and health.cluster_peers == ()),
        unread_words="Replication was not observed on {peers}.",
        good="Nothing to replicate." if cluster.is_single else "Replication is up to date.",
    )


def _judge_upgrade(cluster: ClusterHealth) -> GuardFinding:
    words = {
        UpgradeState.UNDER_WAY: "an upgrade is under way",
        UpgradeState.STAGED: "an upgrade is staged and is installed at the next reboot",
    }
    pending = {address: words[health.upgrade] for address, health in cluster.peers.items() if health.upgrade in words}
    return _judge_everywhere(
        Guard.UPGRADE,
        cluster,
        pending,
        unread=lambda health: health.upgrade is None,
        unread_words="Whether an upgrade is under way or staged was not observed on {peers}.",
        good="No upgrade is under way or staged.",
    )


def _judge_own_address(health: Health, cluster: ClusterHealth) -> GuardFinding:
    if health.cluster_peers is None:
        return _unknown(
            Guard.OWN_ADDRESS, f"The peer's own list of cluster peers was not observed{_why(health, 'cluster_peers')}."
        )
    if not health.cluster_peers:
        if cluster.is_single:
            return _holds(Guard.OWN_ADDRESS, "The peer stands alone: its list of cluster peers is empty.")
        return _fails(
            Guard.OWN_ADDRESS,
            "The peer's list of cluster peers is empty, although the cluster has other peers: a restart would reset it to "
            "factory defaults.",
        )
    if health.own_address is not None:
        return _holds(Guard.OWN_ADDRESS, f"{health.own_address} is in the peer's list of cluster peers.")
    if "own_address" in (health.unread or {}):
        return _unknown(Guard.OWN_ADDRESS, f"The peer's own address was not observed{_why(health, 'own_address')}.")
    return _fails(
        Guard.OWN_ADDRESS,
        f"The peer's own address is not in its list of cluster peers ({', '.join(health.cluster_peers)}): a restart may "
        "reset it to factory defaults.",
    )


def _judge_restart_required(health: Health, alarms_before: Collection[str] | None) -> GuardFinding:
    guard = Guard.RESTART_REQUIRED
    if health.alarms is None:
        return _unknown(guard, f"The alarms were not observed{_why(health, 'alarms')}.")
    pending = [alarm for alarm in health.alarms if alarm.id in RESTART_REQUIRED_ALARMS]
    if not pending:
        return _holds(guard, "No other change is waiting for a restart.")
    if alarms_before is None:
        return _unknown(guard, f"{_list_alarms(pending)}: not known whether it was raised before this run's first write.")
    foreign = [alarm for alarm in pending if alarm.id in alarms_before]
    if foreign:
        return _fails(
            guard,
            f"{_list_alarms(foreign)}: raised before this run's first write, so the restart would also activate someone "
            "else's change.",
        )
    return _holds(guard, f"{_list_alarms(pending)}: raised by what this tool wrote.")


def _judge_maintenance(cluster: ClusterHealth) -> GuardFinding:
    on = {
        address: "maintenance mode is on, but not from this run"
        for address, health in cluster.peers.items()
        if health.maintenance or any(alarm.id == MAINTENANCE_ALARM for alarm in health.alarms or ())
    }
    return _judge_everywhere(
        Guard.MAINTENANCE,
        cluster,
        on,
        unread=lambda health: health.maintenance is None,
        unread_words="Maintenance mode was not observed on {peers}.",
        good="Maintenance mode is off.",
    )


def _judge_everywhere(
    guard: Guard,
    cluster: ClusterHealth,
    trouble: Mapping[Address, str],
    *,
    unread: Callable[[Health], bool],
    unread_words: str,
    good: str,
) -> GuardFinding:
    """Judge a guard that every peer of the cluster has a part in: trouble on any of them fails it."""
    if trouble:
        return _fails(guard, f"{_list_reasons(trouble)}.")
    missing = [address for address, health in cluster.peers.items() if unread(health)]
    missing += cluster.silent
    if missing or not cluster.peers:
        return _unknown(guard, unread_words.replace("{peers}", ", ".join(missing) or "any peer"))
    return _holds(guard, good)


def _holds(guard: Guard, description: str) -> GuardFinding:
    return GuardFinding(guard, GuardState.HOLDS, description)


def _fails(guard: Guard, description: str) -> GuardFinding:
    return GuardFinding(guard, GuardState.FAILS, description)


def _unknown(guard: Guard, description: str) -> GuardFinding:
    return GuardFinding(guard, GuardState.NOT_LOOKED_AT, description)


def _why(health: Health, attribute: str) -> str:
    reason = (health.unread or {}).get(attribute)
    return f" ({reason.rstrip('.')})" if reason else ""


def _list_reasons(reasons: Mapping[Address, str]) -> str:
    return "; ".join(f"{address}: {reason.rstrip('.')}" for address, reason in reasons.items())


def _list_alarms(alarms: Iterable[PeerAlarm]) -> str:
    return ", ".join(f"alarm {alarm.id}{f' ({alarm.title})' if alarm.title else ''}" for alarm in alarms)
