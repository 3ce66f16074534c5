"""Every node and port that clients are sent to: from the cluster's publishers, from Unified CM, from the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from remediate.connectors.cucm import WEB_PORT, NodeCertificates, UcNode, open_node
from remediate.connectors.http import Account
from remediate.connectors.records import PublisherRecord
from remediate.connectors.target import Target
from remediate.model.access import ClusterAccess, NodeAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import NotOffered, ObservationError, PinMismatch
from remediate.model.identity import Address, Product
from remediate.model.limits import Limits

DEFAULT_PORTS: dict[Product, tuple[int, ...]] = {"cucm": (8443, 6971, 6972), "imp": (8443,), "unity": (8443,)}
"""Where the traffic server goes (Cisco, MRA deployment guide, ports)."""

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Discovered:
    """What there is to look at, and what came over an authenticated channel.

    Attributes:
        targets: sorted by address and port.
        authenticated: certificates that certificate management showed over a verified channel.
        own: the same, by the node's address as in `targets`: its own certificates, each with the name of its service.
    """

    targets: tuple[Target, ...]
    authenticated: tuple[Certificate, ...]
    own: Mapping[Address, tuple[tuple[str, Certificate], ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Nodes:
    """The nodes so far, each once, under the spelling that came first."""

    given: Mapping[tuple[str, Product], NodeAccess]
    connect_to: Mapping[str, str | None]
    by_key: dict[tuple[str, Product], NodeAccess] = field(default_factory=dict)
    learned: dict[tuple[str, Product], list[str]] = field(default_factory=dict)

    def add(self, address: Address, product: Product, source: str) -> None:
        key = (_key(address), product)
        if key not in self.by_key:
            self.by_key[key] = self.given.get(key) or NodeAccess(address, product, self.connect_to.get(key[0]))
        sources = self.learned.setdefault(key, [])
        if source not in sources:
            sources.append(source)

    def web(self, product: Product, *, publishers: bool) -> list[Target]:
        """The web port of each node of a product, in order; of the publishers only, or of all."""
        return [
            Target(node.address, WEB_PORT, product, node.connect_to)
            for key, node in self.by_key.items()
            if node.product == product and (not publishers or "publisher" in self.learned[key])
        ]

    def targets(self) -> tuple[Target, ...]:
        found: dict[tuple[str, int], Target] = {}
        for key, node in self.by_key.items():
            for target in _ports_of(node, self.learned[key]):
                found.setdefault((_key(target.address), target.port), target)
        return tuple(sorted(found.values(), key=lambda one: (_key(one.address), one.port)))


def discover(
    cluster: ClusterAccess,
    publishers: Iterable[PublisherRecord],
    authorities: Sequence[Certificate],
    limits: Limits,
    warn: Warn,
) -> Discovered:
    """Return every port to look at. What cannot be asked is said through `warn`; the publisher's own port will show it again.

    Args:
        authorities: what the web port of a node must verify under before an account is sent to it.

    Raises:
        LoginRefused: AXL or certificate management refuses the account of the inventory; it is not tried elsewhere.
        InventoryError: the secret cannot be read.
    """
    given = {(_key(one.address), one.product): one for one in cluster.nodes}
    nodes = _Nodes(given, {_key(one.address): one.connect_to for one in cluster.nodes})
    for node in cluster.nodes:
        nodes.add(node.address, node.product, "inventory")
    for publisher in publishers:
        nodes.add(publisher.address, publisher.product, "publisher")
    opened: dict[str, UcNode] = {}
    for target in nodes.web("cucm", publishers=True):
        if (web := _open(target, authorities, limits, warn, opened)) is not None:
            _ask_for_nodes(web, target, cluster, nodes, warn)
    shown = _authenticated(cluster, nodes, authorities, limits, warn, opened)
    every = dict.fromkeys(one for node in shown.values() for one in node.all)
    return Discovered(nodes.targets(), tuple(every), {address: node.own for address, node in shown.items()})


def _open(
    target: Target, authorities: Sequence[Certificate], limits: Limits, warn: Warn, opened: dict[str, UcNode]
) -> UcNode | None:
    if _key(target.address) not in opened:
        try:
            opened[_key(target.address)] = open_node(target, authorities, limits)
        except ObservationError as error:
            warn(f"{target.address} could not be asked: {error}")
    return opened.get(_key(target.address))


def _ask_for_nodes(node: UcNode, target: Target, cluster: ClusterAccess, nodes: _Nodes, warn: Warn) -> None:
    try:
        for address in node.uds_servers():
            nodes.add(address, "cucm", "uds")
    except (ObservationError, NotOffered, PinMismatch) as error:
        warn(f"{target.address} could not be asked for its cluster's nodes: {error}")
    if cluster.axl is None:
        return
    if not node.verified:
        warn(_unverified(target, "AXL"))
        return
    try:
        for entry in node.process_nodes(Account(cluster.axl.username, cluster.axl.password.read())):
            nodes.add(entry.address, entry.product, "axl")
    except (ObservationError, PinMismatch) as error:
        warn(f"{target.address} could not be asked over AXL: {error}")


def _authenticated(
    cluster: ClusterAccess,
    nodes: _Nodes,
    authorities: Sequence[Certificate],
    limits: Limits,
    warn: Warn,
    opened: dict[str, UcNode],
) -> dict[Address, NodeCertificates]:
    """What certificate management shows of each node, where the node itself verifies."""
    if cluster.platform is None:
        return {}
    account = Account(cluster.platform.username, cluster.platform.password.read())
    found: dict[Address, NodeCertificates] = {}
    for target in (*nodes.web("cucm", publishers=False), *nodes.web("imp", publishers=False)):
        node = _open(target, authorities, limits, warn, opened)
        if node and not node.verified:
            warn(_unverified(target, "certificate management"))
        elif node:
            try:
                found[target.address] = node.certificates(account)
            except (ObservationError, NotOffered, PinMismatch) as error:
                warn(f"{target.address} could not be asked for its certificates: {error}")
    return found


def _unverified(target: Target, service: str) -> str:
    return (
        f"{service} on {target.address} was not asked: its certificate does not verify under a CA of yours or of a peer, "
        "and no account is sent over such a channel. Give its CA under `ca:` in the inventory."
    )


def _ports_of(node: NodeAccess, learned: Sequence[str]) -> list[Target]:
    """The ports that the inventory insists on, else the product's; a publisher's web port is what the cluster itself uses."""
    base = Target(node.address, 0, node.product, node.connect_to, learned_from=tuple(sorted(learned)))
    if node.ports is not None:
        return [replace(base, port=port, insisted=True) for port in node.ports]
    insisted = "publisher" in learned
    return [replace(base, port=port, insisted=insisted and port == WEB_PORT) for port in DEFAULT_PORTS[node.product]]


def _key(address: Address) -> str:
    return address.casefold()
