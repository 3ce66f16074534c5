"""Discovery of every node and port that clients are sent to: from the cluster's publishers, from Unified CM, and from the inventory.

A system that could not be asked leaves a gap, and a gap is not an empty answer. Where the inventory has ``discovery: inventory``, its
nodes are the whole list, and no system is asked for more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from remediate.connectors.addresses import list_inventory_hosts
from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.http import Account
from remediate.connectors.parallel import run_after_first_success
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.axl import NamedNodes
from remediate.connectors.unified_cm.management import open_platform_shell, shell_access
from remediate.connectors.unified_cm.node import NodeCertificates, UnifiedCmNode, open_node
from remediate.connectors.unified_cm.node_registry import WEB_PORT, NodeRegistry, Report
from remediate.connectors.unified_cm.platform_reader import read_over_shell
from remediate.model.access import ClusterAccess, HostKeyTrust
from remediate.model.certificate import Certificate
from remediate.model.errors import NotOffered, ObservationError, PinMismatch
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.snapshot import DiscoveryGap
from remediate.model.toward_nodes import STORES


@dataclass(frozen=True, slots=True)
class DiscoveryResult:
    """The ports to probe, and the certificates that an authenticated channel gave.

    Attributes:
        targets: Sorted by address and port.
        guarded: The ports of other services that rely on the trusted CA list, likewise.
        authenticated: Certificates that certificate management showed over a verified channel.
        own_certificates: The node's own ones among them, each with the name of its service, by the node's address as in `targets`.
        management: What certificate management of each Unified CM and IM and Presence node showed, or why it showed nothing.
    """

    targets: tuple[Target, ...]
    authenticated: tuple[Certificate, ...]
    own_certificates: Mapping[Address, tuple[tuple[str, Certificate], ...]] = field(default_factory=dict)
    guarded: tuple[Target, ...] = ()
    management: tuple[tuple[Target, NodeCertificates | str], ...] = ()


@dataclass(slots=True)
class _DiscoverySession:
    """The inputs of every request, and the nodes that were opened."""

    cluster: ClusterAccess
    authorities: Sequence[Certificate]
    limits: Limits
    report: Report
    candidates: Sequence[Certificate] = ()
    opened: dict[str, UnifiedCmNode | ObservationError] = field(default_factory=dict)

    def open_all(self, targets: Sequence[Target]) -> None:
        """Open many nodes in parallel, without an account: a dead one takes seconds, and there may be hundreds."""
        new = {target.address.casefold(): target for target in targets if target.address.casefold() not in self.opened}
        if new:
            with ThreadPoolExecutor(min(self.limits.parallel_nodes, len(new)), thread_name_prefix="open") as pool:
                self.opened.update(zip(new, pool.map(self._open, new.values()), strict=True))

    def get_node(self, target: Target) -> UnifiedCmNode | ObservationError:
        """Return a node that `open_all` opened, or the error that prevented it."""
        return self.opened[target.address.casefold()]

    def report_gap(self, target: Target, service: str, problem: str, *, kind: str = "not-asked", incomplete: bool) -> None:
        """Report a request that could not be made."""
        self.report(DiscoveryGap(target.address, service, kind, incomplete, problem))

    def _open(self, target: Target) -> UnifiedCmNode | ObservationError:
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
    candidates: Sequence[Certificate] = (),
) -> DiscoveryResult:
    """Return every port to probe. What could not be asked, and what is not followed, goes to `report`.

    Args:
        cluster: The inventory of the cluster.
        publishers: Publishers that the peers hold.
        authorities: CA certificates that the web port of a node must verify under before an account is sent to it.
        limits: On time, connections and names.
        report: Called with each gap.
        candidates: Certificates that are recognised in a trust store of which only the fields are printed.

    Raises:
        LoginRefused: AXL or certificate management refuses the account of the inventory; it is not tried elsewhere.
        InventoryError: The secret cannot be read.
    """
    inventory_nodes = {(node.address.casefold(), node.product): node for node in cluster.nodes}
    connect_to = {node.address.casefold(): node.connect_to for node in cluster.nodes}
    nodes = NodeRegistry(inventory_nodes, connect_to, list_inventory_hosts(cluster))
    session = _DiscoverySession(cluster, authorities, limits, report, (*candidates, *authorities))
    for node in cluster.nodes:
        nodes.add(node.address, node.product, "inventory")
    if cluster.discovery == "auto":
        publisher_names = tuple((publisher.address, publisher.product) for publisher in publishers)
        nodes.add_named(
            NamedNodes(publisher_names, len(publisher_names)), "publisher", cluster.name, limits.max_publishers, report
        )
        _ask_publishers(session, nodes)
    management = _read_management(session, nodes)
    certificate_nodes = [(target.address, node) for target, node in management if isinstance(node, NodeCertificates)]
    distinct = dict.fromkeys(certificate for _, node in certificate_nodes for certificate in node.all)
    own_certificates = {address: node.own for address, node in certificate_nodes}
    return DiscoveryResult(nodes.list_targets(), tuple(distinct), own_certificates, nodes.list_guarded_targets(), management)


@dataclass(frozen=True, slots=True)
class _PublisherAnswer:
    """What a publisher names, over UDS and over AXL; a text: why it could not be asked.

    Attributes:
        axl: None: there is no account, or the channel is not verified.
    """

    uds: NamedNodes | str
    axl: NamedNodes | str | None
    is_verified: bool = True


def _ask_publishers(session: _DiscoverySession, nodes: NodeRegistry) -> None:
    """Ask every publisher for the nodes of its cluster: at once, as soon as one of them took the account."""
    publishers = nodes.web_targets("cucm", publishers=True)
    session.open_all(publishers)
    reachable: list[tuple[Target, UnifiedCmNode]] = []
    for target in publishers:
        node = session.get_node(target)
        if isinstance(node, ObservationError):
            problem = f"{target.address} could not be queried for its cluster's nodes: {node}"
            session.report_gap(target, "web", problem, incomplete=True)
        else:
            reachable.append((target, node))

    def ask(publisher: tuple[Target, UnifiedCmNode]) -> _PublisherAnswer:
        return _ask_publisher(session, *publisher)

    def took_account(answer: _PublisherAnswer) -> bool:
        return session.cluster.axl is None or isinstance(answer.axl, NamedNodes)

    answers = run_after_first_success(ask, reachable, took_account)
    for (target, _), answer in zip(reachable, answers, strict=True):
        _add_uds(session, nodes, target, answer)
        _add_axl(session, nodes, target, answer)


def _ask_publisher(session: _DiscoverySession, target: Target, node: UnifiedCmNode) -> _PublisherAnswer:
    axl = session.cluster.axl
    uds: NamedNodes | str
    try:
        uds = node.read_uds_servers()
    except (ObservationError, NotOffered, PinMismatch) as error:
        uds = f"{target.address} could not be queried for its cluster's nodes: {error}"
    if axl is None or not node.verified:
        return _PublisherAnswer(uds, None, is_verified=node.verified)
    try:
        return _PublisherAnswer(uds, node.read_process_nodes(Account(axl.username, axl.password.read())))
    except (ObservationError, PinMismatch) as error:
        return _PublisherAnswer(uds, f"{target.address} could not be queried over AXL: {error}")


def _add_uds(session: _DiscoverySession, nodes: NodeRegistry, target: Target, answer: _PublisherAnswer) -> None:
    if isinstance(answer.uds, str):
        session.report_gap(target, "uds", answer.uds, incomplete=True)
    else:
        nodes.add_named(answer.uds, "uds", target.address, session.limits.max_nodes_without_login, session.report)


def _add_axl(session: _DiscoverySession, nodes: NodeRegistry, target: Target, answer: _PublisherAnswer) -> None:
    if session.cluster.axl is None:
        return
    if not answer.is_verified:
        # Every peer refuses the web port of such a node, so no command reports the cluster as healthy, and the plan that fixes
        # it also allows AXL to be asked (decision 0019). Where that port is not probed, only this gap reports it.
        is_probed = any(endpoint.port == WEB_PORT and endpoint.address == target.address for endpoint in nodes.list_targets())
        session.report_gap(target, "axl", _describe_unverified(target, "AXL"), kind="unverified", incomplete=not is_probed)
    elif isinstance(answer.axl, str):
        session.report_gap(target, "axl", answer.axl, incomplete=True)
    elif answer.axl is not None:
        if answer.axl.remark:
            session.report_gap(target, "axl", answer.axl.remark, kind="other-version", incomplete=False)
        nodes.add_named(answer.axl, "axl", target.address, session.limits.max_named_nodes, session.report)


def _read_management(session: _DiscoverySession, nodes: NodeRegistry) -> tuple[tuple[Target, NodeCertificates | str], ...]:
    """Return what certificate management of each node shows, or why it was not read; only a node that verifies is asked.

    It names no endpoint, so without it no plan is incomplete: fewer certificates are vouched for.
    """
    targets = [*nodes.web_targets("cucm", publishers=False), *nodes.web_targets("imp", publishers=False)]
    platform = session.cluster.platform
    if platform is None:
        return tuple((target, "the inventory has no platform_credentials") for target in targets)
    account = Account(platform.username, platform.password.read())
    session.open_all(targets)

    def read(target: Target) -> tuple[NodeCertificates | str, list[DiscoveryGap]]:
        gaps: list[DiscoveryGap] = []
        return _read_certificates(replace(session, report=gaps.append), nodes, target, account), gaps

    answers = run_after_first_success(read, targets, lambda answer: isinstance(answer[0], NodeCertificates))
    for _, gaps in answers:
        for gap in gaps:
            session.report(gap)
    return tuple((target, certificates) for target, (certificates, _) in zip(targets, answers, strict=True))


def _read_certificates(
    session: _DiscoverySession, nodes: NodeRegistry, target: Target, account: Account
) -> NodeCertificates | str:
    """Return the certificates of one node; where they cannot be read, report that and return why.

    Without certificate management (before Unified CM 14), the platform shell is asked; without a channel that verifies, only where the
    inventory names its host key.
    """
    node = session.get_node(target)
    access = nodes.get_access(target)
    kind, asks_shell = "not-asked", access.ssh != HostKeyTrust()
    if isinstance(node, ObservationError):
        problem = f"{target.address} could not be queried for its certificates: {node}"
    elif not node.verified:
        problem, kind = _describe_unverified(target, "certificate management"), "unverified"
    else:
        try:
            return node.read_certificates(account)
        except NotOffered as error:
            problem, asks_shell = f"{target.address} could not be queried for its certificates: {error}", True
        except (ObservationError, PinMismatch) as error:
            problem = f"{target.address} could not be queried for its certificates: {error}"
    if asks_shell:
        try:
            with open_platform_shell(shell_access(session.cluster, access), account, session.limits, writable=False) as shell:
                return read_over_shell(shell, STORES[target.product], session.candidates)
        except (ObservationError, PinMismatch) as error:
            problem = f"{problem.rstrip('.')}. Its platform shell does not help: {error}"
    session.report_gap(target, "certificate-management", problem, kind=kind, incomplete=False)
    return problem


def _describe_unverified(target: Target, service: str) -> str:
    return (
        f"{service} on {target.address} was not queried: no CA of yours or of a peer confirms its certificate, and no "
        "account is sent over an unverified connection. Add its CA under `ca:` in the inventory."
    )
