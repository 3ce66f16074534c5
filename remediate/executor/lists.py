"""What is believed of one peer's trusted CA list, so that a list which was cut, or is old, is not taken for a proof.

A certificate that is in a list is there. A certificate that is not in a list is absent only if that list holds everything else that
was beside it when it was last believed. *Own* certificates are those that the run adds or takes out: of these any may come and go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from remediate.model.certificate import Certificate
from remediate.model.errors import ObservationError
from remediate.model.identity import Fingerprint


@dataclass(slots=True)
class ListBelief:
    """What is believed of one list.

    Attributes:
        own: the certificates of the run.
        others: what a whole list holds beside them; None: nothing is known yet.
        beside: for an own certificate, what the list held beside it when it last showed it.
        expected: of own certificates, whether the next list should hold them.
        known: certificates to name in a sentence.
    """

    own: frozenset[Fingerprint] = frozenset()
    others: frozenset[Fingerprint] | None = None
    beside: dict[Fingerprint, frozenset[Fingerprint]] = field(default_factory=dict)
    expected: dict[Fingerprint, bool] = field(default_factory=dict)
    known: dict[Fingerprint, Certificate] = field(default_factory=dict)

    def missing(self, listed: Collection[Fingerprint]) -> tuple[Fingerprint, ...]:
        """Return what a whole list holds and `listed` does not, beside the run's own certificates."""
        return tuple(sorted((self.others or frozenset()).difference(listed)))

    def is_unexpected(self, listed: Collection[Fingerprint]) -> bool:
        """Return whether `listed` is worth another reading: empty, without something, or other than it was left."""
        unexpected = any((certificate in listed) is not there for certificate, there in self.expected.items())
        return not listed or bool(self.missing(listed)) or unexpected

    def proves(self, certificate: Fingerprint, listed: Collection[Fingerprint]) -> bool:
        """Return whether `listed` proves that `certificate` is there, or that it is not."""
        reference = self.beside.get(certificate, self.others or frozenset())
        return certificate in listed or reference.issubset(listed)

    def update(self, listed: Iterable[Certificate]) -> None:
        """Believe `listed` as far as it proves anything."""
        shown = {certificate.fingerprint: certificate for certificate in listed}
        self.known |= shown
        others = frozenset(shown) - self.own
        if not self.missing(shown):
            self.others = others
        for certificate in self.own:
            if certificate in shown:
                self.beside[certificate] = others
            if self.proves(certificate, shown):
                self.expected[certificate] = certificate in shown

    def forget(self, certificate: Fingerprint) -> None:
        """Expect nothing of `certificate`: it is being written."""
        self.expected.pop(certificate, None)


class ShrunkenList(ObservationError):
    """A list that lacks certificates which it held when it was last believed, also when it was read again.

    Attributes:
        listed: what it holds.
        belief: what it was held against.
    """

    default_next_step = (
        "Look at the trusted CA list of that peer in its web interface. If the missing certificates were taken out on purpose, append "
        "them again, roll back, and take them out then; if they are there, run the command again."
    )

    def __init__(self, message: str, listed: tuple[Certificate, ...], belief: ListBelief) -> None:
        super().__init__(message)
        self.listed = listed
        self.belief = belief

    def proves(self, certificate: Fingerprint) -> bool:
        """Return whether this list proves all the same that `certificate` is there, or that it is not."""
        return self.belief.proves(certificate, [certificate.fingerprint for certificate in self.listed])
