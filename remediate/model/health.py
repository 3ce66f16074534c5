"""The health of one Expressway peer: its status beside its lists, as far as it was asked and answered.

None anywhere means *not observed*, never *nothing there*: an empty tuple is the peer's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from remediate.model.identity import Address


class UpgradeState(StrEnum):
    """The state of a software upgrade of one peer."""

    NONE = "none"
    UNDER_WAY = "under-way"
    STAGED = "staged"
    """Uploaded, and installed at the next reboot: whatever is configured until then is lost."""


@dataclass(frozen=True, slots=True)
class PeerAlarm:
    """One raised alarm.

    Attributes:
        id: The number in Cisco's alarm reference, such as ``20009``.
        title: In the peer's own words.
    """

    id: str
    title: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The health of one peer at one moment.

    Attributes:
        started_at: The moment before which its services did not start: the reading, by this machine's clock, less its uptime. By
            this clock, as the journal's times are, so that a peer whose clock is wrong does not seem to have started later.
        uptime_s: The uptime that `started_at` was made from.
        total_since_start: The calls and registrations that its counters hold in all. They begin at zero with each restart, so a
            smaller number than before shows one where uptime does not.
        alarms: The alarms that are raised.
        calls: How many calls it carries.
        registrations: How many endpoints are registered on it. Clients of Mobile and Remote Access register on Unified CM and are
            not among them.
        maintenance: Whether maintenance mode is on.
        upgrade: Whether an upgrade is under way or staged, as far as its REST status and its alarms tell.
        zones: Whether each zone is active, by its name.
        tunnels: Whether each SSH tunnel of Unified Communications is active, by its name; never empty.
        replication_behind: Whether the configuration of this peer is not that of the cluster, or may not be.
        cluster_peers: The addresses in its own list of the cluster; empty on a peer without a cluster.
        own_address: Its own address in `cluster_peers`; None without an entry in `unread`: it was looked for and is not there.
        unread: Why a reading was not observed, by the name of the attribute.
    """

    started_at: datetime | None = None
    uptime_s: float | None = None
    total_since_start: int | None = None
    alarms: tuple[PeerAlarm, ...] | None = None
    calls: int | None = None
    registrations: int | None = None
    maintenance: bool | None = None
    upgrade: UpgradeState | None = None
    zones: Mapping[str, bool] | None = None
    tunnels: Mapping[str, bool] | None = None
    replication_behind: bool | None = None
    cluster_peers: tuple[Address, ...] | None = None
    own_address: Address | None = None
    unread: Mapping[str, str] | None = None

    @property
    def alarm_numbers(self) -> frozenset[str] | None:
        """The numbers of the alarms that are raised."""
        return None if self.alarms is None else frozenset(alarm.id for alarm in self.alarms)
