"""The choice by trying everything: slow, obvious, and sharing nothing with the planner but the verdict."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.plan import Plan, Policy, RemoveCertificate, SetCiphers, TrustCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.trust import verify_chain
from remediate.trust.ciphers import prefer, presented_families
from remediate.trust.openssl import name_hashes

Some = tuple[Certificate, ...]


@dataclass(frozen=True)
class Change:
    """What is done to the list of one peer."""

    added: Some = ()
    removed: Some = ()


Changes = dict[Address, Change]


def best_order(snapshot: Snapshot, policy: Policy) -> tuple[object, ...]:
    """The contract's order of the best plan: pairs verified (negative), removed, unvouched, ciphers changed, added, how wide."""
    return min(_orders(snapshot, policy))


def order_of(snapshot: Snapshot, plan: Plan) -> tuple[object, ...]:
    """The same for a plan that was made."""
    changes: Changes = {peer.address: Change() for peer in snapshot.peers}
    for action in plan.actions:
        if isinstance(action, TrustCertificate | RemoveCertificate):
            one = (plan.certificates[action.certificate],)
            for peer in action.peers:
                old = changes[peer]
                trusts = isinstance(action, TrustCertificate)
                changes[peer] = Change(old.added + one, old.removed) if trusts else Change(old.added, old.removed + one)
    ciphers = next((action.after for action in plan.actions if isinstance(action, SetCiphers)), None)
    return _order(snapshot, changes, ciphers)


def verified(snapshot: Snapshot, peer: Peer, change: Change, ciphers: CipherList | None) -> tuple[set[str], set[str]]:
    """The endpoints that verify at `peer`, and those whose expected certificate does, with this change and this cipher list."""
    trusted = [snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca]
    trusted = [certificate for certificate in trusted if certificate not in change.removed] + list(change.added)
    good, working = set(), set()
    for endpoint in snapshot.endpoints:
        families = presented_families(endpoint, ciphers or peer.ciphers[REVERSE_PROXY_CIPHERS])
        shown = [[snapshot.certificates[certificate] for certificate in endpoint.presented[family]] for family in families]
        answers = [verify_chain(one, trusted, endpoint.address, snapshot.taken_at).ok for one in shown]
        good |= {endpoint.name} if answers and all(answers) else set()
        working |= {endpoint.name} if answers and answers[0] else set()
    return good, working


def _orders(snapshot: Snapshot, policy: Policy) -> Iterator[tuple[object, ...]]:
    primary = next(peer for peer in snapshot.peers if peer.primary)
    current = primary.ciphers[REVERSE_PROXY_CIPHERS]
    lists = {prefer("rsa", current), prefer("ecdsa", current)} - {current} if policy.ciphers == "auto" else set()
    for ciphers in [None, *sorted(lists)]:
        for combination in itertools.product(*(_best_of_peer(snapshot, peer, ciphers, policy) for peer in snapshot.peers)):
            changes = {peer.address: some for peer, some in zip(snapshot.peers, combination, strict=True)}
            yield _order(snapshot, changes, ciphers)


def _best_of_peer(snapshot: Snapshot, peer: Peer, ciphers: CipherList | None, policy: Policy) -> list[Change]:
    """The changes that verify most there with the fewest removals: no other peer has a say in these two, which count first."""
    good, working = verified(snapshot, peer, Change(), None)
    ranked: dict[tuple[int, int], list[Change]] = {}
    for removed in _removals(snapshot, peer) if policy.allow_removal else [()]:
        for added in _additions(snapshot, peer, removed):
            then = verified(snapshot, peer, Change(added, removed), ciphers)
            if good <= then[0] and working <= then[1]:
                ranked.setdefault((-len(then[0]), len(removed)), []).append(Change(added, removed))
    return ranked[min(ranked)] if ranked else []


def _seen(snapshot: Snapshot) -> list[Certificate]:
    presented = {
        certificate for endpoint in snapshot.endpoints for chain in endpoint.presented.values() for certificate in chain
    }
    listed = {fingerprint for peer in snapshot.peers for fingerprint in peer.trusted_ca}
    return [snapshot.certificates[one] for one in sorted(presented | listed | set(snapshot.available_ca))]


def _removals(snapshot: Snapshot, peer: Peer) -> list[Some]:
    """Every set of what may be taken out: over, unreadable, or with another one of its subject at hand."""
    held = [snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca]
    subjects = [name_hashes(one).subject for one in _seen(snapshot)]
    stale = [
        one
        for one in held
        if (one.not_after and one.not_after <= snapshot.taken_at)
        or not _readable(one)
        or subjects.count(name_hashes(one).subject) > 1
    ]
    return _sets(stale)


def _additions(snapshot: Snapshot, peer: Peer, removed: Some) -> list[Some]:
    """Every set of certificates that may be appended to the list of `peer`: no two with one common name."""
    held = {snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca}
    names = {_name(one) for one in held - set(removed)}
    usable = [one for one in _seen(snapshot) if one not in held and _readable(one) and _name(one) not in names]
    return [some for some in _sets(usable) if len({_name(one) for one in some}) == len(some)]


def _sets(some: list[Certificate]) -> list[Some]:
    return [chosen for size in range(len(some) + 1) for chosen in itertools.combinations(some, size)]


def _readable(certificate: Certificate) -> bool:
    return name_hashes(certificate).subject >= 0


def _name(certificate: Certificate) -> str:
    return certificate.common_name or certificate.subject


def _order(snapshot: Snapshot, changes: Changes, ciphers: CipherList | None) -> tuple[object, ...]:
    listed = {fingerprint for peer in snapshot.peers for fingerprint in peer.trusted_ca}
    own = {chain[0] for endpoint in snapshot.endpoints for chain in endpoint.presented.values()}
    everything = [one for change in changes.values() for one in change.added]
    unvouched = {one.fingerprint for one in everything} - listed - snapshot.vouched_for
    roots = [one for one in everything if one.self_issued and one.fingerprint not in own]
    intermediates = [one for one in everything if not one.self_issued]
    return (
        -sum(len(verified(snapshot, peer, changes[peer.address], ciphers)[0]) for peer in snapshot.peers),
        sum(len(change.removed) for change in changes.values()),
        len(unvouched),
        int(ciphers is not None),
        len(everything),
        len(roots),
        len(intermediates),
        sorted(one.fingerprint for one in everything),
    )
