"""A peer that is asked once more over a fresh session when a reading fails: a lost answer often takes the session with it.

Only what goes over the shell needs this; REST opens its connections by itself. A write is never sent again from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from remediate.executor.ports import CapabilitiesPort, ClusterPort, PeerPort, PublisherPort
from remediate.executor.world import World
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import ObservationError
from remediate.model.identity import Address, CipherList, Product
from remediate.model.limits import Limits
from remediate.model.secret import Secret

_T = TypeVar("_T")


_FRESH_SESSIONS = 2
"""Per peer and run: looking again and again at a peer that is down must not become login after login."""


class SteadyPeer:
    """`box`, replaced by one from `reopen` when the shell does not answer a question."""

    def __init__(self, box: PeerPort, reopen: Callable[[], ClusterPort]) -> None:
        self._box = box
        self._reopen = reopen
        self._fresh_sessions = _FRESH_SESSIONS

    @property
    def address(self) -> Address:
        return self._box.address

    @property
    def identity(self) -> str:
        return self._box.identity

    def capabilities(self) -> CapabilitiesPort:
        return self._box.capabilities()

    def trusted_ca(self) -> tuple[Certificate, ...]:
        return self._box.trusted_ca()

    def publishers(self) -> Sequence[PublisherPort]:
        return self._box.publishers()

    def ciphers(self) -> Mapping[str, CipherList]:
        return self._ask(lambda box: box.ciphers())

    def verify_origin_server(self) -> bool | None:
        return self._ask(lambda box: box.verify_origin_server())

    def append_trusted_ca(self, certificate: Certificate) -> None:
        self._box.append_trusted_ca(certificate)

    def remove_trusted_ca(self, certificate: Certificate) -> None:
        self._box.remove_trusted_ca(certificate)

    def set_cipher(self, name: str, value: CipherList) -> None:
        self._box.set_cipher(name, value)

    def set_verify_origin_server(self, on: bool) -> None:  # noqa: FBT001 - the connectors' signature
        self._box.set_verify_origin_server(on)

    def refresh_discovery(self, publisher: Address, product: Product, axl: tuple[str, Secret] | None) -> None:
        self._box.refresh_discovery(publisher, product, axl)

    def restart(self) -> None:
        self._box.restart()

    def _ask(self, question: Callable[[PeerPort], _T]) -> _T:
        try:
            return question(self._box)
        except ObservationError as lost:
            if not self._fresh_sessions:
                raise
            self._fresh_sessions -= 1
            fresh = next((one for one in self._reopen().peers if one.address == self.address), None)
            if fresh is None:
                raise ObservationError(f"{lost} It cannot be logged in to again either.") from lost
            self._box = fresh
            return question(fresh)


def open_steadily(
    world: World, cluster: ClusterAccess, limits: Limits, stack: ExitStack, *, writable: bool
) -> tuple[ClusterPort, tuple[PeerPort, ...]]:
    """Open `cluster` until `stack` ends; returns it, and its peers as steady ones."""

    def open_all() -> ClusterPort:
        return stack.enter_context(world.open_peers(cluster, limits, writable=writable))

    opened = open_all()
    return opened, tuple(SteadyPeer(box, open_all) for box in opened.peers)
