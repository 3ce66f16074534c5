"""What every kind of change has: a precondition, an operation, a read-back and an inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

from remediate.executor.ports import PeerPort
from remediate.model.identity import Address


class ChangeStatus(Enum):
    """How a box stands to a change."""

    TO_DO = "to do"
    DONE = "done"
    FOREIGN = "changed by somebody else"


@dataclass(frozen=True, slots=True)
class Observed:
    """What a box says, as far as one change is concerned.

    Attributes:
        digest: of what the change touches, for the journal.
        unrelated_digest: of everything beside it that the write could hurt; it must be the same before and after.
    """

    status: ChangeStatus
    digest: str
    unrelated_digest: str = ""


class Change(Protocol):
    """One write to one peer, as plain data. Each kind is one frozen dataclass in a module of its own.

    Attributes:
        kind: its name in plans and in the journal.
        is_verifiable: whether reading the box tells if it was done. Where not (a refresh, a restart), the journal alone does, and a
            change whose intent stands in the journal is never sent again.
    """

    kind: ClassVar[str]
    is_verifiable: ClassVar[bool]

    @property
    def peer(self) -> Address: ...

    @property
    def summary(self) -> str:
        """What it does, in the imperative, for a person: ``trust steven-DC-CA (sha256:…) on expc1``."""

    @property
    def manual_instruction(self) -> str:
        """How a person does it where the box does not offer it: one sentence with the page."""

    def precondition(self, box: PeerPort) -> Observed:
        """Read whether it is still to do."""

    def write(self, box: PeerPort) -> None:
        """Do it. Raises what `PeerPort` says of writes."""

    def read_back(self, box: PeerPort) -> Observed:
        """Read whether it is done."""

    def inverse(self) -> Change | None:
        """The change that undoes it; None: there is nothing to undo."""

    def facts(self) -> Mapping[str, str]:
        """What the journal keeps of it; `operations.restore_change` reads it again."""
