"""The options and the result of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from remediate.model.approvals import ApprovedCertificate
from remediate.model.effect import ClientView, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address, EndpointId, PairId, Product
from remediate.model.restart import Calls, Guard, Restart

if TYPE_CHECKING:
    from remediate.executor.window import Window
    from remediate.model.verdict import Verdicts

OnFailure = Literal["rollback", "workaround", "stop"]


@dataclass(frozen=True, slots=True)
class RestartOptions:
    """How peers are restarted.

    Attributes:
        calls: Whether a peer drains before it restarts, or its calls end; None: no choice was made, so `if-needed` restarts nothing.
        drain_for: How long a peer may take to drain.
        assume: The guards that are taken as right where they could not be looked at.
        ask_to_end_calls: Asks a person whether the calls that are left may end; None: it cannot be asked.
    """

    calls: Calls | None = "drain"
    drain_for: timedelta = timedelta(minutes=10)
    assume: frozenset[Guard] = frozenset()
    ask_to_end_calls: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The choices of a caller for one run.

    Attributes:
        dry_run: Run the same steps over peers that cannot be written to.
        approvals: The certificates that persons vouch for: for this run, or for its plan in a file that was handed over.
        restart: Never; only where a client's request shows that the change is not in effect; or every changed peer, one at a time.
        on_failure: What to do when a write fails or an endpoint is refused that should verify by the plan.
        ticket: The change ticket, for the lock and the journal.
        cucm_trust: What the plan uploads to nodes may be written.
        diagnostic_log: Where no client shows whether the change is in effect, record the peers' own logs for a while.
        accept_remaining: Endpoints that stay refused by the plan do not count as ENDPOINTS_REMAIN.
        allow_incomplete: Apply a plan that was made without seeing everything, to the peers that answer.
        confirm_within: Undo the run unless it is confirmed within this time of its end; None: it stays.
        restarts: How a peer is restarted.
        window: Begin no change outside of it, or that would not end within it; None: at any time.
    """

    dry_run: bool = False
    approvals: tuple[ApprovedCertificate, ...] = ()
    restart: Restart = "if-needed"
    on_failure: OnFailure = "rollback"
    ticket: str | None = None
    allow_incomplete: bool = False
    confirm_within: timedelta | None = None
    window: Window | None = None
    accept_remaining: bool = False
    restarts: RestartOptions = RestartOptions()
    diagnostic_log: bool = False
    cucm_trust: bool = False

    @property
    def never_restarts(self) -> bool:
        """Whether no peer is restarted, whatever is seen: `if-needed` needs the word of a person on what becomes of calls."""
        return self.restart == "never" or (self.restart == "if-needed" and self.restarts.calls is None)


@dataclass(frozen=True, slots=True)
class ManualStep:
    """One step that only a person can take.

    Attributes:
        text: What to do, with the page of the web interface.
        peer: The one peer to do it on; None: no peer, or several.
        endpoints: ``address:port`` of those that wait for it.
        open: It is left whatever the result of verification; else only when an endpoint that waits for it does not verify.
        is_refresh: Every endpoint waits for it that is refused for its name, or that the cluster does not know (any more).
    """

    text: str
    peer: Address | None = None
    endpoints: frozenset[str] = frozenset()
    open: bool = True
    is_refresh: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run; every claim in it rests on a read after the last write.

    Attributes:
        run_id: The run in the journal; empty when none was needed (nothing to do, dry run).
        state: The journal's state of the run; without one ``dry-run``, ``interrupted``, or ``applied`` (nothing was to do).
        open_steps: What a person has to do.
        has_written: This call wrote something to a peer.
        verdicts: What each endpoint gets from each peer, as last verified; empty when it was not.
        verdicts_before: What each endpoint got from each peer when this apply began.
        effects: Whether what was written is in effect on each peer; empty where it was not looked at.
        client_views: What clients get, for each pair that was asked for.
        products: The product behind each endpoint; empty where the plan has them.
        system_names: What the peers' administrators call them, by address; empty where the plan has them.
        confirm_by: Until when the run waits for `remediate confirm`; None: it does not.
        outcome: `message` without what `confirm_by` and `effects` say; empty: the same.
    """

    run_id: str
    state: str
    exit_code: ExitCode
    open_steps: tuple[ManualStep, ...]
    has_written: bool
    message: str
    confirm_by: str | None = None
    verdicts: Verdicts = field(default_factory=dict)
    verdicts_before: Verdicts = field(default_factory=dict)
    effects: tuple[PeerEffect, ...] = ()
    client_views: Mapping[PairId, ClientView] = field(default_factory=dict)
    products: Mapping[EndpointId, Product] = field(default_factory=dict)
    system_names: Mapping[Address, str] = field(default_factory=dict)
    outcome: str = ""

    @property
    def open_step_texts(self) -> tuple[str, ...]:
        """The texts of the open steps."""
        return tuple(step.text for step in self.open_steps)

    def with_remark(self, sentence: str) -> RunResult:
        """Return the result with a sentence more in its message; the same for an empty one."""
        return replace(self, message=f"{self.message} {sentence}") if sentence else self
