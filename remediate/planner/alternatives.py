"""Alternatives: the plans that were not chosen, why they lost, and the option that chooses each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList
from remediate.model.plan import Alternative, Policy
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.text import count
from remediate.planner.advice.phrases import join_endpoints
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.candidates import Candidates, common_name_group
from remediate.planner.solver.solver import Choice, Solver
from remediate.trust.openssl import is_readable
from remediate.trust.verifier import ClusterVerifier, OpenSslAnswers

_MAX_ALTERNATIVES = 3
# Why a choice loses, per place of `Choice.order`, in the words of the contract's *The choice*.
_REJECTIONS = (
    "verifies fewer endpoints",
    "removes certificates from the trusted CA list",
    "trusts more certificates that no trusted source confirms",
    "changes the cipher list without need",
    "adds more certificates",
    "trusts more roots",
    "trusts more intermediates",
    "differs only in the order of fingerprints",
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The cluster, the policy of the plan, and a solver that answers for other policies too; OpenSSL's answers are shared."""

    snapshot: Snapshot
    policy: Policy
    candidates: Candidates
    solver: Solver
    answers: OpenSslAnswers


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Better plans that the policy rules out, for the advice on the endpoints that they would fix.

    Attributes:
        removing: The best plan that may remove certificates; None where it verifies no more, or is allowed.
        ciphers: The best plan under any cipher policy; None likewise.
    """

    removing: Choice | None
    ciphers: Choice | None


def find_ruled_out(comparison: Comparison, best: Choice, forecaster: Forecaster, *, may_remove: bool) -> RuledOut:
    """Return the plans that verify more than `best` and that the policy rules out.

    Args:
        comparison: The cluster and its solver.
        best: The choice of the plan.
        forecaster: The cluster as `best` will leave it.
        may_remove: Nothing speaks against removals but the policy.
    """
    removing = _find_with_removal(comparison, best, forecaster) if may_remove else None
    return RuledOut(removing, _find_with_any_ciphers(comparison, best))


def list_alternatives(comparison: Comparison, choices: Sequence[Choice], ruled_out: RuledOut) -> tuple[Alternative, ...]:
    """Return up to three plans that lost against the first of `choices`."""
    best = choices[0]
    rejected = [
        *(
            Alternative(_summarise(choice), _explain_rejection(best, choice), f"--ciphers {choice.policy}")
            for choice in choices[1:]
            # A cipher change that alters nothing else is no alternative worth a line.
            if (choice.cost, choice.fingerprints) != (best.cost, best.fingerprints)
        ),
        *_list_ruled_out(comparison, ruled_out),
        *_list_infeasible(comparison, choices),
    ]
    return tuple(rejected[:_MAX_ALTERNATIVES])


def _list_ruled_out(comparison: Comparison, ruled_out: RuledOut) -> Iterator[Alternative]:
    if ruled_out.removing is not None:
        yield Alternative(
            _summarise(ruled_out.removing), "removes certificates, which needs --allow-removal", "--allow-removal"
        )
    if ruled_out.ciphers is not None:
        why = f"needs another cipher policy than --ciphers {comparison.policy.ciphers}"
        yield Alternative(_summarise(ruled_out.ciphers), why, f"--ciphers {ruled_out.ciphers.policy}")


def _list_infeasible(comparison: Comparison, choices: Sequence[Choice]) -> Iterator[Alternative]:
    """Yield the cipher lists that the policy allows and that would lose what verifies today, whatever is added."""
    solved = {choice.policy for choice in choices}
    for name, ciphers in comparison.solver.list_cipher_lists():
        if name not in solved and ciphers is not None:
            lost_endpoints = join_endpoints(_find_lost(comparison, ciphers))
            why = (
                f"would break endpoints that verify today ({lost_endpoints}), and no addition prevents that"
                if lost_endpoints
                else "would break an endpoint that works today"
            )
            yield Alternative(f"{REVERSE_PROXY_CIPHERS} set to {name.replace('-', ' ')}", why, f"--ciphers {name}")


def _find_lost(comparison: Comparison, ciphers: CipherList) -> list[Endpoint]:
    """Return the endpoints that some peer accepts today and would refuse with `ciphers` and its present list."""
    cluster = ClusterVerifier(comparison.snapshot, comparison.answers)
    by_name: dict[str, Endpoint] = {}
    for peer in comparison.snapshot.peers:
        if peer.error is None:
            now = cluster.verifier_at(peer)
            then = cluster.verifier_with(comparison.snapshot.resolve(peer.trusted_ca), ciphers)
            for endpoint in comparison.snapshot.endpoints:
                if now.verify(endpoint).ok and not then.verify(endpoint).ok:
                    by_name[endpoint.name] = endpoint
    return list(by_name.values())


def _find_with_any_ciphers(comparison: Comparison, best: Choice) -> Choice | None:
    if comparison.policy.ciphers == "auto":
        return None
    solver = comparison.solver.under(replace(comparison.policy, ciphers="auto"))
    choice = solver.solve(removal=comparison.policy.allow_removal)[0]
    return choice if choice.verified > best.verified else None


def _find_with_removal(comparison: Comparison, best: Choice, forecaster: Forecaster) -> Choice | None:
    if comparison.policy.allow_removal or not _has_stale_obstacle(comparison, forecaster):
        return None
    choice = comparison.solver.solve(removal=True)[0]
    return choice if choice.cost.removed and choice.verified > best.verified else None


def _has_stale_obstacle(comparison: Comparison, forecaster: Forecaster) -> bool:
    """Return whether a list holds an unreadable certificate or, for a chain that stays refused, an expired or ambiguous one."""
    observed = [peer.address for peer in comparison.snapshot.peers if peer.error is None]
    for peer in forecaster.distinct_peers(observed):
        trusted = frozenset(forecaster.after[peer])
        refused = {
            chain
            for endpoint in comparison.snapshot.endpoints
            if not forecaster.verify(peer, endpoint).ok
            for chain in forecaster.chains(peer, endpoint)
        }
        if not all(map(is_readable, trusted)) or any(_holds_stale(comparison, trusted, chain) for chain in refused):
            return True
    return False


def _holds_stale(comparison: Comparison, trusted: frozenset[Certificate], chain: Chain) -> bool:
    relevant = comparison.solver.oracle.relevant(chain)
    groups = Counter(common_name_group(certificate) for certificate in {*relevant, *chain})
    at = comparison.snapshot.taken_at
    return any(
        certificate in trusted and (groups[common_name_group(certificate)] > 1 or (certificate.not_after or at) <= at)
        for certificate in relevant
    )


def _summarise(choice: Choice) -> str:
    cost = choice.cost
    own = cost.added - cost.roots - cost.intermediates
    kinds = (
        (cost.roots, count(cost.roots, "root")),
        (cost.intermediates, count(cost.intermediates, "intermediate")),
        (own, count(own, "self-signed one")),
    )
    added = ", ".join(kind for number, kind in kinds if number) or "none"
    parts = [
        f"{choice.verified} verified",
        "cipher list changed" if choice.ciphers is not None else "cipher list kept",
        f"{count(cost.added, 'certificate')} added over all peers ({added})",
    ]
    if cost.unvouched:
        parts.append(f"{cost.unvouched} to approve")
    if cost.removed:
        parts.append(f"{cost.removed} removed")
    return ", ".join(parts)


def _explain_rejection(best: Choice, rejected: Choice) -> str:
    fields = zip(_REJECTIONS, best.order, rejected.order, strict=True)
    return next(reason for reason, better, worse in fields if better != worse)
