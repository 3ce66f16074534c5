"""Looks at the clusters of a fleet, in as many processes as there are cores: half of a look is computing.

Each process looks at several clusters at a time, since a cluster waits for its systems much longer than it works. It reads the
passwords of its clusters where the inventory says; those that were typed here are handed to it over the socket pair that it was
started with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from remediate.model.errors import RemediateError, UsageError

if TYPE_CHECKING:
    from remediate.cli.fleet import ClusterResult
    from remediate.cli.session import Session
    from remediate.machine.processes import ProcessEnded
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink
    from remediate.model.exit_codes import ExitCode
    from remediate.model.limits import Limits

    Look = Callable[[ClusterAccess, Sink], "V"]
    Accept = Callable[[ClusterAccess, "V"], tuple["T", ExitCode]]

V = TypeVar("V")
T = TypeVar("T")

_CLUSTERS_PER_PROCESS = 8
"""A process takes as long to start as a few small clusters take to look at."""


def look_at_clusters(
    session: Session,
    clusters: Sequence[ClusterAccess],
    look: Look[V],
    accept: Accept[V, T],
    sink: Sink,
    *,
    processes: int | None = None,
) -> tuple[ClusterResult[T], ...]:
    """Look at every cluster, several at a time, and return the results in the order of `clusters`.

    Args:
        session: The command line.
        clusters: The clusters to look at.
        look: Returns what a look at a cluster shows, and writes nothing to it. It is a function of a module, or a `partial` of one,
            and what it returns is picklable: where there are many clusters, it runs in another process.
        accept: Says in this process what a person has to know of it, and returns a result and its exit code.
        sink: Receives the events.
        processes: How many processes look; fewer than 2 are this one alone. None: as many as are of use.
    """
    from remediate.cli.fleet import read_prompted_passwords, run_on_clusters

    processes = choose_processes(clusters, session.limits) if processes is None else processes
    if processes < 2:
        return run_on_clusters(clusters, lambda cluster: accept(cluster, _look_once(look, cluster, sink)), session.limits)
    from remediate.machine.processes import Work, work_in_processes

    read_prompted_passwords(clusters)
    results: dict[int, ClusterResult[T]] = {}

    def take(number: int, outcome: V | RemediateError | ProcessEnded) -> None:
        results[number] = _accept_outcome(clusters[number], outcome, accept)

    at_once = max(1, session.limits.parallel_clusters // processes)
    work = Work(partial(_look_in_process, look, session.chosen_state_dir), processes, at_once)
    work_in_processes(work, [_HandedCluster(cluster) for cluster in clusters], take, sink)
    return tuple(results[number] for number in range(len(clusters)))


def choose_processes(clusters: Sequence[ClusterAccess], limits: Limits, cores: int | None = None) -> int:
    """Return how many processes look at the clusters the soonest, within the limits; None: as many `cores` as there are."""
    from remediate.machine.processes import count_cores

    if any(map(_needs_this_process, clusters)):
        return 1
    return min(cores or count_cores(), len(clusters) // _CLUSTERS_PER_PROCESS, limits.parallel_clusters)


def _needs_this_process(cluster: ClusterAccess) -> bool:
    """Return whether no other process can have a password: it is a file that is open here, or typed once a client is needed."""
    from remediate.inventory.credentials import CachedSource

    of_clients = [peer.mra.login for peer in cluster.peers if peer.mra]
    logins = [cluster.login, cluster.rest, cluster.axl, cluster.platform, *of_clients]
    sources = [login.password for login in logins if login]
    typed_later = [login.password for login in of_clients if login]
    return any(isinstance(source, CachedSource) and source.is_of_this_process for source in sources) or any(
        isinstance(source, CachedSource) and source.is_interactive for source in typed_later
    )


def _look_once(look: Look[V], cluster: ClusterAccess, sink: Sink) -> V:
    from remediate.planner import forget_certificates

    try:
        return look(cluster, sink)
    finally:
        forget_certificates()


def _look_in_process(look: Look[V], chosen_state_dir: Path | None, cluster: ClusterAccess, sink: Sink) -> V | RemediateError:
    from remediate.cli.session import find_state_dir
    from remediate.connectors.tls import known_pins

    with suppress(UsageError):  # no home directory: nothing is kept
        known_pins.keep_in(find_state_dir(chosen_state_dir))
    try:
        return _look_once(look, cluster, sink)
    except RemediateError as error:
        return error


def _accept_outcome(
    cluster: ClusterAccess, outcome: V | RemediateError | ProcessEnded, accept: Accept[V, T]
) -> ClusterResult[T]:
    from remediate.cli.fleet import ClusterResult
    from remediate.machine.processes import ProcessEnded

    try:
        if isinstance(outcome, ProcessEnded):
            raise make_process_error("Run the command again for this cluster, with -c. Nothing was changed.")
        if isinstance(outcome, RemediateError):
            raise outcome
        return ClusterResult(cluster.name, *accept(cluster, outcome))
    except RemediateError as error:
        return ClusterResult(cluster.name, None, error.exit_code, error)


def make_process_error(next_step: str) -> RemediateError:
    """Return the error for a process that was killed, as the kernel does where memory runs out."""
    return RemediateError("Its process ended before it finished; it may have run out of memory.", next_step=next_step)


@dataclass(frozen=True, slots=True)
class _HandedCluster:
    """A cluster that goes to another process, with the passwords that were typed for it; there it is a `ClusterAccess` again."""

    cluster: ClusterAccess

    def __reduce__(self) -> tuple[Callable[..., ClusterAccess], tuple[ClusterAccess, tuple[str, ...]]]:
        from remediate.cli.fleet import list_prompts

        # The line that hands them over: pickled for a socket pair, and for nothing else.
        return _receive_cluster, (self.cluster, tuple(source.read().reveal() for source in list_prompts(self.cluster)))


def _receive_cluster(cluster: ClusterAccess, answers: Sequence[str]) -> ClusterAccess:
    from remediate.cli.fleet import list_prompts
    from remediate.model.secret import Secret

    for source, answer in zip(list_prompts(cluster), answers, strict=True):
        source.fill(Secret(answer))
    return cluster
