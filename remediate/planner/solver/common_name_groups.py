"""Slots and candidates: which certificates could be put into a trusted CA list, and which of them exclude each other.

Expressway holds no two different certificates with one common name in its trusted CA list (CSCwa12905), so everything with one
common name competes for one place: a slot. A certificate without a common name competes with those of its own subject.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from remediate.model.certificate import Certificate
from remediate.model.identity import Fingerprint
from remediate.model.plan import Approval, Policy, Role
from remediate.model.snapshot import Snapshot
from remediate.trust.openssl import common_name, name_hashes, readable

Slot = str


@lru_cache(maxsize=65_536)
def slot_of(certificate: Certificate) -> Slot:
    """Return the slot of `certificate`: its first common name as OpenSSL compares names (case and runs of blanks do not count)."""
    name = common_name(certificate)
    if name:
        return "cn:" + " ".join(name.decode(errors="backslashreplace").casefold().split())
    return f"subject:{name_hashes(certificate).subject:08x}"


@dataclass(frozen=True)
class Candidates:
    """The certificates that a plan may add, and what is known of each.

    Attributes:
        certificates: in the order of their fingerprints.
        own: fingerprints of what servers present as their own certificate.
        vouched: fingerprints that need no approval.
        granted: fingerprints that a person approved.
    """

    certificates: tuple[Certificate, ...]
    own: frozenset[Fingerprint]
    vouched: frozenset[Fingerprint]
    granted: frozenset[Fingerprint]

    def role(self, certificate: Certificate) -> Role:
        """What trusting `certificate` means: a server's own certificate, a root, or an intermediate."""
        if certificate.self_issued:
            return "self-signed" if certificate.fingerprint in self.own else "root"
        return "intermediate"

    def approval(self, certificate: Certificate) -> Approval:
        """Who answers for `certificate`."""
        if certificate.fingerprint in self.vouched:
            return "vouched"
        return "granted" if certificate.fingerprint in self.granted else "required"


def candidates(snapshot: Snapshot, policy: Policy) -> Candidates:
    """Return everything that may be added: presented, in another peer's list, or available from the operator and from CUCM."""
    chains = [chain for endpoint in snapshot.endpoints for chain in endpoint.presented.values() if chain]
    own = frozenset(chain[0] for chain in chains)
    listed = frozenset(one for peer in snapshot.peers for one in peer.trusted_ca)
    disputed = frozenset(alarm.certificate for alarm in snapshot.alarms)
    seen = {one for chain in chains for one in chain} | listed | set(snapshot.available_ca)
    found = Candidates(
        # One certificate that OpenSSL cannot read makes a peer drop its whole list.
        certificates=tuple(one for one in _certificates(snapshot, seen) if readable(one)),
        own=own,
        # What a peer of this very cluster trusts already is vouched for by that (docs/decisions/0005-approvals.md).
        # But not what somebody in the middle may be showing: that takes a person who compared it over another path.
        vouched=(snapshot.vouched_for | listed) - disputed,
        granted=policy.approved,
    )
    if policy.trust_self_signed:
        return found
    allowed = tuple(one for one in found.certificates if found.role(one) != "self-signed")
    return Candidates(allowed, own, found.vouched, found.granted)


def _certificates(snapshot: Snapshot, fingerprints: Iterable[Fingerprint]) -> tuple[Certificate, ...]:
    return tuple(snapshot.certificates[one] for one in sorted(set(fingerprints)))
