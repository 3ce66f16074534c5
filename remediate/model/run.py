"""Runs as the journal records them: their state, steps, backups and approvals, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from remediate.model.effect import PeerEffect
from remediate.model.identity import Address, CipherList, Fingerprint, PlanId

RunState = Literal["running", "applied", "confirm-pending", "rolled-back", "partial", "unknown"]
RunKind = Literal["apply", "rollback", "restart", "workaround"]
StepState = Literal["intended", "done", "failed", "unknown", "undone"]

UNFINISHED: frozenset[RunState] = frozenset({"running", "partial", "unknown"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times are RFC 3339 UTC.

    Attributes:
        plan: None: it has none, as a restart.
        message: What came of it; each step that is left for a person is a line of its own after that.
        state: ``running`` also for a run whose process died, until the next run on the cluster records that.
        user: Who carried it out, on `host`.
        confirm_by: Until when it must be, or had to be, confirmed; None: it never had a timer.
        timer: The name of the timer that undoes the run after `confirm_by`; None: no timer does, or no longer.
        confirmed_by: Who confirmed it; None: it was not confirmed, or its journal is of a version before this column.
        exit_code: What the command ended with that closed it, without its 9 once it is confirmed; None: none did, or its journal is of
            a version before this column.
        in_effect: Whether what it wrote is in effect on each peer, as seen when it was closed; None: it was not looked at.
    """

    id: str
    cluster: str
    plan: PlanId | None
    state: RunState
    started_at: str
    ended_at: str | None
    ticket: str | None
    user: str
    host: str
    pid: int
    peers: tuple[Address, ...]
    message: str
    confirm_by: str | None = None
    timer: str | None = None
    confirmed_by: str | None = None
    kind: RunKind = "apply"
    exit_code: int | None = None
    in_effect: tuple[PeerEffect, ...] | None = None


def join_message(result: str, steps: Iterable[str]) -> str:
    """Return the message of a run: what came of it, and the steps that are left for a person, a line each."""
    return "\n".join([result, *steps])


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One write to one peer, as the journal records it.

    Attributes:
        number: The step of the specification it belongs to: 6 for a peer's own changes, 9 ciphers, 10 restart, 11 refresh; the
            last two were the other way round in 0.1.0.
        facts: What was to be written, and enough to undo it.
        inverse: The same for the change that undoes it; None where there is nothing to undo.
        before: Digest of what it touches, before the write.
        after: The same after it; None: it was not read.
        proven: Nothing of it can come to light any more: it was not sent, or its removal was sent and then read back. Else a rollback
            reads it again, also where it is *undone* or *failed*. False in a journal of version 0.1.0.
        undo_sent_at: When its inverse was last sent, whatever came of it; None: it never was.
        is_left: It is closed as *undone*, but its inverse was not sent: someone else, or a later run, wants what is there.
    """

    seq: int
    number: int
    peer: Address
    kind: str
    facts: Mapping[str, str]
    inverse_kind: str | None
    inverse: Mapping[str, str] | None
    state: StepState
    before: str
    after: str | None
    started_at: str
    ended_at: str | None
    undone_at: str | None
    message: str
    proven: bool = False
    undo_sent_at: str | None = None
    is_left: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether it failed, or was undone: unless something shows late, nothing of it is there that the run answers for."""
        return self.state in {"failed", "undone"}


@dataclass(frozen=True, slots=True)
class Backup:
    """The trusted CA list of a peer, in the peer's order, and its cipher lists before the first write of a run."""

    peer: Address
    trusted_ca: tuple[Fingerprint, ...]
    ciphers: Mapping[str, CipherList]


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """Approval of a certificate that a run trusts: by whom, how and when (RFC 3339 UTC)."""

    fingerprint: Fingerprint
    approver: str
    how: str
    at: str
