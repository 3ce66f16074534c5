"""Every node and port that clients are sent to: from the cluster's publishers, from Unified CM, from the inventory.

Whoever could not be asked leaves a gap, and a gap is not an empty answer. Where the inventory says ``discovery: inventory``, its
nodes are the whole list, and nobody is asked for more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from remediate.connectors.addresses import names_of
from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.http import Account
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.axl import NamedNodes
from remediate.connectors.unified_cm.node import NodeCertificates, UcNode, open_node
from remediate.connectors.unified_cm.nodes import WEB_PORT, KnownNodes, Report
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import NotOffered, ObservationError, PinMismatch
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.snapshot import DiscoveryGap


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
class _Asker:
    """What every question needs, and the nodes that were opened."""

    cluster: ClusterAccess
    authorities: Sequence[Certificate]
    limits: Limits
    report: Report
    opened: dict[str, UcNode | ObservationError] = field(default_factory=dict)

    def open_all(self, targets: Sequence[Target]) -> None:
        """Open many nodes at once, without an account: a dead one takes seconds, and there may be hundreds."""
        new = {target.address.casefold(): target for target in targets if target.address.casefold() not in self.opened}
        if new:
            with ThreadPoolExecutor(min(self.limits.parallel_endpoints, len(new)), thread_name_prefix="open") as pool:
                self.opened.update(zip(new, pool.map(self._open, new.values()), strict=True))

    def node(self, target: Target) -> UcNode | ObservationError:
        """Return a node that `open_all` was given, or why it could not be opened."""
        return self.opened[target.address.casefold()]

    def gap(self, target: Target, service: str, problem: str, *, kind: str = "not-asked", incomplete: bool) -> None:
        """Report that something could not be asked."""
        self.report(DiscoveryGap(target.address, service, kind, incomplete, problem))

    def _open(self, target: Target) -> UcNode | ObservationError:
        try:
            return open_node(target, self.authorities, self.limits)
        except ObservationError as error:
            return error


def discover(
    cluster: ClusterAccess,
    publishers: Sequence[PublisherRecord],
    authorities: Sequence[Certificate],
    limits: Limits,
    report: Report,
) -> Discovered:
    """Return every port to look at. What could not be asked, and what is not followed, goes to `report`.

    Args:
        authorities: what the web port of a node must verify under before an account is sent to it.

    Raises:
        LoginRefused: AXL or certificate management refuses the account of the inventory; it is not tried elsewhere.
        InventoryError: the secret cannot be read.
    """
    given = {(node.address.casefold(), node.product): node for node in cluster.nodes}
    connect_to = {node.address.casefold(): node.connect_to for node in cluster.nodes}
    nodes = KnownNodes(given, connect_to, names_of(cluster))
    asker = _Asker(cluster, authorities, limits, report)
    for node in cluster.nodes:
        nodes.add(node.address, node.product, "inventory")
    if cluster.discovery == "auto":
        named = tuple((publisher.address, publisher.product) for publisher in publishers)
        nodes.add_named(NamedNodes(named, len(named)), "publisher", cluster.name, limits.max_publishers, report)
        _ask_publishers(asker, nodes)
    shown = _authenticated(asker, nodes)
    every = dict.fromkeys(certificate for node in shown.values() for certificate in node.all)
    return Discovered(nodes.targets(), tuple(every), {address: node.own for address, node in shown.items()})


def _ask_publishers(asker: _Asker, nodes: KnownNodes) -> None:
    publishers = nodes.web("cucm", publishers=True)
    asker.open_all(publishers)
    for target in publishers:
        node = asker.node(target)
        if isinstance(node, ObservationError):
            problem = f"{target.address} could not be asked for its cluster's nodes: {node}"
            asker.gap(target, "web", problem, incomplete=True)
        else:
            _ask_uds(asker, nodes, node, target)
            _ask_axl(asker, nodes, node, target)


def _ask_uds(asker: _Asker, nodes: KnownNodes, node: UcNode, target: Target) -> None:
    try:
        named = node.uds_servers()
    except (ObservationError, NotOffered, PinMismatch) as error:
        problem = f"{target.address} could not be asked for its cluster's nodes: {error}"
        asker.gap(target, "uds", problem, incomplete=True)
    else:
        nodes.add_named(named, "uds", target.address, asker.limits.max_nodes_without_login, asker.report)


def _ask_axl(asker: _Asker, nodes: KnownNodes, node: UcNode, target: Target) -> None:
    axl = asker.cluster.axl
    if axl is None:
        return
    if not node.verified:
        # Such a node's own web port is refused by every peer, so no command calls the cluster healthy, and the plan that mends
        # this is the one that lets AXL be asked (decision 0019). Where that port is not looked at, nothing else would say so.
        looked_at = any(one.port == WEB_PORT and one.address == target.address for one in nodes.targets())
        asker.gap(target, "axl", _unverified(target, "AXL"), kind="unverified", incomplete=not looked_at)
        return
    try:
        named = node.process_nodes(Account(axl.username, axl.password.read()))
    except (ObservationError, PinMismatch) as error:
        asker.gap(target, "axl", f"{target.address} could not be asked over AXL: {error}", incomplete=True)
    else:
        if named.remark:
            asker.gap(target, "axl", named.remark, kind="other-version", incomplete=False)
        nodes.add_named(named, "axl", target.address, asker.limits.max_named_nodes, asker.report)


def _authenticated(asker: _Asker, nodes: KnownNodes) -> dict[Address, NodeCertificates]:
    """What certificate management shows of each node, where the node itself verifies.

    It names no endpoint, so what it does not say leaves no plan incomplete: fewer certificates are vouched for.
    """
    platform = asker.cluster.platform
    if platform is None:
        return {}
    account = Account(platform.username, platform.password.read())
    shown: dict[Address, NodeCertificates] = {}
    targets = [*nodes.web("cucm", publishers=False), *nodes.web("imp", publishers=False)]
    asker.open_all(targets)
    for target in targets:
        node = asker.node(target)
        if isinstance(node, ObservationError):
            problem = f"{target.address} could not be asked for its certificates: {node}"
            asker.gap(target, "certificate-management", problem, incomplete=False)
        elif not node.verified:
            problem = _unverified(target, "certificate management")
            asker.gap(target, "certificate-management", problem, kind="unverified", incomplete=False)
        else:
            try:
                shown[target.address] = node.certificates(account)
            except (ObservationError, NotOffered, PinMismatch) as error:
                problem = f"{target.address} could not be asked for its certificates: {error}"
                asker.gap(target, "certificate-management", problem, incomplete=False)
    return shown


def _unverified(target: Target, service: str) -> str:
    return (
        f"{service} on {target.address} was not asked: its certificate does not verify under a CA of yours or of a peer, "
        "and no account is sent over such a channel. Give its CA under `ca:` in the inventory."
    )
