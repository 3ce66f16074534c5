"""The nodes that discovery knows of so far, who named them, and what was not taken from whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from remediate.connectors.addresses import check_name
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.axl import NamedNodes
from remediate.model.access import NodeAccess
from remediate.model.identity import Address, Product
from remediate.model.snapshot import DiscoveryGap
from remediate.model.text import count, first_few, mask_and_escape

WEB_PORT = 8443
DEFAULT_PORTS: dict[Product, tuple[int, ...]] = {"cucm": (WEB_PORT, 6971, 6972), "imp": (WEB_PORT,), "unity": (WEB_PORT,)}
"""Where the traffic server goes (Cisco, MRA deployment guide, ports)."""

SHOWN_NAMES = 10
"""How many names a gap holds: enough to know what it is about."""

Report = Callable[[DiscoveryGap], None]


@dataclass(slots=True)
class KnownNodes:
    """The nodes so far, each once, under the spelling that came first.

    Attributes:
        given: what the inventory says of a node.
        connect_to: where the inventory says that an address really is.
        hosts: hosts that the inventory itself names, in lower case.
    """

    given: Mapping[tuple[str, Product], NodeAccess]
    connect_to: Mapping[str, str | None]
    hosts: frozenset[str]
    by_key: dict[tuple[str, Product], NodeAccess] = field(default_factory=dict)
    learned: dict[tuple[str, Product], list[str]] = field(default_factory=dict)

    def add(self, address: Address, product: Product, source: str) -> None:
        """Add one node that `source` names, or note that it names it too."""
        key = (address.casefold(), product)
        if key not in self.by_key:
            self.by_key[key] = self.given.get(key) or NodeAccess(address, product, self.connect_to.get(key[0]))
        sources = self.learned.setdefault(key, [])
        if source not in sources:
            sources.append(source)

    def add_named(self, named: NamedNodes, source: str, asked: str, limit: int, report: Report) -> None:
        """Add what a source named over the network, and report what is not taken from it.

        Args:
            asked: which system named them, or for publishers which cluster.
            limit: how many nodes one source may name.
        """
        refused: dict[str, list[str]] = {}
        for text, product in named.names[:limit]:
            address, why = check_name(text, self.hosts)
            if address is None:
                refused.setdefault(why or "", []).append(mask_and_escape(text, 80) or "(empty)")
            else:
                self.add(address, product, source)
        # Whoever asks for no login may have been written by anybody: what it says alone makes nothing incomplete.
        incomplete = source != "uds"
        for why, names in refused.items():
            report(refused_names(asked, source, why, names, incomplete=incomplete))
        if named.count > limit:
            report(_over_limit(asked, source, limit, named.count, incomplete=incomplete))

    def web(self, product: Product, *, publishers: bool) -> list[Target]:
        """Return the web port of each node of a product, in order; of the publishers only, or of all."""
        return [
            replace(self._base(key), port=WEB_PORT)
            for key, node in self.by_key.items()
            if node.product == product and (not publishers or "publisher" in self.learned[key])
        ]

    def targets(self) -> tuple[Target, ...]:
        """Return every port to look at, each once, sorted by address and port."""
        found: dict[tuple[str, int], Target] = {}
        for key in self.by_key:
            for target in self._ports(key):
                found.setdefault((target.address.casefold(), target.port), target)
        return tuple(sorted(found.values(), key=lambda target: (target.address.casefold(), target.port)))

    def _ports(self, key: tuple[str, Product]) -> Iterator[Target]:
        """The ports that the inventory insists on, else the product's; a publisher's web port is what the cluster itself uses."""
        node, base = self.by_key[key], self._base(key)
        if node.ports is not None:
            yield from (replace(base, port=port, insisted=True) for port in node.ports)
            return
        insisted = "publisher" in self.learned[key]
        for port in DEFAULT_PORTS[node.product]:
            yield replace(base, port=port, insisted=insisted and port == WEB_PORT)

    def _base(self, key: tuple[str, Product]) -> Target:
        node = self.by_key[key]
        guarded = (node.connect_to or node.address).casefold() not in self.hosts
        learned = tuple(sorted(self.learned[key]))
        return Target(node.address, 0, node.product, node.connect_to, learned_from=learned, guarded=guarded)


def refused_names(source: str, service: str, why: str, names: Sequence[str], *, incomplete: bool) -> DiscoveryGap:
    """Return the gap for names that are not used because of what they are."""
    advice = "Where one of them is meant, put it into the inventory." if incomplete else "Nothing rests on them."
    message = (
        f"{source} names {count(len(names), 'server')} that {'is' if len(names) == 1 else 'are'} not looked at ({why}): "
        f"{first_few(names, SHOWN_NAMES)}. {advice}"
    )
    return DiscoveryGap(source, service, "name-refused", incomplete, message, tuple(names[:SHOWN_NAMES]), len(names))


def _over_limit(source: str, service: str, limit: int, named: int, *, incomplete: bool) -> DiscoveryGap:
    message = (
        f"{source} names {named} servers, more than the {limit} that one source may name: only the first {limit} were looked at. "
        "Where all are meant, give them under `nodes` in the inventory with `discovery: inventory`."
    )
    return DiscoveryGap(source, service, "over-limit", incomplete, message, (), named - limit)
