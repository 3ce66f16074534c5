"""The ports of the executor: a peer, a cluster of open peers, an observation, a clock. The real ones are in `environment`.

Tests put a device in memory behind the same protocols; nothing else in this package knows the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from remediate.model.access import ClusterAccess, MraAccess
from remediate.model.certificate import Certificate
from remediate.model.client import ClientAnswer
from remediate.model.events import Sink
from remediate.model.health import Health
from remediate.model.identity import Address, CipherList, Product
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.snapshot import Snapshot


class CapabilitiesPort(Protocol):
    """The operations that a peer offers, as it documents itself."""

    @property
    def remove_trusted_ca(self) -> bool:
        """Whether a certificate can be removed."""


class PublisherPort(Protocol):
    """One publisher that a peer discovers servers from."""

    @property
    def address(self) -> Address:
        """The address of the publisher."""

    @property
    def product(self) -> Product:
        """The product of the publisher."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Every field that the peer shows of it, the password apart."""


class DiagnosticLoggingPort(Protocol):
    """The diagnostic logging of one peer. A request raises as the writes of `PeerPort`, a reading as its reads."""

    def is_busy(self) -> bool:
        """Return whether the status reports a logging or a collection in progress."""

    def is_ready(self) -> bool:
        """Return whether a collected log can be downloaded."""

    def start(self, *, tcpdump: bool) -> None:
        """Start logging on every peer of the cluster; to be called on the primary."""

    def stop(self) -> None:
        """Stop logging on every peer of the cluster; to be called on the primary."""

    def collect(self) -> None:
        """Begin to collect the log of this peer."""

    def download(self, file: BinaryIO) -> None:
        """Write the collected log to `file`."""


class PeerPort(Protocol):
    """One open Expressway peer: the reads and writes that the executor uses. Writes do not read back: the executor does.

    A write raises WriteForbidden (opened for reading), WriteRefused (the peer refused it), OutcomeUnknown (the answer was lost) or
    NotOffered; a read raises ObservationError.
    """

    @property
    def address(self) -> Address:
        """The address that the peer was opened under."""

    @property
    def identity(self) -> str:
        """The identity of this very peer, whatever name or address it was opened under."""

    def capabilities(self) -> CapabilitiesPort:
        """Return what the peer offers."""

    def trusted_ca(self) -> tuple[Certificate, ...]:
        """Return the trusted CA list, in the peer's order."""

    def last_trusted_ca(self) -> tuple[Certificate, ...]:
        """Return the trusted CA list as it was last read over this session, by its login or since."""

    def revocation_lists(self) -> tuple[str, ...]:
        """Return the CRLs in the trusted CA list as it was last read, as PEM, in the peer's order."""

    def ciphers(self) -> Mapping[str, CipherList]:
        """Return the cipher lists by name."""

    def server_chain(self) -> tuple[Certificate, ...]:
        """Return the peer's own certificate and the chain that it sends. Raises NotOffered too."""

    def verify_origin_server(self) -> bool | None:
        """Return whether verification is on; None: not offered."""

    def publishers(self, product: Product | None = None) -> Sequence[PublisherPort]:
        """Return the publishers that the peer discovers servers from; with `product`, those of it alone."""

    def last_publishers(self) -> Sequence[PublisherPort]:
        """Return the publishers as they were last read over this session; they are read where they were not."""

    def health(self, names: Collection[str] | None = None) -> Health:
        """Return the status of the peer; what could not be read of it is None. Raises nothing but LoginRefused.

        With `names`, only these readings are made, each by its name in `Health`.
        """

    def diagnostic_logging(self) -> DiagnosticLoggingPort:
        """Return the diagnostic logging of the peer. Raises NotOffered."""

    def reconnect(self) -> None:
        """End the sessions, which a restart or a long wait may have broken; the next use logs in anew."""

    def append_trusted_ca(self, certificate: Certificate) -> None:
        """Append a certificate to the trusted CA list."""

    def remove_trusted_ca(self, certificate: Certificate) -> None:
        """Remove a certificate from the trusted CA list."""

    def set_cipher(self, name: str, value: CipherList) -> None:
        """Set one cipher list."""

    def set_verify_origin_server(self, on: bool) -> None:  # noqa: FBT001 - the connectors' signature
        """Turn verification on or off."""

    def refresh_discovery(self, publisher: Address, product: Product, axl: tuple[str, Secret] | None) -> None:
        """Refresh the servers of one publisher."""

    def set_maintenance(self, on: bool) -> None:  # noqa: FBT001 - the connectors' signature
        """Turn maintenance mode on or off; the peer turns it off by itself when it restarts."""

    def restart(self) -> None:
        """Restart the peer."""


class NodePort(Protocol):
    """The certificate management of one Unified CM or IM and Presence node. Writes do not read back: the executor does.

    A write raises as those of `PeerPort`, a reading as its reads.
    """

    @property
    def address(self) -> Address:
        """The connection address of the node."""

    def trusted(self, store: str, expected: Certificate) -> tuple[Certificate, ...]:
        """Return what a service of the node trusts; `expected` is recognised where only the fields of certificates are shown."""

    def add_trusted(self, store: str, certificate: Certificate) -> None:
        """Upload a certificate to the trust store of a service."""

    def remove_trusted(self, store: str, certificate: Certificate) -> None:
        """Delete a certificate from the trust store of a service."""


SystemPort = PeerPort | NodePort
"""What a change is written to."""


class OpenNode(Protocol):
    """The opening of one node's certificate management."""

    def __call__(
        self,
        cluster: ClusterAccess,
        address: Address,
        authorities: Sequence[Certificate],
        limits: Limits,
        *,
        writable: bool,
    ) -> AbstractContextManager[NodePort]:
        """Open one node; an account is sent to it only where it verifies under one of `authorities`, or its host key is known."""


class ClusterPort(Protocol):
    """The peers of one cluster that could be opened, in the cluster's order, why the others could not, and which is the primary."""

    @property
    def peers(self) -> Sequence[PeerPort]:
        """The peers that could be opened, in the cluster's order."""

    @property
    def unreachable(self) -> Mapping[Address, str]:
        """Why each of the other peers could not be opened."""

    @property
    def primary(self) -> Address | None:
        """The primary; None: no peer names it."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...


class OpenPeers(Protocol):
    """The opening of the peers of a cluster."""

    def __call__(self, cluster: ClusterAccess, limits: Limits, *, writable: bool) -> ClusterPort:
        """Open the peers of a cluster."""


class Observe(Protocol):
    """The observation of a cluster."""

    def __call__(
        self, cluster: ClusterAccess, *, limits: Limits, sink: Sink, opened: ClusterPort | None = None, is_last: bool = False
    ) -> Snapshot:
        """Observe a cluster.

        Args:
            cluster: The cluster.
            limits: On time and size.
            sink: Gets the events.
            opened: The open peers of a run: they are read over their sessions, and what was read over these last counts as read now.
            is_last: The last look of the run over these sessions: what it may have changed is read again, and nothing else.
        """


AskThrough = Callable[[MraAccess, Address, int, Product | None, Limits], ClientAnswer]
"""Sends one request as a client does, through one peer to one endpoint. What went wrong, or was not asked, is an answer too."""

OpenClient = Callable[[Path], AbstractContextManager[AskThrough]]
"""Opens a client for one run. It signs in once for each account and way, counted in this state directory within the budget of all
runs; its cookies are gone when it is closed."""


@dataclass(frozen=True, slots=True)
class WatcherJob:
    """The arguments of the process behind a confirm timer: names and paths, never a secret.

    Attributes:
        timer: The timer's name in the journal; another one there has taken its place.
        notify: The command that gets a notice when the timer ends; empty: none.
    """

    run: str
    timer: str
    cluster: str
    inventory: Path
    state_dir: Path
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatcherProcess:
    """A process that is up and waits to be released; it then reads the journal, and ends when its timer is not there."""

    pid: int
    log: Path
    release: Callable[[], None]
