"""The solver: for each cipher list that the policy allows, the exact best trust; then the best of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import FAMILIES, Address, CipherList, Fingerprint
from remediate.model.plan import Aspect, Policy, Shortfall
from remediate.model.snapshot import Peer, Snapshot
from remediate.planner.solver.candidates import Candidates
from remediate.planner.solver.constraints import Component, Problem
from remediate.planner.solver.cost import Cost
from remediate.planner.solver.dense_core import Answer, Bound, solve_dense_core
from remediate.planner.solver.elimination import Table, TooManyRowsError, minimise
from remediate.planner.solver.options import PeerList
from remediate.planner.solver.requirements import RequirementReader, Requirements
from remediate.planner.solver.satisfiability import WorkBudget
from remediate.planner.solver.tables import RequirementTables
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.ciphers import families_in, prefer
from remediate.trust.verifier import OpenSslAnswers

_QUESTIONS_PER_REQUIREMENT = 16
_QUESTIONS_PER_COMPONENT = 1024
"""Up to so many questions to OpenSSL, every row of every table of a component is answered."""
_MAX_ROWS = 100_000
"""How many rows the tables of a component may come to when they are joined."""


ChoiceOrder = tuple[int | tuple[Fingerprint, ...], ...]
_ORDER: tuple[Aspect, ...] = ("verified", "removed", "unvouched", "ciphers", "added", "roots", "intermediates", "fingerprints")
"""What the places of `Choice.order` are."""


@dataclass(frozen=True)
class Choice:
    """One way to treat the cluster.

    Attributes:
        ciphers: The new reverse proxy list; None leaves it alone.
        policy: The cipher policy that would choose it.
        added: Per peer, what is added.
        removed: Per peer, what is removed.
        after: Per peer, the list that results.
        cost: The cipher change and the fingerprints not counted.
        fingerprints: Those of `added` on all peers, in order.
        omits_removals: See `Problem.omits_removals`.
        bound: None: nothing is better under this cipher list.
        shortfall: How far the choice may be from the best of all; set on the best one of several.
    """

    ciphers: CipherList | None
    policy: str
    added: Mapping[Address, Chain]
    removed: Mapping[Address, Chain]
    after: Mapping[Address, Chain]
    cost: Cost
    fingerprints: tuple[Fingerprint, ...]
    omits_removals: bool
    bound: Bound | None = None
    shortfall: Shortfall | None = None

    @property
    def order(self) -> ChoiceOrder:
        """The contract's order (*The choice*), by which choices are compared; lower is better."""
        cost = self.cost
        changes_ciphers = int(self.ciphers is not None)
        width = (cost.added, cost.roots, cost.intermediates, self.fingerprints)
        return (cost.verified, cost.removed, cost.unvouched, changes_ciphers, *width)

    @property
    def floor(self) -> ChoiceOrder:
        """An order that no choice under this cipher list is before: `order`, or its beginning as far as it is proven."""
        if self.bound is None:
            return self.order
        name, least = self.bound
        position = _ORDER.index(name)
        return self.order[:position] if name == "fingerprints" else (*self.order[:position], least)

    @property
    def verified(self) -> int:
        """How many (peer, endpoint) pairs verify."""
        return -self.cost.verified


@dataclass(frozen=True, slots=True)
class Effort:
    """What a solver may spend on one component.

    Attributes:
        questions: How many rows of tables it may have; None: as many as serve best.
        conflicts: How many conflicts it may cost satisfiability, where tables would be larger: some seconds.
        models: About how many models OpenSSL may then be asked.
    """

    questions: int | None = None
    conflicts: int = 150_000
    models: int = 400


WHOLE_EFFORT = Effort()


class Solver:
    """Solves one snapshot under one policy, once per cipher list; OpenSSL's answers are shared between the lists."""

    def __init__(
        self,
        snapshot: Snapshot,
        policy: Policy,
        candidates: Candidates,
        requirements: RequirementReader,
        answers: OpenSslAnswers,
        effort: Effort = WHOLE_EFFORT,
    ) -> None:
        """Prepare the solver; `effort` is what it may spend."""
        self._effort = effort
        self._snapshot = snapshot
        self._policy = policy
        self._candidates = candidates
        self._requirements = requirements
        self._observed = [peer for peer in snapshot.peers if peer.error is None]
        self._equal_peers = _group_equal_peers(self._observed, requirements)
        trusted = (snapshot.certificates[fingerprint] for peer in self._observed for fingerprint in peer.trusted_ca)
        self._answers = answers
        self.oracle = TrustOracle([*trusted, *candidates.certificates], answers)

    def solve(self, *, removal: bool) -> list[Choice]:
        """Return the best choice for every cipher list that the policy allows, the best of all first.

        A list that would lose a pair that verifies today gives none. Where the policy forces such a list, leaving it alone is
        the choice that remains: doing nothing loses nothing.
        """
        solved: list[tuple[Requirements, Choice | None]] = []
        for name, ciphers in self.list_cipher_lists():
            requirements = self._requirements.read((members[0] for members in self._equal_peers), ciphers)
            earlier_choice = next((choice for earlier, choice in solved if earlier == requirements), None)
            if earlier_choice:
                # Where a cipher list changes nothing for any endpoint, the trust that is best stays the same.
                choice: Choice | None = replace(earlier_choice, ciphers=ciphers, policy=name)
            else:
                choice = self._solve(name, ciphers, requirements, removal=removal)
            solved.append((requirements, choice))
        choices = [choice for _, choice in solved if choice]
        if not choices:
            return self.under(replace(self._policy, ciphers="keep")).solve(removal=removal)
        best, *rivals = sorted(choices, key=lambda choice: choice.order)
        return [replace(best, shortfall=_find_shortfall(best, rivals)), *rivals]

    def under(self, policy: Policy) -> Solver:
        """Return a solver for the same cluster under another policy about ciphers."""
        return Solver(self._snapshot, policy, self._candidates, self._requirements, self._answers, self._effort)

    def list_cipher_lists(self) -> Iterator[tuple[str, CipherList | None]]:
        """Yield the cipher lists that the policy allows, with the policy that forces each; None leaves the list alone."""
        policy = self._policy.ciphers
        current = find_primary(self._observed).ciphers.get(REVERSE_PROXY_CIPHERS) if self._observed else None
        if policy in {"keep", "auto"} or current is None:
            yield "keep", None
        if policy == "keep" or current is None:
            return
        for family in FAMILIES:
            if policy in {"auto", f"prefer-{family}"}:
                candidate = prefer(family, current)
                if candidate != current:
                    yield f"prefer-{family}", candidate
                elif policy != "auto" and families_in(current)[:1] == (family,):
                    yield policy, None

    def _solve(self, name: str, ciphers: CipherList | None, requirements: Requirements, *, removal: bool) -> Choice | None:
        lists: dict[Address, PeerList] = {}
        for members in self._equal_peers:
            trusted = self._snapshot.resolve(members[0].trusted_ca)
            lists[members[0].address] = PeerList.of(trusted, len(members))
        problem = Problem(self.oracle, self._candidates, lists, requirements, removal=removal, at=self._snapshot.taken_at)
        tables = {peer: RequirementTables(self.oracle, lists[peer], problem.options_at(peer)) for peer in lists}
        answers: list[Answer] = []
        for component in problem.find_components():
            answer = self._solve_component(problem, component, tables)
            if answer is None:
                return None
            answers.append(answer)
        return self._make_choice(name, ciphers, problem, answers)

    def _solve_component(
        self, problem: Problem, component: Component, tables: Mapping[Address, RequirementTables]
    ) -> Answer | None:
        """Return what is best for `component`: by tables where they are small, else by satisfiability."""
        views = [tables[requirement.peer].view(requirement) for requirement in component.requirements]
        allowed = self._effort.questions
        if allowed is None:
            allowed = _QUESTIONS_PER_REQUIREMENT * len(views) + _QUESTIONS_PER_COMPONENT
        if sum(view.questions for view in views) <= allowed and all(view.is_small for view in views):
            gains = [
                tables[requirement.peer].table(requirement, view)
                for requirement, view in zip(component.requirements, views, strict=True)
            ]
            if not all(gain.costs for gain in gains):
                return None
            with suppress(TooManyRowsError):
                return _solve_tables(problem, component, gains)
        return solve_dense_core(problem, component, WorkBudget(self._effort.conflicts, self._effort.models))

    def _make_choice(self, name: str, ciphers: CipherList | None, problem: Problem, answers: Sequence[Answer]) -> Choice:
        chosen = dict.fromkeys(problem.options, 0)
        for answer in answers:
            chosen.update(answer.chosen)
        added: dict[Address, Chain] = {}
        removed: dict[Address, Chain] = {}
        after: dict[Address, Chain] = {}
        for members in self._equal_peers:
            first = members[0].address
            of_first = {place: number for place, number in chosen.items() if place[0] == first}
            options = [problem.options[place][number] for place, number in of_first.items()]
            for peer in members:
                added[peer.address] = _sort(option.add for option in options if option.add)
                removed[peer.address] = _sort(certificate for option in options for certificate in option.remove)
                after[peer.address] = problem.after(first, of_first)
        cost = problem.cost(chosen, sum(answer.verified for answer in answers))
        fingerprints = tuple(sorted(certificate.fingerprint for chain in added.values() for certificate in chain))
        bound = _join_bounds(problem, answers)
        return Choice(ciphers, name, added, removed, after, cost, fingerprints, problem.omits_removals, bound)


def _solve_tables(problem: Problem, component: Component, gains: Sequence[Table]) -> Answer | None:
    """Return what is best for `component` by elimination. Raises TooManyRowsError."""
    costs = (*problem.option_tables(component.places), *problem.approval_tables(component.places))
    chosen = minimise([*gains, *costs], _MAX_ROWS)
    if chosen is None:
        return None
    verified = -sum(gain.costs[tuple(chosen[variable] for variable in gain.scope)][0] for gain in gains)
    return Answer({place: chosen[place] for place in component.places}, verified)


def _join_bounds(problem: Problem, answers: Sequence[Answer]) -> Bound | None:
    """Return the first field of the whole cost that is not proven, with the sum of what it is at least; None: all are proven."""
    unproven = [answer.bound[0] for answer in answers if answer.bound]
    if not unproven:
        return None
    name = min(unproven, key=_ORDER.index)
    least = 0
    for answer in answers:
        if answer.bound and answer.bound[0] == name:
            least += answer.bound[1]
        elif name != "fingerprints":
            least += getattr(problem.cost(answer.chosen, answer.verified), name)
    return name, least


def _find_shortfall(best: Choice, rivals: Sequence[Choice]) -> Shortfall | None:
    """Return how far `best` may be from the best choice under any cipher list; None: it is the best."""
    floor = min(choice.floor for choice in (best, *rivals))
    if floor >= best.order:
        return None
    for name, reached, least in zip(_ORDER, best.order, floor, strict=False):
        if isinstance(reached, int) and isinstance(least, int) and reached != least:
            return Shortfall(name, abs(reached), abs(least))
    return Shortfall("fingerprints", 0, 0)


def find_primary(peers: list[Peer]) -> Peer:
    """Return the peer whose configuration counts for the cluster: the primary, or the first where none is marked."""
    return next((peer for peer in peers if peer.primary), peers[0])


def _group_equal_peers(peers: list[Peer], requirements: RequirementReader) -> list[list[Peer]]:
    """Return the peers by equal trusted CA list, equal reverse proxy ciphers and equal guarded chains."""
    groups: dict[object, list[Peer]] = {}
    for peer in peers:
        guarded = requirements.list_guarded(peer.address)
        groups.setdefault((peer.trusted_ca, peer.ciphers.get(REVERSE_PROXY_CIPHERS), guarded), []).append(peer)
    return list(groups.values())


def _sort(certificates: Iterator[Certificate]) -> Chain:
    return tuple(sorted(certificates, key=lambda certificate: certificate.fingerprint))
