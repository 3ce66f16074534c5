"""A cluster in memory behind the executor's ports: peers with lists, ciphers, replication and faults, and a record of every write."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from remediate.executor.environment import Environment
from remediate.model.access import ClusterAccess, MraAccess, PeerAccess
from remediate.model.certificate import Certificate
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.errors import NotOffered, ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.events import Sink
from remediate.model.health import Health
from remediate.model.identity import Address, CipherList, EndpointId, Product
from remediate.model.limits import Limits
from remediate.model.secret import Login, Secret
from remediate.model.snapshot import DiscoveryGap, Endpoint, Peer, Publisher, Snapshot
from remediate.trust.verifier import OpenSslAnswers, verify_snapshot
from tests.executor.memory_device import Device, health_of, restart_health
from tests.executor.memory_logging import MemoryLogging, MemoryPeerLogging
from tests.pki import NOW

# A certificate caches what it read of itself, and that does not pickle.
copyreg.pickle(Certificate, lambda certificate: (Certificate, (certificate.der,)))

Tap = Callable[[str], None]

_ANSWERS = OpenSslAnswers(NOW)
"""What OpenSSL said at the moment of every snapshot here: clients ask the same again and again."""

RESTART_S = 60
"""How long a restart takes until the services have started."""


def no_tap(_point: str) -> None:
    """Nothing happens at any point."""


class PlainSecret:
    """A secret source for a cluster that asks for no password."""

    def describe(self) -> str:
        return "the test"

    def read(self) -> Secret:
        return Secret("secret")


@dataclass(frozen=True)
class Write:
    """One write that a device did."""

    peer: Address
    action: str


@dataclass
class Offered:
    remove_trusted_ca: bool


@dataclass
class ListedPublisher:
    address: Address
    product: Product
    settings: Mapping[str, str]


@dataclass
class MemoryCluster:
    """The cluster, and what shall go wrong.

    Attributes:
        faults: number of the write (from 1, as sent) to ``drop-request``, ``drop-answer``, ``ignore``, ``refuse`` or ``refuse-done``.
        writes: what was done, in order.
        sent_count: how many writes were sent.
        unreadable_after: writes, in `Write.action`'s words, after which the device answers nothing any more.
        breaks_shell: writes, by number, that end the shell session they were sent over.
        tap: called before and after every call of a device; a test raises in it.
        lag: pauses until a cipher list of the primary is on the others.
        requests: what clients asked for: through which peer, for which endpoint, of which product.
        undiscovered: what discovery cannot learn.
        elapsed_s: how much time went by since `NOW`, by pauses and restarts.
        settings: what a device shows of each publisher.
        on_refresh: called after each refresh: what else the device does by it.
        on_read: called before each reading of a list, with the device: somebody else at work.
        shows: what a device shows when its list is read; a test lets it lie there.
    """

    devices: list[Device]
    endpoints: tuple[Endpoint, ...]
    certificates: dict[str, Certificate]
    publishers: tuple[Publisher, ...] = ()
    guarded_endpoints: tuple[Endpoint, ...] = ()
    undiscovered: tuple[DiscoveryGap, ...] = ()
    faults: dict[int, str] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    sent_count: int = 0
    tap: Tap = no_tap
    lag: int = 2
    unreadable_after: frozenset[str] = frozenset()
    breaks_shell: frozenset[int] = frozenset()
    on_read: Callable[[Device], None] = lambda _device: None
    shows: Callable[[Device], tuple[Certificate, ...]] = lambda device: tuple(device.trusted)
    refreshed: int = 0
    refuse_refresh: bool = False
    settings: dict[str, str] = field(default_factory=lambda: {"TlsVerify": "On", "AesGcm": "off"})
    on_refresh: Callable[[MemoryCluster], None] = lambda _cluster: None
    logging: MemoryLogging | None = None
    restarting: list[Address] = field(default_factory=list)
    requests: list[tuple[Address, str, Product | None]] = field(default_factory=list)
    elapsed_s: float = 0.0
    name: str = "edge"
    named_primary: Address | None = None
    state_file: Path | None = None
    notify: tuple[str, ...] = ()

    @property
    def access(self) -> ClusterAccess:
        login = Login("admin", PlainSecret())
        peers = [
            PeerAccess(peer.address, mra=MraAccess(peer.address, 8443, login=peer.account) if peer.front else None)
            for peer in self.devices
        ]
        return ClusterAccess(self.name, login, tuple(peers), axl=login, notify=self.notify)

    def chain_of(self, _peer: Address) -> tuple[Certificate, ...]:
        return ()

    def device(self, number: int) -> Device:
        return self.devices[number - 1]

    def state(self) -> list[tuple[list[str], dict[str, CipherList], bool | None]]:
        return [
            ([certificate.fingerprint for certificate in device.trusted], dict(device.ciphers), device.verify)
            for device in self.devices
        ]

    def open_peers(self, cluster: ClusterAccess, limits: Limits, *, writable: bool) -> OpenCluster:
        del cluster, limits
        return OpenCluster(self, writable=writable)

    def observe(self, cluster: ClusterAccess, *, limits: Limits, sink: Sink, **look: Any) -> Snapshot:
        del cluster, limits, sink, look
        self.tap("observe")
        return self.snapshot()

    def ask_through(
        self, access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits
    ) -> ClientAnswer:
        """What a client gets: the real verdict, by the list that the peer has loaded."""
        del limits
        self.tap(f"before a client asks {access.host} for {address}:{port}")
        self.requests.append((Address(access.host), f"{address}:{port}", product))
        device = next(peer for peer in self.devices if peer.address == access.host)
        if device.clients_get:
            return device.clients_get
        if device.down_for:
            return ClientAnswer(AnswerKind.NOTHING, "connection refused")
        judged = replace(device, trusted=device.trusted if device.loaded is None else device.loaded)
        certificates = {certificate.fingerprint: certificate for certificate in (*self.certificates.values(), *judged.trusted)}
        snapshot = replace(self.snapshot(), peers=(self._peer(judged),), certificates=certificates)
        verdicts = {pair.endpoint: verdict for pair, verdict in verify_snapshot(snapshot, _ANSWERS).items()}
        self.tap(f"after a client asked {access.host} for {address}:{port}")
        good = verdicts[EndpointId(address, port)].ok or judged.verify is False
        return ClientAnswer(AnswerKind.REACHED, "HTTP 200") if good else ClientAnswer(AnswerKind.REFUSED, "HTTP 502")

    def snapshot(self) -> Snapshot:
        certificates = dict(self.certificates)
        certificates |= {certificate.fingerprint: certificate for device in self.devices for certificate in device.trusted}
        peers = tuple(self._peer(device) for device in self.devices)
        return Snapshot(
            cluster=self.name,
            taken_at=NOW,
            peers=peers,
            endpoints=self.endpoints,
            available_ca=(),
            vouched_for=frozenset(),
            certificates={certificate.fingerprint: certificate for certificate in certificates.values()},
            publishers=self.publishers,
            guarded_endpoints=self.guarded_endpoints,
            undiscovered=self.undiscovered,
        )

    def _peer(self, device: Device) -> Peer:
        peer = Peer(
            device.address,
            device.version,
            device is self.devices[0],
            tuple(certificate.fingerprint for certificate in device.trusted),
            dict(device.ciphers),
            device.verify,
            health=replace(device.health, **device.says),
        )
        return peer if device.up else replace(peer, trusted_ca=(), ciphers={}, error="unreachable: it is down")

    def keep(self) -> None:
        """Write the state to `state_file`, as a device has it on its own disk: it outlives the process that talks to it."""
        if self.state_file:
            state = (self.devices, self.writes, self.sent_count, self.refreshed)
            draft = self.state_file.with_suffix(".draft")
            draft.write_bytes(pickle.dumps(state))
            draft.replace(self.state_file)

    def load(self) -> None:
        """Take up the state that another process left in `state_file`."""
        if self.state_file and self.state_file.exists():
            state = pickle.loads(self.state_file.read_bytes())  # noqa: S301 - written by this test
            self.devices, self.writes, self.sent_count, self.refreshed = state

    def now(self) -> datetime:
        """The time on every clock of the story."""
        return NOW + timedelta(seconds=self.elapsed_s)

    def run_since_long(self) -> Self:
        """Let every peer have started long before the story: only a restart or a client shows that a change is in effect."""
        for device in self.devices:
            device.health = replace(device.health, started_at=NOW - timedelta(days=30))
        return self

    def tick(self, seconds: float = 0.0) -> None:
        """Time goes by: replication comes nearer."""
        self.elapsed_s += seconds
        self.lag -= 1
        if self.lag <= 0:
            for device in self.devices[1:]:
                if device.up and self.devices[0].up:
                    device.ciphers = dict(self.devices[0].ciphers)
            self.keep()

    def environment(self, **changes: object) -> Environment:
        base = Environment(
            open_peers=self.open_peers,
            observe=self.observe,
            open_client=lambda _state_dir: nullcontext(self.ask_through),
            now=self.now,
            pause=self.tick,
        )
        return replace(base, **changes)  # type: ignore[arg-type]  # the names of Environment's own fields


@dataclass
class OpenCluster:
    """Open peers."""

    cluster: MemoryCluster
    writable: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def peers(self) -> Sequence[MemoryPeer]:
        return tuple(MemoryPeer(self.cluster, device, writable=self.writable) for device in self.cluster.devices if device.up)

    @property
    def unreachable(self) -> Mapping[Address, str]:
        return {device.address: "it is down" for device in self.cluster.devices if not device.up}

    @property
    def primary(self) -> Address | None:
        return self.cluster.named_primary or self.cluster.devices[0].address


class MemoryPeer:
    """One open peer."""

    def __init__(self, cluster: MemoryCluster, device: Device, *, writable: bool) -> None:
        self._cluster, self._device, self._writable = cluster, device, writable
        self._shell_broken = False

    @property
    def address(self) -> Address:
        return self._device.address

    @property
    def identity(self) -> str:
        return f"the host key of {self._device.address}"

    def capabilities(self) -> Offered:
        return Offered(self._device.removal)

    def trusted_ca(self) -> tuple[Certificate, ...]:
        self._read("trusted_ca")
        self._cluster.on_read(self._device)
        return self._cluster.shows(self._device)

    def last_trusted_ca(self) -> tuple[Certificate, ...]:
        return self.trusted_ca()

    def server_chain(self) -> tuple[Certificate, ...]:
        return self._cluster.chain_of(self.address)

    def revocation_lists(self) -> tuple[str, ...]:
        self._read("revocation_lists")
        return self._device.revocation_lists

    def ciphers(self) -> Mapping[str, CipherList]:
        self._read("ciphers")
        if self._shell_broken:
            raise ObservationError(f"The shell of {self.address} is closed.")
        return dict(self._device.ciphers)

    def verify_origin_server(self) -> bool | None:
        self._read("verify_origin_server")
        return self._device.verify

    def publishers(self, product: Product | None = None) -> Sequence[ListedPublisher]:
        self._read("publishers")
        return [
            ListedPublisher(publisher.address, publisher.product, dict(self._cluster.settings))
            for publisher in self._cluster.publishers
            if product in {None, publisher.product}
        ]

    def last_publishers(self) -> Sequence[ListedPublisher]:
        return self.publishers()

    def health(self, names: Collection[str] | None = None) -> Health:
        del names
        try:
            self._read("health")
        except ObservationError as error:
            return Health(unread={"started_at": str(error)})
        return health_of(self._device, [device.address for device in self._cluster.devices])

    def reconnect(self) -> None:
        self._cluster.tap(f"reconnect to {self.address}")
        self._shell_broken = False

    def diagnostic_logging(self) -> MemoryPeerLogging:
        if self._cluster.logging is None:
            raise NotOffered("There is no diagnostic logging over REST.")
        return MemoryPeerLogging(self._cluster.logging, self.address)

    def append_trusted_ca(self, certificate: Certificate) -> None:
        self._write(f"append {certificate.fingerprint}", lambda: self._device.trusted.append(certificate))

    def remove_trusted_ca(self, certificate: Certificate) -> None:
        if not self._device.removal:
            raise NotOffered(f"{self.address} offers no removal.")
        self._write(f"remove {certificate.fingerprint}", lambda: self._device.trusted.remove(certificate))

    def set_cipher(self, name: str, value: CipherList) -> None:
        self._cluster.lag = max(self._cluster.lag, 1)
        self._write(f"cipher {name} {value}", lambda: self._device.ciphers.update({name: value}))

    def set_verify_origin_server(self, on: bool) -> None:
        self._write(f"verify {on}", lambda: setattr(self._device, "verify", on))

    def refresh_discovery(self, publisher: Address, product: Product, axl: tuple[str, Secret] | None) -> None:
        del product, axl
        if self._cluster.refuse_refresh:
            raise WriteRefused("CommandError: Socket Error: Timeout")

        def discover() -> None:
            self._cluster.refreshed += 1
            self._cluster.on_refresh(self._cluster)

        self._write(f"refresh {publisher}", discover)

    def set_maintenance(self, on: bool) -> None:
        def switch() -> None:
            self._device.health = replace(self._device.health, maintenance=on)

        self._write(f"maintenance {on}", switch)

    def restart(self) -> None:
        def go_down() -> None:
            self._cluster.elapsed_s += RESTART_S
            restart_health(self._device, self._cluster.now())
            self._device.down_for = 3
            if self._device.loaded is not None and not self._device.stuck:
                self._device.loaded = list(self._device.trusted)
            self._cluster.restarting.append(self.address)
            assert sum(device.down_for > 0 for device in self._cluster.devices) == 1, "two peers restart at once"

        self._write("restart", go_down)

    def _read(self, method: str) -> None:
        self._cluster.tap(f"before {method} on {self.address}")
        if self._device.down_for:
            self._device.down_for -= 1
            raise ObservationError(f"{self.address} restarts.")
        if not self._device.up:
            raise ObservationError(f"{self.address} is down.")
        self._cluster.tap(f"after {method} on {self.address}")

    def _write(self, method: str, do: Callable[[], object]) -> None:
        cluster = self._cluster
        if not self._writable:
            raise WriteForbidden(f"{self.address} was opened for reading: {method}")
        cluster.tap(f"before {method} on {self.address}")
        if not self._device.up:
            raise OutcomeUnknown(f"{self.address} did not answer.")
        cluster.sent_count += 1
        fault = cluster.faults.get(cluster.sent_count)
        self._shell_broken = self._shell_broken or cluster.sent_count in cluster.breaks_shell
        if method in cluster.unreadable_after:
            self._device.up = False
        if fault == "refuse":
            raise WriteRefused(f"{self.address} says no.")
        if fault not in {"drop-request", "ignore"}:
            do()
            cluster.writes.append(Write(self.address, method))
            cluster.keep()
        cluster.tap(f"after {method} on {self.address}")
        if fault == "refuse-done":
            raise WriteRefused(f"{self.address} says no.")
        if fault in {"drop-request", "drop-answer"}:
            raise OutcomeUnknown(f"The answer of {self.address} was lost.")
