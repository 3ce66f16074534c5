"""Decomposition: one requirement as one small table where few groups matter, otherwise as a tree of tables.

Which groups matter to a chain depends on what fills the others: with this copy of the issuing CA its root matters, with that copy
another root. Where all combinations are too many, the group nearest to the leaf is decided first, and under each of its options only
what can be reached *then* is looked at. Added up, the tables of such a tree give for every combination exactly what one table over
all groups would: the tables off the path that a combination takes cost nothing and forbid nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from remediate.model.certificate import Certificate
from remediate.planner.solver.candidates import CommonNameGroup, common_name_group
from remediate.planner.solver.options import Option, PeerList
from remediate.planner.solver.requirements import Requirement
from remediate.planner.solver.trust_oracle import TrustOracle

ROWS_PER_TABLE = 1024
"""How many ways to fill its groups one table may hold before it is split."""
ROWS_PER_REQUIREMENT = 65_536
"""How large all tables of one requirement may be together. Beyond, only some ways are tried (`Problem.bounded`)."""
_ROWS_PER_QUESTION = 8
"""What a question to OpenSSL counts as."""
_ROWS_WIDE = 8192
"""How many rows a table may have where many of them are the same to the requirement, and asked only once."""

Options = Mapping[CommonNameGroup, tuple[Option, ...]]
Decisions = Mapping[CommonNameGroup, int]
"""The number of the option that is chosen in each group."""
OptionClass = tuple[int, ...]
"""Options of one group, by number, that are the same to a requirement."""


@dataclass(frozen=True)
class View:
    """What still matters to a requirement once some groups are decided.

    Attributes:
        decided: The option of each group that is decided.
        relevant: The certificates that can change the verdict.
        open: The groups that are not decided, the nearest to the leaf first, with their options as classes.
    """

    decided: Decisions
    relevant: frozenset[Certificate]
    open: Mapping[CommonNameGroup, tuple[OptionClass, ...]]

    @property
    def questions(self) -> int:
        """How many ways to fill the open groups differ to the requirement."""
        return prod(len(classes) for classes in self.open.values())

    @property
    def rows(self) -> int:
        """How many ways there are to fill them."""
        return prod(sum(map(len, classes)) for classes in self.open.values())

    def fits(self, rows_per_table: int) -> bool:
        """Return whether one table may hold it all."""
        return self.questions <= rows_per_table and self.rows <= max(rows_per_table, _ROWS_WIDE)


@dataclass(frozen=True)
class Fork:
    """A group that is decided before the groups that depend on it.

    Attributes:
        arms: Per class of its options, what remains to be decided then.
    """

    group: CommonNameGroup
    arms: tuple[tuple[OptionClass, Fork | View], ...]


class TooLargeError(Exception):
    """The tree of a requirement would have more rows than `ROWS_PER_REQUIREMENT`."""


class Splitter:
    """Splits the requirements of one peer."""

    def __init__(self, oracle: TrustOracle, trusted: PeerList, options: Options, rows_per_table: int = ROWS_PER_TABLE) -> None:
        self._rows_per_table = rows_per_table
        self._oracle = oracle
        self._trusted = trusted
        self._options = options
        self._addable = frozenset(option.add for alternatives in options.values() for option in alternatives if option.add)

    def whole(self, requirement: Requirement) -> View | None:
        """Return everything that can matter to `requirement`, nothing decided; None where one table may not hold it."""
        relevant = frozenset(certificate for chain in requirement.chains for certificate in self._oracle.relevant(chain))
        relevant |= self._trusted.unreadable
        groups = sorted({common_name_group(certificate) for certificate in relevant})
        view = View({}, relevant, self._classes_of(groups, relevant))
        return view if view.fits(self._rows_per_table) else None

    def tree(self, requirement: Requirement) -> Fork | View:
        """Return `requirement` split until every part is small.

        Raises:
            TooLargeError: The parts have too many rows together.
        """
        budget = _RowBudget(ROWS_PER_REQUIREMENT)
        return self._split(requirement, self.view(requirement, {}), budget)

    def view(self, requirement: Requirement, decided: Decisions) -> View:
        """Return what can still matter to `requirement` once `decided` is."""
        unreadable = self._trusted.unreadable
        near = self._oracle.reachable(requirement.chains, lambda certificate: self._may_be_listed(certificate, decided))
        relevant = frozenset(near) | unreadable
        # An unreadable certificate is the nearest of all: while it is there, nothing else matters.
        groups = dict.fromkeys(common_name_group(certificate) for certificate in (*unreadable, *near))
        is_lost = any(decided.get(common_name_group(certificate)) == 0 for certificate in unreadable)
        undecided = [] if is_lost else [group for group in groups if group not in decided]
        return View(decided, relevant, self._classes_of(undecided, relevant))

    def _split(self, requirement: Requirement, view: View, budget: _RowBudget) -> Fork | View:
        if view.fits(self._rows_per_table):
            budget.spend(view.rows + view.questions * _ROWS_PER_QUESTION)
            return view
        group, classes = next(iter(view.open.items()))
        budget.spend(len(classes) * len(self._options[group]))
        arms: list[tuple[OptionClass, Fork | View]] = []
        for numbers in classes:
            below = self.view(requirement, {**view.decided, group: numbers[0]})
            arms.append((numbers, self._split(requirement, below, budget)))
        return Fork(group, tuple(arms))

    def _classes_of(
        self, groups: list[CommonNameGroup], relevant: frozenset[Certificate]
    ) -> dict[CommonNameGroup, tuple[OptionClass, ...]]:
        by_group = {group: self._classes(group, relevant) for group in groups if group in self._options}
        return {group: classes for group, classes in by_group.items() if len(classes) > 1}

    def _classes(self, group: CommonNameGroup, relevant: frozenset[Certificate]) -> tuple[OptionClass, ...]:
        by_effect: dict[Option, list[int]] = {}
        for number, option in enumerate(self._options[group]):
            by_effect.setdefault(option.within(relevant), []).append(number)
        return tuple(map(tuple, by_effect.values()))

    def _may_be_listed(self, certificate: Certificate, decided: Decisions) -> bool:
        number = decided.get(common_name_group(certificate))
        if number is None:
            return certificate in self._trusted.order or certificate in self._addable
        option = self._options[common_name_group(certificate)][number]
        return certificate == option.add or (certificate in self._trusted.order and certificate not in option.remove)


class _RowBudget:
    def __init__(self, rows: int) -> None:
        self._remaining = rows

    def spend(self, rows: int) -> None:
        self._remaining -= rows
        if self._remaining < 0:
            raise TooLargeError
