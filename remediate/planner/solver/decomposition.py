"""One demand as tables: one small table where few slots matter, otherwise a tree of them that branches where the chain does.

Which slots matter to a chain depends on what fills the others: with this copy of the issuing CA its root matters, with that copy
another one. So where all combinations are too many, the slot nearest to the leaf is decided first, and under each of its options
only what can be reached *then* is looked at. Added up, the tables of such a tree say for every combination exactly what one table
over all slots would: those off the path that a combination takes cost nothing and forbid nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from remediate.model.certificate import Certificate
from remediate.planner.solver.common_name_groups import Slot, slot_of
from remediate.planner.solver.options import Option, PeerList
from remediate.planner.solver.requirements import Demand
from remediate.planner.solver.trust_oracle import Oracle

ROWS_PER_TABLE = 1024
"""How many ways to fill its slots one table may hold before it is split."""
ROWS_PER_DEMAND = 65_536
"""How large all tables of one demand may be together. Beyond, only some ways are tried (`Problem.bounded`)."""
_ROWS_PER_ASK = 8
"""What a question to OpenSSL counts as."""
_ROWS_WIDE = 8192
"""How many rows a table may have where many of them are the same to the demand, and asked only once."""

Options = Mapping[Slot, tuple[Option, ...]]
Decided = Mapping[Slot, int]
Class = tuple[int, ...]
"""Options of one slot, by number, that are the same to a demand."""


@dataclass(frozen=True)
class View:
    """What still matters to a demand once some slots are decided.

    Attributes:
        decided: the number of the option of each slot that is.
        seen: the certificates that can have a say.
        open: the slots in which that is not settled, the nearest to the leaf first, with their options as classes.
    """

    decided: Decided
    seen: frozenset[Certificate]
    open: Mapping[Slot, tuple[Class, ...]]

    @property
    def asks(self) -> int:
        """How many ways to fill the open slots differ to the demand."""
        return prod(len(classes) for classes in self.open.values())

    @property
    def rows(self) -> int:
        """How many ways there are to fill them."""
        return prod(sum(map(len, classes)) for classes in self.open.values())

    def fits(self, rows_per_table: int) -> bool:
        """Whether one table may hold it all."""
        return self.asks <= rows_per_table and self.rows <= max(rows_per_table, _ROWS_WIDE)


@dataclass(frozen=True)
class Fork:
    """A slot that is decided before what hangs on it.

    Attributes:
        slot: which one.
        arms: per class of its options, what is left to see then.
    """

    slot: Slot
    arms: tuple[tuple[Class, Fork | View], ...]


class TooLargeError(Exception):
    """The tree of a demand would have more rows than `ROWS_PER_DEMAND`."""


class Splitter:
    """Splits the demands of one peer."""

    def __init__(self, oracle: Oracle, trusted: PeerList, options: Options, rows_per_table: int = ROWS_PER_TABLE) -> None:
        self._rows_per_table = rows_per_table
        self._oracle = oracle
        self._trusted = trusted
        self._options = options
        self._may_come = frozenset(option.add for some in options.values() for option in some if option.add)

    def whole(self, demand: Demand) -> View | None:
        """Return everything that can matter to `demand`, nothing decided; None where one table may not hold it."""
        relevant = frozenset(one for chain in demand.chains for one in self._oracle.relevant(chain))
        seen = relevant | self._trusted.unreadable
        view = View({}, seen, self._open(sorted({slot_of(one) for one in seen}), seen))
        return view if view.fits(self._rows_per_table) else None

    def tree(self, demand: Demand) -> Fork | View:
        """Return `demand` split until every part is small. Raises TooLargeError."""
        budget = _Budget(ROWS_PER_DEMAND)
        return self._part(demand, self.view(demand, {}), budget)

    def view(self, demand: Demand, decided: Decided) -> View:
        """Return what can still matter to `demand` with these slots decided."""
        unreadable = self._trusted.unreadable
        near = self._oracle.reachable(demand.chains, lambda one: self._can_be_there(one, decided))
        seen = frozenset(near) | unreadable
        # One that cannot be read is the nearest of all: while it is there, nothing else matters.
        slots = dict.fromkeys(slot_of(one) for one in (*unreadable, *near))
        lost = any(decided.get(slot_of(one)) == 0 for one in unreadable)
        return View(decided, seen, {} if lost else self._open([slot for slot in slots if slot not in decided], seen))

    def _part(self, demand: Demand, view: View, budget: _Budget) -> Fork | View:
        if view.fits(self._rows_per_table):
            budget.spend(view.rows + view.asks * _ROWS_PER_ASK)
            return view
        slot, classes = next(iter(view.open.items()))
        budget.spend(len(classes) * len(self._options[slot]))
        arms = ((some, self.view(demand, {**view.decided, slot: some[0]})) for some in classes)
        return Fork(slot, tuple((some, self._part(demand, below, budget)) for some, below in arms))

    def _open(self, slots: list[Slot], seen: frozenset[Certificate]) -> dict[Slot, tuple[Class, ...]]:
        found = {slot: self._classes(slot, seen) for slot in slots if slot in self._options}
        return {slot: classes for slot, classes in found.items() if len(classes) > 1}

    def _classes(self, slot: Slot, seen: frozenset[Certificate]) -> tuple[Class, ...]:
        by_effect: dict[Option, list[int]] = {}
        for number, option in enumerate(self._options[slot]):
            by_effect.setdefault(option.within(seen), []).append(number)
        return tuple(map(tuple, by_effect.values()))

    def _can_be_there(self, one: Certificate, decided: Decided) -> bool:
        number = decided.get(slot_of(one))
        if number is None:
            return one in self._trusted.order or one in self._may_come
        option = self._options[slot_of(one)][number]
        return one == option.add or (one in self._trusted.order and one not in option.remove)


class _Budget:
    def __init__(self, rows: int) -> None:
        self._left = rows

    def spend(self, rows: int) -> None:
        self._left -= rows
        if self._left < 0:
            raise TooLargeError
