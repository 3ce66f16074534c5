"""State of a simulated cluster: the trusted CA list of each peer, and the configuration that the primary replicates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from remediate.lab.condition import REPLICATION_ALARM, Condition
from remediate.lab.scenario import DEFAULT_CIPHERS, Scenario
from remediate.model.certificate import Certificate
from remediate.model.expressway import MAX_TRUSTED_CA, REVERSE_PROXY_CIPHERS
from remediate.model.identity import Product

VERIFY_LEAF = "EdgeConfigServer VerifyOriginServer"
"""Not documented whether it replicates; Cisco's guide sets it on every peer, so here each peer keeps its own."""

MAINTENANCE_LEAF = "SystemUnit Maintenance Mode"

_OF_EACH_PEER = (VERIFY_LEAF, "SystemUnit ", "Ethernet ", "IP ")
"""How the leaves begin that are not replicated."""

_CIPHER_NAMES = (
    "HTTPSCiphers", REVERSE_PROXY_CIPHERS, "SIPTLSCiphers", "SMTPTLSCiphers", "UcClientTLSCiphers", "XCPTLSCiphers",
)  # fmt: skip
_PROTOCOLS = ("HTTPSProtocol", "ReverseProxyTLSProtocol", "SIPTLSProtocol", "UcClientTLSProtocol")


class ListFullError(Exception):
    """A trusted CA list holds at most `MAX_TRUSTED_CA` certificates."""


class SameCommonNameError(Exception):
    """Expressway's rule (CSCwa12905): no two different certificates with one CN in the trusted CA list."""


PUBLISHER_DEFAULTS: Mapping[Product, Mapping[str, str]] = {
    "cucm": {"AesGcm": "off", "SipUpdateForSessionRefresh": "off", "IcePassthrough": "off"},
    "imp": {},
}
"""The settings of a publisher that is added with its account and TlsVerify alone."""


@dataclass(slots=True)
class PublisherEntry:
    """Publisher as the peers list it.

    Attributes:
        settings: What else it was added with, where it is not the default.
    """

    product: Product
    address: str
    username: str
    tls_verify: str = "On"
    settings: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, str]:
        """Return it as REST shows it, without its password."""
        login = {"Publisher": self.address, "AxlUsername": self.username, "TlsVerify": self.tls_verify}
        return {**login, **PUBLISHER_DEFAULTS[self.product], **self.settings}


@dataclass(eq=False)
class SimulatedPeer:
    """Expressway-C peer. Tests may read and change its attributes, under `cluster.lock` if several belong together.

    Attributes:
        address: Where REST and SSH answer, and its name in the inventory.
        trusted: The trusted CA list, in the peer's order.
        leaves: The configuration as the shell shows it: path to value, unquoted.
        loaded: The list that its traffic server uses until the next restart; None if it uses each change at once.
        recorded_pages: Pages that are answered as they were recorded; None: there is no such page.
        condition: Its uptime, alarms, calls, zones and tunnels.
        restarts: How many restarts were asked for.
        revocation_lists: The CRLs in its trusted CA list, as PEM; they are shown after the certificates.
        banner: What the shell prints after login.
        identity_file: Its certificate with its key, which its traffic server shows to a node that asks for one.
    """

    number: int
    address: str
    name: str
    rest_port: int
    ssh_port: int
    fingerprint: str
    host_key: str
    server_certificate: Certificate
    trusted: list[Certificate]
    leaves: dict[str, str]
    publishers: list[PublisherEntry]
    loaded: tuple[Certificate, ...] | None = None
    condition: Condition = field(default_factory=Condition)
    recorded_pages: dict[str, str | None] = field(default_factory=dict)
    restarts: int = 0
    running: bool = True
    lists_publishers: bool = True
    revocation_lists: list[str] = field(default_factory=list)
    banner: str = "\r\nTANDBERG Video Communication Server\r\n\r\n"
    identity_file: Path | None = None

    @property
    def ciphers(self) -> dict[str, str]:
        """The cipher lists by name."""
        return {
            path.split()[1]: value for path, value in self.leaves.items() if path.startswith("Ciphers ") and "Ciphers V" in path
        }

    @property
    def judged_by(self) -> tuple[Certificate, ...]:
        """The list that its traffic server judges by."""
        return tuple(self.trusted) if self.loaded is None else self.loaded

    @property
    def verify_origin_server(self) -> bool:
        """Whether its traffic server verifies; True if the flag does not exist."""
        return self.leaves.get(VERIFY_LEAF, "On") == "On"


@dataclass(eq=False)
class SimulatedCluster:
    """The peers, the first being the primary, and what is replicated from it.

    Attributes:
        later: Runs a callable after some seconds.
        lag_s: Draws how long the next replication to the peer with this address takes.
        late_s: After how long a peer that is behind raises its alarm.
        refreshed: Publishers that were discovered (again) since the start, in order.
    """

    scenario: Scenario
    peers: tuple[SimulatedPeer, ...]
    later: Callable[[float, Callable[[], None]], None]
    lag_s: Callable[[str], float]
    late_s: Callable[[], float]
    refreshed: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _settled: threading.Condition = field(default_factory=threading.Condition)
    _pending: int = 0

    @property
    def primary(self) -> SimulatedPeer:
        """The peer that the others take their configuration from."""
        return self.peers[0]

    def append_trusted(self, peer: SimulatedPeer, certificates: Iterable[Certificate]) -> None:
        """Append to the trusted CA list of one peer; a certificate that is there already stays in its place.

        Raises:
            SameCommonNameError: Another certificate in the list has the same CN; nothing was appended.
            ListFullError: The list would hold too many; nothing was appended.
        """
        with self.lock:
            new = list(peer.trusted)
            for certificate in certificates:
                if certificate in new:
                    continue
                if any(trusted.common_name == certificate.common_name for trusted in new):
                    raise SameCommonNameError(certificate.common_name)
                new.append(certificate)
            if len(new) > MAX_TRUSTED_CA:
                raise ListFullError
            peer.trusted[:] = new

    def remove_trusted(self, peer: SimulatedPeer, fingerprint: str) -> bool:
        """Remove a certificate from one peer's list, and return whether it was there."""
        with self.lock:
            remaining = [certificate for certificate in peer.trusted if certificate.fingerprint != fingerprint]
            was_trusted = len(remaining) < len(peer.trusted)
            peer.trusted[:] = remaining
            return was_trusted

    def load_at_restart(self, peer: SimulatedPeer, *, on: bool = True) -> None:
        """Make the traffic server of a peer use the present list until it restarts, or (`on` False) always the list as it is."""
        with self.lock:
            peer.loaded = tuple(peer.trusted) if on else None

    def set_leaf(self, peer: SimulatedPeer, path: str, value: str) -> None:
        """Set a leaf on one peer; replication then carries the primary's value to the others, or undoes this one."""
        with self.lock:
            peer.leaves[path] = value
            if path == MAINTENANCE_LEAF:
                peer.condition.set_maintenance(on=value == "On")
        self._replicate_soon()

    def set_leaf_everywhere(self, path: str, value: str) -> None:
        """Set a leaf on every peer at once."""
        with self.lock:
            for peer in self.peers:
                peer.leaves[path] = value

    def stop_services(self, peer: SimulatedPeer) -> int:
        """End what a restart of a peer ends, and return how many calls it cut."""
        with self.lock:
            peer.leaves[MAINTENANCE_LEAF] = "Off"
            return peer.condition.stop()

    def start_services(self, peer: SimulatedPeer) -> None:
        """Start the services of a peer after its restart: they use the list as it is now; zones and tunnels come later."""
        with self.lock:
            peer.condition.start()
            if peer.loaded is not None:
                peer.loaded = tuple(peer.trusted)

    def set_publisher(self, peer: SimulatedPeer, entry: PublisherEntry) -> None:
        """Add a publisher, or add it again, so that its nodes are discovered again."""
        with self.lock:
            remaining = [
                publisher
                for publisher in peer.publishers
                if (publisher.product, publisher.address) != (entry.product, entry.address)
            ]
            peer.publishers[:] = [*remaining, entry]
            self.refreshed.append(entry.address)
        self._replicate_soon()

    def remove_publisher(self, peer: SimulatedPeer, product: Product, address: str) -> bool:
        """Remove a publisher, and return whether it was there."""
        with self.lock:
            remaining = [
                publisher for publisher in peer.publishers if (publisher.product, publisher.address) != (product, address)
            ]
            was_configured = len(remaining) < len(peer.publishers)
            peer.publishers[:] = remaining
        self._replicate_soon()
        return was_configured

    def replicate(self) -> None:
        """Give the primary's configuration to every other peer, when primary and peer are up."""
        for peer in self.peers[1:]:
            self._replicate_to(peer)

    def settle(self, timeout_s: float = 10.0) -> bool:
        """Wait until no replication and no restart is in progress. Return False if that took too long."""
        with self._settled:
            return self._settled.wait_for(lambda: self._pending == 0, timeout_s)

    def begin(self) -> None:
        """Count one operation that `settle` waits for."""
        with self._settled:
            self._pending += 1

    def end(self) -> None:
        """Count the end of one operation."""
        with self._settled:
            self._pending -= 1
            self._settled.notify_all()

    def _replicate_soon(self) -> None:
        for peer in self.peers[1:]:
            lag_s, late_s = self.lag_s(peer.address), self.late_s()
            self.begin()
            self.later(lag_s, partial(self._end_replication, peer))
            if lag_s > late_s:
                self.later(late_s, partial(self._raise_if_behind, peer))

    def _end_replication(self, peer: SimulatedPeer) -> None:
        self._replicate_to(peer)
        self.end()

    def _replicate_to(self, peer: SimulatedPeer) -> None:
        with self.lock:
            if self.primary.running and peer.running:
                peer.leaves.update(self._shared_leaves())
                peer.publishers[:] = list(self.primary.publishers)
                peer.condition.lower_alarm(REPLICATION_ALARM.number)

    def _raise_if_behind(self, peer: SimulatedPeer) -> None:
        with self.lock:
            is_behind = not self._shared_leaves().items() <= peer.leaves.items() or peer.publishers != self.primary.publishers
            if is_behind and REPLICATION_ALARM not in peer.condition.alarms:
                peer.condition.alarms.append(REPLICATION_ALARM)

    def _shared_leaves(self) -> dict[str, str]:
        return {path: value for path, value in self.primary.leaves.items() if not path.startswith(_OF_EACH_PEER)}


def initial_leaves(scenario: Scenario, addresses: Sequence[str], number: int) -> dict[str, str]:
    """Return the configuration that a peer starts with, by its number from 0."""
    leaves = {f"Ciphers {name} Value": DEFAULT_CIPHERS for name in _CIPHER_NAMES}
    leaves["Ciphers SIPTLSCiphers Value"] = DEFAULT_CIPHERS + ":+ADH"
    leaves[f"Ciphers {REVERSE_PROXY_CIPHERS} Value"] = scenario.ciphers
    leaves["Ciphers sshd_ciphers Value"] = "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes128-ctr"
    leaves |= {f"Ciphers {name} Value": "minTLSv1.2" for name in _PROTOCOLS}
    if scenario.offers_verify_flag:
        leaves[VERIFY_LEAF] = "On"
    leaves[MAINTENANCE_LEAF] = "Off"
    leaves["Ethernet 1 IP V4 Address"] = addresses[number]
    leaves["Ethernet 1 IP V4 SubnetMask"] = "255.255.255.0"
    leaves |= {"IP DNS Hostname": f"expc{number + 1}", "IP DNS Domain Name": "steven.lab"}
    leaves["Alternates Cluster Name"] = "edge.steven.lab"
    leaves["Alternates ConfigurationPrimary"] = "1"
    numbered = dict(enumerate(addresses, start=1))
    return leaves | {f"Alternates Peer {position} Address": numbered.get(position, "") for position in range(1, 7)}
