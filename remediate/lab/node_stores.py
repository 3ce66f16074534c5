"""Trust stores of a simulated node: what certificate management shows, and what the services have loaded since they started."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from remediate.model.certificate import Certificate
from remediate.model.identity import Product
from remediate.model.toward_nodes import STORES

RESTARTED_BY: Mapping[str, tuple[str, ...]] = {
    "cisco tomcat": ("tomcat",),
    "cisco callmanager": ("CallManager",),
    "cisco tftp": (),
    "cisco haproxy": ("tomcat", "CallManager"),
    "cisco xcp router": ("cup-xmpp",),
}
"""The stores that a service reads when it starts, by its name in lower case."""

_READ_BY_PORT: Mapping[Product, Mapping[int, tuple[str, ...]]] = {
    "cucm": {6971: ("tomcat", "CallManager"), 6972: ("tomcat", "CallManager")},
    "imp": {7400: ("cup-xmpp",)},
    "unity": {},
}
"""The stores that a client certificate must verify by at each port. HAProxy's ``client-auth`` is optional on 6971 and 6972 (CLI
reference 15): a client without a certificate is let in. 8443 asks for none (CSCvz45074)."""


@dataclass(eq=False)
class NodeStores:
    """Stores of one node.

    Attributes:
        trusted: What certificate management shows, by service, in its order.
        loaded: What the services work with until they restart.
        fellows: The stores of the other nodes of the cluster, which take over what is added and removed here (Cisco document 211300).
    """

    product: Product
    trusted: dict[str, list[Certificate]]
    loaded: dict[str, tuple[Certificate, ...]] = field(init=False)
    lock: threading.RLock = field(default_factory=threading.RLock)
    fellows: Sequence[NodeStores] = ()

    def __post_init__(self) -> None:
        self.loaded = {store: tuple(certificates) for store, certificates in self.trusted.items()}

    def add(self, store: str, certificates: Iterable[Certificate]) -> None:
        """Add certificates to a store of every node; one that is there stays where it is."""
        added = list(certificates)
        for stores in (self, *self.fellows):
            with stores.lock:
                listed = stores.trusted.get(store, [])
                listed += [certificate for certificate in added if certificate not in listed]

    def remove(self, store: str, certificate: Certificate) -> None:
        """Remove a certificate from a store of every node."""
        for stores in (self, *self.fellows):
            with stores.lock:
                if certificate in stores.trusted.get(store, ()):
                    stores.trusted[store].remove(certificate)

    def restart(self, service: str) -> bool:
        """Let a service read its stores again; return whether there is such a service here."""
        stores = RESTARTED_BY.get(service.casefold())
        if stores is None or (stores and not set(stores) & self.trusted.keys()):
            return False
        with self.lock:
            self.loaded |= {store: tuple(self.trusted[store]) for store in stores if store in self.trusted}
        return True

    def clients_of(self, ports: Sequence[int]) -> tuple[Certificate, ...] | None:
        """Return the CAs by which the service on these ports judges a client's certificate; None: it asks for none."""
        stores = [store for port in ports for store in _READ_BY_PORT[self.product].get(port, ())]
        if not stores:
            return None
        first, *further = (self.loaded.get(store, ()) for store in dict.fromkeys(stores))
        return tuple(certificate for certificate in first if all(certificate in loaded for loaded in further))


def share_stores(stores: Sequence[NodeStores]) -> None:
    """Make nodes of one cluster of `stores`: Unified CM and IM and Presence; a Unity Connection node stays alone."""
    members = [member for member in stores if member.product != "unity"]
    for member in members:
        member.fellows = [fellow for fellow in members if fellow is not member]


def make_stores(product: Product, services: Iterable[str], authorities: Sequence[Certificate]) -> NodeStores:
    """Return the stores of a node, each with `authorities`."""
    return NodeStores(product, {store: list(authorities) for store in dict.fromkeys((*services, *STORES[product]))})
