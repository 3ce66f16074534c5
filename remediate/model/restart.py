"""The restart of peers: when, what happens to their calls, and the guards that must hold before it (contract, *Restart*)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Restart = Literal["never", "if-needed", "rolling"]
"""No peer; only peers on which the change is seen not to be in effect; every peer that the change concerns."""
Calls = Literal["drain", "end"]
"""Wait until the peer carries no call; or restart at once, which ends its calls."""


class Guard(StrEnum):
    """One condition that must hold before a peer is restarted."""

    PEERS_UP = "peers-up"
    ALARMS = "alarms"
    REPLICATION = "replication"
    UPGRADE = "upgrade"
    OWN_ADDRESS = "own-address"
    RESTART_REQUIRED = "restart-required"
    MAINTENANCE = "maintenance"


ASSUMABLE: frozenset[Guard] = frozenset(Guard) - {Guard.OWN_ADDRESS, Guard.UPGRADE}
"""The guards that an operator may take as right where they could not be looked at."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The inventory's settings of restarts; None: not set."""

    restart: Restart | None = None
    calls: Calls | None = None
