"""Restart one peer and wait until it answers again."""

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

_GOING_DOWN_SHARE = 10
"""A tenth of the time we allow for a restart is allowed for it to begin."""


@dataclass(frozen=True, slots=True)
class RestartOnPeer:
    """Restart one peer. A lost answer is expected, since the box goes down; that it was down and came back is what counts."""

    kind: ClassVar[str] = "restart-peer"
    is_verifiable: ClassVar[bool] = False
    peer: Address
    limits: Limits = Limits()
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    @property
    def summary(self) -> str:
        return f"restart {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, run `xCommand Restart`, one peer at a time."

    def precondition(self, box: PeerPort) -> Observed:
        return Observed(ChangeStatus.TO_DO, _digest(box))

    def write(self, box: PeerPort) -> None:
        with suppress(OutcomeUnknown):
            box.restart()
        down = self._wait(box, self.limits.restart_s / _GOING_DOWN_SHARE, until_it_answers=False)
        if not down:
            raise OutcomeUnknown(f"{self.peer} was told to restart, but was never seen to go down.")
        if not self._wait(box, self.limits.restart_s, until_it_answers=True):
            raise OutcomeUnknown(f"{self.peer} did not answer again within {self.limits.restart_s:.0f} s of its restart.")

    def read_back(self, box: PeerPort) -> Observed:
        return Observed(ChangeStatus.DONE, _digest(box))

    def inverse(self) -> None:
        return None

    def facts(self) -> Mapping[str, str]:
        return {}

    def _wait(self, box: PeerPort, seconds: float, *, until_it_answers: bool) -> bool:
        deadline = self.clock() + seconds
        for _ in range(max(1, int(seconds / self.limits.restart_poll_s))):
            if _answers(box) is until_it_answers:
                return True
            # A look at a silent box may itself take as long as several pauses.
            if self.clock() >= deadline:
                return False
            self.pause(self.limits.restart_poll_s)
        return False


def _digest(box: PeerPort) -> str:
    return digest_list(fingerprint.fingerprint for fingerprint in box.trusted_ca())


def _answers(box: PeerPort) -> bool:
    """REST answers, and the trusted CA list can be read."""
    try:
        box.trusted_ca()
    except ObservationError:
        return False
    return True
