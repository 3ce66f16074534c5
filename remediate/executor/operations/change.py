"""Protocol of a change: a precondition, a write, a read-back and an inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Protocol

from remediate.model.certificate import Certificate
from remediate.model.identity import Address


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


class Change(Protocol):
    """One write to one peer or node, as plain data. Each kind is one frozen dataclass in a module of its own.

    Its port is a `PeerPort`, or for the kinds of `node_trust` a `NodePort`.

    Attributes:
        kind: Its name in plans and in the journal.
        is_verifiable: Whether a reading of the peer shows that it was made. Where not (a refresh, a restart), only the journal does,
            and a change whose intent is in the journal is never sent again.
    """

    kind: ClassVar[str]
    is_verifiable: ClassVar[bool]

    @property
    def peer(self) -> Address:
        """The peer, or the node, that it is written to."""

    @property
    def summary(self) -> str:
        """The change in the imperative, for a person: ``trust steven-DC-CA (sha256:…) on expc1``."""

    @property
    def manual_instruction(self) -> str:
        """One sentence with the page, for a person who makes the change where the peer does not offer it."""

    def precondition(self, peer: Any) -> Observed:
        """Read whether the change is still to make."""

    def write(self, peer: Any) -> None:
        """Send the change to the peer. Raises the errors of a write of `PeerPort`."""

    def read_back(self, peer: Any) -> Observed:
        """Read whether the change was made."""

    def inverse(self) -> Change | None:
        """Return the change that undoes it; None: there is nothing to undo."""

    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it, for `operations.restore_change`."""


def change_fields(change: Change) -> dict[str, str]:
    """Return the fields of an event on `change`: its peer and kind, and what it changes, where a reading of the peer shows that.

    They are `certificate` and `subject` of a trusted CA list, `name`, `before` and `after` of a cipher list, and `on` of verification.
    """
    facts = dict(change.facts()) if change.is_verifiable else {}
    certificate = getattr(change, "certificate", None)
    subject = {"subject": certificate.subject} if isinstance(certificate, Certificate) else {}
    return {"peer": change.peer, "change": change.kind, **facts, **subject}
