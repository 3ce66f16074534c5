"""Restart of one peer, until it answers again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from remediate.executor.operations.certificates import digest_list
from remediate.executor.operations.change import ChangeStatus, Observed
from remediate.executor.ports import PeerPort
from remediate.model.errors import ObservationError, OutcomeUnknown
from remediate.model.identity import Address
from remediate.model.limits import Limits

_SHUTDOWN_SHARE = 10
"""A tenth of the time that a restart may take is allowed for the peer to go down."""


@dataclass(frozen=True, slots=True)
class RestartOnPeer:
    """Restart one peer. A lost answer is expected, since the peer goes down; what counts is that it was down and answers again."""

    kind: ClassVar[str] = "restart-peer"
    is_verifiable: ClassVar[bool] = False
    peer: Address
    limits: Limits = Limits()
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    @property
    def summary(self) -> str:
        """The change in the imperative, for a person."""
        return f"restart {self.peer}"

    @property
    def manual_instruction(self) -> str:
        """One sentence with the page or the command, for a person who makes the change."""
        return f"On {self.peer}, run `xCommand Restart`, one peer at a time."

    def precondition(self, peer: PeerPort) -> Observed:
        """Read whether the change is still to make."""
        return Observed(ChangeStatus.TO_DO, _digest(peer))

    def write(self, peer: PeerPort) -> None:
        """Send the change to the peer."""
        with suppress(OutcomeUnknown):
            peer.restart()
        down = self._wait(peer, self.limits.restart_s / _SHUTDOWN_SHARE, until_it_answers=False)
        if not down:
            raise OutcomeUnknown(f"{self.peer} was told to restart, but was never seen to go down.")
        if not self._wait(peer, self.limits.restart_s, until_it_answers=True):
            raise OutcomeUnknown(f"{self.peer} did not answer again within {self.limits.restart_s:.0f} s of its restart.")

    def read_back(self, peer: PeerPort) -> Observed:
        """Read whether the change was made."""
        return Observed(ChangeStatus.DONE, _digest(peer))

    def inverse(self) -> None:
        """Return None: there is nothing to undo."""
        return

    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it."""
        return {}

    def _wait(self, peer: PeerPort, seconds: float, *, until_it_answers: bool) -> bool:
        deadline = self.clock() + seconds
        for _ in range(max(1, int(seconds / self.limits.restart_poll_s))):
            if _answers(peer) is until_it_answers:
                return True
            # A request to a silent peer may itself take as long as several pauses.
            if self.clock() >= deadline:
                return False
            self.pause(self.limits.restart_poll_s)
        return False


def _digest(peer: PeerPort) -> str:
    return digest_list(fingerprint.fingerprint for fingerprint in peer.trusted_ca())


def _answers(peer: PeerPort) -> bool:
    """Return whether REST answers and the trusted CA list can be read."""
    try:
        peer.trusted_ca()
    except ObservationError:
        return False
    return True
