"""Runs as the journal records them: their state, steps, backups and approvals, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from remediate.model.identity import Address, CipherList, Fingerprint, PlanId

RunState = Literal["running", "applied", "confirm-pending", "rolled-back", "partial", "unknown"]
StepState = Literal["intended", "done", "failed", "unknown", "undone"]

UNFINISHED: frozenset[RunState] = frozenset({"running", "partial", "unknown"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times are RFC 3339 UTC.

    Attributes:
        state: ``running`` also stands for a run whose process died; `pid` on `host` tells, and the next run of the cluster says so.
        confirm_by: until when it must be, or had to be, confirmed; None: it never had a timer.
        timer: names the timer that undoes the run after `confirm_by`; None: none does, or no longer.
    """

    id: str
    cluster: str
    plan: PlanId
    state: RunState
    started_at: str
    ended_at: str | None
    ticket: str | None
    who: str
    host: str
    pid: int
    peers: tuple[Address, ...]
    message: str
    confirm_by: str | None = None
    timer: str | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One write to one peer, as the journal knows it.

    Attributes:
        number: the step of the specification it belongs to: 6 for a peer's own changes, 9 ciphers, 10 refresh, 11 restart.
        facts: what was to be written, and enough to undo it.
        inverse: the same for what undoes it; None where there is nothing to undo.
        before, after: digests of what it touches.
        proven: nothing of it can come to light any more: it was not sent, or its removal was sent and then read back. Else a rollback
            reads it again, also where it is *undone* or *failed*. False in a journal of version 0.1.0.
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


@dataclass(frozen=True, slots=True)
class Backup:
    """How a peer stood before the first write of a run: its trusted CA list in the box's order, and its cipher lists."""

    peer: Address
    trusted_ca: tuple[Fingerprint, ...]
    ciphers: Mapping[str, CipherList]


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """Who vouched for a certificate that a run trusts, when, and how."""

    fingerprint: Fingerprint
    who: str
    how: str
    at: str
