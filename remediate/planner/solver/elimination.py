"""The exact minimum of a sum of small tables: bucket elimination over sparse tables.

A variable is one place where something may be done; its domain is the ways to do it, by number. A table gives what each combination
of a few variables costs; a combination that a table does not hold is forbidden. Costs are tuples of integers, added place by place and
compared in order, so that the first place always outweighs the next. Eliminating one variable at a time (Bertelè and Brioschi, 1972;
Dechter's bucket elimination, 1999) keeps the minimum exact, and takes time that grows with how closely the variables are connected,
not with their number: endpoints meet only in the CAs they share.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

Variable = Hashable
Cost = tuple[int, ...]
Row = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What each allowed combination of `scope` costs. Rows have the places of `scope`."""

    scope: tuple[Variable, ...]
    costs: Mapping[Row, Cost]


@dataclass(frozen=True, slots=True)
class _Elimination:
    variable: Variable
    scope: tuple[Variable, ...]
    best: Mapping[Row, int]


_MAX_EXACT_WIDTH = 20


class TooManyRowsError(Exception):
    """The variables are too closely connected for the rows that were allowed."""


def minimise(tables: Iterable[Table], max_rows: int | None = None) -> dict[Variable, int] | None:
    """Return the cheapest combination of all variables that every table allows; None when there is none.

    Where two combinations cost the same, the one with the lower numbers wins.

    Args:
        tables: The constraints; together they hold every variable.
        max_rows: How many rows all steps may make together; None: as many as it takes.

    Raises:
        TooManyRowsError: It takes more.
    """
    budget = _RowBudget(max_rows)
    buckets = _Buckets(table for table in tables if table.scope)
    steps: list[_Elimination] = []
    while (variable := buckets.next_variable()) is not None:
        joined = _join_all(buckets.take(variable), budget)
        if not joined.costs:
            return None
        step, remainder = _eliminate(joined, variable)
        steps.append(step)
        if remainder.scope:
            buckets.put(remainder)
    return _read_back(steps)


class _RowBudget:
    def __init__(self, rows: int | None) -> None:
        self._remaining = rows

    def spend(self, rows: Iterable[int]) -> None:
        """Count `rows`, one number after the other. Raises TooManyRowsError."""
        if self._remaining is not None:
            for number in rows:
                self._remaining -= number
                if self._remaining < 0:
                    raise TooManyRowsError


class _Buckets:
    """The tables that are not joined yet, those of one scope as one, and which variable to eliminate next."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables: dict[frozenset[Variable], Table] = {}
        self._scopes: dict[Variable, set[frozenset[Variable]]] = {}
        self._order: dict[Variable, int] = {}
        self._sizes: dict[Variable, int] = {}
        self._queue: list[tuple[int, int]] = []
        for table in tables:
            for variable in table.scope:
                self._order.setdefault(variable, len(self._order))
            if len(table.scope) == 1:
                self._sizes[table.scope[0]] = len(table.costs)
            self._add(table)
        self._variables = list(self._order)
        for variable in self._variables:
            self._enqueue(variable)

    def _add(self, table: Table) -> None:
        scope = frozenset(table.scope)
        existing = self._tables.get(scope)
        self._tables[scope] = _join(existing, table, _RowBudget(None)) if existing else table
        for variable in scope:
            self._scopes.setdefault(variable, set()).add(scope)

    def _enqueue(self, variable: Variable) -> None:
        heapq.heappush(self._queue, (self._width(variable), self._order[variable]))

    def _width(self, variable: Variable) -> int:
        """Return how many rows the tables of `variable` may have together, counting two values for a variable without its own table.

        Of many variables, it is enough to know that they are many.
        """
        neighbours = frozenset().union(*self._scopes[variable])
        if len(neighbours) >= _MAX_EXACT_WIDTH:
            return 1 << len(neighbours)
        return prod(self._sizes.get(neighbour, 2) for neighbour in neighbours)

    def next_variable(self) -> Variable | None:
        """Return the variable whose tables make the smallest one together, the first such; None when all are eliminated."""
        while self._queue:
            width, number = heapq.heappop(self._queue)
            variable = self._variables[number]
            # Every change of a width queues the variable again, so an entry that is out of date is only passed over.
            if variable in self._scopes and width == self._width(variable):
                return variable
        return None

    def take(self, variable: Variable) -> list[Table]:
        """Remove and return the tables that hold `variable`."""
        scopes = sorted(self._scopes.pop(variable), key=lambda scope: sorted(map(self._order.__getitem__, scope)))
        for scope in scopes:
            for neighbour in scope - {variable}:
                self._scopes[neighbour].discard(scope)
        return [self._tables.pop(scope) for scope in scopes]

    def put(self, table: Table) -> None:
        """Add the table that an elimination left."""
        self._add(table)
        for variable in table.scope:
            self._enqueue(variable)


def _join_all(bucket: Sequence[Table], budget: _RowBudget) -> Table:
    """Return all tables of `bucket` as one; the small ones first, so that forbidden combinations go early."""
    ordered = sorted(bucket, key=lambda table: len(table.costs))
    joined = ordered[0]
    for table in ordered[1:]:
        joined = _join(joined, table, budget)
    return joined


def _join(left: Table, right: Table, budget: _RowBudget) -> Table:
    shared = [variable for variable in left.scope if variable in right.scope]
    extra = [place for place, variable in enumerate(right.scope) if variable not in left.scope]
    left_places = [left.scope.index(variable) for variable in shared]
    right_places = [right.scope.index(variable) for variable in shared]
    by_shared: dict[Row, list[tuple[Row, Cost]]] = {}
    for row, cost in right.costs.items():
        key = tuple(row[place] for place in right_places)
        by_shared.setdefault(key, []).append((tuple(row[place] for place in extra), cost))
    budget.spend(len(by_shared.get(tuple(row[place] for place in left_places), ())) for row in left.costs)
    costs = {
        row + extra_values: add(cost, extra_cost)
        for row, cost in left.costs.items()
        for extra_values, extra_cost in by_shared.get(tuple(row[place] for place in left_places), ())
    }
    return Table(left.scope + tuple(right.scope[place] for place in extra), costs)


def _eliminate(table: Table, variable: Variable) -> tuple[_Elimination, Table]:
    place = table.scope.index(variable)
    scope = table.scope[:place] + table.scope[place + 1 :]
    best: dict[Row, tuple[Cost, int]] = {}
    for row, cost in table.costs.items():
        remaining, candidate = row[:place] + row[place + 1 :], (cost, row[place])
        if remaining not in best or candidate < best[remaining]:
            best[remaining] = candidate
    step = _Elimination(variable, scope, {row: value for row, (_, value) in best.items()})
    return step, Table(scope, {row: cost for row, (cost, _) in best.items()})


def _read_back(steps: Sequence[_Elimination]) -> dict[Variable, int]:
    values: dict[Variable, int] = {}
    for step in reversed(steps):
        values[step.variable] = step.best[tuple(values[variable] for variable in step.scope)]
    return values


def add(left: Cost, right: Cost) -> Cost:
    """Return the sum of two costs, place by place."""
    return tuple(a + b for a, b in zip(left, right, strict=True))
