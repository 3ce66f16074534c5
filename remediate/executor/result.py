"""What a caller chooses for a run, and what a run came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from remediate.model.approvals import ApprovedCertificate
from remediate.model.identity import Address

if TYPE_CHECKING:
    from remediate.executor.window import Window
    from remediate.model.verdict import Judgement

Restart = Literal["never", "if-needed", "rolling"]
OnFailure = Literal["rollback", "workaround", "stop"]


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply.

    Attributes:
        dry_run: walk the same path over peers that cannot be written to.
        approvals: what persons vouch for: for this run, or for its plan in a file that was handed over.
        restart: never; only where a client's request says that the change is not in effect; or every changed peer, one at a time.
        on_failure: what to do when a write fails or an endpoint is refused that the plan says verifies.
        ticket: the change ticket, for the lock and the journal.
        allow_incomplete: apply a plan that was made without seeing everything, to the peers that answer.
        confirm_within: undo the run unless it is confirmed within this time of its end; None: it stays.
        window: begin nothing outside of it, nor what would not end within it; None: at any time.
    """

    dry_run: bool = False
    approvals: tuple[ApprovedCertificate, ...] = ()
    restart: Restart = "if-needed"
    on_failure: OnFailure = "rollback"
    ticket: str | None = None
    allow_incomplete: bool = False
    confirm_within: timedelta | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class ManualStep:
    """One step that only a person can take.

    Attributes:
        text: What to do, with the page of the web interface.
        peer: The one peer to do it on; None: no peer, or several.
        endpoints: ``address:port`` of those that wait for it.
        open: It is left whatever verification says; else only when an endpoint that waits for it does not verify.
        is_refresh: Every endpoint waits for it that is refused for its name, or that the cluster does not know (any more).
    """

    text: str
    peer: Address | None = None
    endpoints: frozenset[str] = frozenset()
    open: bool = True
    is_refresh: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to; every claim in it rests on a read after the last write.

    Attributes:
        run_id: the run in the journal; empty when none was needed (nothing to do, dry run).
        state: the journal's state of the run; without one ``dry-run``, ``interrupted``, or ``applied`` (nothing was to do).
        exit_code: the contract's.
        open_steps: what a person has to do, one sentence each.
        judgements: what each endpoint gets from each peer, as last verified; empty when it was not.
        changed: this call wrote something to a box.
        confirm_by: until when the run waits for `remediate confirm`; None: it does not.
    """

    run_id: str
    state: str
    exit_code: int
    open_steps: tuple[ManualStep, ...]
    judgements: tuple[Judgement, ...]
    changed: bool
    message: str
    confirm_by: str | None = None
