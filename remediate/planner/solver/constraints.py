"""From demands to tables: what each way to fill a few slots does for the demands that depend on them, and what it costs.

The exact question, for one cipher list: per peer and slot, add one certificate or none (or, where allowed, take stale ones out),
so that the contract's order is met: most pairs verified, fewest removals, fewest unvouched certificates, fewest additions, narrowest
trust, lowest fingerprints; and never a pair that verifies today is lost. OpenSSL answers every row of every table itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from operator import eq

from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.plan import Role
from remediate.planner.solver.common_name_groups import Candidates, Slot, slot_of
from remediate.planner.solver.cost import ZERO, cost_of
from remediate.planner.solver.decomposition import ROWS_PER_TABLE
from remediate.planner.solver.elimination import Cost, Table
from remediate.planner.solver.options import Option, PeerList, Place, changed, options_of, too_many
from remediate.planner.solver.requirements import Demand
from remediate.planner.solver.tables import MOST_TRIED, DemandTables
from remediate.planner.solver.trust_oracle import Oracle
from remediate.trust.openssl import readable
from remediate.trust.verify import Chain

_ROWS_PER_VOUCHER = 16
_ONE_MORE = cost_of(unvouched=1)


@dataclass(frozen=True, slots=True)
class Voucher:
    """A variable that only tables know: 1 where a certificate that nobody vouches for is added to some peer."""

    certificate: Certificate


class Problem:
    """The tables of one cluster under one cipher list.

    Attributes:
        options: per place, the options by number; 0 is always to leave the slot alone.
        split: some demand has more than one table; if these hang together too closely, `splits` False is a way out.
        bounded: some demand or slot had too many ways to be tried all; the plan says so.
    """

    def __init__(
        self,
        oracle: Oracle,
        known: Candidates,
        lists: Mapping[Address, PeerList],
        *,
        removal: bool,
        at: datetime,
        splits: bool = True,
        tried: int = MOST_TRIED,
    ) -> None:
        """`lists` holds one peer for each group of peers that are alike (`PeerList.count`)."""
        self._splits = splits
        self._tried = tried
        self._oracle = oracle
        self._known = known
        self._lists = lists
        self._removal = removal
        self._at = at
        self._candidates = frozenset(known.certificates)
        self.options: dict[Place, tuple[Option, ...]] = {}
        self.split = False
        self.bounded = False

    def tables(self, demands: Mapping[Address, Mapping[Demand, int]]) -> list[Table] | None:
        """Return the tables whose minimum is the choice; None when a pair that verifies today is lost whatever is added."""
        tables: list[Table] = []
        branches = itertools.count()
        for peer, some in demands.items():
            if self._lists[peer].unreadable and not self._removal:
                continue  # Such a list accepts nothing, today or with any addition.
            options = self._open(peer, some)
            rows = ROWS_PER_TABLE if self._splits else max(ROWS_PER_TABLE, self._tried)
            maker = DemandTables(
                self._oracle, peer, self._lists[peer], options, branches, rows, splits=self._splits, tried=self._tried
            )
            tables += maker.of(some)
            self.split |= maker.split
            self.bounded |= maker.bounded
        if any(not table.costs for table in tables):
            return None
        return [*tables, *self._option_tables(), *self._voucher_tables()]

    def after(self, peer: Address, chosen: Mapping[Place, int]) -> Chain:
        """Return the list of `peer` with the chosen options applied."""
        options = [self.options[place][number] for place, number in chosen.items() if place[0] == peer]
        return changed(tuple(self._lists[peer].order), options)

    # --- options --------------------------------------------------------------------------------------------------------

    def _open(self, peer: Address, demands: Mapping[Demand, int]) -> dict[Slot, tuple[Option, ...]]:
        """Every option that can matter to `demands`, per slot of `peer`."""
        trusted = self._lists[peer]
        chains = {chain for demand in demands for chain in demand.chains}
        telling = trusted.unreadable.union(*(self._oracle.relevant(chain) for chain in chains))
        by_slot: dict[Slot, list[Certificate]] = {}
        for one in sorted(telling, key=lambda known: known.fingerprint):
            by_slot.setdefault(slot_of(one), []).append(one)
        found: dict[Slot, tuple[Option, ...]] = {}
        for slot, members in sorted(by_slot.items()):
            held = trusted.by_slot.get(slot, ())
            removable = tuple(one for one in held if self._removal and self._stale(one))
            self.bounded |= too_many(removable, telling)
            wanted = tuple(one for one in members if one in self._candidates and one not in held)
            found[slot] = options_of(held, wanted, removable, telling)
        self.options.update({(peer, slot): options for slot, options in found.items()})
        return found

    def _stale(self, listed: Certificate) -> bool:
        """Whether `listed` may be taken out: its dates are over, it cannot be read, or another one with its subject is at hand.

        A common name alone is not enough: two CAs may share one and both be in use, where nobody looked.
        """
        over = listed.not_after is not None and listed.not_after <= self._at
        return over or not readable(listed) or self._oracle.namesake(listed)

    # --- what options cost ----------------------------------------------------------------------------------------------

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
        removed = count * len(option.remove)
        if option.add is None:
            return cost_of(removed=removed)
        role: Role = self._known.role(option.add)
        return cost_of(
            removed=removed,
            added=count,
            roots=count * int(role == "root"),
            intermediates=count * int(role == "intermediate"),
            # Lowest fingerprints: the sorted lists of two equally large sets compare as these sums do, each certificate weighing
            # more than all later ones on all peers together.
            fingerprints=-count * (peers + 1) ** rank[option.add],
        )

    def _voucher_tables(self) -> Iterator[Table]:
        """One unvouched certificate counts once, however many peers it goes to: a voucher, which each of its uses needs."""
        users: dict[Certificate, list[tuple[Place, int]]] = {}
        for place, options in sorted(self.options.items()):
            for number, option in enumerate(options):
                if option.add and self._known.approval(option.add) == "required":
                    users.setdefault(option.add, []).append((place, number))
        for certificate, uses in users.items():
            if prod(len(self.options[place]) for place, _ in uses) <= _ROWS_PER_VOUCHER:
                yield self._voucher_table(uses)
                continue
            voucher = Voucher(certificate)
            yield Table((voucher,), {(held,): cost_of(unvouched=held) for held in (0, 1)})
            for place, used in uses:
                rows = itertools.product((0, 1), range(len(self.options[place])))
                yield Table((voucher, place), {(held, number): ZERO for held, number in rows if held or number != used})

    def _voucher_table(self, uses: Sequence[tuple[Place, int]]) -> Table:
        """The same as one table, where few places share the certificate."""
        places, used = zip(*uses, strict=True)
        rows = itertools.product(*(range(len(self.options[place])) for place in places))
        return Table(places, {row: _ONE_MORE if any(map(eq, row, used)) else ZERO for row in rows})
