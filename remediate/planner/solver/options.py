"""Options: what may be done with one common name group of one peer's list. Leave it alone, add a certificate, remove some, or both."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address
from remediate.planner.solver.candidates import CommonNameGroup, common_name_group
from remediate.trust.openssl import is_readable

Place = tuple[Address, CommonNameGroup]
"""A common name group of one peer's list: a variable of the problem."""

MAX_COMBINED_REMOVALS = 4
"""Up to so many certificates of one group are removed in every combination; of more, each alone or all of them."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to treat one group of one peer's list; the empty option leaves it alone."""

    add: Certificate | None = None
    remove: Chain = ()

    @property
    def certificates(self) -> Chain:
        """What this option adds or removes."""
        return (self.add, *self.remove) if self.add else self.remove

    def within(self, certificates: AbstractSet[Certificate]) -> Option:
        """Return what this option does to `certificates`: options that do the same to them are one option where only they matter."""
        add = self.add if self.add in certificates else None
        remove = tuple(certificate for certificate in self.remove if certificate in certificates)
        return Option(add, remove) if add or remove else KEEP


KEEP = Option()


def list_options(held: Chain, addable: Chain, removable: Chain, relevant: AbstractSet[Certificate]) -> tuple[Option, ...]:
    """Return every option of a group, `KEEP` first.

    Args:
        held: What the list holds of the group.
        addable: What may be added.
        removable: Those of `held` that may be removed.
        relevant: What can change the verdict on some chain; removing anything else alone would help no endpoint.
    """
    if held and not any(is_readable(certificate) for certificate in held):
        # One certificate that cannot be read makes the traffic server drop the whole list, so removing only some does not help.
        return (KEEP, Option(remove=held)) if removable else (KEEP,)
    sets = _combinations(tuple(certificate for certificate in removable if certificate in relevant))
    removals = (Option(remove=certificates) for certificates in sets)
    # Expressway holds no two certificates with one common name (CSCwa12905): an addition needs the group for itself.
    is_free = len(removable) == len(held)
    additions = (Option(certificate, held) for certificate in addable if is_free)
    return (KEEP, *removals, *additions)


def has_too_many_removals(removable: Iterable[Certificate], relevant: AbstractSet[Certificate]) -> bool:
    """Return whether `list_options` leaves combinations of `removable` out."""
    return sum(certificate in relevant and is_readable(certificate) for certificate in removable) > MAX_COMBINED_REMOVALS


def _combinations(removable: Chain) -> Iterator[Chain]:
    """Yield every set of `removable` but the empty one, the small ones first."""
    sizes = range(1, len(removable) + 1) if len(removable) <= MAX_COMBINED_REMOVALS else (1, len(removable))
    return itertools.chain.from_iterable(itertools.combinations(removable, size) for size in sizes)


@dataclass(frozen=True)
class PeerList:
    """A trusted CA list by common name group, and how many peers hold exactly it.

    What is best for one of several peers with equal lists is best for each of them, so they are decided together.

    Attributes:
        unreadable: Those that OpenSSL cannot read: with one of them in it, the list accepts nothing.
    """

    order: Mapping[Certificate, int]
    by_group: Mapping[CommonNameGroup, Chain]
    unreadable: frozenset[Certificate]
    count: int

    @classmethod
    def of(cls, trusted: Iterable[Certificate], count: int = 1) -> PeerList:
        """Return the list `trusted`, held by `count` peers, with its groups."""
        order = {certificate: position for position, certificate in enumerate(dict.fromkeys(trusted))}
        by_group: dict[CommonNameGroup, Chain] = {}
        for certificate in order:
            group = common_name_group(certificate)
            by_group[group] = (*by_group.get(group, ()), certificate)
        return cls(order, by_group, frozenset(certificate for certificate in order if not is_readable(certificate)), count)

    def among(self, certificates: Iterable[Certificate]) -> Chain:
        """Return those of `certificates` that the list holds, in its order."""
        listed = (certificate for certificate in certificates if certificate in self.order)
        return tuple(sorted(listed, key=self.order.__getitem__))


def apply_options(trusted: Chain, options: Iterable[Option]) -> Chain:
    """Return the list with `options` applied: additions go to the end, as Expressway appends, the lowest fingerprint first."""
    chosen = list(options)
    removed = {certificate for option in chosen for certificate in option.remove}
    added = sorted((option.add for option in chosen if option.add), key=lambda certificate: certificate.fingerprint)
    if not removed:
        return (*trusted, *added)
    return (*(certificate for certificate in trusted if certificate not in removed), *added)
