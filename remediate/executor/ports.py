"""What the executor needs of the environment: a peer, a cluster of open peers, a way to observe, a clock. The real ones are in `environment`.

Tests put a device in memory behind the same protocols; nothing else in this room knows the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from remediate.model.access import ClusterAccess, MraAccess
from remediate.model.certificate import Certificate
from remediate.model.client import ClientAnswer
from remediate.model.events import Sink
from remediate.model.identity import Address, CipherList, Product
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.snapshot import Snapshot


class CapabilitiesPort(Protocol):
    """What a box offers, as it documents itself."""

    @property
    def remove_trusted_ca(self) -> bool: ...


class PublisherPort(Protocol):
    """One publisher that a box discovers servers from."""

    @property
    def address(self) -> Address: ...


class PeerPort(Protocol):
    """One open Expressway peer: the reads and writes that the executor uses. Writes do not read back: the executor does.

    A write raises WriteForbidden (opened for reading), WriteRefused (the box said no), OutcomeUnknown (the answer was lost) or
    NotOffered; a read raises ObservationError.
    """

    @property
    def address(self) -> Address: ...
    @property
    def identity(self) -> str:
        """What this very box is known by, whatever name or address it was opened under."""

    def capabilities(self) -> CapabilitiesPort: ...
    def trusted_ca(self) -> tuple[Certificate, ...]: ...
    def ciphers(self) -> Mapping[str, CipherList]: ...
    def verify_origin_server(self) -> bool | None: ...
    def publishers(self) -> Sequence[PublisherPort]: ...
    def append_trusted_ca(self, certificate: Certificate) -> None: ...
    def remove_trusted_ca(self, certificate: Certificate) -> None: ...
    def set_cipher(self, name: str, value: CipherList) -> None: ...
    def set_verify_origin_server(self, on: bool) -> None: ...  # noqa: FBT001 - the connectors' signature
    def refresh_discovery(self, publisher: Address, product: Product, axl: tuple[str, Secret] | None) -> None: ...
    def restart(self) -> None: ...


class ClusterPort(Protocol):
    """The peers of one cluster that could be opened, in the cluster's order, why the others could not, and which is the primary."""

    @property
    def peers(self) -> Sequence[PeerPort]: ...
    @property
    def unreachable(self) -> Mapping[Address, str]: ...
    @property
    def primary(self) -> Address | None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...


class OpenPeers(Protocol):
    """How the peers of a cluster are opened."""

    def __call__(self, cluster: ClusterAccess, limits: Limits, *, writable: bool) -> ClusterPort: ...


class Observe(Protocol):
    """How a cluster is looked at."""

    def __call__(self, cluster: ClusterAccess, *, limits: Limits, sink: Sink) -> Snapshot: ...


class AskThrough(Protocol):
    """How one request is sent as a client would, through one peer to one endpoint. What went wrong is an answer too."""

    def __call__(
        self, way: MraAccess, address: Address, port: int, product: Product | None, limits: Limits
    ) -> ClientAnswer: ...


@dataclass(frozen=True, slots=True)
class Watch:
    """What the process behind a confirm timer is told: names and paths, never a secret.

    Attributes:
        timer: the timer's name in the journal; another one there has taken its place.
    """

    run: str
    timer: str
    cluster: str
    inventory: Path
    state_dir: Path


@dataclass(frozen=True, slots=True)
class Watcher:
    """A process that is up and waits to be let go; it then looks at the journal, and ends when its timer does not stand there."""

    pid: int
    log: Path
    let_go: Callable[[], None]


def utc_now() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(UTC)
