"""The base of every change: a precondition, a write, a read-back and an inverse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Self

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, Fingerprint

FindCertificate = Callable[[Fingerprint], Certificate]


class ChangeStatus(Enum):
    """Status of a change on a peer."""

    TO_DO = "to do"
    DONE = "done"
    FOREIGN = "changed by someone else"
    """The peer has neither the value before the change nor the one after it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """State of a peer, as far as one change is concerned.

    Attributes:
        digest: Digest of what the change touches, for the journal.
        unrelated_digest: Digest of everything else that the write could damage; it must be the same before and after.
    """

    status: ChangeStatus
    digest: str
    unrelated_digest: str = ""


@dataclass(frozen=True, slots=True)
class Change(ABC):
    """One write to one peer or node, as plain data. Each kind is one frozen dataclass.

    Its port is a `PeerPort`, or for the kinds of `node_trust` a `NodePort`.

    Attributes:
        kind: Its name in plans and in the journal.
        is_verifiable: Whether a reading of the peer shows that it was made. Where not (a refresh, a restart), only the journal does,
            and a change whose intent is in the journal is never sent again.
        peer: The peer, or the node, that it is written to.
    """

    kind: ClassVar[str]
    is_verifiable: ClassVar[bool] = True
    peer: Address

    @property
    @abstractmethod
    def summary(self) -> str:
        """The change in the imperative, for a person: ``trust steven-DC-CA (sha256:…) on expc1``."""

    @property
    @abstractmethod
    def manual_instruction(self) -> str:
        """One sentence with the page, for a person who makes the change where the peer does not offer it."""

    @abstractmethod
    def precondition(self, peer: Any) -> Observed:
        """Read whether the change is still to make."""

    @abstractmethod
    def write(self, peer: Any) -> None:
        """Send the change to the peer. Raises the errors of a write of `PeerPort`."""

    def read_back(self, peer: Any) -> Observed:
        """Read whether the change was made."""
        return self.precondition(peer)

    def inverse(self) -> Change | None:
        """Return the change that undoes it; None: there is nothing to undo."""
        return None

    @abstractmethod
    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it."""

    @classmethod
    @abstractmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        """Return the change of which the journal holds `facts`; `find` returns a certificate that it names."""


def change_fields(change: Change) -> dict[str, str]:
    """Return the fields of an event on `change`: its peer and kind, and what it changes, where a reading of the peer shows that.

    They are `certificate`, `subject` and, where it has one, `common_name` of a trusted CA list, `name`, `before` and `after` of a
    cipher list, and `on` of verification.
    """
    facts = dict(change.facts()) if change.is_verifiable else {}
    certificate = getattr(change, "certificate", None)
    names = _name_fields(certificate) if isinstance(certificate, Certificate) else {}
    return {"peer": change.peer, "change": change.kind, **facts, **names}


def _name_fields(certificate: Certificate) -> dict[str, str]:
    common_name = {"common_name": certificate.common_name} if certificate.common_name else {}
    return {"subject": certificate.subject, **common_name}
