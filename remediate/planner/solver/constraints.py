"""The problem: what may be done with each common name group of each peer's list, what that costs, and what is connected.

Per peer and common name group: add one certificate or none (or, where allowed, remove stale ones), so that the contract's order is
met: most pairs verified, fewest removals, fewest unvouched certificates, fewest additions, narrowest trust, lowest fingerprints; and
never a pair that verifies today is lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from operator import eq

from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address
from remediate.model.plan import Role
from remediate.planner.solver.candidates import Candidates, CommonNameGroup, common_name_group
from remediate.planner.solver.cost import ZERO, Cost
from remediate.planner.solver.elimination import Row, Table
from remediate.planner.solver.options import Option, PeerList, Place, apply_options, has_too_many_removals, list_options
from remediate.planner.solver.requirements import PeerRequirement, Requirement, Requirements
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.openssl import is_readable, name_hashes

_ROWS_PER_APPROVAL = 16
_ONE_APPROVAL = Cost(unvouched=1)


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """A variable that only tables know: 1 where a certificate that needs an approval is added to some peer."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Component:
    """Places and requirements that are connected, and with nothing else: what is best for one component is best for the cluster."""

    places: tuple[Place, ...]
    requirements: tuple[PeerRequirement, ...]


class Problem:
    """The problem of one cluster under one cipher list.

    Attributes:
        oracle: OpenSSL's answers.
        lists: One peer for each set of peers with equal lists (`PeerList.count`).
        options: Per place, the options by number; 0 always leaves the group alone.
        requirements: What counts: a list could accept it, or it verifies today.
        omits_removals: Some group has too many stale certificates for every combination of them to be an option.
    """

    def __init__(
        self,
        oracle: TrustOracle,
        candidates: Candidates,
        lists: Mapping[Address, PeerList],
        requirements: Requirements,
        *,
        removal: bool,
        at: datetime,
    ) -> None:
        """Set the problem up; `lists` and `requirements` hold the same peers."""
        self.oracle = oracle
        self.lists = lists
        self.options: dict[Place, tuple[Option, ...]] = {}
        self.requirements: list[PeerRequirement] = []
        self.omits_removals = False
        self._candidates = candidates
        self._removal = removal
        self._at = at
        chains = {chain for of_peer in requirements.values() for requirement in of_peer for chain in requirement.chains}
        self._presented_issuers = {name_hashes(certificate).issuer for chain in chains for certificate in chain}
        self._peers = sum(peer_list.count for peer_list in lists.values())
        for peer, of_peer in requirements.items():
            # An unreadable certificate makes a list accept nothing, today or with any addition.
            if removal or not lists[peer].unreadable:
                self._open_peer(peer, of_peer)

    def options_at(self, peer: Address) -> dict[CommonNameGroup, tuple[Option, ...]]:
        """Return the options of `peer` by group."""
        return {group: options for (address, group), options in self.options.items() if address == peer}

    def after(self, peer: Address, chosen: Mapping[Place, int]) -> Chain:
        """Return the list of `peer` with the chosen options applied."""
        options = [self.options[place][number] for place, number in chosen.items() if place[0] == peer]
        return apply_options(tuple(self.lists[peer].order), options)

    def find_components(self) -> list[Component]:
        """Return what is connected: by a requirement, or by a certificate that would need one approval for several peers."""
        links: list[list[Place]] = [self._list_places(requirement) for requirement in self.requirements]
        sets = _DisjointSets(self.options)
        for places in (*links, *(places for places, _ in self.list_approvals(self.options))):
            for place in places[1:]:
                sets.join(places[0], place)
        requirements: dict[Place | None, list[PeerRequirement]] = {}
        for requirement, places in zip(self.requirements, links, strict=True):
            requirements.setdefault(sets.find(places[0]) if places else None, []).append(requirement)
        places_by_root: dict[Place | None, list[Place]] = {}
        for place, options in sorted(self.options.items()):
            if len(options) > 1:
                places_by_root.setdefault(sets.find(place), []).append(place)
        return [Component(tuple(places_by_root.get(root, ())), tuple(connected)) for root, connected in requirements.items()]

    # --- options --------------------------------------------------------------------------------------------------------

    def _open_peer(self, peer: Address, requirements: Mapping[Requirement, int]) -> None:
        count = self.lists[peer].count
        self.requirements += [
            PeerRequirement(requirement.chains, requirement.must_hold, peer, weight * count)
            for requirement, weight in requirements.items()
            if requirement.must_hold or all(map(self.oracle.may_accept, requirement.chains))
        ]
        chains = {chain for requirement in self.requirements if requirement.peer == peer for chain in requirement.chains}
        trusted = self.lists[peer]
        relevant = trusted.unreadable.union(*(self.oracle.relevant(chain) for chain in chains))
        by_group: dict[CommonNameGroup, list[Certificate]] = {}
        for certificate in sorted(relevant, key=lambda certificate: certificate.fingerprint):
            by_group.setdefault(common_name_group(certificate), []).append(certificate)
        for group, members in sorted(by_group.items()):
            held = trusted.by_group.get(group, ())
            removable = tuple(certificate for certificate in held if self._removal and self._is_stale(certificate))
            self.omits_removals |= has_too_many_removals(removable, relevant)
            addable = tuple(certificate for certificate in members if certificate not in held and self._may_help(certificate))
            self.options[peer, group] = list_options(held, addable, removable, relevant)

    def _may_help(self, certificate: Certificate) -> bool:
        return certificate in self._candidates.addable and (
            self.oracle.may_issue(certificate) or name_hashes(certificate).subject in self._presented_issuers
        )

    def _is_stale(self, listed: Certificate) -> bool:
        """Return whether `listed` may be removed: it has expired, it cannot be read, or another certificate has its subject.

        A common name alone is not enough: two CAs may share one and both be in use, for endpoints that were not observed.
        """
        expired = listed.not_after is not None and listed.not_after <= self._at
        return expired or not is_readable(listed) or self.oracle.has_namesake(listed)

    def _list_places(self, requirement: PeerRequirement) -> list[Place]:
        certificates = {
            *self.lists[requirement.peer].unreadable,
            *(certificate for chain in requirement.chains for certificate in self.oracle.relevant(chain)),
        }
        places = {(requirement.peer, common_name_group(certificate)) for certificate in certificates}
        return sorted(place for place in places if len(self.options[place]) > 1)

    # --- what options cost ----------------------------------------------------------------------------------------------

    def option_cost(self, place: Place, option: Option) -> Cost:
        """Return what `option` costs by itself: removals, additions, and how wide the new trust is; not its approval."""
        count = self.lists[place[0]].count
        removed = count * len(option.remove)
        if option.add is None:
            return Cost(removed=removed)
        role: Role = self._candidates.role(option.add)
        roots, intermediates = count * int(role == "root"), count * int(role == "intermediate")
        return Cost(removed=removed, added=count, roots=roots, intermediates=intermediates)

    def cost(self, chosen: Mapping[Place, int], verified: int) -> Cost:
        """Return what all of `chosen` costs, fingerprints left out, where so many pairs verify."""
        total: Sequence[int] = Cost(verified=-verified)
        approvals: set[Certificate] = set()
        for place, number in chosen.items():
            option = self.options[place][number]
            total = tuple(map(sum, zip(total, self.option_cost(place, option), strict=True)))
            if option.add and self._needs_approval(option.add):
                approvals.add(option.add)
        return Cost._make(total)._replace(unvouched=len(approvals))

    def list_approvals(self, places: Iterable[Place]) -> Iterator[tuple[list[Place], list[int]]]:
        """Yield for each certificate that needs an approval the places that may take it, and the number of that option there."""
        uses: dict[Certificate, tuple[list[Place], list[int]]] = {}
        for place in sorted(places):
            for number, option in enumerate(self.options[place]):
                if option.add and self._needs_approval(option.add):
                    of_certificate = uses.setdefault(option.add, ([], []))
                    of_certificate[0].append(place)
                    of_certificate[1].append(number)
        yield from uses.values()

    def _needs_approval(self, certificate: Certificate) -> bool:
        return self._candidates.approval(certificate) == "required"

    def option_tables(self, places: Sequence[Place]) -> Iterator[Table]:
        """Yield the tables of what each option of `places` costs by itself, fingerprints included."""
        additions = {option.add for place in places for option in self.options[place] if option.add}
        descending = sorted(additions, key=lambda certificate: certificate.fingerprint, reverse=True)
        # Lowest fingerprints: the sorted lists of two equally large sets compare as these sums do, each certificate weighing more
        # than all later ones on all peers together.
        weights = {certificate: (self._peers + 1) ** rank for rank, certificate in enumerate(descending)}
        for place in places:
            costs: dict[Row, Cost] = {}
            for number, option in enumerate(self.options[place]):
                weight = -self.lists[place[0]].count * weights[option.add] if option.add else 0
                costs[number,] = self.option_cost(place, option)._replace(fingerprints=weight)
            yield Table((place,), costs)

    def approval_tables(self, places: Sequence[Place]) -> Iterator[Table]:
        """Yield the tables that count an approval once, however many peers its certificate goes to."""
        for users, numbers in self.list_approvals(places):
            if prod(len(self.options[place]) for place in users) <= _ROWS_PER_APPROVAL:
                yield self._make_approval_table(users, numbers)
                continue
            certificate = self.options[users[0]][numbers[0]].add
            assert certificate is not None  # noqa: S101 - `list_approvals` yields additions only
            approval = ApprovalNeeded(certificate)
            yield Table((approval,), {(needed,): Cost(unvouched=needed) for needed in (0, 1)})
            for place, number in zip(users, numbers, strict=True):
                rows = itertools.product((0, 1), range(len(self.options[place])))
                allowed: dict[Row, Cost] = {(needed, option): ZERO for needed, option in rows if needed or option != number}
                yield Table((approval, place), allowed)

    def _make_approval_table(self, places: Sequence[Place], numbers: Sequence[int]) -> Table:
        """Return the same as one table, where few places share the certificate."""
        rows = itertools.product(*(range(len(self.options[place])) for place in places))
        return Table(tuple(places), {row: _ONE_APPROVAL if any(map(eq, row, numbers)) else ZERO for row in rows})


class _DisjointSets:
    """Sets of places, each represented by one of them (union-find)."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._parents = {place: place for place in places}

    def find(self, place: Place) -> Place:
        """Return the place that represents the set of `place`."""
        while self._parents[place] != place:
            self._parents[place] = self._parents[self._parents[place]]
            place = self._parents[place]
        return place

    def join(self, place: Place, neighbour: Place) -> None:
        """Join the sets of `place` and `neighbour`."""
        self._parents[self.find(neighbour)] = self.find(place)
