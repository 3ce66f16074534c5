"""The registry of nodes that discovery knows, and which source named each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from remediate.connectors.addresses import check_discovered_name
from remediate.connectors.gaps import make_limit_gap, make_refusal_gap
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.axl import NamedNodes
from remediate.model.access import NodeAccess
from remediate.model.expressway import GUARDED_PORTS
from remediate.model.identity import Address, Product
from remediate.model.snapshot import DiscoveryGap
from remediate.model.text import mask_and_escape

WEB_PORT = 8443
DEFAULT_PORTS: dict[Product, tuple[int, ...]] = {
    "cucm": (WEB_PORT, 6971, 6972, 443),
    "imp": (WEB_PORT,),
    "unity": (WEB_PORT, 443),
}
"""Ports that the traffic server connects to (Cisco, MRA deployment guide, ports; Expressway IP port usage guide X15.0 for 443)."""

Report = Callable[[DiscoveryGap], None]


@dataclass(slots=True)
class NodeRegistry:
    """The nodes so far, each once, under the spelling of its first source.

    Attributes:
        inventory_nodes: Nodes of the inventory.
        connect_to: Hosts to connect to instead of an address, from the inventory.
        hosts: Hosts that the inventory itself names, in lower case.
        by_key: Nodes by address in lower case and product.
        sources: The sources that named each node.
    """

    inventory_nodes: Mapping[tuple[str, Product], NodeAccess]
    connect_to: Mapping[str, str | None]
    hosts: frozenset[str]
    by_key: dict[tuple[str, Product], NodeAccess] = field(default_factory=dict)
    sources: dict[tuple[str, Product], list[str]] = field(default_factory=dict)

    def add(self, address: Address, product: Product, source: str) -> None:
        """Add one node that `source` names, or note that it names the node too."""
        key = (address.casefold(), product)
        if key not in self.by_key:
            self.by_key[key] = self.inventory_nodes.get(key) or NodeAccess(address, product, self.connect_to.get(key[0]))
        sources = self.sources.setdefault(key, [])
        if source not in sources:
            sources.append(source)

    def add_named(self, node_names: NamedNodes, source: str, source_name: str, limit: int, report: Report) -> None:
        """Add the nodes that a source named over the network, and report the names that are refused.

        Args:
            node_names: Names and products.
            source: ``uds``, ``axl`` or ``publisher``.
            source_name: The system that named them, or for publishers the cluster.
            limit: Number of nodes that one source may name.
            report: Called with each gap.
        """
        refused: dict[str, list[str]] = {}
        for text, product in node_names.names[:limit]:
            address, why = check_discovered_name(text, self.hosts)
            if address is None:
                refused.setdefault(why or "", []).append(mask_and_escape(text, 80) or "(empty)")
            else:
                self.add(address, product, source)
        # UDS needs no login, so anyone on the path could have written its answer: it alone makes nothing incomplete.
        incomplete = source != "uds"
        for why, names in refused.items():
            report(make_refusal_gap(source_name, source, why, names, incomplete=incomplete))
        if node_names.count > limit:
            report(make_limit_gap(source_name, source, limit, node_names.count, incomplete=incomplete))

    def web_targets(self, product: Product, *, publishers: bool) -> list[Target]:
        """Return the web port of each node of a product, in order; of the publishers only, or of all."""
        return [
            replace(self._make_target(key), port=WEB_PORT)
            for key, node in self.by_key.items()
            if node.product == product and (not publishers or "publisher" in self.sources[key])
        ]

    def get_access(self, target: Target) -> NodeAccess:
        """Return a node as the inventory names it, or as it was discovered."""
        return self.by_key[target.address.casefold(), target.product]

    def list_targets(self) -> tuple[Target, ...]:
        """Return every port to probe, each once, sorted by address and port."""
        by_endpoint: dict[tuple[str, int], Target] = {}
        for key in self.by_key:
            for target in self._iterate_ports(key):
                by_endpoint.setdefault((target.address.casefold(), target.port), target)
        return tuple(sorted(by_endpoint.values(), key=lambda target: (target.address.casefold(), target.port)))

    def list_guarded_targets(self) -> tuple[Target, ...]:
        """Return the ports of other services that rely on the trusted CA list, sorted by address and port.

        Names that anyone on the path could have written have none, and a port that the inventory declares is not guarded.
        """
        targets: list[Target] = []
        for key, node in self.by_key.items():
            base = self._make_target(key)
            if not base.named_without_login:
                for port, (service, _) in GUARDED_PORTS[node.product].items():
                    if port not in (node.ports or ()):
                        targets.append(replace(base, port=port, service=service))
        return tuple(sorted(targets, key=lambda target: (target.address.casefold(), target.port)))

    def _iterate_ports(self, key: tuple[str, Product]) -> Iterator[Target]:
        """Yield the ports that the inventory declares, else the product's.

        The cluster itself uses the web port of a publisher.
        """
        node, base = self.by_key[key], self._make_target(key)
        if node.ports is not None:
            yield from (replace(base, port=port, declared_in_use=True) for port in node.ports)
            return
        declared_in_use = "publisher" in self.sources[key]
        for port in DEFAULT_PORTS[node.product]:
            yield replace(base, port=port, declared_in_use=declared_in_use and port == WEB_PORT)

    def _make_target(self, key: tuple[str, Product]) -> Target:
        node = self.by_key[key]
        guarded = (node.connect_to or node.address).casefold() not in self.hosts
        sources = tuple(sorted(self.sources[key]))
        return Target(node.address, 0, node.product, node.connect_to, learned_from=sources, guarded=guarded)
