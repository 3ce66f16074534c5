"""The alarms of an Expressway that matter to a restart, by their numbers in Cisco's alarm reference (X14.2 to X15.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAINTENANCE_ALARM: Final = "15015"
UPGRADE_ALARM: Final = "20008"
"""Replication is off because an upgrade is in progress."""

REPLICATION_ALARMS: Final[Mapping[str, str]] = {
    "20006": "the database cannot replicate with a peer",
    UPGRADE_ALARM: "replication is off while an upgrade is in progress",
    "20009": "an error during the automatic replication of configuration",
    "20011": "its configuration conflicts with the primary's, so it must be synchronized by hand",
    "20012": "its cluster settings are not those of the primary",
    "20014": "a configuration file is missing on it or on the primary",
    "20015": "it is not in its own list of peers",
    "20016": "the primary is unreachable",
    "20017": "the peers do not agree on the primary",
    "20024": "the cluster is in an inconsistent state",
    "20025": "the database could not be synchronized",
}
"""The configuration of this peer is not that of the cluster, or may not be: what each alarm means."""

CLUSTER_ALARMS: Final = frozenset(
    {*REPLICATION_ALARMS, "20003", "20004", "20005", "20007", "20018", "20019", "20020", "20021", "20026"}
)

RESTART_REQUIRED_ALARMS: Final = frozenset(
    {
        "15006", "15014", "15022", "15028", "20007", "20020", "25001", "25006", "25007", "25008", "25009", "25010", "25011",
        "25015", "25017", "25026", "25029", "30025", "40009", "40045", "45022",
    }
)  # fmt: skip
"""A change waits for a restart: network, web port, SSH, a server certificate. A restart puts it into effect, even one by others."""

TUNNEL_ALARMS: Final = frozenset({"35013", "35014"})
"""An SSH tunnel of Unified Communications is down."""

VERBOSE_LOG_ALARM: Final = "25019"
"""*Verbose log levels configured*: raised while a diagnostic log is written."""
