"""The operator: the user, host and process of a run, for the lock and the journal."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass

from remediate.machine.system import user_id


@dataclass(frozen=True, slots=True)
class Operator:
    """A user, a host and a process."""

    user: str
    host: str
    pid: int

    def __str__(self) -> str:
        return f"{self.user} on {self.host} (process {self.pid})"


def identify_operator() -> Operator:
    """Return who this process is. A user id without a name (containers) is its own name."""
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):
        user = f"uid {user_id()}"
    return Operator(user, socket.gethostname(), os.getpid())
