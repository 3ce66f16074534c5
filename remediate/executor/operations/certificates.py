"""Changes of a trusted CA list: trust one certificate, and remove one; each is the inverse of the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from remediate.executor.lists import ShrunkenList
from remediate.executor.operations.change import Change, ChangeStatus, FindCertificate, Observed
from remediate.executor.ports import PeerPort
from remediate.model.canonical import sha256_of
from remediate.model.certificate import Certificate
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.identity import Address, Fingerprint
from remediate.model.text import escape_ascii


def describe_certificate(certificate: Certificate) -> str:
    """Return a certificate for a person: its escaped subject and its whole fingerprint."""
    return f"{escape_ascii(certificate.subject) or 'a certificate without a subject'} ({certificate.fingerprint})"


def digest_list(fingerprints: Iterable[Fingerprint]) -> str:
    """Return the digest of a trusted CA list, order included, as in a plan's ``base``."""
    return sha256_of("\n".join(fingerprints))


@dataclass(frozen=True, slots=True)
class _ListChange(Change):
    """One certificate that comes into the trusted CA list of a peer, or leaves it.

    Attributes:
        adds: It comes.
    """

    adds: ClassVar[bool]
    certificate: Certificate

    def precondition(self, peer: PeerPort) -> Observed:
        own = self.certificate.fingerprint
        try:
            certificates = peer.trusted_ca()
        except ShrunkenList as shrunken:
            # Others removed certificates, or the list was cut: it still counts where it proves something about this certificate.
            if not shrunken.proves(own):
                raise
            certificates = shrunken.listed
        listed = [listed_certificate.fingerprint for listed_certificate in certificates]
        status = ChangeStatus.DONE if (own in listed) is self.adds else ChangeStatus.TO_DO
        return Observed(status, digest_list(listed), digest_list(sorted(unrelated for unrelated in listed if unrelated != own)))

    def facts(self) -> Mapping[str, str]:
        return {"certificate": self.certificate.fingerprint}

    @classmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        return cls(peer, find(Fingerprint(facts["certificate"])))


@dataclass(frozen=True, slots=True)
class TrustOnPeer(_ListChange):
    """Append one certificate to the trusted CA list of one peer."""

    kind: ClassVar[str] = "trust-certificate"
    adds: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        return f"trust {describe_certificate(self.certificate)} on {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, open {TRUSTED_CA_PAGE} and append {describe_certificate(self.certificate)}."

    def write(self, peer: PeerPort) -> None:
        peer.append_trusted_ca(self.certificate)

    def inverse(self) -> RemoveFromPeer:
        return RemoveFromPeer(self.peer, self.certificate)


@dataclass(frozen=True, slots=True)
class RemoveFromPeer(_ListChange):
    """Remove one certificate from the trusted CA list of one peer."""

    kind: ClassVar[str] = "remove-certificate"
    adds: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        return f"remove {describe_certificate(self.certificate)} from the trusted CA list of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, open {TRUSTED_CA_PAGE} and delete {describe_certificate(self.certificate)}."

    def write(self, peer: PeerPort) -> None:
        peer.remove_trusted_ca(self.certificate)

    def inverse(self) -> TrustOnPeer:
        return TrustOnPeer(self.peer, self.certificate)
