"""The choice by trying everything: slow, obvious, and sharing nothing with the planner but the verdict."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from remediate.model.certificate import Certificate
from remediate.model.identity import REVERSE_PROXY_CIPHERS, Address, CipherList
from remediate.model.plan import Plan, Policy, SetCiphers, TrustCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.trust import verify_chain
from remediate.trust.ciphers import prefer, presented_families

Lists = dict[Address, tuple[Certificate, ...]]


def best_order(snapshot: Snapshot, policy: Policy) -> tuple[object, ...]:
    """The contract's order of the best plan: pairs verified (negative), unvouched, ciphers changed, added, roots, intermediates."""
    return min(_orders(snapshot, policy))


def order_of(snapshot: Snapshot, plan: Plan) -> tuple[object, ...]:
    """The same for a plan that was made."""
    added: Lists = {peer.address: () for peer in snapshot.peers}
    for action in plan.actions:
        if isinstance(action, TrustCertificate):
            for peer in action.peers:
                added[peer] = (*added[peer], plan.certificates[action.certificate])
    change = next((action.after for action in plan.actions if isinstance(action, SetCiphers)), None)
    return _order(snapshot, added, change)


def verified(snapshot: Snapshot, added: Lists, change: CipherList | None) -> set[tuple[str, str]]:
    """The (peer, endpoint) pairs that verify with these certificates appended and this cipher list."""
    found = set()
    for peer in snapshot.peers:
        trusted = [snapshot.certificates[one] for one in peer.trusted_ca] + list(added[peer.address])
        for endpoint in snapshot.endpoints:
            families = presented_families(endpoint, change or peer.ciphers[REVERSE_PROXY_CIPHERS])
            shown = [[snapshot.certificates[one] for one in endpoint.presented[family]] for family in families]
            if shown and all(verify_chain(one, trusted, endpoint.address, snapshot.taken_at).ok for one in shown):
                found.add((str(peer.address), endpoint.name))
    return found


def _orders(snapshot: Snapshot, policy: Policy) -> Iterator[tuple[object, ...]]:
    nothing: Lists = {peer.address: () for peer in snapshot.peers}
    today = verified(snapshot, nothing, None)
    primary = next(peer for peer in snapshot.peers if peer.primary)
    current = primary.ciphers[REVERSE_PROXY_CIPHERS]
    changes = {prefer("rsa", current), prefer("ecdsa", current)} - {current} if policy.ciphers == "auto" else set()
    for change in [None, *sorted(changes)]:
        for combination in itertools.product(*(_additions(snapshot, peer) for peer in snapshot.peers)):
            added = {peer.address: some for peer, some in zip(snapshot.peers, combination, strict=True)}
            if today <= verified(snapshot, added, change):
                yield _order(snapshot, added, change)


def _additions(snapshot: Snapshot, peer: Peer) -> list[tuple[Certificate, ...]]:
    """Every set of certificates that may be appended to the list of `peer`: no two with one common name."""
    seen = {one for endpoint in snapshot.endpoints for chain in endpoint.presented.values() for one in chain}
    seen |= {one for other in snapshot.peers for one in other.trusted_ca} | set(snapshot.available_ca)
    usable = [snapshot.certificates[one] for one in sorted(seen - set(peer.trusted_ca))]
    names = Counter(_name(snapshot.certificates[one]) for one in set(peer.trusted_ca))
    usable = [one for one in usable if not names[_name(one)]]
    sets = itertools.chain.from_iterable(itertools.combinations(usable, size) for size in range(len(usable) + 1))
    return [some for some in sets if len({_name(one) for one in some}) == len(some)]


def _name(certificate: Certificate) -> str:
    return certificate.common_name or certificate.subject


def _order(snapshot: Snapshot, added: Lists, change: CipherList | None) -> tuple[object, ...]:
    listed = {one for peer in snapshot.peers for one in peer.trusted_ca}
    own = {chain[0] for endpoint in snapshot.endpoints for chain in endpoint.presented.values()}
    everything = [one for some in added.values() for one in some]
    unvouched = {one.fingerprint for one in everything} - listed - snapshot.vouched_for
    roots = [one for one in everything if one.self_issued and one.fingerprint not in own]
    intermediates = [one for one in everything if not one.self_issued]
    return (
        -len(verified(snapshot, added, change)),
        len(unvouched),
        int(change is not None),
        len(everything),
        len(roots),
        len(intermediates),
        sorted(one.fingerprint for one in everything),
    )
