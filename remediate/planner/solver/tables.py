"""What each way to fill the open slots does for one demand, as tables: a gain, nothing, or forbidden. OpenSSL answers every row."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from remediate.model.identity import Address
from remediate.planner.solver.common_name_groups import Slot
from remediate.planner.solver.cost import ZERO, cost_of
from remediate.planner.solver.decomposition import ROWS_PER_TABLE, Class, Decided, Fork, Options, Splitter, TooLargeError, View
from remediate.planner.solver.elimination import Cost, Row, Table, Variable
from remediate.planner.solver.options import PeerList, changed
from remediate.planner.solver.paths import along_paths, together, ways_to_try
from remediate.planner.solver.requirements import Demand
from remediate.planner.solver.trust_oracle import Oracle

MOST_TRIED = 8192
"""How many ways are tried where a demand is too large even when it is split, or may not be."""
_MOST_ALIKE = 64
_MOST_SHARED = 256


@dataclass(frozen=True, slots=True)
class Branch:
    """A variable that only tables know: 1 where the choice takes this branch of a demand's tree, otherwise 0."""

    number: int


@dataclass(frozen=True, slots=True)
class Gain:
    """What a demand is worth at a peer: the cost where it is met, and where it is not; None: that is forbidden."""

    demand: Demand
    met: Cost
    unmet: Cost | None


class DemandTables:
    """Makes the tables of one peer's demands.

    Attributes:
        split: some demand was split.
        bounded: some demand had too many ways to be tried all.
    """

    def __init__(
        self,
        oracle: Oracle,
        peer: Address,
        trusted: PeerList,
        options: Options,
        branches: Iterator[int],
        rows_per_table: int = ROWS_PER_TABLE,
        *,
        splits: bool = True,
        tried: int = MOST_TRIED,
    ) -> None:
        """`branches` numbers the branches of all peers. Without `splits`, a demand gets one table, with some ways only if need be."""
        self._oracle = oracle
        self._peer = peer
        self._trusted = trusted
        self._options = options
        self._branches = branches
        self._splitter = Splitter(oracle, trusted, options, rows_per_table)
        self._splits = splits
        self._tried = tried
        self.split = False
        self.bounded = False

    def of(self, demands: Mapping[Demand, int]) -> Iterator[Table]:
        """Yield the tables of `demands`, each standing for so many endpoints; one without a row where nothing meets one."""
        large: list[tuple[Gain, View]] = []
        for demand, weight in demands.items():
            gain = Gain(demand, cost_of(verified=-weight * self._trusted.count), None if demand.must_hold else ZERO)
            tree = self._splitter.whole(demand) or self._tree(demand)
            if tree is None:
                large.append((gain, self._splitter.view(demand, {})))
            else:
                yield from self._part(gain, tree, None)
        self.bounded |= bool(large)
        shared = self._shared(large)
        yield from (self._some_ways(gain, view, shared) for gain, view in large)

    def _tree(self, demand: Demand) -> Fork | View | None:
        try:
            tree = self._splitter.tree(demand) if self._splits else None
        except TooLargeError:
            return None
        self.split |= isinstance(tree, Fork)
        return tree

    def _part(self, gain: Gain, part: Fork | View, branch: Branch | None) -> Iterator[Table]:
        if isinstance(part, View):
            yield self._table(gain, part, branch)
            return
        settled: dict[Row, Cost] = {}
        for numbers, below in part.arms:
            cost: Cost | None = ZERO
            if isinstance(below, View) and not below.open:
                cost = self._answers(gain, below, [()]).get(())
            else:
                arm = Branch(next(self._branches))
                yield self._link(part.slot, numbers, branch, arm)
                yield from self._part(gain, below, arm)
            settled.update({(number,): cost for number in numbers if cost is not None})
        yield self._counted((part.slot,), settled, branch)

    def _link(self, slot: Slot, numbers: Class, branch: Branch | None, arm: Branch) -> Table:
        """Says when `arm` is taken: where `branch` is and the slot holds one of `numbers`."""
        options, place = range(len(self._options[slot])), (self._peer, slot)
        if branch is None:
            return Table((place, arm), {(number, int(number in numbers)): ZERO for number in options})
        rows = itertools.product((0, 1), options)
        return Table((branch, place, arm), {(on, number, int(on == 1 and number in numbers)): ZERO for on, number in rows})

    def _table(self, gain: Gain, view: View, branch: Branch | None) -> Table:
        """What each way to fill the open slots of `view` does."""
        classes = {tuple(one[0] for one in some): some for some in itertools.product(*view.open.values())}
        costs = self._answers(gain, view, classes)
        alike = {row: cost for first, cost in costs.items() for row in itertools.product(*classes[first])}
        return self._counted(tuple(view.open), alike, branch)

    def _some_ways(self, gain: Gain, view: View, shared: Iterable[Decided]) -> Table:
        """The same for some ways only, those of `shared` among them; all others are forbidden."""
        common = [tuple(some.get(slot, 0) for slot in view.open) for some in shared]
        ways = ways_to_try(common, gain.demand, view, self._oracle, self._trusted, self._options)
        costs = self._answers(gain, view, itertools.islice(ways, max(self._tried, len(common))))
        classes = {slot: {number: one for one in some for number in one} for slot, some in view.open.items()}
        if prod(max(map(len, some.values())) for some in classes.values()) <= _MOST_ALIKE:
            alike = {row: [some[number] for some, number in zip(classes.values(), row, strict=True)] for row in costs}
            costs = {row: cost for first, cost in costs.items() for row in itertools.product(*alike[first])}
        return self._counted(tuple(view.open), costs, None)

    def _shared(self, large: Sequence[tuple[Gain, View]]) -> list[Decided]:
        """Ways that serve several demands at once: each demand adds what it lacks to the way before.

        What is not tried is forbidden, so demands that were tried apart from each other would have no way in common.
        """
        ways: list[Decided] = [{}]
        met = [one for one in large if one[0].demand.must_hold]
        for gain, view in large:
            along = along_paths(gain.demand, view, self._oracle, self._trusted, self._options)
            for row in itertools.islice(along, _MOST_SHARED):
                way = together([ways[-1], {slot: number for slot, number in zip(view.open, row, strict=True) if number}])
                if way is not None and all(self._meets(*one, way) for one in ((gain, view), *met)):
                    ways.append(way)
                    met.append((gain, view))
                    break
        return ways

    def _meets(self, gain: Gain, view: View, way: Decided) -> bool:
        row = tuple(way.get(slot, 0) for slot in view.open)
        return self._answers(gain, view, [row]).get(row) == gain.met

    def _answers(self, gain: Gain, view: View, rows: Iterable[Row]) -> dict[Row, Cost]:
        """The cost of each of `rows`, ways to fill the open slots of `view`, that is not forbidden."""
        held = self._trusted.among(view.seen)
        decided = [self._options[slot][number] for slot, number in view.decided.items()]
        chains, costs = gain.demand.chains, {}
        for row in rows:
            open_ = [self._options[slot][number] for slot, number in zip(view.open, row, strict=True)]
            trusted = changed(held, [*decided, *open_])
            met = bool(chains) and all(self._oracle.accepts(trusted, chain) for chain in chains)
            cost = gain.met if met else gain.unmet
            if cost is not None:
                costs[row] = cost
        return costs

    def _counted(self, slots: tuple[Slot, ...], costs: dict[Row, Cost], branch: Branch | None) -> Table:
        """A table over `slots` that counts where `branch` is taken, and is nothing where it is not; None: it always counts."""
        scope: tuple[Variable, ...] = tuple((self._peer, slot) for slot in slots)
        if branch is None:
            return Table(scope, costs)
        everything = itertools.product(*(range(len(self._options[slot])) for slot in slots))
        taken = {(1, *row): cost for row, cost in costs.items()}
        return Table((branch, *scope), {(0, *row): ZERO for row in everything} | taken)
