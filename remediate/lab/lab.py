"""Lab: a simulated Expressway cluster and its UC nodes, in threads of this process, on loopback addresses of their own."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from remediate.lab.accounts import Accounts
from remediate.lab.addresses import Subnet
from remediate.lab.diagnostics import DiagnosticLogs
from remediate.lab.edge import build_edges
from remediate.lab.errors import LabError
from remediate.lab.faults import Faults
from remediate.lab.front import Front
from remediate.lab.inventory import CLUSTER, write_files
from remediate.lab.judge import Judges
from remediate.lab.likeness import imitate
from remediate.lab.node_stores import share_stores
from remediate.lab.nodes import SimulatedNode, build_node, intercept, reload_services
from remediate.lab.peers import build_peers
from remediate.lab.pki import make_pki
from remediate.lab.requestlog import Outage, RequestLog
from remediate.lab.scenarios import scenario_named
from remediate.lab.servers import Background
from remediate.lab.state import SimulatedCluster, SimulatedPeer
from remediate.lab.verdict import JudgeAnswer, JudgeName, Target
from remediate.lab.witness import Witness
from remediate.model.certificate import Certificate
from remediate.model.expressway import GUARDED_PORTS
from remediate.model.recording import Recording

_FIRST_PEER = 11
_FIRST_NODE = 21
_FIRST_EDGE = 201
_BEFORE_RESTART_S = 0.05


class Lab:
    """Cluster of three peers and five nodes that speak the real protocols.

    Use it as a context manager, or call `start()` and `stop()`. `directory` then holds ``inventory.yml``, ``pki/``, ``secrets/``
    and ``requests.jsonl``.

    Attributes:
        inventory: Path of the inventory, ready to be used.
        accounts: User names and passwords, made for this lab.
        cluster: The simulated cluster; `peers` are its peers, the first being the primary.
        nodes: The UC nodes.
        edges: The Expressway-Es that clients come through: one for each peer, or one for all.
        requests: The requests to the peers, in order.
        faults: The faults on demand.
        pki: Every certificate of the scenario, by id.
        approvals: Path of the file with the self-signed certificates' fingerprints, as read on the nodes' consoles.
    """

    def __init__(
        self,
        directory: Path,
        scenario: str = "story",
        judge: bool | None = None,  # noqa: FBT001  a three-way choice, agreed between the rooms
        *,
        like: Recording | None = None,
    ) -> None:
        """Prepare a lab in `directory`; nothing listens yet.

        Args:
            directory: Where its files are written.
            scenario: A name in `remediate.lab.scenarios.SCENARIOS`.
            judge: Whether to use a real Apache Traffic Server per peer, or OpenSSL in its place; None prefers the traffic server.
            like: A recorded cluster, in whose forms the peers answer.

        Raises:
            LabError: There is no such scenario, or the traffic server is required and not installed.
        """
        self.directory = directory.resolve()
        self.scenario = scenario_named(scenario)
        self.accounts = Accounts(rest_username="api" if self.scenario.rest_account else "")
        self.pki = make_pki(scenario)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.requests = RequestLog(self.directory / "requests.jsonl")
        self.faults = Faults(
            self._set_peer_running,
            lambda address: self._restart(self.peer(address)),
            self._set_node_running,
            self._change_trusted_list,
            self._intercept,
            lambda address, on: self.cluster.load_at_restart(self.peer(address), on=on),
            lambda path, value: self.cluster.set_leaf_everywhere(path, value),  # noqa: PLW0108  the cluster is made later
        )
        self.inventory = self.directory / "inventory.yml"
        self.approvals = self.directory / "pki" / "seen-on-console.txt"
        self._wants_traffic_server = judge
        self._like = like
        self._stack = ExitStack()
        self._stopping = False
        # Every lab of a scenario draws the same.
        self._chance = random.Random(f"replication of {self.scenario.name}")  # noqa: S311
        self._restarting: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start every server and write the inventory; returns when all accept connections."""
        with ExitStack() as stack:
            subnet = Subnet()
            stack.callback(subnet.release)
            self.subnet = subnet
            self.background = Background()
            stack.callback(self.background.stop)
            self._build()
            stack.callback(self._judges.stop)
            stack.callback(self.diagnostics.close)
            stack.callback(lambda: self.background.run(self._stop_servers()))
            self.background.run(self._start_servers())
            write_files(self.directory, self.scenario, self.pki, self.accounts, self.peers, self.nodes, self.edges)
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Stop every server and release the network; a second call does nothing."""
        self._stack.close()

    @property
    def peers(self) -> tuple[SimulatedPeer, ...]:
        """The simulated peers, the first being the primary."""
        return self.cluster.peers

    @property
    def name(self) -> str:
        """The cluster's name in the inventory."""
        return CLUSTER

    @property
    def judge(self) -> JudgeName:
        """The kind of judge that answers `ask`."""
        return self._judges.name

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every endpoint that a client may ask for, also of nodes that are down."""
        return tuple(
            Target(node.address, port, node.connect_to)
            for node in self.nodes
            for port in node.ports
            if port not in GUARDED_PORTS[node.spec.product]
        )

    def peer(self, address: str) -> SimulatedPeer:
        """Return the peer with this address."""
        return next(peer for peer in self.peers if peer.address == address)

    def node(self, address: str) -> SimulatedNode:
        """Return the node with this connection address."""
        return next(node for node in self.nodes if node.address == address)

    def forget_clients(self) -> None:
        """Let every Expressway-E forget its sign-ins, sessions and strikes, and ban no client any more."""
        for edge in self.edges:
            edge.lift_ban()
            edge.front.forget()

    def ask(self, peer: int, address: str, port: int) -> JudgeAnswer:
        """Send what a client would send through the traffic server of a peer (0 is the primary) to one endpoint."""
        return self._judges.ask(self.peers[peer], address, port)

    def ask_all(self) -> dict[tuple[str, str, int], JudgeAnswer]:
        """Ask through every peer for every endpoint. Keys are (peer address, connection address, port)."""
        return self._judges.ask_all()

    def ask_as_client(self) -> dict[tuple[str, str, int], JudgeAnswer]:
        """Ask for the same as a client does: signed in to the Expressway-E of each peer, and through its tunnel."""
        return self._witness.ask_all(self.peers, self.targets)

    def _build(self) -> None:
        private = self.directory / "private"
        private.mkdir(mode=0o700, exist_ok=True)
        addresses = [self.subnet.address(_FIRST_PEER + number) for number in range(len(self.scenario.trusted))]
        built_peers = build_peers(self.scenario, self.pki, self.accounts, addresses, private)
        self.cluster = SimulatedCluster(
            self.scenario,
            tuple(built_peer.peer for built_peer in built_peers),
            self.background.later,
            self._draw_lag_s,
            lambda: self.faults.two_minutes_s,
        )
        self.diagnostics = DiagnosticLogs(self.cluster, self.faults)
        imitate(self.cluster.peers, self._like.peers if self._like else ())
        self.nodes = self._build_nodes(private)
        share_stores([node.stores for node in self.nodes])
        for peer in () if self.scenario.reloads_by_itself else self.peers:
            self.cluster.load_at_restart(peer)
        directory = self.directory / "judge"
        self._judges = Judges(directory, self.cluster, self.diagnostics, self.targets, self.subnet, self._wants_traffic_server)
        self._servers = {
            built_peer.peer.address: built_peer.serve(
                self.cluster, self.diagnostics, self.accounts, self.faults, self.requests, self._restart
            )
            for built_peer in built_peers
        }
        self._build_edges(private)

    def _build_nodes(self, private: Path) -> tuple[SimulatedNode, ...]:
        return tuple(
            build_node(
                spec,
                self.subnet.address(_FIRST_NODE + number),
                self.scenario,
                self.pki,
                self.accounts,
                private,
                self.requests,
                self._reload_node,
            )
            for number, spec in enumerate(self.scenario.nodes)
        )

    def _build_edges(self, private: Path) -> None:
        self.edges = build_edges(
            self.peers,
            [self.subnet.address(_FIRST_EDGE + number) for number in range(len(self.peers))],
            partial(
                Front,
                spec=self.scenario.edge,
                accounts=self.accounts,
                faults=self.faults,
                ask=self._judges.ask,
                log=self.requests,
            ),
            private,
            self.background,
            shared=self.scenario.edge.shared,
        )
        login = self.accounts.witness_username, self.accounts.witness_password
        self._witness = Witness(self.edges, login, self.judge)

    async def _start_servers(self) -> None:
        running = [listener for node in self.nodes if node.running for listener in node.listeners]
        await asyncio.gather(
            *(server.start() for server in self._servers.values()),
            *(edge.start() for edge in self.edges),
            *(listener.start() for listener in running),
        )
        for node in self.nodes:
            if node.running and node.platform:
                node.platform.start()

    async def _stop_servers(self) -> None:
        self._stopping = True
        listeners = [listener for node in self.nodes for listener in node.listeners]
        for node in self.nodes:
            if node.platform:
                node.platform.stop()
        await asyncio.gather(
            *(server.stop() for server in self._servers.values()),
            *(edge.stop() for edge in self.edges),
            *(listener.stop() for listener in listeners),
        )

    def _draw_lag_s(self, address: str) -> float:
        slowest_s = self.scenario.replicates_within_s
        return self.faults.replication_s(address, self._chance.uniform(slowest_s / 10, slowest_s))

    def _restart(self, peer: SimulatedPeer) -> None:
        """Restart a peer a moment later, so that the answer to the request goes out first."""
        peer.restarts += 1
        self.cluster.begin()
        self.background.later(_BEFORE_RESTART_S, lambda: self._start_task(peer))

    def _start_task(self, peer: SimulatedPeer) -> None:
        if self._stopping:
            # The loop may end before a task that begins now would run.
            self.cluster.end()
            return
        task = self.background.loop.create_task(self._bounce(peer))
        self._restarting.add(task)
        task.add_done_callback(self._restarting.discard)

    async def _bounce(self, peer: SimulatedPeer) -> None:
        """Take a peer away and bring it back: first REST and the shell, then zones and tunnels."""
        outage = Outage(peer.address, time.monotonic())
        self.requests.outages.append(outage)
        await self._switch(peer, running=False)
        outage.cut_calls = self.cluster.stop_services(peer)
        await asyncio.sleep(self.faults.restart_s)
        self.cluster.start_services(peer)
        await self._switch(peer, running=True)
        outage.answered = time.monotonic()
        await asyncio.sleep(self.faults.connect_s)
        peer.condition.connect()
        outage.ended = time.monotonic()
        self.cluster.end()

    async def _switch(self, peer: SimulatedPeer, *, running: bool) -> None:
        if self._stopping or peer.running == running:
            return
        servers = self._servers[peer.address]
        peer.running = running
        if not running:
            await servers.stop()
            return
        await servers.start()
        self.cluster.replicate()

    def _set_peer_running(self, address: str, running: bool) -> None:  # noqa: FBT001  the shape of Faults.set_running
        self.background.run(self._switch(self.peer(address), running=running))

    def _set_node_running(self, address: str, running: bool) -> None:  # noqa: FBT001  the shape of Faults.set_node_running
        self.background.run(self._switch_node(self.node(address), running=running))

    async def _switch_node(self, node: SimulatedNode, *, running: bool) -> None:
        if node.running != running:
            node.running = running
            await asyncio.gather(*(listener.start() if running else listener.stop() for listener in node.listeners))
            if node.platform:
                (node.platform.start if running else node.platform.stop)()

    def restart_service(self, address: str, service: str) -> None:
        """Restart a service of a node, as ``utils service restart`` does: it then judges clients by its store as it is now."""
        node = self.node(address)
        if not node.stores.restart(service):
            raise LabError(f"{address} has no service {service!r} here.")
        self._reload_node(address)

    def _reload_node(self, address: str) -> None:
        self.background.run(reload_services(self.node(address)))

    def _intercept(self, address: str, port: int) -> None:
        self.background.run(intercept(self.node(address), port, self.directory / "private"))

    def _change_trusted_list(self, address: str, adds: Certificate | None, removes: Certificate | None) -> None:
        peer = self.peer(address)
        if removes:
            self.cluster.remove_trusted(peer, removes.fingerprint)
        if adds:
            self.cluster.append_trusted(peer, [adds])
