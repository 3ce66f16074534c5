"""Candidates: the certificates that a plan may add, and which of them exclude each other.

Expressway holds no two different certificates with one common name in its trusted CA list (CSCwa12905). All certificates with one
common name therefore compete for one place: they form a common name group. A certificate without a common name competes with those
of its subject.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from remediate.model.certificate import Certificate
from remediate.model.identity import Fingerprint
from remediate.model.plan import Approval, Policy, Role
from remediate.model.snapshot import Snapshot
from remediate.trust.openssl import common_name, is_readable, name_hashes

CommonNameGroup = str


@lru_cache(maxsize=65_536)
def common_name_group(certificate: Certificate) -> CommonNameGroup:
    """Return the group of `certificate`: its first common name as OpenSSL compares names (case and runs of blanks do not count)."""
    name = common_name(certificate)
    if name:
        return "cn:" + " ".join(name.decode(errors="backslashreplace").casefold().split())
    return f"subject:{name_hashes(certificate).subject:08x}"


@dataclass(frozen=True)
class Candidates:
    """The certificates that a plan may add, with what each of them is.

    Attributes:
        certificates: In the order of their fingerprints.
        own: Fingerprints of certificates that a server presents as its own.
        vouched: Fingerprints that need no approval.
        granted: Fingerprints that a person approved.
        disputed: Fingerprints of what is presented in the place of a node's own certificate: none is added without an approval.
    """

    certificates: tuple[Certificate, ...]
    own: frozenset[Fingerprint]
    vouched: frozenset[Fingerprint]
    granted: frozenset[Fingerprint]
    disputed: frozenset[Fingerprint] = frozenset()

    @cached_property
    def addable(self) -> frozenset[Certificate]:
        """The certificates, to look one up."""
        return frozenset(self.certificates)

    def role(self, certificate: Certificate) -> Role:
        """Return what trusting `certificate` means: a server's own certificate, a root, or an intermediate."""
        if certificate.self_issued:
            return "self-signed" if certificate.fingerprint in self.own else "root"
        return "intermediate"

    def approval(self, certificate: Certificate) -> Approval:
        """Return who answers for `certificate`."""
        if certificate.fingerprint in self.vouched:
            return "vouched"
        return "granted" if certificate.fingerprint in self.granted else "required"


def find_candidates(snapshot: Snapshot, policy: Policy) -> Candidates:
    """Return every certificate that may be added: presented, in another peer's list, or available from the operator and from CUCM."""
    chains = [chain for endpoint in snapshot.endpoints for chain in endpoint.presented.values() if chain]
    own = frozenset(chain[0] for chain in chains)
    trusted = frozenset(fingerprint for peer in snapshot.peers for fingerprint in peer.trusted_ca)
    disputed = frozenset(alarm.certificate for alarm in snapshot.alarms)
    # A certificate that management does not know is no reason to trust it, nor what comes with it.
    presented = {fingerprint for chain in chains if chain[0] not in disputed for fingerprint in chain}
    fingerprints = ((presented | trusted | set(snapshot.available_ca)) - disputed) | (
        policy.approved & {fingerprint for chain in chains for fingerprint in chain}
    )
    candidates = Candidates(
        # One certificate that OpenSSL cannot read makes a peer drop its whole list.
        certificates=tuple(certificate for certificate in _certificates(snapshot, fingerprints) if is_readable(certificate)),
        own=own,
        # What a peer of this very cluster trusts already is vouched for by that (docs/decisions/0005-approvals.md).
        # Not so what a man in the middle may be showing: that takes a person who compared it out of band.
        # A survey is a fast look at much: what it saw takes a person, whatever vouches.
        vouched=frozenset() if snapshot.is_survey else (snapshot.vouched_for | trusted) - disputed,
        granted=policy.approved,
        disputed=disputed,
    )
    if policy.trust_self_signed:
        return candidates
    allowed = tuple(certificate for certificate in candidates.certificates if candidates.role(certificate) != "self-signed")
    return replace(candidates, certificates=allowed)


def _certificates(snapshot: Snapshot, fingerprints: Iterable[Fingerprint]) -> tuple[Certificate, ...]:
    return snapshot.resolve(sorted(set(fingerprints)))
