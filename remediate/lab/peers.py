"""Servers of a simulated peer, started and stopped together: REST over HTTPS, and shell over SSH."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paramiko

from remediate.lab.accounts import Accounts
from remediate.lab.diagnostics import DiagnosticLogs
from remediate.lab.faults import Faults
from remediate.lab.nodes import write_private
from remediate.lab.pki import Pki, bystanders, issue_for_peer, revocation_list
from remediate.lab.requestlog import RequestLog
from remediate.lab.rest import RestInterface
from remediate.lab.scenario import Scenario
from remediate.lab.servers import Listener
from remediate.lab.ssh import ShellServer
from remediate.lab.ssh_server import SSH_PORT
from remediate.lab.state import PublisherEntry, SimulatedCluster, SimulatedPeer, initial_leaves

REST_PORT = 7443


@dataclass(frozen=True, slots=True)
class PeerWithKeys:
    """Peer with its TLS context and SSH host key."""

    peer: SimulatedPeer
    tls: ssl.SSLContext
    host_key: paramiko.PKey

    def serve(
        self,
        cluster: SimulatedCluster,
        diagnostics: DiagnosticLogs,
        accounts: Accounts,
        faults: Faults,
        log: RequestLog,
        restart: Callable[[SimulatedPeer], None],
    ) -> PeerServers:
        """Return its servers, not yet started."""
        rest_interface = RestInterface(cluster, diagnostics, self.peer, accounts, faults, log, restart)
        listener = Listener(rest_interface.app(), self.peer.address, (self.peer.rest_port,), self.tls, sets_date=True)
        shell = ShellServer(cluster, self.peer, accounts, faults, log, restart, host_key=self.host_key)
        return PeerServers(listener, shell)


@dataclass(frozen=True, slots=True)
class PeerServers:
    """The servers of one peer."""

    rest_listener: Listener
    shell: ShellServer

    async def start(self) -> None:
        """Listen; returns when connections are accepted."""
        await self.rest_listener.start()
        self.shell.start()

    async def stop(self) -> None:
        """Refuse new connections and break the open ones."""
        self.shell.stop()
        await self.rest_listener.stop()


def build_peers(
    scenario: Scenario, pki: Pki, accounts: Accounts, addresses: list[str], private: Path
) -> tuple[PeerWithKeys, ...]:
    """Return the scenario's peers; their keys are written into the folder `private`."""
    return tuple(_build(number, scenario, pki, accounts, addresses, private) for number in range(len(addresses)))


def _build(number: int, scenario: Scenario, pki: Pki, accounts: Accounts, addresses: list[str], private: Path) -> PeerWithKeys:
    name = f"expc{number + 1}.steven.lab"
    identity = issue_for_peer(name, addresses[number], scenario.peer_usage)
    host_key = paramiko.ECDSAKey.generate()
    path = private / f"{name}.pem"
    peer = SimulatedPeer(
        number=number + 1,
        address=addresses[number],
        name=name,
        rest_port=REST_PORT,
        ssh_port=SSH_PORT,
        fingerprint=identity.certificate.fingerprint,
        host_key=host_key.fingerprint,
        server_certificate=identity.certificate,
        trusted=[
            *bystanders(scenario.bystanders),
            *(pki.certificate(certificate) for certificate in scenario.trusted[number]),
        ],
        leaves=initial_leaves(scenario, addresses, number),
        publishers=_publishers(scenario, accounts),
        revocation_lists=[revocation_list()] * scenario.crls,
        identity_file=path,
    )
    write_private(path, identity.pem_with_key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    return PeerWithKeys(peer, tls, host_key)


def _publishers(scenario: Scenario, accounts: Accounts) -> list[PublisherEntry]:
    return [
        PublisherEntry(node.product, node.address, accounts.axl_username)
        for node in scenario.nodes
        if node.role == "publisher" and node.product != "unity"
    ]
