"""Trust a certificate on one peer, and remove one: each is the inverse of the other."""

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
    """A certificate for a person: its subject (quoted, so that a hostile one stays on its line) and whole fingerprint."""
    return f"{escape_ascii(certificate.subject) or 'a certificate without a subject'} ({certificate.fingerprint})"


def digest_list(fingerprints: Iterable[Fingerprint]) -> str:
    """The digest of a trusted CA list, order included: what a plan's ``base`` holds."""
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
        return f"trust {describe_certificate(self.certificate)} on {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, open {TRUSTED_CA_PAGE} and append {describe_certificate(self.certificate)}."

    def precondition(self, box: PeerPort) -> Observed:
        return _read(box, self.certificate, done_when_present=True)

    def write(self, box: PeerPort) -> None:
        box.append_trusted_ca(self.certificate)

    def read_back(self, box: PeerPort) -> Observed:
        return self.precondition(box)

    def inverse(self) -> RemoveFromPeer:
        return RemoveFromPeer(self.peer, self.certificate)

    def facts(self) -> Mapping[str, str]:
        return {"certificate": self.certificate.fingerprint}


@dataclass(frozen=True, slots=True)
class RemoveFromPeer:
    """Take one certificate out of the trusted CA list of one peer."""

    kind: ClassVar[str] = "remove-certificate"
    is_verifiable: ClassVar[bool] = True
    peer: Address
    certificate: Certificate

    @property
    def summary(self) -> str:
        return f"remove {describe_certificate(self.certificate)} from the trusted CA list of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, open {TRUSTED_CA_PAGE} and delete {describe_certificate(self.certificate)}."

    def precondition(self, box: PeerPort) -> Observed:
        return _read(box, self.certificate, done_when_present=False)

    def write(self, box: PeerPort) -> None:
        box.remove_trusted_ca(self.certificate)

    def read_back(self, box: PeerPort) -> Observed:
        return self.precondition(box)

    def inverse(self) -> TrustOnPeer:
        return TrustOnPeer(self.peer, self.certificate)

    def facts(self) -> Mapping[str, str]:
        return {"certificate": self.certificate.fingerprint}


def _read(box: PeerPort, certificate: Certificate, *, done_when_present: bool) -> Observed:
    try:
        shown = box.trusted_ca()
    except ShrunkenList as shrunken:
        # Others took something out, or the list was cut: it tells of this certificate only what it proves all the same.
        if not shrunken.proves(certificate.fingerprint):
            raise
        shown = shrunken.listed
    listed = [one.fingerprint for one in shown]
    present = certificate.fingerprint in listed
    others = sorted(one for one in listed if one != certificate.fingerprint)
    status = ChangeStatus.DONE if present is done_when_present else ChangeStatus.TO_DO
    return Observed(status, digest_list(listed), digest_list(others))
