"""The plans that were not chosen, and why they lost, so that a person can choose otherwise by a switch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from remediate.model.certificate import Certificate
from remediate.model.identity import REVERSE_PROXY_CIPHERS, CipherList
from remediate.model.plan import Alternative, Policy
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.words import count
from remediate.planner.advice.refusal import endpoints_of
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.common_name_groups import Candidates, slot_of
from remediate.planner.solver.cost import ADDED, INTERMEDIATES, REMOVED, ROOTS, UNVOUCHED
from remediate.planner.solver.solver import Choice, Chooser
from remediate.trust.endpoint_verifier import ClusterJudge
from remediate.trust.openssl import readable
from remediate.trust.verify import Answers, Chain

_MOST = 3
# The places of `Choice.order`, in the words of the contract's *The choice*.
_LOST_BY = (
    "verifies fewer endpoints",
    "takes certificates out of the trusted CA list",
    "trusts more certificates that nobody vouches for",
    "changes the cipher list where that is not needed",
    "adds more certificates",
    "trusts more roots",
    "trusts more intermediates",
    "is equal but for the order of fingerprints",
)


@dataclass(frozen=True, slots=True)
class Solver:
    """Solves the cluster under other policies than the one that was asked for; OpenSSL's answers are shared."""

    snapshot: Snapshot
    policy: Policy
    known: Candidates
    chooser: Chooser
    answers: Answers


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Better plans that the policy rules out: what they would come to is said of the endpoints that they mend.

    Attributes:
        removing: the best that may take certificates out; None: that verifies no more, or is allowed.
        ciphers: the best under any cipher policy; None likewise.
    """

    removing: Choice | None
    ciphers: Choice | None


def ruled_out(solver: Solver, best: Choice, forecaster: Forecaster) -> RuledOut:
    """Return the plans that verify more than `best`, whose `forecaster` this is, and that the policy rules out."""
    return RuledOut(_removing(solver, best, forecaster), _with_any_ciphers(solver, best))


def alternatives(solver: Solver, found: Sequence[Choice], out: RuledOut) -> tuple[Alternative, ...]:
    """Return up to three plans that lost against the first of `found`."""
    best = found[0]
    others = [
        *(Alternative(_summary(one), _why(best, one), f"--ciphers {one.policy}") for one in _unlike(best, found[1:])),
        *_better_ones(solver, out),
        *_infeasible(solver, found),
    ]
    return tuple(others[:_MOST])


def _unlike(best: Choice, found: Sequence[Choice]) -> list[Choice]:
    """A cipher change that alters nothing else is no alternative worth a line."""
    return [one for one in found if one.cost != best.cost]


def _better_ones(solver: Solver, out: RuledOut) -> Iterator[Alternative]:
    if out.removing is not None:
        yield Alternative(_summary(out.removing), "takes certificates out, which needs --allow-removal", "--allow-removal")
    if out.ciphers is not None:
        why = f"needs another cipher policy than --ciphers {solver.policy.ciphers}"
        yield Alternative(_summary(out.ciphers), why, f"--ciphers {out.ciphers.policy}")


def _infeasible(solver: Solver, found: Sequence[Choice]) -> Iterator[Alternative]:
    """Cipher lists that the policy allows and that would lose what verifies today, whatever is added."""
    solved = {one.policy for one in found}
    for name, ciphers in solver.chooser.cipher_lists():
        if name not in solved and ciphers is not None:
            lost = endpoints_of(_lost_with(solver, ciphers))
            why = (
                f"would break what verifies today ({lost}), and no addition keeps all of that"
                if lost
                else "would break what works today"
            )
            yield Alternative(f"{REVERSE_PROXY_CIPHERS} set to {name.replace('-', ' ')}", why, f"--ciphers {name}")


def _lost_with(solver: Solver, ciphers: CipherList) -> list[Endpoint]:
    """The endpoints that some peer accepts today and would refuse with `ciphers` and its list as it is."""
    cluster = ClusterJudge(solver.snapshot, solver.answers)
    lost: dict[str, Endpoint] = {}
    for peer in solver.snapshot.peers:
        if peer.error is None:
            trusted = tuple(solver.snapshot.certificates[one] for one in peer.trusted_ca)
            now, then = cluster.view(trusted, peer.ciphers.get(REVERSE_PROXY_CIPHERS)), cluster.view(trusted, ciphers)
            for one in solver.snapshot.endpoints:
                if now.outcome(one).verdict.ok and not then.outcome(one).verdict.ok:
                    lost[one.name] = one
    return list(lost.values())


def _with_any_ciphers(solver: Solver, best: Choice) -> Choice | None:
    if solver.policy.ciphers == "auto":
        return None
    free = solver.chooser.under(replace(solver.policy, ciphers="auto")).choices(removal=solver.policy.allow_removal)[0]
    return free if free.verified > best.verified else None


def _removing(solver: Solver, best: Choice, forecaster: Forecaster) -> Choice | None:
    if solver.policy.allow_removal or not _stale_in_the_way(solver, forecaster):
        return None
    choice = solver.chooser.choices(removal=True)[0]
    return choice if choice.cost[REMOVED] and choice.verified > best.verified else None


def _stale_in_the_way(solver: Solver, forecaster: Forecaster) -> bool:
    """Whether a list holds what cannot be read, or, for a chain that stays refused, what is over or has a rival of its name."""
    observed = [peer.address for peer in solver.snapshot.peers if peer.error is None]
    for peer in forecaster.unlike(observed):
        trusted = frozenset(forecaster.after[peer])
        refused = {
            chain
            for endpoint in solver.snapshot.endpoints
            if not forecaster.outcome(peer, endpoint).verdict.ok
            for chain in forecaster.chains(peer, endpoint)
        }
        if not all(map(readable, trusted)) or any(_holds_stale(solver, trusted, chain) for chain in refused):
            return True
    return False


def _holds_stale(solver: Solver, trusted: frozenset[Certificate], chain: Chain) -> bool:
    relevant = solver.chooser.oracle.relevant(chain)
    names = Counter(slot_of(one) for one in {*relevant, *chain})
    at = solver.snapshot.taken_at
    return any(one in trusted and (names[slot_of(one)] > 1 or (one.not_after or at) <= at) for one in relevant)


def _summary(choice: Choice) -> str:
    cost = choice.cost
    own = cost[ADDED] - cost[ROOTS] - cost[INTERMEDIATES]
    kinds = ((cost[ROOTS], "root"), (cost[INTERMEDIATES], "intermediate"), (own, "self-signed one"))
    wide = ", ".join(count(number, what) for number, what in kinds if number) or "none"
    parts = [
        f"{choice.verified} verified",
        "cipher list changed" if choice.ciphers is not None else "cipher list kept",
        f"{count(cost[ADDED], 'certificate')} added over all peers ({wide})",
    ]
    if cost[UNVOUCHED]:
        parts.append(f"{cost[UNVOUCHED]} to approve")
    if cost[REMOVED]:
        parts.append(f"{cost[REMOVED]} taken out")
    return ", ".join(parts)


def _why(best: Choice, other: Choice) -> str:
    return next(why for why, ours, theirs in zip(_LOST_BY, best.order, other.order, strict=True) if ours != theirs)
