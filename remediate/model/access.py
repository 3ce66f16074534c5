"""How to reach the systems of one cluster: what an inventory says, as values. No secret, only where one comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remediate.model.identity import Address, Fingerprint, Product
from remediate.model.plan import Policy
from remediate.model.secret import Login

Discovery = Literal["auto", "inventory"]


@dataclass(frozen=True, slots=True)
class TlsTrust:
    """What makes us believe a peer's web certificate: its fingerprint, or a CA file; with neither, the system's store."""

    fingerprint: Fingerprint | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class HostKeyTrust:
    """What makes us believe a peer's SSH host key: its ``SHA256:BASE64``, or a known_hosts file; with neither, the user's."""

    host_key: str | None = None
    known_hosts: Path | None = None


@dataclass(frozen=True, slots=True)
class MraAccess:
    """Where a client's request that goes through one peer can be sent: an Expressway-E that traverses to this peer alone.

    Attributes:
        tls: as for the peers: what makes us believe its certificate.
        domain: the domain that clients sign in with; None: that of the node they ask for.
        login: an account that the requests are made with; None: without one.
    """

    host: str
    port: int
    tls: TlsTrust = TlsTrust()
    domain: str | None = None
    login: Login | None = None

    @property
    def url(self) -> str:
        """As the inventory has it: ``https://expe1.example.test:8443``."""
        return f"https://[{self.host}]:{self.port}" if ":" in self.host else f"https://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PeerAccess:
    """One Expressway-C peer. `mra`: the way through it that clients take; None: the inventory does not say."""

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
        address: the connection address clients use.
        connect_to: where to really connect (host or IP address); None: `address` itself.
        ports: ports that the inventory insists on; None: the product's default ports, where a refusal means *not in use*.
    """

    address: Address
    product: Product
    connect_to: str | None = None
    ports: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One cluster of the inventory.

    Attributes:
        axl: an account for AXL on Unified CM; None: only what needs no login is asked.
        platform: an account for certificate management on Unified CM's platform.
        discovery: ``inventory``: `nodes` is the whole list, and nobody is asked for more.
        ca: files and folders of CA certificates that the operator vouches for.
        source: the inventory file, for messages.
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
