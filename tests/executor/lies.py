"""Devices that lie when their trusted CA list is read, some of the time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

from remediate.model.certificate import Certificate
from remediate.model.errors import ObservationError
from remediate.model.identity import Address
from tests.executor.memory_device import Device

Kind = Literal["empty", "nothing", "cut", "reordered", "old", "login-page"]
KINDS: tuple[Kind, ...] = ("empty", "nothing", "cut", "reordered", "old", "login-page")
"""``empty``: a list without certificates; ``nothing``: 204, which a connector refuses; ``cut``: fewer than it started with."""
PROVE_NOTHING: tuple[Kind, ...] = ("empty", "nothing", "cut", "login-page")


@dataclass
class Lies:
    """What devices show. To be given to `MemoryCluster.shows`.

    Attributes:
        start: each device's list when nothing was written yet.
        kind: how they lie; None: they are honest.
        peers: which of them do; None: all.
        readings: how many readings are lies yet to come; None: all of them.
    """

    start: dict[Address, tuple[Certificate, ...]]
    kind: Kind | None = None
    peers: Collection[Address] | None = None
    readings: int | None = None
    count: int = field(default=0)

    @classmethod
    def of(cls, devices: Collection[Device]) -> Lies:
        """Return honest ones, who know how `devices` stand now."""
        return cls({device.address: tuple(device.trusted) for device in devices})

    def tell(self, kind: Kind, *, readings: int | None = None, peers: Collection[Address] | None = None) -> None:
        """Lie from now on."""
        self.kind, self.readings, self.peers = kind, readings, peers

    def be_honest(self) -> None:
        """Lie no more."""
        self.kind = None

    def __call__(self, device: Device) -> tuple[Certificate, ...]:
        """Return what `device` shows. Raises ObservationError where that is no list."""
        if self.kind is None or self.readings == 0 or (self.peers is not None and device.address not in self.peers):
            return tuple(device.trusted)
        if self.readings is not None:
            self.readings -= 1
        self.count += 1
        return _LIES[self.kind](self.start[device.address], tuple(device.trusted))


List = tuple[Certificate, ...]


def _refuse(_start: List, _now: List) -> List:
    raise ObservationError("GET certs/root was answered, and not with a list.")


_LIES: dict[Kind, Callable[[List, List], List]] = {
    "empty": lambda _start, _now: (),
    "nothing": _refuse,
    "cut": lambda start, now: now[: len(start) - 1],
    "reordered": lambda _start, now: tuple(reversed(now)),
    "old": lambda start, _now: start,
    "login-page": _refuse,
}
