"""Plans of snapshot files, in as many processes as there are cores: planning is computing, which threads of one process share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.model.errors import RemediateError

if TYPE_CHECKING:
    from datetime import timedelta

    from remediate.model.approvals import ApprovedCertificate
    from remediate.model.certificate import Certificate
    from remediate.model.plan import CipherPolicy, Plan, Policy
    from remediate.model.snapshot import Snapshot

_FILES_PER_PROCESS = 8
"""A process takes as long to start as so many small clusters take to plan."""


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """Policy options of the command line; None and False leave the inventory's policy."""

    ciphers: CipherPolicy | None
    allow_removal: bool
    never_trust_self_signed: bool
    horizon: timedelta | None
    no_refresh: bool
    cucm_trust: bool
    approvals: tuple[ApprovedCertificate, ...]
    authorities: tuple[Certificate, ...]

    def apply_to(self, policy: Policy) -> Policy:
        """Return `policy` with these options applied."""
        from remediate.cli.approvals import approved_fingerprints

        return replace(
            policy,
            ciphers=self.ciphers or policy.ciphers,
            allow_removal=self.allow_removal or policy.allow_removal,
            trust_self_signed=policy.trust_self_signed and not self.never_trust_self_signed,
            approved=policy.approved | approved_fingerprints(self.approvals),
            refresh=policy.refresh and not self.no_refresh,
            cucm_trust=self.cucm_trust,
            horizon=self.horizon or policy.horizon,
        )


@dataclass(frozen=True, slots=True)
class PlannedCluster:
    """A plan, and what else a command says of its snapshot.

    Attributes:
        outline: The snapshot without its endpoints and certificates.
        needs_review: What a person approved leads to another plan than without it.
    """

    outline: Snapshot
    plan: Plan
    needs_review: bool


def plan_snapshot(snapshot: Snapshot, policy_options: PolicyOptions, policy: Policy) -> PlannedCluster:
    """Return the plan of `snapshot` under `policy` with the options of the command line."""
    from remediate.cli.collector import pause_collector
    from remediate.cli.observe import with_authorities
    from remediate.planner import changed_by_approvals, make_plan

    snapshot, policy = with_authorities(snapshot, policy_options.authorities), policy_options.apply_to(policy)
    with pause_collector():
        plan = make_plan(snapshot, policy)
        needs_review = changed_by_approvals(plan, snapshot, policy)
    outline = replace(
        snapshot,
        peers=tuple(replace(peer, trusted_ca=()) for peer in snapshot.peers),
        endpoints=(),
        guarded_endpoints=(),
        available_ca=(),
        vouched_for=frozenset(),
        certificates={},
    )
    return PlannedCluster(outline, plan, needs_review)


def choose_processes(files: int) -> int:
    """Return how many processes plan so many files the soonest."""
    from remediate.machine.processes import count_cores

    return min(count_cores(), files // _FILES_PER_PROCESS)


def plan_files(
    files: Sequence[Path], policy_options: PolicyOptions, processes: int
) -> tuple[PlannedCluster | RemediateError, ...]:
    """Return the plan of each of `files` in their order, or why there is none; fewer than 2 processes are this one."""
    plan = partial(_plan_file, policy_options=policy_options)
    if processes < 2:
        return tuple(plan(file, None) for file in files)
    from remediate.cli.fleet_processes import make_process_error
    from remediate.machine.processes import ProcessEnded, Work, work_in_processes
    from remediate.model.events import silent

    outcomes: dict[int, PlannedCluster | RemediateError] = {}

    def take(number: int, outcome: PlannedCluster | RemediateError | ProcessEnded) -> None:
        if isinstance(outcome, ProcessEnded):
            outcome = make_process_error("Plan fewer snapshots at a time. Nothing was changed.")
        outcomes[number] = outcome

    work_in_processes(Work(plan, processes), files, take, silent)
    return tuple(outcomes[number] for number in range(len(files)))


def _plan_file(path: Path, _note: object, policy_options: PolicyOptions) -> PlannedCluster | RemediateError:
    from remediate.cli.files import read_document
    from remediate.model.plan import Policy
    from remediate.model.snapshot import Snapshot
    from remediate.planner import forget_certificates

    try:
        return plan_snapshot(read_document(path, Snapshot.from_json), policy_options, Policy())
    except RemediateError as error:
        return error
    finally:
        forget_certificates()
