"""Objectives over clauses: the least cost, one objective after the other, beside every assignment."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.planner.solver.satisfiability import (
    Clause,
    Literal,
    Model,
    Satisfiability,
    UnsatisfiableError,
    WorkBudget,
    WorkLimitError,
)

VARIABLES = 6
ENOUGH = 1_000_000

literals = st.integers(0, VARIABLES - 1).flatmap(lambda index: st.sampled_from([index + 2, -(index + 2)]))
"""Literals of the variables from 2 on: 1 is `Satisfiability.always`."""
clauses = st.lists(st.lists(literals, min_size=1, max_size=3), max_size=12)
objectives = st.lists(st.dictionaries(literals, st.integers(1, 5), max_size=6), min_size=1, max_size=3)


def holds(clause: Clause, model: Model) -> bool:
    return any((literal > 0) == (abs(literal) in model) for literal in clause)


def cost_of(costs: Mapping[Literal, int], model: Model) -> int:
    return sum(cost for literal, cost in costs.items() if holds([literal], model))


def list_models() -> Iterator[Model]:
    for values in itertools.product([False, True], repeat=VARIABLES):
        yield frozenset(index + 2 for index, value in enumerate(values) if value)


def begin(budget: WorkBudget) -> Satisfiability:
    satisfiability = Satisfiability(budget)
    for _ in range(VARIABLES):
        satisfiability.new_variable()
    return satisfiability


@settings(max_examples=200, deadline=None)
@given(clauses, clauses, objectives)
def test_each_objective_is_minimised_after_the_ones_before(
    first: list[list[Literal]], later: list[list[Literal]], costs: list[dict[Literal, int]]
) -> None:
    # Given clauses, of which some are learnt from a model that breaks them
    satisfiability = begin(WorkBudget(ENOUGH, ENOUGH))
    satisfiability.learn(first)
    models = [model for model in list_models() if all(holds(clause, model) for clause in (*first, *later))]
    best = min(([cost_of(objective, model) for objective in costs] for model in models), default=None)

    def find_violations(model: Model) -> list[Clause]:
        return [clause for clause in later if not holds(clause, model)]

    # Then what each objective comes to is the least of all assignments
    bounds: list[int] | None = []
    try:
        for objective in costs:
            model = satisfiability.minimise(objective, find_violations)
            assert bounds is not None
            assert cost_of(objective, model) == satisfiability.bound
            bounds.append(satisfiability.bound)
    except UnsatisfiableError:
        bounds = None
    satisfiability.close()
    assert bounds == best


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_exactly_one_of_many_is_chosen(count: int) -> None:
    satisfiability = Satisfiability(WorkBudget(ENOUGH, ENOUGH))
    choices = [satisfiability.new_variable() for _ in range(count)]
    satisfiability.choose_one(choices)
    for pair in itertools.combinations(choices, 2):
        assert not satisfiability.is_quickly_satisfied(pair)
    assert all(satisfiability.is_quickly_satisfied([choice]) for choice in choices)
    assert not satisfiability.is_quickly_satisfied([-choice for choice in choices])
    satisfiability.close()


def test_what_is_proven_stands_when_the_work_ends() -> None:
    # Given three variables of which two have to be true, and no model that may be looked at
    satisfiability = begin(WorkBudget(ENOUGH, 0))
    satisfiability.learn([[2, 3], [2, 4], [3, 4]])
    with pytest.raises(WorkLimitError):
        satisfiability.minimise({2: 1, 3: 1, 4: 1}, lambda _model: [])
    assert satisfiability.bound == 2
    satisfiability.close()


PIGEONS = """
import itertools
from remediate.planner.solver.satisfiability import Satisfiability, WorkBudget
satisfiability = Satisfiability(WorkBudget(10**9, 1))
holes = [[satisfiability.new_variable() for _ in range(12)] for _ in range(13)]
for pigeon in holes:
    satisfiability.add_clause(pigeon)
for hole in zip(*holes):
    for one_pigeon, other_pigeon in itertools.combinations(hole, 2):
        satisfiability.add_clause([-one_pigeon, -other_pigeon])
try:
    print("searching", flush=True)
    satisfiability.solve(lambda model: [])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_a_search() -> None:
    # Given thirteen pigeons for twelve holes, which would take the solver very long
    process = subprocess.Popen([sys.executable, "-c", PIGEONS], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "searching\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n"
