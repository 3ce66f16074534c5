"""Access to the systems of one cluster, from the inventory: addresses, pins, accounts and where secrets come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remediate.model.identity import Address, Fingerprint, Product, host_and_port
from remediate.model.plan import Policy
from remediate.model.restart import RestartPolicy
from remediate.model.secret import Login

Discovery = Literal["auto", "inventory"]


@dataclass(frozen=True, slots=True)
class TlsTrust:
    """What a peer's web certificate is recognised by: its fingerprint, or a CA file; with neither, the system's store."""

    fingerprint: Fingerprint | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class HostKeyTrust:
    """What a peer's SSH host key is recognised by: its ``SHA256:BASE64``, or a known_hosts file; with neither, the user's."""

    host_key: str | None = None
    known_hosts: Path | None = None


@dataclass(frozen=True, slots=True)
class MraAccess:
    """Where a client's request that goes through one peer can be sent: an Expressway-E that traverses to this peer alone.

    Where several peers have the same one (one Expressway-E cluster for all), an answer does not show through which it came.

    Attributes:
        tls: As for the peers: what its certificate is recognised by.
        domain: The domain that clients sign in with; None: that of the node they ask for.
        login: The account that clients' requests are made with; None: nothing is asked.
    """

    host: str
    port: int
    tls: TlsTrust = TlsTrust()
    domain: str | None = None
    login: Login | None = None

    @property
    def url(self) -> str:
        """As the inventory has it: ``https://expe1.example.test:8443``."""
        return f"https://{host_and_port(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class PeerAccess:
    """One Expressway-C peer. `mra`: where a client's request through it can be sent; None: the inventory does not have it."""

    address: Address
    rest_port: int = 443
    ssh_port: int = 22
    tls: TlsTrust = TlsTrust()
    ssh: HostKeyTrust = HostKeyTrust()
    mra: MraAccess | None = None


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """One Unified CM, IM&P or Unity node that the inventory names.

    Attributes:
        address: The connection address clients use.
        connect_to: Where to really connect (host or IP address); None: `address` itself.
        ports: Ports that the inventory insists on; None: the product's default ports, where a refusal means *not in use*.
        ssh_port: The port of its platform shell.
        ssh: As for the peers: what its host key is recognised by.
    """

    address: Address
    product: Product
    connect_to: str | None = None
    ports: tuple[int, ...] | None = None
    ssh_port: int = 22
    ssh: HostKeyTrust = HostKeyTrust()


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One cluster of the inventory.

    Attributes:
        login: The account for the shell, and for REST where `rest` is None.
        rest: Another account for REST; the shell takes `admin` and `root` alone.
        axl: An account for AXL on Unified CM; None: only what needs no login is asked.
        platform: An account for certificate management on Unified CM's platform.
        discovery: ``inventory``: `nodes` is the whole list, and no server is asked for more.
        ca: Files and folders of CA certificates that the operator vouches for.
        source: The inventory file, for messages.
        restarts: The restarts of `policy`.
        notify: The program, and its arguments, that gets a JSON document when a run ends, and on drift or expiry; empty: none.
    """

    name: str
    login: Login
    peers: tuple[PeerAccess, ...]
    axl: Login | None = None
    platform: Login | None = None
    nodes: tuple[NodeAccess, ...] = ()
    discovery: Discovery = "auto"
    policy: Policy = Policy()
    ca: tuple[Path, ...] = ()
    source: Path = Path("inventory.yml")
    rest: Login | None = None
    notify: tuple[str, ...] = ()
    restarts: RestartPolicy = RestartPolicy()

    @property
    def rest_login(self) -> Login:
        """The account for REST."""
        return self.rest or self.login


def peers_sharing_way(cluster: ClusterAccess, peer: Address) -> tuple[Address, ...]:
    """Return the other peers that a client's request over the `mra` of `peer` may go through, because they have the same one."""
    places = {entry.address: (entry.mra.host.casefold().rstrip("."), entry.mra.port) for entry in cluster.peers if entry.mra}
    return tuple(address for address, place in places.items() if address != peer and place == places.get(peer))
