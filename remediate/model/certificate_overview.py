"""The certificates of a cluster: where each of them is, until when, which checks rely on it, and who vouches for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, EndpointId, Fingerprint, KeyFamily, PairId
from remediate.model.plan import CertificateFacts


@dataclass(frozen=True, slots=True)
class Presentation:
    """One place at which an endpoint presents a certificate; `depth` 0 is its own."""

    endpoint: EndpointId
    family: KeyFamily
    depth: int


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """One certificate of a cluster.

    Attributes:
        lists: The peers whose trusted CA list holds it.
        own_of: The peers that send it with their own certificate.
        on_nodes: The stores of nodes that hold it, as certificate management names them: ``cucm.example.test tomcat-trust``.
        presented: Where endpoints present it.
        relied_on_by: The checks that pass through it.
        ends: Its last moment; None where it has none that can be read.
    """

    certificate: Certificate
    facts: CertificateFacts
    lists: tuple[Address, ...]
    presented: tuple[Presentation, ...]
    relied_on_by: tuple[PairId, ...]
    own_of: tuple[Address, ...] = ()
    on_nodes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> Fingerprint:
        """Its identity."""
        return self.certificate.fingerprint

    @property
    def ends(self) -> datetime | None:
        """Its last moment; None where it has none that can be read."""
        return self.certificate.not_after

    @property
    def is_in_use(self) -> bool:
        """Whether a peer or an endpoint presents it, or a peer's list holds it."""
        return bool(self.lists or self.presented or self.own_of)


@dataclass(frozen=True, slots=True)
class ListDrift:
    """A certificate that some peers' lists hold and others lack."""

    certificate: Fingerprint
    held_by: tuple[Address, ...]
    missing_on: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class SharedCommonName:
    """Different certificates with one common name in the list of `peer`, in its order: look-up takes the first."""

    peer: Address
    common_name: str
    certificates: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class CertificateOverview:
    """The certificates of a cluster, those that end first at the beginning.

    Attributes:
        taken_at: The moment of the snapshot, from which days are counted.
        complete: Every peer and endpoint was observed; otherwise more may rely on a certificate.
        unread: Peers whose list could not be read.
        not_relied_on: In a list, and no check through that list passes by it.
    """

    cluster: str
    taken_at: datetime
    complete: bool
    certificates: tuple[ListedCertificate, ...]
    drift: tuple[ListDrift, ...]
    shared_names: tuple[SharedCommonName, ...]
    not_relied_on: tuple[Fingerprint, ...]
    unread: tuple[Address, ...]

    def days_left(self, certificate: ListedCertificate) -> int | None:
        """Return the whole days until the end of `certificate`, negative after it."""
        return (certificate.ends - self.taken_at).days if certificate.ends else None

    def expiring(self, within: timedelta) -> tuple[ListedCertificate, ...]:
        """Return those in use that end within this time, or have ended."""
        until = self.taken_at + within
        return tuple(
            certificate
            for certificate in self.certificates
            if certificate.is_in_use and certificate.ends and certificate.ends <= until
        )
