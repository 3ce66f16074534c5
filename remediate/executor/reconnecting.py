"""A peer that reconnects, so that a run can rely on what it reads, and how the peers of a cluster are opened as such.

Whatever its connector raises leaves as an error of this project (`boundary`). Its sessions stay open for the whole run. When the shell
does not answer a question, it is asked once more over a fresh session: a lost answer often takes the session with it. A trusted list
that lacks something, or is not as the run left it, is read again over a fresh session, too. A write is never sent again from here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

from remediate.executor.boundary import add_boundary, reading, writing
from remediate.executor.environment import Environment
from remediate.executor.lists import ListBelief, ShrunkenList
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.ports import CapabilitiesPort, ClusterPort, DiagnosticLoggingPort, PeerPort, PublisherPort
from remediate.executor.read_back import schedule_of_late_looks
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import AccessError, ObservationError, WriteRefused
from remediate.model.health import Health
from remediate.model.identity import Address, CipherList, Fingerprint, Product
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import first_few

_T = TypeVar("_T")

_FRESH_SESSIONS = 2
"""Per peer and run: looking again and again at a peer that is down must not become login after login."""


class ReconnectingPeer:
    """A `PeerPort` that logs in anew when its session or its list is not to be relied on."""

    def __init__(self, peer: PeerPort, limits: Limits, pause: Callable[[float], None]) -> None:
        self._peer = peer
        self._limits = limits
        self._pause = pause
        self._fresh_sessions = _FRESH_SESSIONS
        self._belief = ListBelief()
        self._last_listed: tuple[Certificate, ...] | None = None
        self._reuses_last_reading = False

    @property
    def address(self) -> Address:
        return self._peer.address

    @property
    def identity(self) -> str:
        with reading(self.address):
            return self._peer.identity

    def expect(self, belief: ListBelief) -> None:
        """Hold every later reading of the trusted CA list against `belief`."""
        belief.certificates = {**self._belief.certificates, **belief.certificates}
        self._belief = belief

    def held_beside(self, certificate: Fingerprint) -> frozenset[Fingerprint]:
        """Return what the list held beside `certificate` when it last showed it; else what a whole list holds."""
        return self._belief.beside.get(certificate, self._belief.unrelated or frozenset())

    def capabilities(self) -> CapabilitiesPort:
        with reading(self.address):
            return self._peer.capabilities()

    def trusted_ca(self) -> tuple[Certificate, ...]:
        """Return the trusted CA list.

        Raises:
            ShrunkenList: It lacks certificates that it held before, also when it is read again.
            ObservationError: It cannot be read, or is empty.
        """
        reuses, self._reuses_last_reading = self._reuses_last_reading, False
        return self._accept((reuses and self._last_listed) or self._read_list())

    def last_trusted_ca(self) -> tuple[Certificate, ...]:
        """Return the trusted CA list as it was last read, by the login or since. Raises as `trusted_ca`."""
        try:
            with reading(self.address):
                listed = self._peer.last_trusted_ca()
        except ObservationError:
            listed = self._read_list()
        return self._accept(listed)

    @property
    def last_listed(self) -> tuple[Certificate, ...]:
        """The trusted CA list as it was last read; empty where it was not."""
        return self._last_listed or ()

    def reuse_last_reading(self) -> None:
        """Have the next reading return the list that was read last: nothing was sent to the peer since, and no time went by."""
        self._reuses_last_reading = True

    def _accept(self, listed: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
        """Return a list that was read, or its successor where it is not as it should be. Raises as `trusted_ca`."""
        listed = self._last_listed = self._read_until_expected(listed)
        if not listed:
            raise ObservationError(f"{self.address} returned an empty trusted CA list, so it is not known what it trusts.")
        missing = self._belief.missing(_fingerprints(listed))
        self._belief.update(listed)
        if missing:
            raise ShrunkenList(self._describe_missing(missing), listed, self._belief)
        return listed

    def revocation_lists(self) -> tuple[str, ...]:
        return self._ask(lambda peer: peer.revocation_lists())

    def publishers(self, product: Product | None = None) -> Sequence[PublisherPort]:
        with reading(self.address):
            return self._peer.publishers(product)

    def last_publishers(self) -> Sequence[PublisherPort]:
        with reading(self.address):
            return self._peer.last_publishers()

    def ciphers(self) -> Mapping[str, CipherList]:
        return self._ask(lambda peer: peer.ciphers())

    def server_chain(self) -> tuple[Certificate, ...]:
        with reading(self.address):
            return self._peer.server_chain()

    def verify_origin_server(self) -> bool | None:
        return self._ask(lambda peer: peer.verify_origin_server())

    def health(self, names: Collection[str] | None = None) -> Health:
        with reading(self.address):
            return self._peer.health(names)

    def diagnostic_logging(self) -> DiagnosticLoggingPort:
        with reading(self.address):
            return self._peer.diagnostic_logging()

    def reconnect(self) -> None:
        with reading(self.address):
            self._peer.reconnect()

    def append_trusted_ca(self, certificate: Certificate) -> None:
        with self._changing(certificate):
            self._peer.append_trusted_ca(certificate)

    def remove_trusted_ca(self, certificate: Certificate) -> None:
        with self._changing(certificate):
            self._peer.remove_trusted_ca(certificate)

    def set_cipher(self, name: str, value: CipherList) -> None:
        with writing(self.address):
            self._peer.set_cipher(name, value)

    def set_verify_origin_server(self, on: bool) -> None:  # noqa: FBT001 - the connectors' signature
        with writing(self.address):
            self._peer.set_verify_origin_server(on)

    def refresh_discovery(self, publisher: Address, product: Product, axl: tuple[str, Secret] | None) -> None:
        with writing(self.address):
            self._peer.refresh_discovery(publisher, product, axl)

    def set_maintenance(self, on: bool) -> None:  # noqa: FBT001 - the connectors' signature
        with writing(self.address):
            self._peer.set_maintenance(on)

    def restart(self) -> None:
        with writing(self.address):
            self._peer.restart()

    @contextmanager
    def _changing(self, certificate: Certificate) -> Iterator[None]:
        """Expect nothing about `certificate` after a write; after a refusal, that the list is as it was."""
        expected = self._belief.forget(certificate.fingerprint)
        self._reuses_last_reading = False
        try:
            with writing(self.address):
                yield
        except (WriteRefused, AccessError):
            if expected is not None:
                self._belief.expected[certificate.fingerprint] = expected
            raise

    def _read_until_expected(self, listed: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
        """Return the list; where it is unexpected, read it again over fresh sessions and after pauses, as the limits allow.

        One that differs only in the run's own certificates may be old, and is given as long as a write is given to show.
        """
        looks = 0
        while listed != self._last_listed and self._belief.is_unexpected(_fingerprints(listed)):
            is_whole = bool(listed) and not self._belief.missing(_fingerprints(listed))
            attempts, pause_s = (
                schedule_of_late_looks(self._limits) if is_whole else (self._limits.read_attempts, self._limits.read_pause_s)
            )
            if looks >= attempts:
                break
            looks += 1
            self._pause(pause_s)
            self._renew()
            listed = self._read_list()
        return listed

    def _describe_missing(self, missing: Sequence[Fingerprint]) -> str:
        certificates = self._belief.certificates
        names = [
            describe_certificate(certificates[fingerprint]) if fingerprint in certificates else fingerprint
            for fingerprint in missing
        ]
        return (
            f"The trusted CA list of {self.address} lacks {first_few(names)}, which it had before. The answer may be "
            "truncated, so nothing else that is missing in it counts."
        )

    def _read_list(self) -> tuple[Certificate, ...]:
        with reading(self.address):
            return self._peer.trusted_ca()

    def _ask(self, question: Callable[[PeerPort], _T]) -> _T:
        try:
            with reading(self.address):
                return question(self._peer)
        except ObservationError:
            if not self._renew():
                raise
        with reading(self.address):
            return question(self._peer)

    def _renew(self) -> bool:
        """End the sessions, so that the next reading logs in anew; return False when that was done often enough."""
        if not self._fresh_sessions:
            return False
        self._fresh_sessions -= 1
        self.reconnect()
        return True


def _fingerprints(listed: Sequence[Certificate]) -> frozenset[Fingerprint]:
    return frozenset(certificate.fingerprint for certificate in listed)


def open_reconnecting_peers(
    environment: Environment, cluster: ClusterAccess, limits: Limits, stack: ExitStack, *, writable: bool
) -> tuple[ClusterPort, tuple[ReconnectingPeer, ...]]:
    """Open `cluster` until `stack` ends; return it, and its peers as ones that reconnect."""
    opened = add_boundary(environment).open_peers(cluster, limits, writable=writable)
    stack.callback(_close_quietly, opened)
    return opened, tuple(ReconnectingPeer(peer, limits, environment.pause) for peer in opened.__enter__().peers)


def _close_quietly(opened: ClusterPort) -> None:
    """End the sessions; an error there changes nothing in the result of the run."""
    with suppress(Exception):
        opened.__exit__(None, None, None)
