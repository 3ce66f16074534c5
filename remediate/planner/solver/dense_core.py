"""Dense cores: components that are too closely connected for tables. The exact choice by satisfiability, or how far it may be off.

The objectives of the contract's *The choice* are minimised one after the other; each keeps to what the ones before came to. A model is
only believed once OpenSSL accepts every chain that it claims (`CoreClauses`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.plan import Aspect
from remediate.planner.solver.clauses import CoreClauses
from remediate.planner.solver.constraints import Component, Problem
from remediate.planner.solver.options import Place
from remediate.planner.solver.satisfiability import (
    Literal,
    Model,
    Satisfiability,
    UnsatisfiableError,
    WorkBudget,
    WorkLimitError,
)

_PASSES = 8


Bound = tuple[Aspect, int]
"""The first aspect that is not proven to be the best, and what it costs at least."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is best for one component.

    Attributes:
        chosen: The option of each place, by number.
        verified: How many pairs verify.
        bound: None: nothing is better than `chosen`.
    """

    chosen: Mapping[Place, int]
    verified: int
    bound: Bound | None = None


def solve_dense_core(problem: Problem, component: Component, budget: WorkBudget) -> Answer | None:
    """Return what is best for `component`; None where a pair that verifies today is lost whatever is done.

    `budget` is spent; where it does not last, the answer has a bound.
    """
    satisfiability = Satisfiability(budget)
    try:
        return _CoreSearch(problem, component, satisfiability).run()
    except UnsatisfiableError:
        return None
    finally:
        satisfiability.close()


class _CoreSearch:
    def __init__(self, problem: Problem, component: Component, satisfiability: Satisfiability) -> None:
        self._problem = problem
        self._component = component
        self._satisfiability = satisfiability
        self._clauses = CoreClauses(satisfiability, problem, component)

    def run(self) -> Answer | None:
        """Return the best choice, or a good one with its bound. Raises UnsatisfiableError."""
        best: Model | None = None
        name: Aspect = "verified"
        costs: Mapping[Literal, int] = {}
        try:
            # Any model at all: what verifies today can be kept.
            best = self._require(self._satisfiability.solve(self._clauses.find_violations))
            for objective in self._list_objectives():
                name, costs = objective
                best = self._satisfiability.minimise(costs, self._clauses.find_violations)
            name, costs = "fingerprints", {}
            best = self._prefer_low_fingerprints(best)
        except WorkLimitError:
            least = self._satisfiability.bound
            return self._complete(best, costs, (name, least - self._count_pairs() if name == "verified" else least))
        return self._make_answer(self._clauses.read(best), None)

    @staticmethod
    def _require(model: Model | None) -> Model:
        if model is None:
            raise UnsatisfiableError
        return model

    def _count_pairs(self) -> int:
        return sum(requirement.pairs for requirement in self._component.requirements)

    # --- objectives -----------------------------------------------------------------------------------------------------

    def _list_objectives(self) -> Iterator[tuple[Aspect, Mapping[Literal, int]]]:
        """Yield each objective but the last, with what the literals cost where they are true."""
        yield "verified", {-claim: requirement.pairs for requirement, claim in self._clauses.claims}
        costs = [
            (self._problem.option_cost(place, option), literal)
            for place, literals in self._clauses.choices.items()
            for option, literal in zip(self._problem.options[place], literals, strict=True)
        ]
        yield "removed", {literal: cost.removed for cost, literal in costs}
        yield "unvouched", self._list_approval_costs()
        yield "added", {literal: cost.added for cost, literal in costs}
        yield "roots", {literal: cost.roots for cost, literal in costs}
        if any(cost.added != cost.roots + cost.intermediates for cost, _ in costs):
            # Otherwise what is no root is an intermediate.
            yield "intermediates", {literal: cost.intermediates for cost, literal in costs}

    def _list_approval_costs(self) -> dict[Literal, int]:
        approvals: dict[Literal, int] = {}
        for places, numbers in self._problem.list_approvals(self._component.places):
            approval = self._satisfiability.new_variable()
            approvals[approval] = 1
            for place, number in zip(places, numbers, strict=True):
                self._satisfiability.add_clause([-self._clauses.choices[place][number], approval])
        return approvals

    def _prefer_low_fingerprints(self, model: Model) -> Model:
        """Return the model with the lowest fingerprints, and with the lowest numbers of options where these are the same."""
        for costs in self._list_preferences():
            if self._is_only(model):
                break
            for objective in costs:
                model = self._prefer(objective, model)
        return model

    def _list_preferences(self) -> Iterator[list[Mapping[Literal, int]]]:
        """Yield the certificates, the lowest fingerprint first, then the places: with what each literal costs where it is true."""
        users: dict[Certificate, dict[Literal, int]] = {}
        for place, literals in self._clauses.choices.items():
            for option, literal in zip(self._problem.options[place], literals, strict=True):
                if option.add:
                    users.setdefault(option.add, {})[-literal] = self._problem.lists[place[0]].count
        yield [users[certificate] for certificate in sorted(users, key=lambda certificate: certificate.fingerprint)]
        yield [
            {literal: number for number, literal in enumerate(self._clauses.choices[place]) if number}
            for place in self._component.places
        ]

    def _prefer(self, costs: Mapping[Literal, int], model: Model) -> Model:
        """Return a model with the least of `costs`, and keep to that; `model` itself where it costs nothing."""
        if any((literal > 0) == (abs(literal) in model) for literal in costs):
            return self._satisfiability.minimise(costs, self._clauses.find_violations)
        self._satisfiability.learn([[-literal] for literal in costs])
        return model

    def _is_only(self, model: Model) -> bool:
        """Return whether every other choice is ruled out."""
        is_other = self._satisfiability.new_variable()
        chosen = [literal for literals in self._clauses.choices.values() for literal in literals if literal in model]
        self._satisfiability.add_clause([-is_other, *(-literal for literal in chosen)])
        return self._satisfiability.solve(self._clauses.find_violations, [is_other]) is None

    # --- where the work does not suffice --------------------------------------------------------------------------------

    def _complete(self, best: Model | None, costs: Mapping[Literal, int], bound: Bound) -> Answer | None:
        """Return the best of some choices that no single step improves: of each objective in turn, as many literals as will go."""
        objectives = [costs, *(later for name, later in self._list_objectives() if name != "verified")]
        steps = [
            -literal
            for objective in objectives
            for literal in sorted(objective, key=lambda literal: (-objective[literal], abs(literal)))
            if objective[literal]
        ]
        answers = [] if best is None else [self._make_answer(self._clauses.read(best), bound)]
        for _ in range(_PASSES):
            assumptions: list[Literal] = []
            for literal in steps:
                if self._satisfiability.is_quickly_satisfied([*assumptions, literal]):
                    assumptions.append(literal)
            model = self._satisfiability.guess(assumptions)
            if model is None:
                break
            answers.append(self._make_answer(self._clauses.read(model), bound))
            if not self._satisfiability.learn(self._clauses.find_violations(model)):
                break
        holding = [answer for answer in answers if answer is not None]
        return min(holding, default=None, key=lambda answer: self._problem.cost(answer.chosen, answer.verified))

    def _make_answer(self, chosen: Mapping[Place, int], bound: Bound | None) -> Answer | None:
        """Return the answer with what really verifies; None where a requirement that must hold does not."""
        verified, holds = self._clauses.count_verified(chosen)
        return Answer(chosen, verified, bound) if holds else None
