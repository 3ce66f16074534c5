"""The nodes of a run: opened when a change first needs one, each once, behind the same boundary as the peers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from remediate.connectors.authorities import read_authorities
from remediate.executor.boundary import reading, writing
from remediate.executor.environment import Environment
from remediate.executor.ports import NodePort, PeerPort
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import AccessError, LoginRefused, ObservationError
from remediate.model.identity import Address
from remediate.model.limits import Limits


class LazyNode:
    """A `NodePort` that opens at the first question, so that a node which is down keeps nothing else from being done."""

    def __init__(self, address: Address, open_node: Callable[[Address], NodePort]) -> None:
        self._address, self._open_node = address, open_node
        self._opened: NodePort | None = None

    @property
    def address(self) -> Address:
        return self._address

    def trusted(self, store: str, expected: Certificate) -> tuple[Certificate, ...]:
        with reading(self._address):
            return self._open().trusted(store, expected)

    def add_trusted(self, store: str, certificate: Certificate) -> None:
        with reading(self._address):
            node = self._open()
        with writing(self._address):
            node.add_trusted(store, certificate)

    def remove_trusted(self, store: str, certificate: Certificate) -> None:
        with reading(self._address):
            node = self._open()
        with writing(self._address):
            node.remove_trusted(store, certificate)

    def _open(self) -> NodePort:
        if self._opened is None:
            self._opened = self._open_node(self._address)
        return self._opened


@dataclass(frozen=True, slots=True)
class NodePorts:
    """The nodes that a run writes to, each once.

    A node that must not be talked to any further is one that cannot be read: the peers do not wait for it. After a refused login, the
    account is tried at no other node.
    """

    open_node: Callable[[Address], NodePort]
    _refusals: list[LoginRefused] = field(default_factory=list)
    _nodes: dict[Address, LazyNode] = field(default_factory=dict)

    def get_node(self, address: Address) -> LazyNode:
        """Return the node with this connection address; nothing is sent to it yet."""
        return self._nodes.setdefault(address, LazyNode(address, self._open))

    def _open(self, address: Address) -> NodePort:
        if self._refusals:
            raise ObservationError(f"{address} was not queried, because the account was refused elsewhere: {self._refusals[0]}")
        try:
            return self.open_node(address)
        except LoginRefused as error:
            self._refusals.append(error)
            raise ObservationError(str(error), next_step=error.next_step) from error
        except AccessError as error:
            raise ObservationError(str(error), next_step=error.next_step) from error


def refuse_nodes(address: Address) -> NodePort:
    """Raise ObservationError: this run opens no node."""
    raise ObservationError(f"{address} was not opened: this run writes to no node.")


def open_nodes(
    environment: Environment,
    cluster: ClusterAccess,
    peers: Sequence[PeerPort],
    limits: Limits,
    stack: ExitStack,
    *,
    writable: bool,
) -> NodePorts:
    """Return the nodes of `cluster`, which stay open until `stack` ends.

    An account is sent to a node that verifies under a CA of the inventory, or of a list that one of `peers` has.
    """

    def open_node(address: Address) -> NodePort:
        authorities = (*read_authorities(cluster.ca).certificates, *_list_trusted(peers))
        return stack.enter_context(environment.open_node(cluster, address, authorities, limits, writable=writable))

    return NodePorts(open_node)


def _list_trusted(peers: Iterable[PeerPort]) -> tuple[Certificate, ...]:
    trusted: dict[Certificate, None] = {}
    for peer in peers:
        with suppress(ObservationError):
            trusted.update(dict.fromkeys(peer.trusted_ca()))
    return tuple(trusted)
