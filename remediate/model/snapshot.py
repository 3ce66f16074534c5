"""The snapshot: what was observed of one cluster at one moment, and all that the planner may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from remediate.model.canonical import sha256_of
from remediate.model.certificate import Certificate
from remediate.model.health import Health
from remediate.model.identity import Address, CipherList, EndpointId, Fingerprint, KeyFamily, Product, host_and_port
from remediate.model.json_document import JsonDocument
from remediate.model.toward_nodes import Node
from remediate.model.verdict import Cause

RefreshBy = Literal["rest", "shell", "person"]
RemovalBy = Literal["rest", "person"]
SeenBy = Literal["handshake", "survey", "archive"]


@dataclass(frozen=True, slots=True)
class Peer:
    """One Expressway-C peer.

    Attributes:
        address: As in the inventory or the cluster's own list of peers.
        version: Such as ``X14.2.1``; None where the peer did not give it.
        primary: Whether the cluster takes its configuration from this peer.
        trusted_ca: Fingerprints of the trusted CA list, in the peer's order, which matters to OpenSSL.
        ciphers: Name to OpenSSL cipher list.
        verify_origin_server: The workaround flag; None where the peer does not offer it. The plan does not depend on it.
        error: Why this peer was not observed, beginning with a cause (``unreachable: …``); None where it was.
        removal: How a certificate can be taken out of its trusted CA list.
        rest_port: Where its web interface and REST answer.
        server_certificate: The chain that it sends, leaf first; None where it was not read.
        openssl: The generation of OpenSSL that its own log shows, ``1.1.1`` or ``3.x``; None where no log was at hand.
        client_certificate: The chain that it shows as a TLS client from X15.5 on; None: the server's serves as both.
        health: Its status at that moment; None where it was not asked. No plan depends on it, and two snapshots of one
            state are equal whatever its status.
        crls: How many CRL blocks are in its trusted CA list; None where that was not read.
        revocation_lists: The keys of those CRLs in `Snapshot.revocation_lists`, in the list's order.
        system_name: What its administrators call it; None: not known. No plan depends on it.
    """

    address: Address
    version: str | None
    primary: bool
    trusted_ca: tuple[Fingerprint, ...]
    ciphers: Mapping[str, CipherList]
    verify_origin_server: bool | None = None
    error: str | None = None
    removal: RemovalBy = "person"
    rest_port: int = 443
    server_certificate: tuple[Fingerprint, ...] | None = None
    health: Health | None = field(default=None, compare=False)
    crls: int | None = None
    revocation_lists: tuple[Fingerprint, ...] = ()
    client_certificate: tuple[Fingerprint, ...] | None = None
    openssl: str | None = field(default=None, compare=False)
    system_name: str | None = field(default=None, compare=False)

    @property
    def started_at(self) -> datetime | None:
        """The moment before which its services did not start."""
        return self.health.started_at if self.health else None

    @property
    def trusted_digest(self) -> str:
        """Digest of the trusted CA list, order included: what a plan's ``base`` holds."""
        return sha256_of("\n".join(self.trusted_ca))


@dataclass(frozen=True, slots=True)
class Preference:
    """How a node chooses between its certificates.

    Attributes:
        client_order: It follows the order of the client's cipher list; None: not tested, or it has one certificate only.
        family: What it presents when it imposes its own order; None: not known.
        measured: Cipher list to the family it really presented when offered exactly that list (TLS 1.2).
    """

    client_order: bool | None = None
    family: KeyFamily | None = None
    measured: Mapping[CipherList, KeyFamily] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port of one Unified CM, IM&P or Unity node, under the address that clients use.

    Attributes:
        presented: Per key family, the chain it shows when only that family is offered, leaf first, in the order sent.
        tls13: Whether the node accepts TLS 1.3; None: not tested.
        error: Why it was not observed, for a person (``unreachable: …`` or ``handshake-failed: …``); None where it was.
        failure: The cause in `error`: `HANDSHAKE_FAILED`, or `UNREACHABLE`, which None means too.
        learned_from: Where the endpoint was learned: ``inventory``, ``uds``, ``axl``, ``publisher``, ``archive``.
        seen_by: How it was looked at. An archive shows one certificate alone: that there is no other is not observed.
        service: What connects to it, where that is not the traffic server.
    """

    address: Address
    port: int
    product: Product
    presented: Mapping[KeyFamily, tuple[Fingerprint, ...]]
    preferred: Preference = Preference()
    tls13: bool | None = None
    error: str | None = None
    failure: Cause | None = None
    learned_from: tuple[str, ...] = ()
    seen_by: SeenBy = "handshake"
    service: str | None = None

    @property
    def id(self) -> EndpointId:
        """Its address and port, which no other endpoint of the snapshot has."""
        return EndpointId(self.address, self.port)

    @property
    def name(self) -> str:
        """The text of its id: ``address:port``."""
        return host_and_port(self.address, self.port)


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher that the cluster discovers servers from, and how discovery can be refreshed.

    Attributes:
        refresh: ``rest`` or ``shell`` where this can be done for the operator (a documented operation, or the credentials
            to add the publisher again), else ``person``.
        tls_verify: Whether discovery verifies the certificate of the publisher; None: not read.
        obstacle: Why it is ``person`` although the peer offers the operation; None: there is no such reason.
    """

    address: Address
    product: Product
    refresh: RefreshBy = "person"
    tls_verify: bool | None = None
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class DiscoveryGap:
    """Something that discovery could not learn, or would not follow: endpoints or peers may be missing because of it.

    Attributes:
        source: Who was asked, or who named what was not followed.
        service: ``uds``, ``axl``, ``web``, ``certificate-management``, ``publisher`` or ``cluster``; likewise.
        kind: ``not-asked``, ``unverified``, ``name-refused``, ``over-limit``, ``no-login-needed`` or ``other-version``; a reader
            knows others too.
        incomplete: Whether the snapshot is incomplete because of it.
        message: One sentence for a person, with the source's own words.
        names: Which names it is about, the first of them.
        count: How many names it is about in all.
    """

    source: str
    service: str
    kind: str
    incomplete: bool
    message: str
    names: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """Two ways to look at one server show two certificates: a third party may be in the middle.

    Attributes:
        certificate: What was presented. It is not vouched for, even where others trust it.
        message: One sentence for a person, with both fingerprints.
    """

    certificate: Fingerprint
    message: str


@dataclass(frozen=True, slots=True)
class Snapshot(JsonDocument):
    """One cluster at one moment. Written to a file and read back, it is the same value.

    Attributes:
        taken_at: Aware; "now" for every verdict made from it.
        available_ca: Certificates that may supply a missing issuer.
        vouched_for: Certificates that need no further approval.
        certificates: Every certificate that is named anywhere, by fingerprint.
        publishers: Where discovery would be refreshed.
        not_in_use: Default ports that refused, as ``address:port``: reported, and no reason for incompleteness.
        undiscovered: What discovery could not learn, and what it would not follow.
        alarms: Where vantage points disagree.
        revocation_lists: The CRLs in the peers' lists, as PEM, by the SHA-256 of that text.
        guarded_endpoints: Endpoints of other services that rely on the trusted CA lists: a plan must not break them, and is not made
            for them. Empty also where they were not looked at.
        nodes: The nodes' own certificates and trust stores, as far as their certificate management was read.
    """

    cluster: str
    taken_at: datetime
    peers: tuple[Peer, ...]
    endpoints: tuple[Endpoint, ...]
    available_ca: tuple[Fingerprint, ...]
    vouched_for: frozenset[Fingerprint]
    certificates: Mapping[Fingerprint, Certificate]
    publishers: tuple[Publisher, ...] = ()
    not_in_use: tuple[str, ...] = ()
    undiscovered: tuple[DiscoveryGap, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    revocation_lists: Mapping[Fingerprint, str] = field(default_factory=dict)
    guarded_endpoints: tuple[Endpoint, ...] = ()
    nodes: tuple[Node, ...] = ()

    def resolve(self, fingerprints: Iterable[Fingerprint]) -> tuple[Certificate, ...]:
        """Return the certificates of `fingerprints`, such as a list or a chain, in their order."""
        return tuple(self.certificates[fingerprint] for fingerprint in fingerprints)

    def with_server_chains(self, chains: Mapping[Address, tuple[Certificate, ...]]) -> Snapshot:
        """Return this snapshot with the own certificates of some peers, leaf first."""
        own = {address: tuple(certificate.fingerprint for certificate in chain) for address, chain in chains.items() if chain}
        peers = tuple(
            replace(peer, server_certificate=own[peer.address]) if peer.address in own else peer for peer in self.peers
        )
        listed = {certificate.fingerprint: certificate for chain in chains.values() for certificate in chain}
        return replace(self, peers=peers, certificates={**self.certificates, **listed})

    @property
    def is_survey(self) -> bool:
        """Whether any endpoint was looked at with one handshake alone."""
        return any(endpoint.seen_by == "survey" for endpoint in self.endpoints)

    @property
    def complete(self) -> bool:
        """Whether every peer and every endpoint was observed, and discovery learned which there are.

        Guarded endpoints do not count: what was not seen of them is reported separately. A survey is never complete.
        """
        observed = all(peer.error is None for peer in self.peers) and all(endpoint.error is None for endpoint in self.endpoints)
        return observed and not self.is_survey and not any(gap.incomplete for gap in self.undiscovered)
