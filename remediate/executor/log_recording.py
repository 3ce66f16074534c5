"""The recording of a diagnostic log on a cluster: started once, on the primary; stopped whatever happens; collected from every peer.

It is the only write. It is not started while another log may be running: by the status of each peer, and by the alarm that its log
levels raise (Administrator Guide X14.0 to X15.5, alarm 25019).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from remediate.executor.boundary import reading
from remediate.executor.left_logging import LoggingNote
from remediate.executor.ports import ClusterPort, PeerPort
from remediate.machine.private_files import make_file_name
from remediate.model.alarms import VERBOSE_LOG_ALARM
from remediate.model.errors import LockHeld, NotOffered, ObservationError, OutcomeUnknown, RemediateError, WriteRefused
from remediate.model.events import Event, Sink
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE
from remediate.model.identity import Address
from remediate.model.limits import Limits

_PROGRESS_S: Final = 15.0
_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CollectedLogs:
    """The archives of one recording.

    Attributes:
        archives: The private file with the archive of each peer.
        failures: Why there is none of the other peers.
    """

    archives: Mapping[Address, Path]
    failures: Mapping[Address, str]


@dataclass(frozen=True, slots=True)
class LogRecorder:
    """The recorder of one cluster.

    Attributes:
        opened: The cluster as it was opened.
        peers: Its open peers, in its order.
        name: Of the cluster.
        note: The note that logging was started from here.
        check: Raises where the command was asked to stop.
    """

    opened: ClusterPort
    peers: Sequence[PeerPort]
    name: str
    note: LoggingNote
    limits: Limits
    sink: Sink
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    check: Callable[[], None] = lambda: None

    def refuse_if_running(self) -> None:
        """Raise where a log may be running already, or where that cannot be seen.

        Raises:
            LockHeld: A peer reports that one is running, or may be.
            ObservationError: The primary or the alarms of a peer could not be read.
            NotOffered: This version has no diagnostic logging over REST.
        """
        self._primary()
        for peer in self.peers:
            running = _is_logging(peer)
            if running is None:
                raise ObservationError(
                    f"The alarms of {peer.address} could not be read, so someone else's diagnostic log may be running there.",
                    next_step=f"Nothing was started. Check {DIAGNOSTIC_LOGGING_PAGE} on that peer.",
                )
            if running:
                raise LockHeld(
                    f"{peer.address} has verbose log levels or a log under way: someone else's diagnostic log may be running.",
                    next_step=(
                        f"Nothing was started. Check {DIAGNOSTIC_LOGGING_PAGE} on that peer; stop that log, or wait until it "
                        "ends."
                    ),
                )

    @contextmanager
    def recording(self, *, tcpdump: bool) -> Iterator[None]:
        """Log on every peer while the block runs, and stop on the way out, whatever ends it.

        Raises:
            WriteRefused, NotOffered: The primary did not start.
            OutcomeUnknown: It may still be running.
        """
        primary = self._primary()
        self.note.write(self.name, self.now())
        try:
            primary.diagnostic_logging().start(tcpdump=tcpdump)
        except (WriteRefused, NotOffered):
            self.note.clear()
            raise
        except BaseException:
            # The request may have arrived.
            self.stop()
            raise
        self._emit("logging-started", f"Diagnostic logging is on ({primary.address} started it on every peer).")
        try:
            yield
        finally:
            self.stop()

    def wait(self, seconds: float) -> None:
        """Wait so long, with events that count down; `check` may end it."""
        remaining_s, next_event = seconds, seconds
        while remaining_s > 0:
            if remaining_s <= next_event:
                self._emit("logging", f"Logging: {_format_duration(remaining_s)} left.", remaining_s=int(remaining_s))
                next_event = remaining_s - _PROGRESS_S
            self.check()
            step = min(_POLL_S, remaining_s)
            self.pause(step)
            remaining_s -= step
        self.check()

    def stop(self) -> None:
        """Stop logging on every peer, read that it ended, and clear the note.

        Raises:
            OutcomeUnknown: It may still be running; the note stays.
        """
        try:
            primary = self._primary()
            primary.diagnostic_logging().stop()
            is_over = self._wait_until(lambda: not _is_logging(primary), self.limits.write_seen_s)
            is_confirmed = _is_logging(primary) is False
        except RemediateError as error:
            raise self._may_be_running(str(error)) from error
        if not is_over:
            raise self._may_be_running(f"{primary.address} accepted the stop, but still has verbose log levels.")
        self.note.clear()
        if is_confirmed:
            self._emit("logging-stopped", "Diagnostic logging is off again, confirmed.")
        else:
            self._emit(
                "warning",
                f"{primary.address} accepted the stop of diagnostic logging; its alarms could not be read afterwards.",
            )

    def end_left(self) -> None:
        """Stop logging that an earlier process left running. Raises OutcomeUnknown."""
        if self.note.left:
            self._emit("warning", f"{self.name}: {self.note.left}; it is stopped now.")
            self.stop()

    def collect(self, folder: Path) -> CollectedLogs:
        """Collect and download the log of every peer into `folder`, which must be private."""
        archives: dict[Address, Path] = {}
        failures: dict[Address, str] = dict(self.opened.unreachable)
        for peer in self.peers:
            self._emit("log-collecting", f"Collecting the log of {peer.address}.")
            try:
                archives[peer.address] = self._collect_from(peer, folder)
            except RemediateError as error:
                failures[peer.address] = str(error)
                self._emit("warning", f"No log of {peer.address}: {error}")
        return CollectedLogs(archives, failures)

    def _collect_from(self, peer: PeerPort, folder: Path) -> Path:
        logging = peer.diagnostic_logging()
        logging.collect()
        # Until the collection has begun, the status may still be that of an earlier one.
        self.pause(self.limits.diagnostic_log_poll_s)
        if not self._wait_until(logging.is_ready, self.limits.diagnostic_log_ready_s, self.check):
            raise ObservationError(f"{peer.address} did not finish collecting within {self.limits.diagnostic_log_ready_s:g} s.")
        path = folder / make_file_name(peer.address, ".archive")
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            logging.download(file)
        return path

    def _wait_until(self, is_true: Callable[[], bool], seconds: float, check: Callable[[], None] = lambda: None) -> bool:
        waited = 0.0
        while not is_true():
            check()
            if waited >= seconds:
                return False
            self.pause(self.limits.diagnostic_log_poll_s)
            waited += self.limits.diagnostic_log_poll_s
        return True

    def _primary(self) -> PeerPort:
        primary = next((peer for peer in self.peers if peer.address == self.opened.primary), None)
        if primary is None:
            raise ObservationError(
                f"The primary of {self.name}, where diagnostic logging is started and stopped, is not known or not reachable."
            )
        return primary

    def _may_be_running(self, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"Diagnostic logging may still be running on {self.name}: {why}",
            next_step=f"Open {DIAGNOSTIC_LOGGING_PAGE} on the primary and press Stop logging. The next `remediate diagnose --for` and "
            "`remediate apply` try it again.",
        )

    def _emit(self, kind: str, message: str, **fields: int) -> None:
        self.sink(Event(kind, message, self.name, dict(fields)))


def _is_logging(peer: PeerPort) -> bool | None:
    """Return whether a diagnostic log is, or may be, under way on a peer; None where its alarms were not read."""
    with reading(peer.address):
        if peer.diagnostic_logging().is_busy():
            return True
        alarms = peer.health().alarms
    return None if alarms is None else any(alarm.id == VERBOSE_LOG_ALARM for alarm in alarms)


def _format_duration(seconds: float) -> str:
    minutes, remainder = divmod(int(seconds + 0.5), 60)
    return f"{minutes}:{remainder:02d} min"
