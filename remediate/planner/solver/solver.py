"""The solver: for each cipher list that the policy allows, the exact best trust; then the best of those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import FAMILIES, Address, CipherList
from remediate.model.plan import Policy
from remediate.model.snapshot import Peer, Snapshot
from remediate.planner.solver.candidates import Candidates
from remediate.planner.solver.constraints import Problem
from remediate.planner.solver.cost import ZERO, Cost
from remediate.planner.solver.elimination import Table, TooManyRowsError, Variable, add, minimise
from remediate.planner.solver.options import PeerList
from remediate.planner.solver.requirements import RequirementReader, Requirements
from remediate.planner.solver.tables import MAX_ROWS_TRIED, SearchLimits
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import Chain, OpenSslAnswers
from remediate.trust.ciphers import families_in, prefer

_MAX_ROWS = 500_000
"""How many rows large requirements may come to when they are joined: some seconds."""
_ATTEMPTS = (
    SearchLimits(),
    SearchLimits(splits=False, rows_per_table=MAX_ROWS_TRIED),
    SearchLimits(splits=False, rows_tried=128),
    SearchLimits(splits=False, rows_tried=1),
)
"""Less and less, until what is connected can be joined."""


@dataclass(frozen=True)
class Choice:
    """One way to treat the cluster.

    Attributes:
        ciphers: The new reverse proxy list; None leaves it alone.
        policy: The cipher policy that would choose it.
        added: Per peer, what is added.
        removed: Per peer, what is removed.
        after: Per peer, the list that results.
        cost: The cipher change not counted.
        bounded: Not every combination was tried; see `Problem.bounded`.
    """

    ciphers: CipherList | None
    policy: str
    added: Mapping[Address, Chain]
    removed: Mapping[Address, Chain]
    after: Mapping[Address, Chain]
    cost: Cost
    bounded: bool

    @property
    def order(self) -> tuple[int, ...]:
        """The contract's order (*The choice*), by which choices are compared; lower is better."""
        cost = self.cost
        changes_ciphers = int(self.ciphers is not None)
        width = (cost.added, cost.roots, cost.intermediates, cost.fingerprints)
        return (cost.verified, cost.removed, cost.unvouched, changes_ciphers, *width)

    @property
    def verified(self) -> int:
        """How many (peer, endpoint) pairs verify."""
        return -self.cost.verified


class Solver:
    """Solves one snapshot under one policy, once per cipher list; OpenSSL's answers are shared between the lists."""

    def __init__(
        self,
        snapshot: Snapshot,
        policy: Policy,
        candidates: Candidates,
        requirements: RequirementReader,
        answers: OpenSslAnswers,
    ) -> None:
        self._snapshot = snapshot
        self._policy = policy
        self._candidates = candidates
        self._requirements = requirements
        self._observed = [peer for peer in snapshot.peers if peer.error is None]
        self._equal_peers = _group_equal_peers(self._observed, requirements)
        trusted = (snapshot.certificates[fingerprint] for peer in self._observed for fingerprint in peer.trusted_ca)
        self._answers = answers
        self.oracle = TrustOracle([*trusted, *candidates.certificates], answers)

    def choices(self, *, removal: bool) -> list[Choice]:
        """Return the best choice for every cipher list that the policy allows, the best of all first.

        A list that would lose a pair that verifies today gives none. Where the policy forces such a list, leaving it alone is
        the choice that remains: doing nothing loses nothing.
        """
        solved: list[tuple[Requirements, Choice | None]] = []
        for name, ciphers in self.cipher_lists():
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
            return self.under(replace(self._policy, ciphers="keep")).choices(removal=removal)
        return sorted(choices, key=lambda choice: choice.order)

    def under(self, policy: Policy) -> Solver:
        """Return a solver for the same cluster under another policy about ciphers."""
        return Solver(self._snapshot, policy, self._candidates, self._requirements, self._answers)

    def cipher_lists(self) -> Iterator[tuple[str, CipherList | None]]:
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
        for limits in _ATTEMPTS:
            problem = Problem(self.oracle, self._candidates, lists, removal=removal, at=self._snapshot.taken_at, limits=limits)
            tables = problem.tables(requirements)
            if tables is None:
                return None
            is_limited = limits.rows_tried > 1 and (problem.split or problem.bounded)
            try:
                chosen = minimise(tables, _MAX_ROWS if is_limited else None)
            except TooManyRowsError:
                continue
            return self._choice(name, ciphers, problem, chosen, _total(tables, chosen)) if chosen is not None else None
        return None

    def _choice(
        self, name: str, ciphers: CipherList | None, problem: Problem, chosen: Mapping[Variable, int], cost: Cost
    ) -> Choice:
        added: dict[Address, Chain] = {}
        removed: dict[Address, Chain] = {}
        after: dict[Address, Chain] = {}
        for members in self._equal_peers:
            first = members[0].address
            of_first = {place: chosen[place] for place in problem.options if place[0] == first}
            options = [problem.options[place][number] for place, number in of_first.items()]
            for peer in members:
                added[peer.address] = _sorted(option.add for option in options if option.add)
                removed[peer.address] = _sorted(certificate for option in options for certificate in option.remove)
                after[peer.address] = problem.after(first, of_first)
        return Choice(ciphers, name, added, removed, after, cost, problem.bounded)


def _total(tables: Iterable[Table], chosen: Mapping[Variable, int]) -> Cost:
    total: tuple[int, ...] = ZERO
    for table in tables:
        total = add(total, table.costs[tuple(chosen[variable] for variable in table.scope)])
    return Cost._make(total)


def find_primary(peers: list[Peer]) -> Peer:
    """Return the peer whose configuration counts for the cluster: the primary, or the first where none is marked."""
    return next((peer for peer in peers if peer.primary), peers[0])


def _group_equal_peers(peers: list[Peer], requirements: RequirementReader) -> list[list[Peer]]:
    """Return the peers by equal trusted CA list, equal reverse proxy ciphers and equal guarded chains."""
    groups: dict[object, list[Peer]] = {}
    for peer in peers:
        guarded = requirements.guarded_at(peer.address)
        groups.setdefault((peer.trusted_ca, peer.ciphers.get(REVERSE_PROXY_CIPHERS), guarded), []).append(peer)
    return list(groups.values())


def _sorted(certificates: Iterator[Certificate]) -> Chain:
    return tuple(sorted(certificates, key=lambda certificate: certificate.fingerprint))
