"""Changes of a trusted CA list: trust one certificate, and remove one; each is the inverse of the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from remediate.executor.lists import ShrunkenList
from remediate.executor.operations.change import ChangeStatus, Observed
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
class TrustOnPeer:
    """Append one certificate to the trusted CA list of one peer."""

    kind: ClassVar[str] = "trust-certificate"
    is_verifiable: ClassVar[bool] = True
    peer: Address
    certificate: Certificate

    @property
    def summary(self) -> str:
        """The change in the imperative, for a person."""
        return f"trust {describe_certificate(self.certificate)} on {self.peer}"

    @property
    def manual_instruction(self) -> str:
        """One sentence with the page or the command, for a person who makes the change."""
        return f"On {self.peer}, open {TRUSTED_CA_PAGE} and append {describe_certificate(self.certificate)}."

    def precondition(self, peer: PeerPort) -> Observed:
        """Read whether the change is still to make."""
        return _read(peer, self.certificate, done_when_present=True)

    def write(self, peer: PeerPort) -> None:
        """Send the change to the peer."""
        peer.append_trusted_ca(self.certificate)

    def read_back(self, peer: PeerPort) -> Observed:
        """Read whether the change was made."""
        return self.precondition(peer)

    def inverse(self) -> RemoveFromPeer:
        """Return the change that undoes it."""
        return RemoveFromPeer(self.peer, self.certificate)

    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it."""
        return {"certificate": self.certificate.fingerprint}


@dataclass(frozen=True, slots=True)
class RemoveFromPeer:
    """Remove one certificate from the trusted CA list of one peer."""

    kind: ClassVar[str] = "remove-certificate"
    is_verifiable: ClassVar[bool] = True
    peer: Address
    certificate: Certificate

    @property
    def summary(self) -> str:
        """The change in the imperative, for a person."""
        return f"remove {describe_certificate(self.certificate)} from the trusted CA list of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        """One sentence with the page or the command, for a person who makes the change."""
        return f"On {self.peer}, open {TRUSTED_CA_PAGE} and delete {describe_certificate(self.certificate)}."

    def precondition(self, peer: PeerPort) -> Observed:
        """Read whether the change is still to make."""
        return _read(peer, self.certificate, done_when_present=False)

    def write(self, peer: PeerPort) -> None:
        """Send the change to the peer."""
        peer.remove_trusted_ca(self.certificate)

    def read_back(self, peer: PeerPort) -> Observed:
        """Read whether the change was made."""
        return self.precondition(peer)

    def inverse(self) -> TrustOnPeer:
        """Return the change that undoes it."""
        return TrustOnPeer(self.peer, self.certificate)

    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it."""
        return {"certificate": self.certificate.fingerprint}


def _read(peer: PeerPort, certificate: Certificate, *, done_when_present: bool) -> Observed:
    try:
        certificates = peer.trusted_ca()
    except ShrunkenList as shrunken:
        # Others removed certificates, or the list was cut: it still counts where it proves something about this certificate.
        if not shrunken.proves(certificate.fingerprint):
            raise
        certificates = shrunken.listed
    listed = [listed_certificate.fingerprint for listed_certificate in certificates]
    present = certificate.fingerprint in listed
    unrelated = sorted(fingerprint for fingerprint in listed if fingerprint != certificate.fingerprint)
    status = ChangeStatus.DONE if present is done_when_present else ChangeStatus.TO_DO
    return Observed(status, digest_list(listed), digest_list(unrelated))
