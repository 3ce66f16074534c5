"""Plans of snapshot files, in as many processes as there are cores: planning is computing, which threads of one process share."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.model.errors import RemediateError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from remediate.cli.verbs.plan import PolicyOptions
    from remediate.model.plan import Plan, Policy
    from remediate.model.snapshot import Snapshot

_FILES_PER_PROCESS = 8
"""A process takes as long to start as so many small clusters take to plan."""


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
    return min(_count_cores(), files // _FILES_PER_PROCESS)


def plan_files(
    files: Sequence[Path], policy_options: PolicyOptions, processes: int
) -> Iterator[PlannedCluster | RemediateError]:
    """Yield the plan of each of `files` in their order, or why there is none; fewer than 2 processes are this one."""
    if processes < 2:
        for file in files:
            yield _plan_file(file, policy_options)
        return
    from concurrent.futures.process import BrokenProcessPool

    with _open_pool(processes) as pool:
        try:
            with _interrupts_held_back():
                # Children never get Ctrl-C: this process ends them.
                futures = deque(pool.submit(_plan_file, file, policy_options) for file in files)
            while futures:
                yield futures.popleft().result()
        except BrokenProcessPool:
            raise RemediateError(
                "A planning process ended before it finished; it may have run out of memory.",
                next_step="Plan fewer snapshots at a time. Nothing was changed.",
            ) from None


def _plan_file(path: Path, policy_options: PolicyOptions) -> PlannedCluster | RemediateError:
    from remediate.cli.files import read_text
    from remediate.model.plan import Policy
    from remediate.model.snapshot import Snapshot
    from remediate.planner import forget_certificates

    try:
        return plan_snapshot(Snapshot.from_json(read_text(path)), policy_options, Policy())
    except RemediateError as error:
        return error
    finally:
        forget_certificates()


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _open_pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool of `processes`, and end them at once where the work is not finished."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import active_children, get_context

    earlier = set(active_children())
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(active_children()) - earlier:
            process.terminate()
        raise
    pool.shutdown()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back until the end: what starts meanwhile never gets it, and this process then does, where it came."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
