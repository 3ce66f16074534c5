"""Staleness of a plan (step 3): whether the cluster is still what the plan was made from, and who could have changed it.

The plan's own additions and removals may be there already (an earlier try, a person): that is not stale, it is less to do.
Everything else that differs is a change of others, and refuses the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from remediate.executor.changes import find_additions, find_cipher_lists, find_removals
from remediate.executor.journal.store import Journal
from remediate.executor.lists import ShrunkenList
from remediate.executor.operations.certificates import describe_certificate, digest_list
from remediate.executor.ports import PeerPort
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.errors import StalePlan
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.plan import Base, Plan
from remediate.model.run import Backup, Run, RunKind
from remediate.model.snapshot import Snapshot
from remediate.model.text import count, first_few
from remediate.trust.ciphers import families_in, is_default_since_x15, list_new_suites, means_the_same

_MAX_PUT_BACK = 2
"""Removals made by hand before the first apply whose old place is searched: a list of 200 has 40,000 places for two."""
_MAX_TO_MOVE = 150
"""Certificates of a list of which each place of each is tried: 0.2 seconds, which grow with the third power."""
_MAX_NAMED_RUNS = 3
_CHANGE_LISTS: frozenset[RunKind] = frozenset({"apply", "rollback"})


def read_peer(peer: PeerPort) -> tuple[Backup, Mapping[Fingerprint, Certificate]]:
    """Read what a plan depends on from one peer: its trusted CA list, also one that lacks something, and its cipher lists.

    Returns:
        The lists, and the certificates of the trusted CA list.
    """
    return _read_lists(peer, peer.trusted_ca)


def read_peer_first(peer: ReconnectingPeer) -> tuple[Backup, Mapping[Fingerprint, Certificate]]:
    """Read the same right after the login, which read the trusted CA list already."""
    return _read_lists(peer, peer.last_trusted_ca)


def _read_lists(
    peer: PeerPort, read_list: Callable[[], tuple[Certificate, ...]]
) -> tuple[Backup, Mapping[Fingerprint, Certificate]]:
    try:
        listed = read_list()
    except ShrunkenList as shrunken:
        listed = shrunken.listed
    backup = Backup(peer.address, tuple(certificate.fingerprint for certificate in listed), dict(peer.ciphers()))
    return backup, {certificate.fingerprint: certificate for certificate in listed}


def refuse_other_peers(plan: Plan, present: Iterable[Address], unreachable: Iterable[Address]) -> None:
    """Raise StalePlan when the cluster has other peers than the plan was made for."""
    planned, current = set(plan.base), set(present)
    differences = [f"{peer} is in the cluster, but the plan was made without it" for peer in sorted(current - planned)]
    differences += [f"{peer} is no longer in the cluster" for peer in sorted(planned - current - set(unreachable))]
    if differences:
        raise StalePlan(f"The plan for {plan.cluster} is stale: {'; '.join(differences)}.")


def describe_upgrades(plan: Plan, now: Snapshot) -> Iterator[str]:
    """Yield a sentence for each peer that runs another version than when the plan was made, which is not stale (decision 0012)."""
    for peer in now.peers:
        base = plan.base.get(peer.address)
        if base and base.version and peer.version and peer.version != base.version:
            yield (
                f"{peer.address} runs {peer.version} now, and ran {base.version} when the plan was made. The base of the "
                "plan is still compared."
            )


def refuse_if_changed(
    plan: Plan,
    current: Backup,
    certificates: Mapping[Fingerprint, Certificate],
    earlier: Backup | None = None,
    peers: Iterable[Backup] = (),
) -> None:
    """Raise StalePlan when a peer is not what the plan was made from.

    Args:
        plan: The plan, which holds a digest of each list.
        current: The lists of the peer now.
        certificates: Certificates to name a difference by: everything that was read, and the plan's.
        earlier: The peer's backup in this plan's own unfinished run, which shows exactly what was there.
        peers: The lists of all peers now: where two were the same, the one shows what the other lacks.
    """
    start = earlier or _find_same_list(plan, current.peer, peers)
    differences = [*_list_trusted_differences(plan, current, certificates, start), *_list_cipher_differences(plan, current)]
    if differences:
        raise StalePlan(f"The plan for {plan.cluster} is stale: on {current.peer}, {'; '.join(differences)}.")


def _find_same_list(plan: Plan, peer: Address, peers: Iterable[Backup]) -> Backup | None:
    """Return the list that `peer` had when the plan was made, from another peer that had the same, and still has."""
    for backup in peers:
        listed = tuple(fingerprint for fingerprint in backup.trusted_ca if fingerprint not in find_additions(plan, backup.peer))
        if digest_list(listed) == plan.base[peer].trusted_ca:
            return Backup(peer, listed, {})
    return None


def _list_cipher_differences(plan: Plan, current: Backup) -> Iterator[str]:
    """Yield the cipher lists that the plan does not follow from any more.

    A list that the plan does not set decides only which certificate a node presents, and what nodes present under the list of today is
    looked at again: another list with the same preference is no difference.
    """
    targets = find_cipher_lists(plan)
    for name, planned in plan.base[current.peer].ciphers.items():
        value = current.ciphers.get(name, CipherList(""))
        if means_the_same(value, planned):
            continue
        prefers_alike = families_in(value) == families_in(planned) != ()
        if not (means_the_same(value, targets[name]) if name in targets else prefers_alike):
            rewritten = " (the default since X15.0.2, which an upgrade sets)" if is_default_since_x15(value) else ""
            yield f"{name} is {value!r}{rewritten}, and was {planned!r}{_describe_returning(targets.get(name), value)}"


def _describe_returning(target: CipherList | None, value: CipherList) -> str:
    returning = list_new_suites(target, value) if target else ()
    return f"; the plan would restore {first_few(returning)}" if returning else ""


def _list_trusted_differences(
    plan: Plan, current: Backup, certificates: Mapping[Fingerprint, Certificate], earlier: Backup | None
) -> Iterator[str]:
    base = plan.base[current.peer]
    added, removed = find_additions(plan, current.peer), find_removals(plan, current.peer)
    listed = [fingerprint for fingerprint in current.trusted_ca if fingerprint not in added]
    missing = [fingerprint for fingerprint in removed if fingerprint not in listed]
    if _leads_to(listed, missing, base, earlier) or _leads_to_with_put_back(listed, removed, base):
        return
    start = earlier.trusted_ca if earlier else _guess_start(base, listed, sorted(certificates))
    if start is None:
        size = count(len(current.trusted_ca), "certificate")
        yield f"the trusted CA list ({size}) was changed in more than one way, or in its order"
        return
    before = [fingerprint for fingerprint in start if fingerprint not in added]
    yield from (f"{_name(fingerprint, certificates)} was added" for fingerprint in listed if fingerprint not in before)
    yield from (
        f"{_name(fingerprint, certificates)} was removed"
        for fingerprint in before
        if fingerprint not in listed and fingerprint not in removed
    )
    if sorted(before) == sorted([*listed, *missing]):
        yield "the order of the trusted CA list was changed"


def _leads_to(listed: Sequence[Fingerprint], missing: Sequence[Fingerprint], base: Base, earlier: Backup | None) -> bool:
    """Return whether `listed` is the list of `base` less `missing`; order counts, so without a backup every place is tried."""
    if earlier and digest_list(earlier.trusted_ca) == base.trusted_ca:
        in_order = [fingerprint for fingerprint in earlier.trusted_ca if fingerprint in listed]
        return list(listed) == in_order and len(listed) + len(missing) == len(earlier.trusted_ca)
    return any(digest_list(guess) == base.trusted_ca for guess in _with_put_back(listed, missing[:_MAX_PUT_BACK]))


def _leads_to_with_put_back(listed: Sequence[Fingerprint], removed: Iterable[Fingerprint], base: Base) -> bool:
    """Return whether `listed` is the list of `base` but for the places of what the plan removes: a rollback appends that again."""
    leaving = sorted(removed)
    if not leaving or len(leaving) > _MAX_PUT_BACK:
        return False
    staying = [fingerprint for fingerprint in listed if fingerprint not in leaving]
    return any(digest_list(guess) == base.trusted_ca for guess in _with_put_back(staying, leaving))


def _with_put_back(listed: Sequence[Fingerprint], missing: Sequence[Fingerprint]) -> Iterator[list[Fingerprint]]:
    if not missing:
        yield list(listed)
        return
    for shorter in _with_put_back(listed, missing[1:]):
        for place in range(len(shorter) + 1):
            yield [*shorter[:place], missing[0], *shorter[place:]]


def _guess_start(base: Base, listed: Sequence[Fingerprint], candidates: Sequence[Fingerprint]) -> Sequence[Fingerprint] | None:
    """Return the list of the digest in `base`, when one simple change leads from it to `listed`: the plan holds only the digest."""
    guesses = chain(_without_last_ones(listed), _without_one(listed), _with_one(listed, candidates), _with_one_moved(listed))
    return next((guess for guess in guesses if digest_list(guess) == base.trusted_ca), None)


def _without_last_ones(listed: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    yield from (listed[:length] for length in range(len(listed)))


def _without_one(listed: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    yield from ([*listed[:place], *listed[place + 1 :]] for place in range(len(listed)))


def _with_one(listed: Sequence[Fingerprint], candidates: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    for fingerprint in candidates:
        if fingerprint not in listed:
            yield from ([*listed[:place], fingerprint, *listed[place:]] for place in range(len(listed) + 1))


def _with_one_moved(listed: Sequence[Fingerprint]) -> Iterator[Sequence[Fingerprint]]:
    if len(listed) <= _MAX_TO_MOVE:
        for fingerprint, shorter in zip(listed, _without_one(listed), strict=True):
            yield from ([*shorter[:place], fingerprint, *shorter[place:]] for place in range(len(listed)))


def _name(fingerprint: Fingerprint, certificates: Mapping[Fingerprint, Certificate]) -> str:
    return describe_certificate(certificates[fingerprint]) if fingerprint in certificates else fingerprint


def name_possible_authors(failure: StalePlan, plan: Plan, journal: Journal, own_run: str) -> StalePlan:
    """Return `failure` with who could have made the difference: later runs in `journal` on this cluster, or others.

    `own_run` is the run of this plan, which is no possible author; empty: there is none.
    """
    made_at = rfc3339(plan.made_at)
    later = [
        run
        for run in journal.runs()
        if run.cluster == plan.cluster
        and run.kind in _CHANGE_LISTS
        and run.id != own_run
        and (run.ended_at or made_at) >= made_at
    ]
    if not later:
        return StalePlan(
            f"{failure} No run in this state directory changed the cluster since the plan was made ({made_at}), so the "
            "change came from the web interface or the shell, or from another tool or machine."
        )
    authors = " ".join(_describe_author(run) for run in later[:_MAX_NAMED_RUNS])
    unnamed = len(later) - _MAX_NAMED_RUNS
    more = f" And {unnamed} earlier ones: see `remediate runs`." if unnamed > 0 else ""
    return StalePlan(f"{failure} {authors}{more}")


def _describe_author(run: Run) -> str:
    ticket = f", ticket {run.ticket}" if run.ticket else ""
    return (
        f"Run {run.id} of {run.user} on {run.host}{ticket} has worked on the cluster since the plan was made (it is "
        f"{run.state})."
    )
