"""Belief about one peer's trusted CA list, so that a list that was truncated, or is old, is not taken as proof.

A certificate that is in a list is there. A certificate that is not in a list is absent only where that list holds everything else
that was beside it when it was last believed. *Own* certificates are those that the run adds or removes: of these any may come and go.
All other certificates of the list are *unrelated*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from remediate.model.certificate import Certificate
from remediate.model.errors import ObservationError
from remediate.model.identity import Fingerprint


@dataclass(slots=True)
class ListBelief:
    """Belief about one list.

    Attributes:
        own: The certificates of the run.
        unrelated: The unrelated certificates of a whole list; None: no list was read yet.
        beside: For an own certificate, the unrelated ones that the list held when it last showed it.
        expected: For an own certificate, whether the next list should hold it; absent: not known.
        certificates: Certificates to name in a sentence.
    """

    own: frozenset[Fingerprint] = frozenset()
    unrelated: frozenset[Fingerprint] | None = None
    beside: dict[Fingerprint, frozenset[Fingerprint]] = field(default_factory=dict)
    expected: dict[Fingerprint, bool] = field(default_factory=dict)
    certificates: dict[Fingerprint, Certificate] = field(default_factory=dict)

    def missing(self, listed: Collection[Fingerprint]) -> tuple[Fingerprint, ...]:
        """Return the unrelated certificates that a whole list holds and `listed` does not, sorted."""
        return tuple(sorted((self.unrelated or frozenset()).difference(listed)))

    def is_unexpected(self, listed: Collection[Fingerprint]) -> bool:
        """Return whether `listed` is worth another reading: empty, cut, or not as the run left it."""
        differs = any((certificate in listed) is not present for certificate, present in self.expected.items())
        return not listed or bool(self.missing(listed)) or differs

    def proves(self, certificate: Fingerprint, listed: Collection[Fingerprint]) -> bool:
        """Return whether `listed` proves that `certificate` is there, or that it is not."""
        reference = self.beside.get(certificate, self.unrelated or frozenset())
        return certificate in listed or reference.issubset(listed)

    def update(self, listed: Iterable[Certificate]) -> None:
        """Update the belief by `listed`, as far as it proves anything."""
        listed_certificates = {certificate.fingerprint: certificate for certificate in listed}
        self.certificates |= listed_certificates
        unrelated = frozenset(listed_certificates) - self.own
        if not self.missing(listed_certificates):
            self.unrelated = unrelated
        for certificate in self.own:
            if certificate in listed_certificates:
                self.beside[certificate] = unrelated
            if self.proves(certificate, listed_certificates):
                self.expected[certificate] = certificate in listed_certificates

    def forget(self, certificate: Fingerprint) -> bool | None:
        """Drop the expectation about `certificate`, which is being written, and return it; None: there was none."""
        return self.expected.pop(certificate, None)


class ShrunkenList(ObservationError):
    """A list that lacks certificates which it held when it was last believed, also when it was read again.

    Attributes:
        listed: The certificates that it holds.
        belief: What it was compared with.
    """

    default_next_step = (
        "Check the trusted CA list of that peer in its web interface. If the missing certificates are there, run the command "
        "again. If they were removed on purpose, append them again, roll back, then remove them."
    )

    def __init__(self, message: str, listed: tuple[Certificate, ...], belief: ListBelief) -> None:
        super().__init__(message)
        self.listed = listed
        self.belief = belief

    def proves(self, certificate: Fingerprint) -> bool:
        """Return whether this list proves all the same that `certificate` is there, or that it is not."""
        return self.belief.proves(certificate, [certificate.fingerprint for certificate in self.listed])
