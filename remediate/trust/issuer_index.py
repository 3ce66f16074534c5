"""The issuer index: which certificates of a list can matter to a chain at all.

OpenSSL looks for an issuer by its subject name only, starting from the leaf, in the list and in what is presented. So a certificate
of the list matters to a chain only if its subject is an issuer's name that can be reached from the leaf; that of a self-signed leaf
is its own. Names are compared as OpenSSL compares them, through its own hash of the canonical name; a collision of that hash keeps a
certificate too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from remediate.model.certificate import Certificate
from remediate.trust.openssl import name_hashes


class SubjectIndex:
    """A list of certificates by subject, to find the relevant ones without walking the whole list for each chain."""

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._order: dict[Certificate, int] = {}
        self._by_subject: dict[int, list[Certificate]] = {}
        for certificate in dict.fromkeys(certificates):
            self._order[certificate] = len(self._order)
            self._by_subject.setdefault(name_hashes(certificate).subject, []).append(certificate)

    def relevant(self, presented: Sequence[Certificate]) -> tuple[Certificate, ...]:
        """Return the certificates that can change the verdict on `presented`, in the list's order."""
        reached = self.reached_names(presented, lambda _certificate: True)
        relevant = (certificate for name in reached for certificate in self.bearers(name))
        return tuple(sorted(relevant, key=self._order.__getitem__))

    def reached_names(self, presented: Sequence[Certificate], is_listed: Callable[[Certificate], bool]) -> frozenset[int]:
        """Return the hashes of the issuers' names that lead up from the leaf, the first of `presented`.

        They lead through what is presented, and through those of the list that `is_listed`.
        """
        names = [name_hashes(leaf).issuer for leaf in presented[:1]]
        reached: set[int] = set()
        while names:
            name = names.pop()
            if name not in reached:
                reached.add(name)
                names.extend(name_hashes(bearer).issuer for bearer in self.bearers(name) if is_listed(bearer))
                names.extend(hashes.issuer for hashes in map(name_hashes, presented) if hashes.subject == name)
        return frozenset(reached)

    def bearers(self, subject: int) -> Sequence[Certificate]:
        """Return the certificates whose subject has this hash, in the list's order."""
        return self._by_subject.get(subject, ())
