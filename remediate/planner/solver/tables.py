"""Tables of requirements: what each way to fill the open groups does for one requirement. A gain, nothing, or forbidden.

OpenSSL answers every row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from remediate.model.identity import Address
from remediate.planner.solver.candidates import CommonNameGroup
from remediate.planner.solver.cost import ZERO, Cost
from remediate.planner.solver.decomposition import (
    ROWS_PER_TABLE,
    Decisions,
    Fork,
    OptionClass,
    Options,
    Splitter,
    TooLargeError,
    View,
)
from remediate.planner.solver.elimination import Row, Table, Variable
from remediate.planner.solver.options import PeerList, apply_options
from remediate.planner.solver.paths import merge, rows_along_paths, rows_to_try
from remediate.planner.solver.requirements import Requirement
from remediate.planner.solver.trust_oracle import TrustOracle

MAX_ROWS_TRIED = 8192
"""How many rows are tried where a requirement is too large even when it is split, or may not be."""
_MAX_ALIKE = 64
_MAX_SHARED_PATHS = 256


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How far exactness goes before rows are left out.

    Attributes:
        splits: A requirement may become a tree of tables. Without, it gets one table, with some of its rows only if need be.
        rows_per_table: How many rows one table may hold before it is split.
        rows_tried: How many rows are tried where there are too many.
    """

    splits: bool = True
    rows_per_table: int = ROWS_PER_TABLE
    rows_tried: int = MAX_ROWS_TRIED


@dataclass(frozen=True, slots=True)
class Branch:
    """A variable that only tables know: 1 where the choice takes this branch of a requirement's tree, otherwise 0."""

    number: int


@dataclass(frozen=True, slots=True)
class Gain:
    """The worth of a requirement at a peer: its cost where it is met, and where it is not; None: that is forbidden."""

    requirement: Requirement
    met: Cost
    unmet: Cost | None


class RequirementTables:
    """Makes the tables of one peer's requirements.

    Attributes:
        split: Some requirement was split.
        bounded: Some requirement had too many rows to be tried all.
    """

    def __init__(
        self,
        oracle: TrustOracle,
        peer: Address,
        trusted: PeerList,
        options: Options,
        branch_numbers: Iterator[int],
        limits: SearchLimits = SearchLimits(),
    ) -> None:
        """Prepare the tables of `peer`; `branch_numbers` is shared by all peers, so that no two branches are the same variable."""
        self._oracle = oracle
        self._peer = peer
        self._trusted = trusted
        self._options = options
        self._branch_numbers = branch_numbers
        self._splitter = Splitter(oracle, trusted, options, limits.rows_per_table)
        self._limits = limits
        self.split = False
        self.bounded = False

    def of(self, requirements: Mapping[Requirement, int]) -> Iterator[Table]:
        """Yield the tables of `requirements`, each standing for so many endpoints; a table without a row where nothing meets one."""
        large: list[tuple[Gain, View]] = []
        for requirement, weight in requirements.items():
            met = Cost(verified=-weight * self._trusted.count)
            gain = Gain(requirement, met, None if requirement.must_hold else ZERO)
            tree = self._splitter.whole(requirement) or self._tree(requirement)
            if tree is None:
                large.append((gain, self._splitter.view(requirement, {})))
            else:
                yield from self._part(gain, tree, None)
        self.bounded |= bool(large)
        shared = self._find_shared(large)
        yield from (self._table_of_some_rows(gain, view, shared) for gain, view in large)

    def _tree(self, requirement: Requirement) -> Fork | View | None:
        try:
            tree = self._splitter.tree(requirement) if self._limits.splits else None
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
                cost = self._costs(gain, below, [()]).get(())
            else:
                arm = Branch(next(self._branch_numbers))
                yield self._link(part.group, numbers, branch, arm)
                yield from self._part(gain, below, arm)
            settled.update({(number,): cost for number in numbers if cost is not None})
        yield self._counted((part.group,), settled, branch)

    def _link(self, group: CommonNameGroup, numbers: OptionClass, branch: Branch | None, arm: Branch) -> Table:
        """Return the table that ties `arm` to `branch`: it is taken where `branch` is and the group holds one of `numbers`."""
        options, place = range(len(self._options[group])), (self._peer, group)
        if branch is None:
            return Table((place, arm), {(number, int(number in numbers)): ZERO for number in options})
        rows = itertools.product((0, 1), options)
        return Table((branch, place, arm), {(on, number, int(on == 1 and number in numbers)): ZERO for on, number in rows})

    def _table(self, gain: Gain, view: View, branch: Branch | None) -> Table:
        """Return what each way to fill the open groups of `view` does."""
        combinations = itertools.product(*view.open.values())
        classes_by_row = {tuple(numbers[0] for numbers in classes): classes for classes in combinations}
        costs = self._costs(gain, view, classes_by_row)
        alike = {row: cost for first, cost in costs.items() for row in itertools.product(*classes_by_row[first])}
        return self._counted(tuple(view.open), alike, branch)

    def _table_of_some_rows(self, gain: Gain, view: View, shared: Iterable[Decisions]) -> Table:
        """Return the same for some rows only, those of `shared` among them; all others are forbidden."""
        common = [tuple(decisions.get(group, 0) for group in view.open) for decisions in shared]
        rows = rows_to_try(common, gain.requirement, view, self._oracle, self._trusted, self._options)
        costs = self._costs(gain, view, itertools.islice(rows, max(self._limits.rows_tried, len(common))))
        class_of = [{number: numbers for numbers in classes for number in numbers} for classes in view.open.values()]
        if prod(max(map(len, classes.values())) for classes in class_of) <= _MAX_ALIKE:
            alike = {row: [classes[number] for classes, number in zip(class_of, row, strict=True)] for row in costs}
            costs = {row: cost for first, cost in costs.items() for row in itertools.product(*alike[first])}
        return self._counted(tuple(view.open), costs, None)

    def _find_shared(self, large: Sequence[tuple[Gain, View]]) -> list[Decisions]:
        """Return decisions that serve several requirements at once: each requirement adds what it lacks to the ones before.

        What is not tried is forbidden, so requirements that were tried apart from each other would have no row in common.
        """
        shared: list[Decisions] = [{}]
        met = [(gain, view) for gain, view in large if gain.requirement.must_hold]
        for gain, view in large:
            along = rows_along_paths(gain.requirement, view, self._oracle, self._trusted, self._options)
            for row in itertools.islice(along, _MAX_SHARED_PATHS):
                own = {group: number for group, number in zip(view.open, row, strict=True) if number}
                decisions = merge([shared[-1], own])
                if decisions is not None and all(self._meets(*pair, decisions) for pair in ((gain, view), *met)):
                    shared.append(decisions)
                    met.append((gain, view))
                    break
        return shared

    def _meets(self, gain: Gain, view: View, decisions: Decisions) -> bool:
        row = tuple(decisions.get(group, 0) for group in view.open)
        return self._costs(gain, view, [row]).get(row) == gain.met

    def _costs(self, gain: Gain, view: View, rows: Iterable[Row]) -> dict[Row, Cost]:
        """Return the cost of each of `rows`, ways to fill the open groups of `view`, that is not forbidden."""
        held = self._trusted.among(view.relevant)
        decided = [self._options[group][number] for group, number in view.decided.items()]
        chains = gain.requirement.chains
        costs: dict[Row, Cost] = {}
        for row in rows:
            options = [self._options[group][number] for group, number in zip(view.open, row, strict=True)]
            trusted = apply_options(held, [*decided, *options])
            is_met = bool(chains) and all(self._oracle.accepts(trusted, chain) for chain in chains)
            cost = gain.met if is_met else gain.unmet
            if cost is not None:
                costs[row] = cost
        return costs

    def _counted(self, groups: tuple[CommonNameGroup, ...], costs: Mapping[Row, Cost], branch: Branch | None) -> Table:
        """Return a table over `groups` that counts where `branch` is taken, and is nothing where it is not; None: it always counts."""
        scope: tuple[Variable, ...] = tuple((self._peer, group) for group in groups)
        if branch is None:
            return Table(scope, costs)
        rows = itertools.product(*(range(len(self._options[group])) for group in groups))
        untaken: dict[Row, tuple[int, ...]] = {(0, *row): ZERO for row in rows}
        return Table((branch, *scope), untaken | {(1, *row): cost for row, cost in costs.items()})
