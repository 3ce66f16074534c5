"""The choice: for each cipher list the policy allows, the exact best trust; then the best of those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from remediate.model.certificate import Certificate
from remediate.model.identity import FAMILIES, REVERSE_PROXY_CIPHERS, Address, CipherList
from remediate.model.plan import Policy
from remediate.model.snapshot import Peer, Snapshot
from remediate.planner.solver.common_name_groups import Candidates
from remediate.planner.solver.constraints import Problem
from remediate.planner.solver.cost import ADDED, REMOVED, UNVOUCHED, VERIFIED, ZERO
from remediate.planner.solver.elimination import Cost, Table, TooManyRowsError, Variable, add, minimise
from remediate.planner.solver.options import PeerList
from remediate.planner.solver.requirements import DemandReader, Demands
from remediate.planner.solver.tables import MOST_TRIED
from remediate.planner.solver.trust_oracle import Oracle
from remediate.trust.ciphers import families_in, prefer
from remediate.trust.verify import Answers, Chain

_MOST_ROWS = 500_000
"""How many rows large demands may come to when they are put together: some seconds."""
_ATTEMPTS = ((True, MOST_TRIED), (False, MOST_TRIED), (False, 128), (False, 1))
"""Whether to split large demands, and how many ways of them to try: less and less, until what hangs together can be put together."""


@dataclass(frozen=True)
class Choice:
    """One way to treat the cluster.

    Attributes:
        ciphers: the new reverse proxy list; None leaves it alone.
        policy: the cipher policy that would choose it.
        added, removed, after: per peer, what goes in, what goes out, and the list that results.
        cost: its cost under the problem's order, the cipher change not counted.
        bounded: not every combination was tried; see `Problem.bounded`.
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
        """What choices are compared by: the contract's order, lower is better."""
        changed = int(self.ciphers is not None)
        return (self.cost[VERIFIED], self.cost[REMOVED], self.cost[UNVOUCHED], changed, *self.cost[ADDED:])

    @property
    def verified(self) -> int:
        """How many (peer, endpoint) pairs verify."""
        return -self.cost[VERIFIED]


class Chooser:
    """Solves one snapshot under one policy, once per cipher list; OpenSSL's answers are shared between the lists."""

    def __init__(self, snapshot: Snapshot, policy: Policy, known: Candidates, demands: DemandReader, answers: Answers) -> None:
        self._snapshot = snapshot
        self._policy = policy
        self._known = known
        self._demands = demands
        self._observed = [peer for peer in snapshot.peers if peer.error is None]
        self._alike = _alike(self._observed)
        listed = (snapshot.certificates[one] for peer in self._observed for one in peer.trusted_ca)
        self._answers = answers
        self.oracle = Oracle([*listed, *known.certificates], answers)

    def choices(self, *, removal: bool) -> list[Choice]:
        """Return the best choice for every cipher list the policy allows, the best of all first.

        A list that would lose a pair that verifies today gives none. Where the policy forces such a list, leaving it alone is
        the choice that remains: doing nothing loses nothing.
        """
        solved: list[tuple[Demands, Choice | None]] = []
        for name, ciphers in self.cipher_lists():
            demands = self._demands.read((members[0] for members in self._alike), ciphers)
            same = next((choice for others, choice in solved if others == demands), None)
            # Where a cipher list changes nothing for any endpoint, the trust that is best stays the same.
            choice = (
                replace(same, ciphers=ciphers, policy=name) if same else self._solve(name, ciphers, demands, removal=removal)
            )
            solved.append((demands, choice))
        found = [choice for _, choice in solved if choice]
        if not found:
            return self.under(replace(self._policy, ciphers="keep")).choices(removal=removal)
        return sorted(found, key=lambda choice: choice.order)

    def under(self, policy: Policy) -> Chooser:
        """Return a chooser for the same cluster under another policy about ciphers."""
        return Chooser(self._snapshot, policy, self._known, self._demands, self._answers)

    def cipher_lists(self) -> Iterator[tuple[str, CipherList | None]]:
        """The cipher lists the policy allows, with the policy that forces each; None leaves the list alone."""
        wanted = self._policy.ciphers
        current = primary(self._observed).ciphers.get(REVERSE_PROXY_CIPHERS) if self._observed else None
        if wanted in {"keep", "auto"} or current is None:
            yield "keep", None
        if wanted == "keep" or current is None:
            return
        for family in FAMILIES:
            if wanted in {"auto", f"prefer-{family}"}:
                changed = prefer(family, current)
                if changed != current:
                    yield f"prefer-{family}", changed
                elif wanted != "auto" and families_in(current)[:1] == (family,):
                    yield wanted, None

    def _solve(self, name: str, ciphers: CipherList | None, demands: Demands, *, removal: bool) -> Choice | None:
        lists = {
            members[0].address: PeerList.of((self._snapshot.certificates[one] for one in members[0].trusted_ca), len(members))
            for members in self._alike
        }
        for splits, tried in _ATTEMPTS:
            problem = Problem(
                self.oracle, self._known, lists, removal=removal, at=self._snapshot.taken_at, splits=splits, tried=tried
            )
            tables = problem.tables(demands)
            if tables is None:
                return None
            try:
                chosen = minimise(tables, _MOST_ROWS if tried > 1 and (problem.split or problem.bounded) else None)
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
        for members in self._alike:
            first = members[0].address
            mine = {place: chosen[place] for place in problem.options if place[0] == first}
            options = [problem.options[place][number] for place, number in mine.items()]
            for peer in members:
                added[peer.address] = _sorted(one.add for one in options if one.add)
                removed[peer.address] = _sorted(some for one in options for some in one.remove)
                after[peer.address] = problem.after(first, mine)
        return Choice(ciphers, name, added, removed, after, cost, problem.bounded)


def _total(tables: Iterable[Table], chosen: Mapping[Variable, int]) -> Cost:
    cost = ZERO
    for table in tables:
        cost = add(cost, table.costs[tuple(chosen[variable] for variable in table.scope)])
    return cost


def primary(peers: list[Peer]) -> Peer:
    """Return the peer whose configuration counts for the cluster: the primary, or the first where none says so."""
    return next((peer for peer in peers if peer.primary), peers[0])


def _alike(peers: list[Peer]) -> list[list[Peer]]:
    """Peers with the same trusted CA list and the same reverse proxy ciphers, together."""
    groups: dict[object, list[Peer]] = {}
    for peer in peers:
        groups.setdefault((peer.trusted_ca, peer.ciphers.get(REVERSE_PROXY_CIPHERS)), []).append(peer)
    return list(groups.values())


def _sorted(certificates: Iterator[Certificate]) -> Chain:
    return tuple(sorted(certificates, key=lambda one: one.fingerprint))
