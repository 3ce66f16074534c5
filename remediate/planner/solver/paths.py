"""Which ways to try where all of them are too many: complete paths of issuers first, then the ways with the fewest changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from remediate.model.certificate import Certificate
from remediate.planner.solver.common_name_groups import slot_of
from remediate.planner.solver.decomposition import Decided, Options, View
from remediate.planner.solver.elimination import Row
from remediate.planner.solver.options import PeerList
from remediate.planner.solver.requirements import Demand
from remediate.planner.solver.trust_oracle import Oracle
from remediate.trust.verify import Chain

_MOST_PATHS_PER_CHAIN = 1024


def ways_to_try(
    first: Sequence[Row], demand: Demand, view: View, oracle: Oracle, trusted: PeerList, options: Options
) -> Iterator[Row]:
    """Yield ways to fill the open slots of `view`, each once: `first`, then those that lead to a root, then small ones."""
    few = _fewest_changes_first([[some[0] for some in classes] for classes in view.open.values()])
    tried: set[Row] = set()
    for row in itertools.chain(first, along_paths(demand, view, oracle, trusted, options), few):
        if row not in tried:
            tried.add(row)
            yield row


def along_paths(demand: Demand, view: View, oracle: Oracle, trusted: PeerList, options: Options) -> Iterator[Row]:
    """Yield ways to fill the open slots of `view` that complete a path from each leaf to a root, the short ones first."""
    numbers = {option.add: number for some in options.values() for number, option in enumerate(some) if option.add}
    # What cannot be read goes first of all: with it in the list nothing else is of use.
    base = {slot_of(one): 1 for one in trusted.unreadable if len(options.get(slot_of(one), ())) > 1}
    per_chain: list[list[Decided]] = []
    for chain in demand.chains:
        paths = oracle.paths(chain, view.seen.__contains__)
        ways = (_way(path, chain, trusted, numbers) for path in paths)
        per_chain.append(list(itertools.islice((way for way in ways if way is not None), _MOST_PATHS_PER_CHAIN)))
    for some in itertools.product([base], *per_chain):
        way = together(some)
        if way is not None:
            yield tuple(way.get(slot, 0) for slot in view.open)


def _way(path: Chain, chain: Chain, trusted: PeerList, numbers: Mapping[Certificate, int]) -> Decided | None:
    """The additions that complete `path`: what the list lacks and the node does not send, and its end in any case."""
    missing = [one for one in path if one not in trusted.order and (one is path[-1] or one not in chain)]
    if any(one not in numbers for one in missing):
        return None
    return together([{slot_of(one): numbers[one]} for one in missing])


def together(some: Sequence[Decided]) -> Decided | None:
    """All of `some`; None where they want different things of one slot."""
    found: dict[str, int] = {}
    for slot, number in (item for one in some for item in one.items()):
        if found.setdefault(slot, number) != number:
            return None
    return found


def _fewest_changes_first(numbers: Sequence[Sequence[int]]) -> Iterator[Row]:
    """Rows over `numbers` (0 first in each), those with the fewest places other than 0 first."""
    for changes in range(len(numbers) + 1):
        for places in itertools.combinations(range(len(numbers)), changes):
            filled = [numbers[place][1:] if place in places else (0,) for place in range(len(numbers))]
            yield from itertools.product(*filled)
