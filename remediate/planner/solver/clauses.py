"""Clauses: a closely connected part of the problem as OpenSSL's answers become known.

At first, the clauses hold only what is true whatever OpenSSL answers (`NamePaths`). A model that claims more is shown to OpenSSL as a
list, and what a refusal rests on (the certificates that OpenSSL could reach by name) becomes a clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address
from remediate.planner.solver.constraints import Component, Problem
from remediate.planner.solver.name_paths import NamePaths
from remediate.planner.solver.options import Option, Place, apply_options
from remediate.planner.solver.requirements import PeerRequirement
from remediate.planner.solver.satisfiability import Clause, Literal, Model, Satisfiability
from remediate.trust.openssl import name_hashes


class CoreClauses:
    """The clauses of one component.

    Attributes:
        problem: The problem that the component is a part of.
        choices: Per place, the literal of each option.
        claims: The requirements, each with the literal that claims that it is met.
    """

    def __init__(self, satisfiability: Satisfiability, problem: Problem, component: Component) -> None:
        """Add everything that holds before OpenSSL is asked."""
        self.problem = problem
        self._satisfiability = satisfiability
        self.choices: dict[Place, list[Literal]] = {}
        self._additions: dict[tuple[Address, Certificate], Literal] = {}
        self._removals: dict[tuple[Address, Certificate], list[Literal]] = {}
        self._listed: dict[tuple[Address, Certificate], Literal | None] = {}
        self._before: dict[tuple[Address, Chain], Chain] = {}
        self._places: dict[tuple[Address, int], list[Place]] = {}
        self._names: dict[Place, frozenset[int]] = {}
        self._differing: dict[tuple[Place, int, frozenset[int]], list[Literal]] = {}
        for place in component.places:
            self._add_place(place)
        chains = [(requirement.peer, chain) for requirement in component.requirements for chain in requirement.chains]
        self._paths = NamePaths(satisfiability, problem.oracle, self._listed_literal, chains)
        self.claims = [(requirement, self._claim(requirement)) for requirement in component.requirements]

    def _add_place(self, place: Place) -> None:
        literals = self.choices[place] = [self._satisfiability.new_variable() for _ in self.problem.options[place]]
        self._satisfiability.choose_one(literals)
        self._satisfiability.dispensable += literals[1:]
        for option, literal in zip(self.problem.options[place], literals, strict=True):
            if option.add:
                self._additions[place[0], option.add] = literal
            for certificate in option.remove:
                self._removals.setdefault((place[0], certificate), []).append(literal)
        self._names[place] = frozenset(
            name_hashes(certificate).subject for option in self.problem.options[place] for certificate in option.certificates
        )
        for name in self._names[place]:
            self._places.setdefault((place[0], name), []).append(place)

    def _claim(self, requirement: PeerRequirement) -> Literal:
        claim = self._satisfiability.new_variable()
        if requirement.must_hold:
            self._satisfiability.add_clause([claim])
        for certificate in self.problem.lists[requirement.peer].unreadable:
            self._satisfiability.add_clause([-claim, *self._removals.get((requirement.peer, certificate), ())])
        chains = requirement.chains
        paths = [self._paths.path_from(requirement.peer, chain) for chain in chains]
        for path in paths or [None]:
            self._satisfiability.add_clause([-claim] if path is None else [-claim, path])
        return claim

    def _listed_literal(self, peer: Address, certificate: Certificate) -> Literal | None:
        """Return a literal that is true only where the list holds `certificate`; None: it cannot."""
        key = (peer, certificate)
        if certificate not in self.problem.lists[peer].order:
            return self._additions.get(key)
        if key not in self._removals:
            return self._satisfiability.always
        if key not in self._listed:
            remains = self._listed[key] = self._satisfiability.new_variable()
            for literal in self._removals[key]:
                self._satisfiability.add_clause([-remains, -literal])
        return self._listed[key]

    # --- OpenSSL's answers ----------------------------------------------------------------------------------------------

    def read(self, model: Model) -> dict[Place, int]:
        """Return the option of each place in `model`, by number."""
        return {
            place: next(number for number, literal in enumerate(literals) if literal in model)
            for place, literals in self.choices.items()
        }

    def find_violations(self, model: Model) -> list[Clause]:
        """Return a clause for each chain that `model` claims accepted, and OpenSSL refuses."""
        lists = self._apply(self.read(model))
        clauses: list[Clause] = []
        for requirement, claim in self.claims:
            if claim in model:
                clauses += [[-claim, *reasons] for reasons in lists[requirement.peer].list_reasons(requirement)]
        return clauses

    def count_verified(self, chosen: Mapping[Place, int]) -> tuple[int, bool]:
        """Return how many pairs verify with `chosen`, and whether every requirement that must hold does."""
        lists = self._apply(chosen)
        verified, holds = 0, True
        for requirement, _ in self.claims:
            if lists[requirement.peer].meets(requirement):
                verified += requirement.pairs
            elif requirement.must_hold:
                holds = False
        return verified, holds

    def list_before(self, peer: Address, chain: Chain) -> Chain:
        """Return what the present list of `peer` holds that matters to `chain`."""
        if (peer, chain) not in self._before:
            peer_list = self.problem.lists[peer]
            self._before[peer, chain] = peer_list.among(self.problem.oracle.relevant(chain) | peer_list.unreadable)
        return self._before[peer, chain]

    def _apply(self, chosen: Mapping[Place, int]) -> dict[Address, _ChosenList]:
        peers = dict.fromkeys(requirement.peer for requirement, _ in self.claims)
        return {peer: _ChosenList(self, peer, chosen) for peer in peers}

    def list_differing(self, peer: Address, names: AbstractSet[int], chosen: Mapping[Place, int]) -> list[Literal]:
        """Return every option that does something else than the `chosen` ones to certificates whose subjects have these hashes."""
        places = dict.fromkeys(place for name in sorted(names) for place in self._places.get((peer, name), ()))
        return [literal for place in places for literal in self._list_differing_at(place, chosen[place], names)]

    def _list_differing_at(self, place: Place, number: int, names: AbstractSet[int]) -> list[Literal]:
        key = (place, number, self._names[place] & names)
        if key not in self._differing:
            options = self.problem.options[place]
            certificates = {
                certificate
                for option in options
                for certificate in option.certificates
                if name_hashes(certificate).subject in names
            }
            effect = options[number].within(certificates)
            literals = zip(options, self.choices[place], strict=True)
            self._differing[key] = [literal for option, literal in literals if option.within(certificates) != effect]
        return self._differing[key]


class _ChosenList:
    """A peer's list with the options of a model, as far as it can matter."""

    def __init__(self, clauses: CoreClauses, peer: Address, chosen: Mapping[Place, int]) -> None:
        self._clauses = clauses
        self._oracle = clauses.problem.oracle
        self._peer = peer
        self._peer_list = clauses.problem.lists[peer]
        self._chosen = chosen
        numbers = ((place, number) for place, number in chosen.items() if place[0] == peer and number)
        self._options: list[Option] = [clauses.problem.options[place][number] for place, number in numbers]
        self._removals = frozenset(certificate for option in self._options for certificate in option.remove)
        self._additions = frozenset(option.add for option in self._options if option.add)

    def meets(self, requirement: PeerRequirement) -> bool:
        """Return whether OpenSSL accepts every chain of `requirement`."""
        chains = requirement.chains
        return bool(chains) and all(map(self._accepts, chains))

    def list_reasons(self, requirement: PeerRequirement) -> list[list[Literal]]:
        """Return for each chain that is refused the options of which one has to be chosen for another answer."""
        return [self._explain(chain) for chain in requirement.chains if not self._accepts(chain)]

    def _holds(self, certificate: Certificate) -> bool:
        return certificate in self._additions or (certificate in self._peer_list.order and certificate not in self._removals)

    def _accepts(self, chain: Chain) -> bool:
        relevant = self._oracle.relevant(chain)
        options = [option for option in self._options if option.remove or option.add in relevant]
        return self._oracle.accepts(apply_options(self._clauses.list_before(self._peer, chain), options), chain)

    def _explain(self, chain: Chain) -> list[Literal]:
        """Return every option that does something else to what OpenSSL could reach by name from `chain` in this list."""
        names = self._oracle.index.reached_names(chain, self._holds)
        unreadable = {name_hashes(certificate).subject for certificate in self._peer_list.unreadable}
        return self._clauses.list_differing(self._peer, names | unreadable, self._chosen)
