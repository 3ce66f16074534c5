"""Paths: which ways to try where all of them are too many. Complete paths of issuers first, then the ways with the fewest changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from remediate.model.certificate import Certificate
from remediate.planner.solver.candidates import CommonNameGroup, common_name_group
from remediate.planner.solver.decomposition import Decisions, Options, View
from remediate.planner.solver.elimination import Row
from remediate.planner.solver.options import PeerList
from remediate.planner.solver.requirements import Requirement
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import Chain

_MAX_PATHS_PER_CHAIN = 1024


def rows_to_try(
    first: Sequence[Row], requirement: Requirement, view: View, oracle: TrustOracle, trusted: PeerList, options: Options
) -> Iterator[Row]:
    """Yield rows for the open groups of `view`, each once: `first`, then those that lead to a root, then small ones."""
    smallest = _fewest_changes_first([[numbers[0] for numbers in classes] for classes in view.open.values()])
    tried_rows: set[Row] = set()
    for row in itertools.chain(first, rows_along_paths(requirement, view, oracle, trusted, options), smallest):
        if row not in tried_rows:
            tried_rows.add(row)
            yield row


def rows_along_paths(
    requirement: Requirement, view: View, oracle: TrustOracle, trusted: PeerList, options: Options
) -> Iterator[Row]:
    """Yield rows for the open groups of `view` that complete a path from each leaf to a root, the short ones first."""
    numbers = {
        option.add: number for alternatives in options.values() for number, option in enumerate(alternatives) if option.add
    }
    # What cannot be read goes first of all: with it in the list nothing else helps.
    unreadable_groups = (common_name_group(certificate) for certificate in trusted.unreadable)
    base: Decisions = {group: 1 for group in unreadable_groups if len(options.get(group, ())) > 1}
    per_chain: list[list[Decisions]] = []
    for chain in requirement.chains:
        paths = oracle.paths(chain, view.relevant.__contains__)
        completions = (_complete(path, chain, trusted, numbers) for path in paths)
        possible = (decisions for decisions in completions if decisions is not None)
        per_chain.append(list(itertools.islice(possible, _MAX_PATHS_PER_CHAIN)))
    for combination in itertools.product([base], *per_chain):
        decisions = merge(combination)
        if decisions is not None:
            yield tuple(decisions.get(group, 0) for group in view.open)


def _complete(path: Chain, chain: Chain, trusted: PeerList, numbers: Mapping[Certificate, int]) -> Decisions | None:
    """Return the additions that complete `path`: what the list lacks and the node does not send, and its end in any case."""
    missing = [
        certificate
        for certificate in path
        if certificate not in trusted.order and (certificate is path[-1] or certificate not in chain)
    ]
    if any(certificate not in numbers for certificate in missing):
        return None
    return merge([{common_name_group(certificate): numbers[certificate]} for certificate in missing])


def merge(parts: Sequence[Decisions]) -> Decisions | None:
    """Return all of `parts` together; None where two of them decide one group differently."""
    merged: dict[CommonNameGroup, int] = {}
    for part in parts:
        for group, number in part.items():
            if merged.setdefault(group, number) != number:
                return None
    return merged


def _fewest_changes_first(numbers: Sequence[Sequence[int]]) -> Iterator[Row]:
    """Yield rows over `numbers` (0 first in each), those with the fewest places other than 0 first."""
    for changes in range(len(numbers) + 1):
        for places in itertools.combinations(range(len(numbers)), changes):
            filled = [numbers[place][1:] if place in places else (0,) for place in range(len(numbers))]
            yield from itertools.product(*filled)
