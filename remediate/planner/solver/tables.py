"""Tables of requirements: what each way to fill the groups that matter does for one requirement. A gain, nothing, or forbidden.

OpenSSL answers every row.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from remediate.model.certificate import Certificate
from remediate.planner.solver.candidates import CommonNameGroup, common_name_group
from remediate.planner.solver.cost import ZERO, Cost
from remediate.planner.solver.elimination import Row, Table
from remediate.planner.solver.options import Option, PeerList, apply_options
from remediate.planner.solver.requirements import PeerRequirement, Requirement
from remediate.planner.solver.trust_oracle import TrustOracle

Options = Mapping[CommonNameGroup, tuple[Option, ...]]
OptionClass = tuple[int, ...]
"""Options of one group, by number, that are the same to a requirement."""

_MAX_ROWS = 8192


@dataclass(frozen=True)
class View:
    """What matters to a requirement.

    Attributes:
        relevant: The certificates that can change the verdict.
        groups: The groups whose options differ to the requirement, with their options as classes.
    """

    relevant: frozenset[Certificate]
    groups: Mapping[CommonNameGroup, tuple[OptionClass, ...]]

    @property
    def questions(self) -> int:
        """How many ways to fill the groups differ to the requirement."""
        return prod(len(classes) for classes in self.groups.values())

    @property
    def is_small(self) -> bool:
        """Whether a table may hold every way to fill the groups."""
        return prod(sum(map(len, classes)) for classes in self.groups.values()) <= _MAX_ROWS


class RequirementTables:
    """Makes the tables of one peer's requirements."""

    def __init__(self, oracle: TrustOracle, trusted: PeerList, options: Options) -> None:
        self._oracle = oracle
        self._trusted = trusted
        self._options = options

    def view(self, requirement: Requirement) -> View:
        """Return everything that can matter to `requirement`."""
        relevant = frozenset(certificate for chain in requirement.chains for certificate in self._oracle.relevant(chain))
        relevant |= self._trusted.unreadable
        groups = sorted({common_name_group(certificate) for certificate in relevant})
        classes = {group: self._group_alike(group, relevant) for group in groups if group in self._options}
        return View(relevant, {group: alike for group, alike in classes.items() if len(alike) > 1})

    def table(self, requirement: PeerRequirement, view: View) -> Table:
        """Return what each way to fill the groups of `view` does; without a row where every way is forbidden."""
        combinations = itertools.product(*view.groups.values())
        classes_by_row = {tuple(numbers[0] for numbers in classes): classes for classes in combinations}
        costs = self._find_costs(requirement, view, tuple(classes_by_row))
        alike = {row: cost for first, cost in costs.items() for row in itertools.product(*classes_by_row[first])}
        return Table(tuple((requirement.peer, group) for group in view.groups), alike)

    def _group_alike(self, group: CommonNameGroup, relevant: frozenset[Certificate]) -> tuple[OptionClass, ...]:
        by_effect: dict[Option, list[int]] = {}
        for number, option in enumerate(self._options[group]):
            by_effect.setdefault(option.within(relevant), []).append(number)
        return tuple(map(tuple, by_effect.values()))

    def _find_costs(self, requirement: PeerRequirement, view: View, rows: Sequence[Row]) -> dict[Row, Cost]:
        """Return the cost of each of `rows` that is not forbidden."""
        listed = self._trusted.among(view.relevant)
        chains, met = requirement.chains, Cost(verified=-requirement.pairs)
        costs: dict[Row, Cost] = {}
        for row in rows:
            options = [self._options[group][number] for group, number in zip(view.groups, row, strict=True)]
            trusted = apply_options(listed, options)
            if chains and all(self._oracle.accepts(trusted, chain) for chain in chains):
                costs[row] = met
            elif not requirement.must_hold:
                costs[row] = ZERO
        return costs
