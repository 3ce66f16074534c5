"""Candidates: the certificates that a plan may add, and which of them exclude each other.

Expressway holds no two different certificates with one common name in its trusted CA list (CSCwa12905). All certificates with one
common name therefore compete for one place: they form a common name group. A certificate without a common name competes with those
of its subject.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
        if not certificate.self_issued:
            return "intermediate"
        return "self-signed" if _is_self_signed(certificate, self.own) else "root"

    def approval(self, certificate: Certificate) -> Approval:
        """Return who answers for `certificate`."""
        if certificate.fingerprint in self.vouched:
            return "vouched"
        return "granted" if certificate.fingerprint in self.granted else "required"


def find_candidates(snapshot: Snapshot, policy: Policy) -> Candidates:
    """Return what a plan may add: what is presented, in the list of another peer, or available from the operator and from CUCM."""
    chains = [chain for endpoint in snapshot.endpoints for chain in endpoint.presented.values() if chain]
    own = frozenset(chain[0] for chain in chains)
    trusted = frozenset(fingerprint for peer in snapshot.peers for fingerprint in peer.trusted_ca)
    disputed = frozenset(alarm.certificate for alarm in snapshot.alarms)
    # That a node presents what its management does not know is no reason to trust it, nor what comes with it; an approval is one.
    presented = {fingerprint for chain in chains if chain[0] not in disputed for fingerprint in chain}
    approved = policy.approved & {fingerprint for chain in chains for fingerprint in chain}
    fingerprints = ((presented | trusted | set(snapshot.available_ca)) - disputed) | approved
    # One certificate that OpenSSL cannot read makes a peer drop its whole list.
    certificates: Iterable[Certificate] = filter(is_readable, snapshot.resolve(sorted(fingerprints)))
    if not policy.trust_self_signed:
        certificates = (certificate for certificate in certificates if not _is_self_signed(certificate, own))
    return Candidates(tuple(certificates), own, _find_vouched(snapshot, trusted, disputed), policy.approved, disputed)


def _find_vouched(
    snapshot: Snapshot, trusted: frozenset[Fingerprint], disputed: frozenset[Fingerprint]
) -> frozenset[Fingerprint]:
    """Return the certificates that need no approval: what a peer of this cluster trusts is among them (decision 0005).

    What a man in the middle may be showing needs the approval of a person who compared it out of band; so does everything that only
    a survey saw, whatever vouches.
    """
    return frozenset() if snapshot.is_survey else (snapshot.vouched_for | trusted) - disputed


def _is_self_signed(certificate: Certificate, own: frozenset[Fingerprint]) -> bool:
    return certificate.self_issued and certificate.fingerprint in own
