"""Loopback network of a lab, so that several labs run side by side."""

from __future__ import annotations

import random
import socket

from remediate.lab.errors import LabError

_LOCK_PORT = 41999
_ATTEMPTS = 200


class Subnet:
    """One free ``127.x.y.0/24``, held by a socket on its first address until `release()`.

    Linux answers on all of 127.0.0.0/8 without any set-up; elsewhere such addresses have to be added to the loopback
    interface first.
    """

    def __init__(self) -> None:
        self._lock, self._prefix = _reserve()

    def address(self, host: int) -> str:
        """Return the address with this last number, 1 to 254."""
        return f"{self._prefix}.{host}"

    def release(self) -> None:
        """Release the network."""
        self._lock.close()


def _reserve() -> tuple[socket.socket, str]:
    # Not a cryptographic choice: it only spreads labs that start at the same moment.
    chooser = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        prefix = f"127.{chooser.randrange(64, 128)}.{chooser.randrange(256)}"
        lock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            lock.bind((f"{prefix}.1", _LOCK_PORT))
        except OSError:
            lock.close()
            continue
        return lock, prefix
    raise LabError("No free loopback network for the lab was found: it needs Linux, where 127.0.0.0/8 is all there.")
