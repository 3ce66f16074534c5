"""The alarms of an Expressway that matter to a restart, by their numbers in Cisco's alarm reference (X14.2 to X15.5)."""

from __future__ import annotations

from typing import Final

MAINTENANCE_ALARM: Final = "15015"
UPGRADE_ALARM: Final = "20008"
"""Replication is off because an upgrade is in progress."""

REPLICATION_ALARMS: Final = frozenset(
    {"20006", "20008", "20009", "20011", "20012", "20014", "20015", "20016", "20017", "20024", "20025"}
)
"""The configuration of this peer is not that of the cluster, or may not be."""

CLUSTER_ALARMS: Final = frozenset(
    {*REPLICATION_ALARMS, "20003", "20004", "20005", "20007", "20018", "20019", "20020", "20021", "20026"}
)

RESTART_REQUIRED_ALARMS: Final = frozenset(
    {
        "15006", "15014", "15022", "15028", "20007", "20020", "25001", "25006", "25007", "25008", "25009", "25010", "25011",
        "25015", "25017", "25026", "25029", "30025", "40009", "40045", "45022",
    }
)  # fmt: skip
"""A change waits for a restart: network, web port, SSH, a server certificate. A restart makes it real, whoever made it."""

TUNNEL_ALARMS: Final = frozenset({"35013", "35014"})
"""An SSH tunnel of Unified Communications is down."""
