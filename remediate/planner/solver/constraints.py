"""The problem: the tables whose minimum is the choice, for one cipher list.

Per peer and common name group: add one certificate or none (or, where allowed, remove stale ones), so that the contract's order is
met: most pairs verified, fewest removals, fewest unvouched certificates, fewest additions, narrowest trust, lowest fingerprints; and
never a pair that verifies today is lost. OpenSSL answers every row of every table itself.
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
from remediate.planner.solver.candidates import Candidates, CommonNameGroup, common_name_group
from remediate.planner.solver.cost import ZERO, Cost
from remediate.planner.solver.elimination import Row, Table
from remediate.planner.solver.options import Option, PeerList, Place, apply_options, has_too_many_removals, list_options
from remediate.planner.solver.requirements import Requirement
from remediate.planner.solver.tables import RequirementTables, SearchLimits
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import Chain
from remediate.trust.openssl import is_readable

_ROWS_PER_APPROVAL = 16
_ONE_APPROVAL = Cost(unvouched=1)


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """A variable that only tables know: 1 where a certificate that needs an approval is added to some peer."""

    certificate: Certificate


class Problem:
    """The tables of one cluster under one cipher list.

    Attributes:
        options: Per place, the options by number; 0 always leaves the group alone.
        split: Some requirement has more than one table. If these are too closely connected, `SearchLimits.splits` False is a way out.
        bounded: Some requirement or group had too many ways to be tried all; the plan notes it.
    """

    def __init__(
        self,
        oracle: TrustOracle,
        candidates: Candidates,
        lists: Mapping[Address, PeerList],
        *,
        removal: bool,
        at: datetime,
        limits: SearchLimits = SearchLimits(),  # noqa: B008 - a frozen value
    ) -> None:
        """Set the problem up; `lists` holds one peer for each set of peers with equal lists (`PeerList.count`)."""
        self._limits = limits
        self._oracle = oracle
        self._candidates = candidates
        self._lists = lists
        self._removal = removal
        self._at = at
        self._addable = candidates.addable
        self.options: dict[Place, tuple[Option, ...]] = {}
        self.split = False
        self.bounded = False

    def tables(self, requirements: Mapping[Address, Mapping[Requirement, int]]) -> list[Table] | None:
        """Return the tables whose minimum is the choice; None when a pair that verifies today is lost whatever is added."""
        tables: list[Table] = []
        branch_numbers = itertools.count()
        for peer, every_requirement in requirements.items():
            if self._lists[peer].unreadable and not self._removal:
                continue  # Such a list accepts nothing, today or with any addition.
            of_peer = {
                requirement: weight
                for requirement, weight in every_requirement.items()
                if requirement.must_hold or all(map(self._oracle.may_accept, requirement.chains))
            }
            options = self._open_groups(peer, of_peer)
            maker = RequirementTables(self._oracle, peer, self._lists[peer], options, branch_numbers, self._limits)
            tables += maker.of(of_peer)
            self.split |= maker.split
            self.bounded |= maker.bounded
        if any(not table.costs for table in tables):
            return None
        return [*tables, *self._option_tables(), *self._approval_tables()]

    def after(self, peer: Address, chosen: Mapping[Place, int]) -> Chain:
        """Return the list of `peer` with the chosen options applied."""
        options = [self.options[place][number] for place, number in chosen.items() if place[0] == peer]
        return apply_options(tuple(self._lists[peer].order), options)

    # --- options --------------------------------------------------------------------------------------------------------

    def _open_groups(self, peer: Address, requirements: Mapping[Requirement, int]) -> dict[CommonNameGroup, tuple[Option, ...]]:
        """Return every option that can matter to `requirements`, per group of `peer`."""
        trusted = self._lists[peer]
        chains = {chain for requirement in requirements for chain in requirement.chains}
        relevant = trusted.unreadable.union(*(self._oracle.relevant(chain) for chain in chains))
        by_group: dict[CommonNameGroup, list[Certificate]] = {}
        for certificate in sorted(relevant, key=lambda certificate: certificate.fingerprint):
            by_group.setdefault(common_name_group(certificate), []).append(certificate)
        options: dict[CommonNameGroup, tuple[Option, ...]] = {}
        for group, members in sorted(by_group.items()):
            held = trusted.by_group.get(group, ())
            removable = tuple(certificate for certificate in held if self._removal and self._is_stale(certificate))
            self.bounded |= has_too_many_removals(removable, relevant)
            addable = tuple(certificate for certificate in members if certificate in self._addable and certificate not in held)
            options[group] = list_options(held, addable, removable, relevant)
        self.options.update({(peer, group): alternatives for group, alternatives in options.items()})
        return options

    def _is_stale(self, listed: Certificate) -> bool:
        """Return whether `listed` may be removed: it has expired, it cannot be read, or another certificate has its subject.

        A common name alone is not enough: two CAs may share one and both be in use, for endpoints that were not observed.
        """
        expired = listed.not_after is not None and listed.not_after <= self._at
        return expired or not is_readable(listed) or self._oracle.has_namesake(listed)

    # --- what options cost ----------------------------------------------------------------------------------------------

    def _option_tables(self) -> list[Table]:
        """Return what each option costs by itself: removals, additions, and how wide the new trust is."""
        offered = {option.add for options in self.options.values() for option in options if option.add}
        descending = sorted(offered, key=lambda certificate: certificate.fingerprint, reverse=True)
        rank = {certificate: position for position, certificate in enumerate(descending)}
        peers = sum(peer_list.count for peer_list in self._lists.values())
        return [
            Table((place,), {(number,): self._option_cost(place, option, rank, peers) for number, option in enumerate(options)})
            for place, options in sorted(self.options.items())
        ]

    def _option_cost(self, place: Place, option: Option, rank: Mapping[Certificate, int], peers: int) -> Cost:
        count = self._lists[place[0]].count
        removed = count * len(option.remove)
        if option.add is None:
            return Cost(removed=removed)
        role: Role = self._candidates.role(option.add)
        return Cost(
            removed=removed,
            added=count,
            roots=count * int(role == "root"),
            intermediates=count * int(role == "intermediate"),
            # Lowest fingerprints: the sorted lists of two equally large sets compare as these sums do, each certificate weighing
            # more than all later ones on all peers together.
            fingerprints=-count * (peers + 1) ** rank[option.add],
        )

    def _approval_tables(self) -> Iterator[Table]:
        """Yield the tables that count an approval once, however many peers its certificate goes to."""
        users: dict[Certificate, list[tuple[Place, int]]] = {}
        for place, options in sorted(self.options.items()):
            for number, option in enumerate(options):
                if option.add and self._candidates.approval(option.add) == "required":
                    users.setdefault(option.add, []).append((place, number))
        for certificate, uses in users.items():
            if prod(len(self.options[place]) for place, _ in uses) <= _ROWS_PER_APPROVAL:
                yield self._approval_table(uses)
                continue
            approval = ApprovalNeeded(certificate)
            yield Table((approval,), {(needed,): Cost(unvouched=needed) for needed in (0, 1)})
            for place, approved_number in uses:
                rows = itertools.product((0, 1), range(len(self.options[place])))
                allowed: dict[Row, Cost] = {
                    (needed, number): ZERO for needed, number in rows if needed or number != approved_number
                }
                yield Table((approval, place), allowed)

    def _approval_table(self, uses: Sequence[tuple[Place, int]]) -> Table:
        """Return the same as one table, where few places share the certificate."""
        places, option_numbers = zip(*uses, strict=True)
        rows = itertools.product(*(range(len(self.options[place])) for place in places))
        return Table(places, {row: _ONE_APPROVAL if any(map(eq, row, option_numbers)) else ZERO for row in rows})
