"""Diagnostic logging of a cluster in memory, with what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

from remediate.model.alarms import VERBOSE_LOG_ALARM
from remediate.model.errors import ObservationError, OutcomeUnknown, WriteRefused
from remediate.model.health import PeerAlarm
from remediate.model.identity import Address

if TYPE_CHECKING:
    from tests.executor.memory_device import Device

VERBOSE = PeerAlarm(VERBOSE_LOG_ALARM, "Verbose log levels configured")


@dataclass
class MemoryLogging:
    """The logging of all peers.

    Attributes:
        logs: What each peer gives to download.
        faults: Of ``start-refused start-lost stop-refused stop-ignored never-ready download``.
        calls: What was asked for, in order.
    """

    devices: list[Device]
    logs: dict[Address, bytes] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    running: bool = False

    def switch(self, *, on: bool) -> None:
        self.running = on
        for device in self.devices:
            device.health = replace(device.health, alarms=(VERBOSE,) if on else ())


@dataclass
class MemoryPeerLogging:
    """The logging as one peer offers it."""

    logging: MemoryLogging
    address: Address

    def is_busy(self) -> bool:
        return self.logging.running

    def is_ready(self) -> bool:
        return "never-ready" not in self.logging.faults

    def start(self, *, tcpdump: bool) -> None:
        self._note("start with tcpdump" if tcpdump else "start")
        if "start-refused" in self.logging.faults:
            raise WriteRefused("It is running already.")
        self.logging.switch(on=True)
        if "start-lost" in self.logging.faults:
            raise OutcomeUnknown("The answer was lost.")

    def stop(self) -> None:
        self._note("stop")
        if "stop-refused" in self.logging.faults:
            raise WriteRefused("Not now.")
        if "stop-ignored" not in self.logging.faults:
            self.logging.switch(on=False)

    def collect(self) -> None:
        self._note("collect")

    def download(self, file: BinaryIO) -> None:
        self._note("download")
        if "download" in self.logging.faults:
            raise ObservationError("It broke off.")
        file.write(self.logging.logs[self.address])

    def _note(self, action: str) -> None:
        self.logging.calls.append(f"{self.address} {action}")
