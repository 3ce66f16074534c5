"""Why trust that would mend an endpoint is not planned: a common name, or another endpoint that it would break."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from remediate.model.snapshot import Endpoint
from remediate.planner.advice.refusal import Refusal
from remediate.planner.solver.candidates import Candidates, common_name_group
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import Chain

_MOST_CERTIFICATES_TO_ADD = 3
_MOST_WAYS = 500


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps `wanted`, which would mend an endpoint, out of the list.

    Attributes:
        in_the_way: certificates of the list, after the plan, with a common name of `wanted`.
        namesakes: two of `wanted` have one common name.
        victims: endpoints that would be refused with `wanted` in the list.
    """

    wanted: Chain
    in_the_way: Chain = ()
    namesakes: bool = False
    victims: tuple[Endpoint, ...] = ()


def obstacle_of(refusal: Refusal, known: Candidates, oracle: TrustOracle) -> Obstacle | None:
    """Return what keeps the smallest addition out that would mend `refusal`; None where nothing known would mend it."""
    for wanted in itertools.islice(_ways(refusal, known, oracle), _MOST_WAYS):
        slots = {common_name_group(one) for one in wanted}
        in_the_way = tuple(certificate for certificate in refusal.trusted if common_name_group(certificate) in slots)
        rest = [certificate for certificate in refusal.trusted if certificate not in in_the_way]
        if not oracle.accepts([*rest, *wanted], refusal.presented):
            continue
        if in_the_way or len(slots) < len(wanted):
            return Obstacle(wanted, in_the_way, namesakes=len(slots) < len(wanted))
        victims = refusal.others.broken_by(wanted)
        if victims:
            return Obstacle(wanted, victims=victims)
    return None


def _ways(refusal: Refusal, known: Candidates, oracle: TrustOracle) -> Iterable[Chain]:
    """Sets of certificates that could be added, the smallest first."""
    relevant = oracle.relevant(refusal.presented)
    usable = [
        certificate for certificate in known.certificates if certificate in relevant and certificate not in refusal.trusted
    ]
    sizes = range(1, min(len(usable), _MOST_CERTIFICATES_TO_ADD) + 1)
    return itertools.chain.from_iterable(itertools.combinations(usable, size) for size in sizes)
