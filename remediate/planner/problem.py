"""From demands to tables: what each way to fill a few slots does for the demands that depend on them.

The exact question, for one cipher list: per peer and slot, add one certificate or none (or, where allowed, take a stale one out),
so that the contract's order is met: most pairs verified, fewest removals, fewest unvouched certificates, fewest additions, narrowest
trust, lowest fingerprints; and never a pair that verifies today is lost. OpenSSL answers every row of every table itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.plan import Role
from remediate.model.x509 import Unreadable
from remediate.planner.demands import Demand
from remediate.planner.optimum import Cost, Row, Table
from remediate.planner.slots import Candidates, Slot, slot_of
from remediate.trust.openssl import V_OK
from remediate.trust.relevance import SubjectIndex
from remediate.trust.verify import Answers, Chain

Place = tuple[Address, Slot]
"""A slot of one peer's list: the variable of the problem."""

ROWS_PER_DEMAND = 8192
"""How many ways to fill its slots are tried for one demand. Beyond, only those with the fewest changes are (`Problem.bounded`)."""

# The places of a cost: see the module's docstring.
VERIFIED, REMOVED, UNVOUCHED, ADDED, ROOTS, INTERMEDIATES, FINGERPRINTS = range(7)
ZERO: Cost = (0,) * 7


@dataclass(frozen=True)
class Option:
    """One way to treat one slot of one peer's list; the empty option leaves it alone."""

    add: Certificate | None = None
    remove: Certificate | None = None


KEEP = Option()


@dataclass(frozen=True)
class PeerList:
    """A trusted CA list with the slots it fills, and how many peers hold exactly it.

    What is best for one of several peers that are alike is best for each of them, so they are decided as one.
    """

    order: Mapping[Certificate, int]
    by_slot: Mapping[Slot, tuple[Certificate, ...]]
    count: int

    @classmethod
    def of(cls, trusted: Iterable[Certificate], count: int = 1) -> PeerList:
        """Return `trusted`, held by `count` peers, with its slots."""
        order = {one: place for place, one in enumerate(dict.fromkeys(trusted))}
        by_slot: dict[Slot, tuple[Certificate, ...]] = {}
        for one in order:
            by_slot[slot_of(one)] = (*by_slot.get(slot_of(one), ()), one)
        return cls(order, by_slot, count)

    def among(self, some: Iterable[Certificate]) -> Chain:
        """Return those of `some` that the list holds, in its order."""
        return tuple(sorted((one for one in some if one in self.order), key=self.order.__getitem__))


class Oracle:
    """Asks OpenSSL whether a list accepts a chain, with only what can matter to the chain in the list."""

    def __init__(self, everything: Iterable[Certificate], answers: Answers) -> None:
        self._index = SubjectIndex(everything)
        self._answers = answers
        self._relevant: dict[Chain, frozenset[Certificate]] = {}

    def relevant(self, chain: Chain) -> frozenset[Certificate]:
        """Return all known certificates that can change the verdict on `chain`."""
        if chain not in self._relevant:
            self._relevant[chain] = frozenset(self._index.relevant(chain))
        return self._relevant[chain]

    def accepts(self, trusted: Sequence[Certificate], chain: Chain) -> bool:
        """Whether a list of `trusted`, in order, accepts `chain`; nothing in it that is not relevant to `chain` matters."""
        relevant = self.relevant(chain)
        try:
            return self._answers.built(chain, tuple(one for one in trusted if one in relevant)).code == V_OK
        except Unreadable:
            return False


class Problem:
    """The tables of one cluster under one cipher list.

    Attributes:
        options: per place, the options by number; 0 is always to leave the slot alone.
        bounded: some demand had too many ways to be tried all; the plan says so.
    """

    def __init__(
        self, oracle: Oracle, known: Candidates, lists: Mapping[Address, PeerList], *, removal: bool, at: datetime
    ) -> None:
        """`lists` holds one peer for each group of peers that are alike (`PeerList.count`)."""
        self._oracle = oracle
        self._known = known
        self._lists = lists
        self._removal = removal
        self._at = at
        self._candidates = frozenset(known.certificates)
        self.options: dict[Place, tuple[Option, ...]] = {}
        self.bounded = False

    def tables(self, demands: Mapping[Address, Mapping[Demand, int]]) -> list[Table] | None:
        """Return the tables whose minimum is the choice; None when a pair that verifies today is lost whatever is added."""
        needed = [(peer, demand, weight) for peer, some in demands.items() for demand, weight in some.items()]
        for peer, demand, _ in needed:
            self._open_places(peer, demand)
        tables = [self._demand_table(*one) for one in needed]
        if any(not table.costs for table in tables):
            return None
        return [*tables, *self._option_tables(), *self._voucher_tables()]

    # --- options --------------------------------------------------------------------------------------------------------

    def _open_places(self, peer: Address, demand: Demand) -> None:
        """Make room for every option that can matter to `demand`."""
        for one in sorted(self._relevant(demand), key=lambda known: known.fingerprint):
            place = (peer, slot_of(one))
            held = self._lists[peer].by_slot.get(place[1], ())
            options = self.options.get(place, (KEEP,))
            if not held and one in self._candidates:
                options = (*options, Option(add=one))
            elif self._removal and one in held and self._stale(one, demand):
                options = (*options, Option(remove=one))
            elif self._removal and held and one not in held and one in self._candidates and len(held) == 1:
                options = (*options, Option(add=one, remove=held[0]))
            self.options[place] = tuple(dict.fromkeys(options))

    def _relevant(self, demand: Demand) -> set[Certificate]:
        return {one for chain in demand.chains for one in self._oracle.relevant(chain)}

    def _stale(self, listed: Certificate, demand: Demand) -> bool:
        """Whether `listed` may be taken out: its dates are over, or another certificate with its name is at hand."""
        over = listed.not_after is not None and listed.not_after <= self._at
        rivals = {one for chain in demand.chains for one in chain} | self._relevant(demand)
        return over or any(one != listed and slot_of(one) == slot_of(listed) for one in rivals)

    # --- tables ---------------------------------------------------------------------------------------------------------

    def _demand_table(self, peer: Address, demand: Demand, weight: int) -> Table:
        """What each way to fill the places that `demand` depends on does for it: a gain, nothing, or forbidden."""
        relevant = self._relevant(demand)
        places = sorted({(peer, slot_of(one)) for one in relevant} & self.options.keys())
        places = [place for place in places if len(self.options[place]) > 1]
        held = self._lists[peer].among(relevant)
        costs: dict[Row, Cost] = {}
        for row in self._rows(places, relevant):
            trusted = _changed(held, [self.options[place][number] for place, number in zip(places, row, strict=True)])
            verified = bool(demand.chains) and all(self._oracle.accepts(trusted, chain) for chain in demand.chains)
            if verified or not demand.must_hold:
                costs[row] = _cost(verified=-weight * self._lists[peer].count if verified else 0)
        return Table(tuple(places), self._spread(places, relevant, costs))

    def after(self, peer: Address, chosen: Mapping[Place, int]) -> Chain:
        """Return the list of `peer` with the chosen options applied."""
        options = [self.options[place][number] for place, number in chosen.items() if place[0] == peer]
        return _changed(tuple(self._lists[peer].order), options)

    def _rows(self, places: Sequence[Place], relevant: set[Certificate]) -> Iterable[Row]:
        """Every row of options that can matter here, or, where those are too many, those with the fewest changes."""
        numbers = [self._telling(place, relevant) for place in places]
        total = 1
        for some in numbers:
            total *= len(some)
        if total <= ROWS_PER_DEMAND:
            return itertools.product(*numbers)
        self.bounded = True
        return itertools.islice(_by_changes(numbers), ROWS_PER_DEMAND)

    def _telling(self, place: Place, relevant: set[Certificate]) -> tuple[int, ...]:
        """The options of `place` by number, those left out that are nothing to the demand."""
        options = self.options[place]
        return tuple(
            number
            for number, option in enumerate(options)
            if option is KEEP or option.add in relevant or option.remove in relevant
        )

    def _spread(self, places: Sequence[Place], relevant: set[Certificate], costs: dict[Row, Cost]) -> dict[Row, Cost]:
        """The same costs over all options: one that is nothing to the demand costs it what leaving the slot alone does."""
        for index, place in enumerate(places):
            telling = set(self._telling(place, relevant))
            silent = [number for number in range(len(self.options[place])) if number not in telling]
            alone = {row: cost for row, cost in costs.items() if row[index] == 0}
            for number in silent:
                costs.update({(*row[:index], number, *row[index + 1 :]): cost for row, cost in alone.items()})
        return costs

    def _option_tables(self) -> list[Table]:
        """What each option costs by itself: removals, additions, and how wide the new trust is."""
        offered = {option.add for options in self.options.values() for option in options if option.add}
        rank = {one: place for place, one in enumerate(sorted(offered, key=lambda one: one.fingerprint, reverse=True))}
        peers = sum(some.count for some in self._lists.values())
        return [
            Table((place,), {(number,): self._own_cost(place, option, rank, peers) for number, option in enumerate(options)})
            for place, options in sorted(self.options.items())
        ]

    def _own_cost(self, place: Place, option: Option, rank: Mapping[Certificate, int], peers: int) -> Cost:
        count = self._lists[place[0]].count
        removed = count * int(option.remove is not None)
        if option.add is None:
            return _cost(removed)
        role: Role = self._known.role(option.add)
        return _cost(
            removed,
            added=count,
            roots=count * int(role == "root"),
            intermediates=count * int(role == "intermediate"),
            # Lowest fingerprints: the sorted lists of two equally large sets compare as these sums do, each certificate weighing
            # more than all later ones on all peers together.
            fingerprints=-count * (peers + 1) ** rank[option.add],
        )

    def _voucher_tables(self) -> list[Table]:
        """One unvouched certificate counts once, however many peers it goes to."""
        users: dict[Certificate, list[Place]] = {}
        for place, options in sorted(self.options.items()):
            for option in options:
                if option.add and self._known.approval(option.add) == "required":
                    users.setdefault(option.add, []).append(place)
        return [self._voucher_table(certificate, places) for certificate, places in users.items()]

    def _voucher_table(self, certificate: Certificate, places: Sequence[Place]) -> Table:
        rows = itertools.product(*(range(len(self.options[place])) for place in places))
        return Table(
            tuple(places),
            {row: _cost(unvouched=int(self._uses(certificate, places, row))) for row in rows},
        )

    def _uses(self, certificate: Certificate, places: Sequence[Place], row: Row) -> bool:
        return any(self.options[place][number].add == certificate for place, number in zip(places, row, strict=True))


def _changed(trusted: Chain, options: Iterable[Option]) -> Chain:
    """A list with `options` applied: additions go to the end, as the box appends, the lowest fingerprint first."""
    wanted = list(options)
    removed = {option.remove for option in wanted if option.remove}
    added = sorted((option.add for option in wanted if option.add), key=lambda one: one.fingerprint)
    return (*(one for one in trusted if one not in removed), *added) if removed else (*trusted, *added)


def _by_changes(numbers: Sequence[Sequence[int]]) -> Iterable[Row]:
    """Rows over `numbers` (0 first in each), those with the fewest places other than 0 first."""
    for changes in range(len(numbers) + 1):
        for places in itertools.combinations(range(len(numbers)), changes):
            filled = [numbers[place][1:] if place in places else (0,) for place in range(len(numbers))]
            yield from itertools.product(*filled)


def _cost(
    removed: int = 0,
    *,
    verified: int = 0,
    unvouched: int = 0,
    added: int = 0,
    roots: int = 0,
    intermediates: int = 0,
    fingerprints: int = 0,
) -> Cost:
    return (verified, removed, unvouched, added, roots, intermediates, fingerprints)
