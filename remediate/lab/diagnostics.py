"""Diagnostic logging of a simulated cluster: started for all peers at once, collected and downloaded from each.

Its states and answers are those that public clients of the REST resource know. The archive has the names and contents of the
Administrator Guide (X14.0 to X15.5): the lines of that peer's own traffic server, its configuration and status, its lists, a capture.
"""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from remediate.lab.faults import LoggingFault
from remediate.lab.packets import PacketTap
from remediate.lab.system_dumps import configuration_text, configuration_xml, status_text, status_xml
from remediate.lab.traffic_log import TrafficLog
from remediate.lab.verdict import JudgeAnswer, Target

if TYPE_CHECKING:
    from remediate.lab.faults import Faults
    from remediate.lab.state import SimulatedCluster, SimulatedPeer

_READINGS_WHILE_COLLECTING = 2
_VERBOSE = ("25019", "Verbose log levels configured")
_NOTHING, _RUNNING, _COLLECTING, _READY = "Not available", "Logging in progress", "Collecting", "Ready to download"


@dataclass(frozen=True, slots=True)
class LoggingAnswer:
    """Answer to one request: a message, or a file with its name."""

    status: int
    message: str = ""
    file: bytes | None = None
    file_name: str = ""


@dataclass(eq=False)
class DiagnosticLogs:
    """The logs of all peers.

    Attributes:
        started_at: When the present or the last log began; None: there was none.
        is_running: Whether a log is being written.
    """

    cluster: SimulatedCluster
    faults: Faults
    started_at: datetime | None = None
    is_running: bool = False
    _stopped_at: datetime | None = None
    _restarts: dict[str, int] = field(default_factory=dict)
    _readings_left: dict[str, int] = field(default_factory=dict)
    _traffic: dict[str, TrafficLog] = field(default_factory=dict)
    _tap: PacketTap | None = None
    _captures: Mapping[str, bytes] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def is_offered(self) -> bool:
        """Whether this version has the resource."""
        return self._fault is not LoggingFault.NOT_OFFERED

    def record(self, peer: SimulatedPeer, target: Target, answer: JudgeAnswer, begun: datetime) -> None:
        """Keep the lines of a peer's traffic server about a request; it is logged whether or not a log is written."""
        with self._lock:
            self._traffic.setdefault(peer.address, TrafficLog(peer)).add(target, answer, begun)

    def status(self, peer: SimulatedPeer) -> str:
        """Return the ``DownLoadStatus`` of a peer, which takes some readings to become ready."""
        with self._lock:
            if self.is_running:
                return _RUNNING
            readings_left = self._readings_left.get(peer.address)
            if readings_left is None:
                return _NOTHING
            if readings_left > 0 or self._fault is LoggingFault.NEVER_READY:
                self._readings_left[peer.address] = readings_left - 1
                return _COLLECTING
            return _READY

    def request(self, peer: SimulatedPeer, body: Mapping[str, object]) -> LoggingAnswer:
        """Do what a request asks one peer for."""
        with self._lock:
            match str(body.get("Mode", "")).casefold():
                case "start":
                    return self._start(with_capture=str(body.get("TCPDump", "off")).casefold() == "on")
                case "stop":
                    return self._stop()
                case "collect" if not self.is_running and self.started_at:
                    self._readings_left[peer.address] = _READINGS_WHILE_COLLECTING
                    return LoggingAnswer(200, "Collecting the log")
                case "download" if self.status(peer) == _READY:
                    name = f"diagnostic_log_{self._suffix(peer)}.tar.gz"
                    return LoggingAnswer(200, file=self._archive(peer), file_name=name)
                case _:
                    return LoggingAnswer(400, "The requested operation cannot be done now")

    def forget(self) -> None:
        """Be as before the first log: stopped, with nothing to download."""
        with self._lock:
            self._stop()
            self.started_at = self._stopped_at = None
            self._readings_left.clear()

    def close(self) -> None:
        """End the capture."""
        with self._lock:
            if self._tap:
                self._tap.stop()
                self._tap = None

    @property
    def _fault(self) -> LoggingFault | None:
        return self.faults.logging

    def _start(self, *, with_capture: bool) -> LoggingAnswer:
        if self.is_running:
            return LoggingAnswer(400, "Diagnostic logging is already in progress")
        self.is_running, self.started_at, self._stopped_at = True, datetime.now(UTC), None
        self._restarts = {peer.address: peer.restarts for peer in self.cluster.peers}
        self._readings_left.clear()
        self._captures = {}
        for peer in self.cluster.peers:
            peer.condition.raise_alarm(*_VERBOSE)
        self._tap = PacketTap.start([peer.address for peer in self.cluster.peers]) if with_capture else None
        return LoggingAnswer(200, "Diagnostic logging started")

    def _stop(self) -> LoggingAnswer:
        if not self.is_running:
            return LoggingAnswer(400, "Diagnostic logging is not in progress")
        if self._fault is LoggingFault.STOP_LOST:
            return LoggingAnswer(200, "Diagnostic logging stopped")
        self.is_running, self._stopped_at = False, datetime.now(UTC)
        for peer in self.cluster.peers:
            peer.condition.lower_alarm(_VERBOSE[0])
        if self._tap:
            self._captures = self._tap.stop()
            self._tap = None
        return LoggingAnswer(200, "Diagnostic logging stopped")

    def _suffix(self, peer: SimulatedPeer) -> str:
        moment = self.started_at or datetime.now(UTC)
        return f"{peer.name.partition('.')[0]}_{moment:%Y-%m-%d_%H:%M:%S}"

    def _archive(self, peer: SimulatedPeer) -> bytes:
        suffix, host = self._suffix(peer), peer.name.partition(".")[0]
        started, stopped = self.started_at or datetime.now(UTC), self._stopped_at or datetime.now(UTC)
        traffic = self._traffic.get(peer.address, TrafficLog(peer))
        files: dict[str, bytes] = {f"loggingsnapshot_{suffix}.txt": traffic.text(started, stopped).encode()}
        if peer.restarts == self._restarts.get(peer.address):
            version = self.cluster.scenario.version
            with self.cluster.lock:
                files |= {
                    f"xconf_dump_{suffix}.txt": configuration_text(peer).encode(),
                    f"xconf_dump_{suffix}.xml": configuration_xml(peer, version).encode(),
                    f"xstat_dump_{suffix}.txt": status_text(self.cluster, peer, stopped).encode(),
                    f"xstat_dump_{suffix}.xml": status_xml(self.cluster, peer, stopped).encode(),
                    f"ca_{suffix}.pem": "\n".join(f"{item.subject}\n{item.pem}" for item in peer.trusted).encode(),
                    f"server_{suffix}.pem": peer.server_certificate.pem.encode(),
                }
            if peer.address in self._captures:
                files[f"eth0_diagnostic_logging_tcpdump00_{host}_{suffix.partition('_')[2]}.pcap"] = self._captures[
                    peer.address
                ]
        return _pack(files, started)


def _pack(files: Mapping[str, bytes], at: datetime) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), int(at.timestamp()), 0o640
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()
