"""Step 3: is the cluster still what the plan was made from, as far as the plan depends on it?

The plan's own additions and removals may be there already (an earlier try, a person): that is not stale, it is less to do.
Everything else that differs is somebody else's change, and refuses the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from remediate.executor.changes import to_remove, to_trust
from remediate.executor.lists import ShrunkenList
from remediate.executor.operations.certificates import describe_certificate, digest_list
from remediate.executor.ports import PeerPort
from remediate.model.certificate import Certificate
from remediate.model.errors import StalePlan
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.plan import Base, Plan, SetCiphers
from remediate.model.run import Backup
from remediate.model.snapshot import Snapshot
from remediate.model.text import count

_MOST_PUT_BACK = 2
"""Removals made by hand before the first apply whose old place is searched for: a list of 200 has 40,000 places for two."""
_MOST_TO_MOVE = 150
"""Certificates of a list of which each place of each is tried, which takes 0.2 seconds then, and grows with the third power."""


def read_peer(box: PeerPort) -> tuple[Backup, Mapping[Fingerprint, Certificate]]:
    """Read what a plan depends on from one peer: its trusted CA list, also one that lacks something, and its cipher lists."""
    try:
        listed = box.trusted_ca()
    except ShrunkenList as shrunken:
        listed = shrunken.listed
    backup = Backup(box.address, tuple(certificate.fingerprint for certificate in listed), dict(box.ciphers()))
    return backup, {certificate.fingerprint: certificate for certificate in listed}


def refuse_other_peers(plan: Plan, present: Iterable[Address], unreachable: Iterable[Address]) -> None:
    """Raise StalePlan when the cluster has other peers than the plan was made for."""
    planned, found = set(plan.base), set(present)
    said = [f"{one} is in the cluster, and the plan was made without it" for one in sorted(found - planned)]
    said += [f"{one} is no longer in the cluster" for one in sorted(planned - found - set(unreachable))]
    if said:
        raise StalePlan(f"The plan for {plan.cluster} is stale: {'; '.join(said)}.")


def upgrades(plan: Plan, now: Snapshot) -> Iterator[str]:
    """Say which peers run another version than when the plan was made. The plan does not depend on it (decision 0012)."""
    for peer in now.peers:
        base = plan.base.get(peer.address)
        if base and base.version and peer.version and peer.version != base.version:
            yield (
                f"{peer.address} runs {peer.version} now, and ran {base.version} when the plan was made. What the plan rests on is "
                "compared all the same."
            )


def refuse_if_changed(
    plan: Plan,
    seen: Backup,
    known: Mapping[Fingerprint, Certificate],
    earlier: Backup | None = None,
    elsewhere: Iterable[Backup] = (),
) -> None:
    """Raise StalePlan when the peer in `seen` is not what the plan was made from.

    Args:
        known: certificates to tell a difference by name: everything that was read, and the plan's.
        earlier: the peer's backup in this plan's own unfinished run: it tells exactly what was there.
        elsewhere: how other peers stand: where their lists were the same, one of them tells what a short list lacks.
    """
    was = earlier or _same_list_elsewhere(plan, seen.peer, elsewhere)
    said = [*_list_differences(plan, seen, known, was), *_cipher_differences(plan, seen)]
    if said:
        raise StalePlan(f"The plan for {plan.cluster} is stale: on {seen.peer}, {'; '.join(said)}.")


def _same_list_elsewhere(plan: Plan, peer: Address, elsewhere: Iterable[Backup]) -> Backup | None:
    """The list that `peer` had when the plan was made, from another one that had the same, and still has."""
    for other in elsewhere:
        listed = tuple(fingerprint for fingerprint in other.trusted_ca if fingerprint not in to_trust(plan, other.peer))
        if digest_list(listed) == plan.base[peer].trusted_ca:
            return Backup(peer, listed, {})
    return None


def _cipher_differences(plan: Plan, seen: Backup) -> Iterator[str]:
    targets = {action.name: action.after for action in plan.actions if isinstance(action, SetCiphers)}
    for name, planned in plan.base[seen.peer].ciphers.items():
        current = seen.ciphers.get(name, CipherList(""))
        if current not in {planned, targets.get(name)}:
            yield f"{name} is {current!r}, and was {planned!r}"


def _list_differences(
    plan: Plan, seen: Backup, known: Mapping[Fingerprint, Certificate], earlier: Backup | None
) -> Iterator[str]:
    base = plan.base[seen.peer]
    added, removed = to_trust(plan, seen.peer), to_remove(plan, seen.peer)
    others = [fingerprint for fingerprint in seen.trusted_ca if fingerprint not in added]
    missing = [one for one in removed if one not in others]
    if _leads_to(others, missing, base, earlier) or _put_back_elsewhere(others, removed, base):
        return
    was = earlier.trusted_ca if earlier else _likely_start(base, others, sorted(known))
    if was is None:
        yield f"the trusted CA list ({count(len(seen.trusted_ca), 'certificate')}) was changed in more than one way, or in its order"
        return
    before = [one for one in was if one not in added]
    yield from (f"{_name(one, known)} was added" for one in others if one not in before)
    yield from (f"{_name(one, known)} was removed" for one in before if one not in others and one not in removed)
    if sorted(before) == sorted([*others, *missing]):
        yield "the order of the trusted CA list was changed"


def _leads_to(others: Sequence[Fingerprint], missing: Sequence[Fingerprint], base: Base, earlier: Backup | None) -> bool:
    """Whether `others` is the list of `base` less `missing`; order counts, so with no backup every place is tried."""
    if earlier and digest_list(earlier.trusted_ca) == base.trusted_ca:
        return list(others) == [fingerprint for fingerprint in earlier.trusted_ca if fingerprint in others] and len(
            others
        ) + len(missing) == len(earlier.trusted_ca)
    return any(digest_list(guess) == base.trusted_ca for guess in _with_put_back(others, missing[:_MOST_PUT_BACK]))


def _put_back_elsewhere(others: Sequence[Fingerprint], removed: Iterable[Fingerprint], base: Base) -> bool:
    """Whether `others` is the list of `base` but for the places of what the plan takes out: a rollback puts that back at the end."""
    leaving = sorted(removed)
    if not leaving or len(leaving) > _MOST_PUT_BACK:
        return False
    kept = [one for one in others if one not in leaving]
    return any(digest_list(guess) == base.trusted_ca for guess in _with_put_back(kept, leaving))


def _with_put_back(listed: Sequence[Fingerprint], missing: Sequence[Fingerprint]) -> Iterator[list[Fingerprint]]:
    if not missing:
        yield list(listed)
        return
    for shorter in _with_put_back(listed, missing[1:]):
        for place in range(len(shorter) + 1):
            yield [*shorter[:place], missing[0], *shorter[place:]]


def _likely_start(base: Base, listed: Sequence[Fingerprint], known: Sequence[Fingerprint]) -> Sequence[Fingerprint] | None:
    """The list of the digest in `base`, when one simple change leads from it to `listed`: the plan itself holds only the digest."""
    guesses = chain(_without_the_last(listed), _without_one(listed), _with_one(listed, known), _with_one_moved(listed))
    return next((guess for guess in guesses if digest_list(guess) == base.trusted_ca), None)


def _without_the_last(listed: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    yield from (listed[:count] for count in range(len(listed)))


def _without_one(listed: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    yield from ([*listed[:place], *listed[place + 1 :]] for place in range(len(listed)))


def _with_one(listed: Sequence[Fingerprint], known: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    for one in known:
        if one not in listed:
            yield from ([*listed[:place], one, *listed[place:]] for place in range(len(listed) + 1))


def _with_one_moved(listed: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    if len(listed) <= _MOST_TO_MOVE:
        for one, rest in zip(listed, _without_one(listed), strict=True):
            yield from ([*rest[:place], one, *rest[place:]] for place in range(len(listed)))


def _name(fingerprint: Fingerprint, known: Mapping[Fingerprint, Certificate]) -> str:
    return describe_certificate(known[fingerprint]) if fingerprint in known else fingerprint
