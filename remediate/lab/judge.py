"""Judges: the answer that a client of Mobile and Remote Access gets, 200 or 502, through each peer to each endpoint."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from remediate.lab.addresses import Subnet
from remediate.lab.diagnostics import DiagnosticLogs
from remediate.lab.errors import LabError
from remediate.lab.names import NameServer
from remediate.lab.openssl import OpensslJudge
from remediate.lab.state import SimulatedCluster, SimulatedPeer
from remediate.lab.traffic_server import TrafficServer
from remediate.lab.verdict import Judge, JudgeAnswer, JudgeName, Settings, Target
from remediate.model.expressway import REVERSE_PROXY_CIPHERS


def traffic_server_path() -> str | None:
    """Return where Apache Traffic Server is installed, if it is."""
    return shutil.which("traffic_server") or shutil.which("traffic_server", path="/usr/bin:/usr/sbin:/usr/local/bin")


class Judges:
    """One judge per peer, created when it is first asked."""

    def __init__(
        self,
        directory: Path,
        cluster: SimulatedCluster,
        diagnostics: DiagnosticLogs,
        targets: tuple[Target, ...],
        subnet: Subnet,
        wants_traffic_server: bool | None,  # noqa: FBT001  the same three-way choice as Lab(judge=)
    ) -> None:
        self._directory = directory
        self._cluster = cluster
        self._diagnostics = diagnostics
        self._targets = targets
        self._subnet = subnet
        self._program = None if wants_traffic_server is False else traffic_server_path()
        self._judges: dict[str, Judge] = {}
        self._locks = {peer.address: threading.Lock() for peer in cluster.peers}
        self._names: NameServer | None = None
        self._creation_lock = threading.Lock()
        if wants_traffic_server and self._program is None:
            raise LabError(
                "The judge is to be a real Apache Traffic Server, but traffic_server is not installed.",
                next_step="Install it (Debian: apt-get install trafficserver), or leave the choice to the lab.",
            )

    @property
    def name(self) -> JudgeName:
        """The kind of judge: the traffic server if it is installed and not ruled out."""
        return "traffic_server" if self._program else "openssl"

    def ask(self, peer: SimulatedPeer, address: str, port: int) -> JudgeAnswer:
        """Ask through one peer. Raises LabError if the lab has no such endpoint."""
        target = next((target for target in self._targets if (target.address, target.port) == (address, port)), None)
        if target is None:
            raise LabError(f"The lab has no endpoint {address}:{port}.")
        with self._locks[peer.address]:
            begun = datetime.now(UTC)
            answer = self._judge(peer).ask(self._settings(peer), target)
        self._diagnostics.record(peer, target, answer, begun)
        return answer

    def ask_all(self) -> dict[tuple[str, str, int], JudgeAnswer]:
        """Ask through every peer for every endpoint, the peers side by side."""
        with ThreadPoolExecutor(len(self._cluster.peers)) as pool:
            answers = pool.map(
                lambda peer: [self.ask(peer, target.address, target.port) for target in self._targets], self._cluster.peers
            )
            return {
                (peer.address, target.address, target.port): answer
                for peer, of_peer in zip(self._cluster.peers, answers, strict=True)
                for target, answer in zip(self._targets, of_peer, strict=True)
            }

    def stop(self) -> None:
        """End every judge."""
        for judge in self._judges.values():
            judge.stop()
        if self._names:
            self._names.stop()

    def _settings(self, peer: SimulatedPeer) -> Settings:
        with self._cluster.lock:
            return Settings(
                peer.judged_by,
                peer.ciphers[REVERSE_PROXY_CIPHERS],
                peer.verify_origin_server,
                self._cluster.scenario.traffic_server_tls13,
                peer.identity_file,
            )

    def _judge(self, peer: SimulatedPeer) -> Judge:
        if peer.address not in self._judges:
            self._judges[peer.address] = self._create(peer)
        return self._judges[peer.address]

    def _create(self, peer: SimulatedPeer) -> Judge:
        if self._program is None:
            return OpensslJudge(peer.address)
        with self._creation_lock:
            self._names = self._names or NameServer(self._subnet.address(1), self._targets)
        return TrafficServer(self._program, self._directory / peer.name, peer.address, self._targets, self._names.address)
