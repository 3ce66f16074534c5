"""The choice by trying everything: slow, obvious, and sharing nothing with the planner but the verdict."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS, SIP_CIPHERS
from remediate.model.identity import Address, CipherList, KeyFamily
from remediate.model.plan import Plan, Policy, RemoveCertificate, SetCiphers, TrustCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.trust import verify_chain
from remediate.trust.ciphers import prefer, presented_families
from remediate.trust.openssl import name_hashes

Certificates = tuple[Certificate, ...]


@dataclass(frozen=True)
class Change:
    """The change of one peer's list."""

    added: Certificates = ()
    removed: Certificates = ()


Changes = dict[Address, Change]


def best_order(snapshot: Snapshot, policy: Policy) -> tuple[object, ...]:
    """Return the order of the best plan: pairs verified (negative), removed, unvouched, ciphers changed, added, width of trust."""
    return min(_orders(snapshot, policy))


def order_of(snapshot: Snapshot, plan: Plan) -> tuple[object, ...]:
    """Return the order of `plan`."""
    changes: Changes = {peer.address: Change() for peer in snapshot.peers}
    for action in plan.actions:
        if isinstance(action, TrustCertificate | RemoveCertificate):
            certificate = plan.certificates[action.certificate]
            for peer in action.peers:
                old = changes[peer]
                if isinstance(action, TrustCertificate):
                    changes[peer] = Change((*old.added, certificate), old.removed)
                else:
                    changes[peer] = Change(old.added, (*old.removed, certificate))
    ciphers = next((action.after for action in plan.actions if isinstance(action, SetCiphers)), None)
    return _order(snapshot, changes, ciphers)


def verified(snapshot: Snapshot, peer: Peer, change: Change, ciphers: CipherList | None) -> tuple[set[str], set[str]]:
    """Return the endpoints that verify at `peer`, and those whose expected certificate does, after this change."""
    trusted = [snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca]
    trusted = [certificate for certificate in trusted if certificate not in change.removed] + list(change.added)
    good, working = set(), set()
    for endpoint in snapshot.endpoints:
        families = presented_families(endpoint, ciphers or peer.ciphers[REVERSE_PROXY_CIPHERS])
        chains = [[snapshot.certificates[certificate] for certificate in endpoint.presented[family]] for family in families]
        answers = [verify_chain(chain, trusted, endpoint.address, snapshot.taken_at).ok for chain in chains]
        good |= {endpoint.name} if answers and all(answers) else set()
        working |= {endpoint.name} if answers and answers[0] else set()
    return good, working


def accepted_of_guarded(snapshot: Snapshot, peer: Peer, change: Change) -> set[tuple[str, KeyFamily]]:
    """Return the certificates of guarded endpoints whose chain `peer` accepts after this change."""
    trusted = [snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca]
    trusted = [certificate for certificate in trusted if certificate not in change.removed] + list(change.added)
    accepted = set()
    for endpoint in snapshot.guarded_endpoints:
        for family in presented_families(endpoint, peer.ciphers.get(SIP_CIPHERS)):
            chain = [snapshot.certificates[certificate] for certificate in endpoint.presented[family]]
            if verify_chain(chain, trusted, None, snapshot.taken_at).ok:
                accepted.add((endpoint.name, family))
    return accepted


def _orders(snapshot: Snapshot, policy: Policy) -> Iterator[tuple[object, ...]]:
    primary = next(peer for peer in snapshot.peers if peer.primary)
    current = primary.ciphers[REVERSE_PROXY_CIPHERS]
    lists = {prefer("rsa", current), prefer("ecdsa", current)} - {current} if policy.ciphers == "auto" else set()
    for ciphers in [None, *sorted(lists)]:
        for combination in itertools.product(*(_best_of_peer(snapshot, peer, ciphers, policy) for peer in snapshot.peers)):
            changes = {peer.address: change for peer, change in zip(snapshot.peers, combination, strict=True)}
            yield _order(snapshot, changes, ciphers)


def _best_of_peer(snapshot: Snapshot, peer: Peer, ciphers: CipherList | None, policy: Policy) -> list[Change]:
    """Return the changes that verify most at `peer` with the fewest removals: these count first, and are each peer's own."""
    good, working = verified(snapshot, peer, Change(), None)
    guarded = accepted_of_guarded(snapshot, peer, Change())
    ranked: dict[tuple[int, int], list[Change]] = {}
    for removed in _removals(snapshot, peer) if policy.allow_removal else [()]:
        for added in _additions(snapshot, peer, removed):
            then = verified(snapshot, peer, Change(added, removed), ciphers)
            unharmed = guarded <= accepted_of_guarded(snapshot, peer, Change(added, removed))
            if unharmed and good <= then[0] and working <= then[1]:
                ranked.setdefault((-len(then[0]), len(removed)), []).append(Change(added, removed))
    return ranked[min(ranked)] if ranked else []


def _observed(snapshot: Snapshot) -> list[Certificate]:
    presented = {
        certificate for endpoint in snapshot.endpoints for chain in endpoint.presented.values() for certificate in chain
    }
    listed = {fingerprint for peer in snapshot.peers for fingerprint in peer.trusted_ca}
    return [snapshot.certificates[fingerprint] for fingerprint in sorted(presented | listed | set(snapshot.available_ca))]


def _removals(snapshot: Snapshot, peer: Peer) -> list[Certificates]:
    """Return every set of removable certificates: expired, unreadable, or with another observed certificate of the same subject."""
    held = [snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca]
    subjects = [name_hashes(certificate).subject for certificate in _observed(snapshot)]
    stale = [
        certificate
        for certificate in held
        if (certificate.not_after and certificate.not_after <= snapshot.taken_at)
        or not _readable(certificate)
        or subjects.count(name_hashes(certificate).subject) > 1
    ]
    return _sets(stale)


def _additions(snapshot: Snapshot, peer: Peer, removed: Certificates) -> list[Certificates]:
    """Return every set of certificates that may be appended to the list of `peer`: no two with one common name."""
    held = {snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca}
    names = {_name(certificate) for certificate in held - set(removed)}
    usable = [
        certificate
        for certificate in _observed(snapshot)
        if certificate not in held and _readable(certificate) and _name(certificate) not in names
    ]
    return [addition for addition in _sets(usable) if len({_name(certificate) for certificate in addition}) == len(addition)]


def _sets(certificates: list[Certificate]) -> list[Certificates]:
    return [chosen for size in range(len(certificates) + 1) for chosen in itertools.combinations(certificates, size)]


def _readable(certificate: Certificate) -> bool:
    return name_hashes(certificate).subject >= 0


def _name(certificate: Certificate) -> str:
    return certificate.common_name or certificate.subject


def _order(snapshot: Snapshot, changes: Changes, ciphers: CipherList | None) -> tuple[object, ...]:
    listed = {fingerprint for peer in snapshot.peers for fingerprint in peer.trusted_ca}
    own = {chain[0] for endpoint in snapshot.endpoints for chain in endpoint.presented.values()}
    added = [certificate for change in changes.values() for certificate in change.added]
    unvouched = {certificate.fingerprint for certificate in added} - listed - snapshot.vouched_for
    roots = [certificate for certificate in added if certificate.self_issued and certificate.fingerprint not in own]
    intermediates = [certificate for certificate in added if not certificate.self_issued]
    return (
        -sum(len(verified(snapshot, peer, changes[peer.address], ciphers)[0]) for peer in snapshot.peers),
        sum(len(change.removed) for change in changes.values()),
        len(unvouched),
        int(ciphers is not None),
        len(added),
        len(roots),
        len(intermediates),
        sorted(certificate.fingerprint for certificate in added),
    )
