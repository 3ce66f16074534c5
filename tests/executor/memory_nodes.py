"""A cluster in memory with Unified CM nodes whose trust stores can be read and written, and what shall go wrong there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from remediate.executor.environment import Environment
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import NotOffered, ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.identity import Address, Product
from remediate.model.limits import Limits
from remediate.model.plan import Plan, Policy
from remediate.model.secret import Login
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.toward_nodes import STORES, Node
from remediate.planner import make_plan
from tests.executor.clusters import OTHER, story
from tests.executor.memory import MemoryCluster, PlainSecret, Write
from tests.executor.memory_device import Device
from tests.pki import issue

EDGE_ROOT = issue("edge root", ca=True)
EDGE_ISSUING = issue("edge issuing", EDGE_ROOT, ca=True)


@dataclass
class MemoryNode:
    """One node's trust stores.

    Attributes:
        removal: Its platform shell deletes certificates.
        takes_uploads: It has an upload.
    """

    address: Address
    product: Product = "cucm"
    stores: dict[str, list[Certificate]] = field(default_factory=dict)
    up: bool = True
    removal: bool = True
    takes_uploads: bool = True

    def __post_init__(self) -> None:
        for store in STORES[self.product]:
            self.stores.setdefault(store, [OTHER.certificate])


@dataclass
class ClusterWithNodes(MemoryCluster):
    """The cluster, its nodes, and each peer's own certificate.

    Attributes:
        platform: The account for certificate management that the inventory has.
        share_stores: Its nodes take over from each other what is written to one of them, as those of Unified CM do.
    """

    platform: Login | None = field(default_factory=lambda: Login("os", PlainSecret()))
    nodes: list[MemoryNode] = field(default_factory=list)
    own: Mapping[Address, tuple[Certificate, ...]] = field(default_factory=dict)
    share_stores: bool = False

    @property
    def access(self) -> ClusterAccess:
        return replace(super().access, platform=self.platform)

    def chain_of(self, peer: Address) -> tuple[Certificate, ...]:
        return self.own.get(peer, ())

    def node(self, number: int) -> MemoryNode:
        return self.nodes[number - 1]

    def stores(self) -> list[dict[str, list[str]]]:
        """What each node trusts."""
        return [
            {store: [certificate.fingerprint for certificate in trusted] for store, trusted in node.stores.items()}
            for node in self.nodes
        ]

    def snapshot(self) -> Snapshot:
        observed = super().snapshot()
        certificates = [certificate for chain in self.own.values() for certificate in chain]
        certificates += [certificate for node in self.nodes for trusted in node.stores.values() for certificate in trusted]
        return replace(
            observed,
            nodes=tuple(map(_observe_node, self.nodes)),
            certificates={**observed.certificates, **{certificate.fingerprint: certificate for certificate in certificates}},
        )

    def _peer(self, device: Device) -> Peer:
        chain = self.own.get(device.address)
        own = tuple(certificate.fingerprint for certificate in chain) if chain else None
        return replace(super()._peer(device), server_certificate=own)

    def open_node(
        self, cluster: ClusterAccess, address: Address, authorities: Sequence[Certificate], limits: Limits, *, writable: bool
    ) -> AbstractContextManager[OpenNode]:
        del authorities, limits
        assert cluster.platform is not None
        node = next(node for node in self.nodes if node.address == address)
        return nullcontext(OpenNode(self, node, writable=writable))

    def environment(self, **changes: object) -> Environment:
        return super().environment(**{"open_node": self.open_node, **changes})


def _observe_node(node: MemoryNode) -> Node:
    if not node.up:
        return Node(node.address, node.product, error="it is down")
    trust = {store: tuple(certificate.fingerprint for certificate in trusted) for store, trusted in node.stores.items()}
    return Node(node.address, node.product, {}, trust, "certmgr")


@dataclass
class OpenNode:
    """One open node."""

    cluster: ClusterWithNodes
    node: MemoryNode
    writable: bool

    @property
    def address(self) -> Address:
        return self.node.address

    def trusted(self, store: str, expected: Certificate) -> tuple[Certificate, ...]:
        del expected
        self.cluster.tap(f"before trusted on {self.address}")
        if not self.node.up:
            raise ObservationError(f"{self.address} is down.")
        self.cluster.tap(f"after trusted on {self.address}")
        return tuple(self.node.stores[store])

    def add_trusted(self, store: str, certificate: Certificate) -> None:
        if not self.node.takes_uploads:
            raise NotOffered(f"{self.address} has no upload.")
        self._write(f"upload {certificate.fingerprint} to {store}", store, [*self.node.stores[store], certificate])

    def remove_trusted(self, store: str, certificate: Certificate) -> None:
        if not self.node.removal:
            raise NotOffered(f"{self.address} deletes nothing.")
        remaining = [listed for listed in self.node.stores[store] if listed != certificate]
        self._write(f"delete {certificate.fingerprint} from {store}", store, remaining)

    def _write(self, action: str, store: str, after: list[Certificate]) -> None:
        cluster = self.cluster
        if not self.writable:
            raise WriteForbidden(f"{self.address} was opened for reading: {action}")
        cluster.tap(f"before {action} on {self.address}")
        if not self.node.up:
            raise OutcomeUnknown(f"{self.address} did not answer.")
        cluster.sent_count += 1
        fault = cluster.faults.get(cluster.sent_count)
        if fault == "refuse":
            raise WriteRefused(f"{self.address} says no.")
        if fault not in {"drop-request", "ignore"}:
            for node in cluster.nodes if cluster.share_stores else [self.node]:
                if store in node.stores:
                    node.stores[store] = list(after)
            cluster.writes.append(Write(self.address, action))
        cluster.tap(f"after {action} on {self.address}")
        if fault in {"drop-request", "drop-answer"}:
            raise OutcomeUnknown(f"The answer of {self.address} was lost.")


def refusing_nodes(peers: int = 2) -> ClusterWithNodes:
    """The story with two nodes that do not know what signed the peers' own certificates; the peers' own lists do."""
    plain = story(peers)
    own = {
        device.address: (issue(device.address, EDGE_ISSUING, names=(device.address,)).certificate, EDGE_ISSUING.certificate)
        for device in plain.devices
    }
    for device in plain.devices:
        device.trusted.append(EDGE_ROOT.certificate)
    return ClusterWithNodes(
        plain.devices,
        plain.endpoints,
        {**plain.certificates, EDGE_ROOT.certificate.fingerprint: EDGE_ROOT.certificate},
        publishers=plain.publishers,
        nodes=[
            MemoryNode(Address("cucm.example.test")),
            MemoryNode(Address("imp.example.test"), "imp", {"cup-xmpp": [EDGE_ROOT.certificate]}),
        ],
        own=own,
    )


def plan_uploads_for(cluster: ClusterWithNodes, **policy: object) -> Plan:
    """The plan of the real planner with what the nodes lack, every certificate in it approved."""
    observed = cluster.snapshot()
    chosen = Policy(ciphers="prefer-rsa", approved=frozenset(observed.certificates), cucm_trust=True)
    return make_plan(observed, replace(chosen, **policy))  # type: ignore[arg-type]  # the names of Policy's own fields
