"""What may be done with one slot of one peer's list: leave it alone, add one certificate, take some out, or both."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.planner.solver.common_name_groups import Slot, slot_of
from remediate.trust.openssl import readable
from remediate.trust.verify import Chain

Place = tuple[Address, Slot]
"""A slot of one peer's list: the variable of the problem."""

MOST_REMOVABLE = 4
"""Up to so many certificates of one slot are taken out in every combination; of more, each alone or all of them."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to treat one slot of one peer's list; the empty option leaves it alone."""

    add: Certificate | None = None
    remove: Chain = ()

    def within(self, some: AbstractSet[Certificate]) -> Option:
        """Return what this option does to those of `some`: options that do the same to them are one option to who sees only them."""
        add, remove = self.add if self.add in some else None, tuple(one for one in self.remove if one in some)
        return Option(add, remove) if add or remove else KEEP


KEEP = Option()


def options_of(held: Chain, wanted: Chain, removable: Chain, telling: AbstractSet[Certificate]) -> tuple[Option, ...]:
    """Return every option of a slot, `KEEP` first.

    Args:
        held: what the list holds there.
        wanted: what may be added there.
        removable: those of `held` that may be taken out, if any.
        telling: what can have a say in any chain; taking out anything else alone would serve nobody.
    """
    if held and all(not readable(one) for one in held):
        # One certificate that cannot be read makes the traffic server drop the whole list, so taking out some of them is no use.
        return (KEEP, Option(remove=held)) if removable else (KEEP,)
    taken_out = (Option(remove=some) for some in _sets(tuple(one for one in removable if one in telling)))
    # Expressway holds no two certificates with one common name (CSCwa12905): what is added needs the slot for itself.
    free = len(removable) == len(held)
    added = (Option(one, held) for one in wanted if free)
    return (KEEP, *taken_out, *added)


def too_many(removable: Iterable[Certificate], telling: AbstractSet[Certificate]) -> bool:
    """Whether `options_of` leaves combinations of `removable` out."""
    return sum(one in telling and readable(one) for one in removable) > MOST_REMOVABLE


def _sets(removable: Chain) -> Iterator[Chain]:
    """Every set of `removable` but the empty one, the small ones first."""
    sizes = range(1, len(removable) + 1) if len(removable) <= MOST_REMOVABLE else (1, len(removable))
    return itertools.chain.from_iterable(itertools.combinations(removable, size) for size in sizes)


@dataclass(frozen=True)
class PeerList:
    """A trusted CA list with the slots it fills, and how many peers hold exactly it.

    What is best for one of several peers that are alike is best for each of them, so they are decided as one.

    Attributes:
        unreadable: those that OpenSSL cannot read: with one of them in it, the list accepts nothing.
    """

    order: Mapping[Certificate, int]
    by_slot: Mapping[Slot, Chain]
    unreadable: frozenset[Certificate]
    count: int

    @classmethod
    def of(cls, trusted: Iterable[Certificate], count: int = 1) -> PeerList:
        """Return `trusted`, held by `count` peers, with its slots."""
        order = {one: place for place, one in enumerate(dict.fromkeys(trusted))}
        by_slot: dict[Slot, Chain] = {}
        for one in order:
            by_slot[slot_of(one)] = (*by_slot.get(slot_of(one), ()), one)
        return cls(order, by_slot, frozenset(one for one in order if not readable(one)), count)

    def among(self, some: Iterable[Certificate]) -> Chain:
        """Return those of `some` that the list holds, in its order."""
        return tuple(sorted((one for one in some if one in self.order), key=self.order.__getitem__))


def changed(trusted: Chain, options: Iterable[Option]) -> Chain:
    """Return a list with `options` applied: additions go to the end, as the box appends, the lowest fingerprint first."""
    wanted = list(options)
    removed = {one for option in wanted for one in option.remove}
    added = sorted((option.add for option in wanted if option.add), key=lambda one: one.fingerprint)
    return (*(one for one in trusted if one not in removed), *added) if removed else (*trusted, *added)
