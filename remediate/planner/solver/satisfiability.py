"""Satisfiability with objectives: MiniSat, clauses that are added as they become known, and one objective after the other.

An objective is minimised by the cores that the solver finds (OLL: Andres, Kaufmann, Matheis and Schaub, 2012; RC2: Ignatiev,
Morgado and Marques-Silva, 2019). Each core proves that the objective costs more, so that its lower bound is proven at any time.
MiniSat 2.2 has not changed since 2010 and computes the same on every machine; what it may spend is counted in conflicts, never in
seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pysolvers
from pysat.card import ITotalizer
from pysat.solvers import Solver

Literal = int
Model = frozenset[Literal]
"""The variables that are true."""
Clause = Sequence[Literal]
FindViolations = Callable[[Model], list[Clause]]
"""Returns clauses that a model breaks and that were not known before; none where the model is right."""

_LARGE_CHOICE = 6
_TRIES_PER_CORE = 12
_CONFLICTS_PER_TRY = 100


class UnsatisfiableError(Exception):
    """No assignment keeps every clause."""


class WorkLimitError(Exception):
    """The work that was allowed does not suffice."""


@dataclass
class WorkBudget:
    """What a search may spend.

    Attributes:
        conflicts: Of the solver.
        models: How many models may be checked.
    """

    conflicts: int
    models: int


@dataclass
class _Objective:
    """An objective in progress.

    Attributes:
        assumptions: The literals that cost so much where they are false.
        bound: What is proven: no assignment costs less.
        next_output: Per output of a totalizer, the one that counts one more.
    """

    assumptions: dict[Literal, int]
    bound: int = 0
    next_output: dict[Literal, Literal] = field(default_factory=dict)


class Satisfiability:
    """A growing set of clauses.

    Attributes:
        bound: What the objective that was minimised last costs at least.
        always: A literal that is true.
        dispensable: Literals that a model is checked without if it can do without them.
    """

    def __init__(self, budget: WorkBudget) -> None:
        """Begin without clauses; every search spends `budget`."""
        self._solver = Solver(name="minisat22")
        self._budget = budget
        self._variables = 0
        self._totalizers: list[ITotalizer] = []
        self.bound = 0
        self.dispensable: list[Literal] = []
        self.always = self.new_variable()
        self.add_clause([self.always])

    def close(self) -> None:
        """Free what the solver holds."""
        for totalizer in self._totalizers:
            totalizer.delete()
        self._solver.delete()

    def new_variable(self) -> Literal:
        """Return a literal that no clause has yet."""
        self._variables += 1
        return self._variables

    def add_clause(self, clause: Iterable[Literal]) -> None:
        """Demand that one of the literals is true."""
        self._solver.add_clause(list(clause))

    def choose_one(self, literals: Sequence[Literal]) -> None:
        """Demand that exactly one of `literals` is true."""
        self.add_clause(literals)
        remaining = list(literals)
        while len(remaining) > _LARGE_CHOICE:
            # At most one of the first few is true, and one new literal says whether any of them is.
            first, later = remaining[: _LARGE_CHOICE - 1], remaining[_LARGE_CHOICE - 1 :]
            any_of_first = self.new_variable()
            for literal in first:
                self.add_clause([-literal, any_of_first])
            self._exclude_pairs(first)
            remaining = [*later, any_of_first]
        self._exclude_pairs(remaining)

    def _exclude_pairs(self, literals: Sequence[Literal]) -> None:
        for position, literal in enumerate(literals):
            for earlier in literals[:position]:
                self.add_clause([-literal, -earlier])

    # --- searches -------------------------------------------------------------------------------------------------------

    def solve(self, find_violations: FindViolations, assumptions: Sequence[Literal] = ()) -> Model | None:
        """Return a model in which nothing is wrong and `assumptions` hold; None where there is none.

        Raises:
            WorkLimitError: The budget is spent.
        """
        while True:
            if not self._is_satisfiable(assumptions):
                return None
            model = self._read_model()
            if self._budget.models <= 0:
                raise WorkLimitError
            self._budget.models -= 1
            model = self._shrink(model, assumptions)
            if not self.learn(find_violations(model)):
                return model

    def _shrink(self, model: Model, assumptions: Sequence[Literal]) -> Model:
        """Return a model with as few of `dispensable` as single steps can leave out: less to refute, and shorter reasons."""
        needed: list[Literal] = []
        while remaining := [literal for literal in self.dispensable if literal in model and literal not in needed]:
            absent = [-literal for literal in self.dispensable if literal not in model]
            if self.is_quickly_satisfied([*assumptions, *absent, -remaining[0]]):
                model = self._read_model()
            else:
                needed.append(remaining[0])
        return model

    def minimise(self, costs: Mapping[Literal, int], find_violations: FindViolations) -> Model:
        """Return a model in which nothing is wrong and the true literals of `costs` cost least, and keep to that cost from now on.

        `bound` holds the least cost then, and what is proven of it where the work is not finished.

        Raises:
            UnsatisfiableError: No model is right.
            WorkLimitError: The budget is spent.
        """
        objective = _Objective({-literal: cost for literal, cost in costs.items() if cost})
        self.bound = 0
        if len(objective.assumptions) == 1:
            return self._minimise_single(*next(iter(objective.assumptions.items())), find_violations)
        weights = sorted(set(objective.assumptions.values()), reverse=True) or [0]
        for least in weights[:-1]:
            # The heavy ones first: their cores split less.
            self._find_cores(objective, least)
        while True:
            self._find_cores(objective, 0)
            model = self.solve(find_violations, _order_by_cost(objective.assumptions))
            if model is not None:
                break
        for literal in objective.assumptions:
            self.add_clause([literal])
        return model

    def _minimise_single(self, free: Literal, cost: int, find_violations: FindViolations) -> Model:
        model = self.solve(find_violations, [free])
        if model is None:
            self.bound = cost
            model = self.solve(find_violations)
        if model is None:
            raise UnsatisfiableError
        self.add_clause([-free if self.bound else free])
        return model

    def _find_cores(self, objective: _Objective, least: int) -> None:
        """Relax cores until every assumption that costs at least `least` can hold."""
        while True:
            assumptions = _order_by_cost({literal: cost for literal, cost in objective.assumptions.items() if cost >= least})
            if self._is_satisfiable(assumptions):
                return
            core = self._minimise_core(self._solver.get_core() or [])
            if not core:
                raise UnsatisfiableError
            self._relax(objective, core)
            self.bound = objective.bound

    def _relax(self, objective: _Objective, core: Sequence[Literal]) -> None:
        cost = min(objective.assumptions[literal] for literal in core)
        objective.bound += cost
        for literal in core:
            objective.assumptions[literal] -= cost
            if not objective.assumptions[literal]:
                del objective.assumptions[literal]
            if following := objective.next_output.get(literal):
                objective.assumptions[following] = objective.assumptions.get(following, 0) + cost
        self.add_clause([-literal for literal in core])
        if len(core) > 1:
            outputs = self._count_true([-literal for literal in core])
            objective.next_output.update(itertools.pairwise(outputs[1:]))
            objective.assumptions[outputs[1]] = cost

    def _count_true(self, literals: Sequence[Literal]) -> list[Literal]:
        """Return literals, of which number `k` is true unless more than `k` of `literals` are."""
        totalizer = ITotalizer(lits=list(literals), ubound=len(literals) - 1, top_id=self._variables)
        self._totalizers.append(totalizer)
        self._variables = max(self._variables, totalizer.top_id)
        for clause in totalizer.cnf.clauses:
            self.add_clause(clause)
        return [-output for output in totalizer.rhs]

    def _minimise_core(self, core: Sequence[Literal]) -> list[Literal]:
        """Return a part of `core` that cannot hold either; a few tries."""
        smallest = sorted(core, key=abs)
        if len(smallest) > 1:
            for literal in list(smallest)[:_TRIES_PER_CORE]:
                candidate = [member for member in smallest if member != literal]
                if self._solve_within(candidate, _CONFLICTS_PER_TRY) is False:
                    still = set(self._solver.get_core() or [])
                    smallest = [member for member in candidate if member in still]
                    if len(smallest) <= 1:
                        break
        return smallest

    def is_quickly_satisfied(self, assumptions: Sequence[Literal]) -> bool:
        """Return whether a model with `assumptions` is found at once, whatever the budget; nothing is checked."""
        return self._solve_within(assumptions, _CONFLICTS_PER_TRY) is True

    def guess(self, assumptions: Sequence[Literal]) -> Model | None:
        """Return a model with `assumptions` if it is found at once, whatever the budget; nothing is checked."""
        return self._read_model() if self.is_quickly_satisfied(assumptions) else None

    def learn(self, clauses: Sequence[Clause]) -> bool:
        """Add `clauses`, and return whether there are any."""
        for clause in clauses:
            self.add_clause(clause)
        return bool(clauses)

    def _is_satisfiable(self, assumptions: Sequence[Literal]) -> bool:
        answer = self._solve_within(assumptions, self._budget.conflicts)
        if answer is None:
            raise WorkLimitError
        return answer

    def _solve_within(self, assumptions: Sequence[Literal], conflicts: int) -> bool | None:
        """Return whether `assumptions` can hold; None where that takes more conflicts."""
        if conflicts <= 0:
            return None
        before = self._count_conflicts()
        self._solver.conf_budget(conflicts)
        try:
            answer: bool | None = self._solver.solve_limited(assumptions=list(assumptions))
        except pysolvers.error:
            # The solver raises this for Ctrl-C while it works.
            raise KeyboardInterrupt from None
        self._budget.conflicts -= self._count_conflicts() - before
        return answer

    def _count_conflicts(self) -> int:
        return int(self._solver.accum_stats()["conflicts"])

    def _read_model(self) -> Model:
        return frozenset(literal for literal in self._solver.get_model() if literal > 0)


def _order_by_cost(assumptions: Mapping[Literal, int]) -> list[Literal]:
    return sorted(assumptions, key=lambda literal: (-assumptions[literal], abs(literal)))
