"""The facts of certificates, for readers of a plan that parse no PEM, and who vouches for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import CertificateFacts
from remediate.model.snapshot import Snapshot

OPERATOR = "ca-or-certificate-management"
"""The inventory's `ca`, the option `--ca`, or a node's own certificate management: a snapshot does not tell them apart."""
APPROVAL = "approval"


def list_facts(
    certificates: Iterable[Certificate], snapshot: Snapshot, approved: frozenset[Fingerprint] = frozenset()
) -> dict[Fingerprint, CertificateFacts]:
    """Return the facts of each of `certificates`; `approved` are the fingerprints that a person approved."""
    lists = {peer.address: frozenset(peer.trusted_ca) for peer in snapshot.peers}
    return {
        certificate.fingerprint: CertificateFacts.of(
            certificate, tuple(_list_vouchers(certificate.fingerprint, snapshot, lists, approved))
        )
        for certificate in certificates
    }


def _list_vouchers(
    certificate: Fingerprint,
    snapshot: Snapshot,
    lists: Mapping[Address, frozenset[Fingerprint]],
    approved: frozenset[Fingerprint],
) -> Iterator[str]:
    # What an attacker in the middle may be showing is vouched for by a person alone.
    if not any(alarm.certificate == certificate for alarm in snapshot.alarms):
        trusting = [f"peer:{address}" for address, listed in lists.items() if certificate in listed]
        yield from sorted(trusting)
        if certificate in snapshot.vouched_for and not trusting:
            yield OPERATOR
    if certificate in approved:
        yield APPROVAL
