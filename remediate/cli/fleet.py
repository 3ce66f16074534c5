"""Commands on several clusters: choose them, run the same work on each, keep each result and exit code."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from remediate.model.errors import InventoryError, RemediateError
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.limits import Limits

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.inventory.credentials import CachedSource
    from remediate.model.access import ClusterAccess

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClusterResult(Generic[T]):
    """Result for one cluster: a value and its exit code, or the error that stopped it."""

    cluster: str
    value: T | None
    exit_code: ExitCode
    error: RemediateError | None = None

    def as_json(self, view: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
        """Return the cluster's part of a JSON document."""
        body = {} if self.value is None else view(self.value)
        return {"cluster": self.cluster, "exit_code": self.exit_code, "error": error_json(self.error), **body}


def error_json(error: RemediateError | None) -> dict[str, Any] | None:
    """Return an error as JSON; None stays None."""
    if error is None:
        return None
    return {"message": str(error), "next_step": error.next_step, "exit_code": error.exit_code}


def choose_clusters(session: Session, path: Path, patterns: Sequence[str]) -> tuple[ClusterAccess, ...]:
    """Return the clusters of the inventory at `path` that match any of `patterns`; all of them without patterns.

    Raises:
        InventoryError: A pattern matches nothing.
    """
    from remediate.connectors.tls import known_pins
    from remediate.inventory import load
    from remediate.model.errors import UsageError

    with suppress(UsageError):  # no home directory: nothing is kept
        known_pins.keep_in(session.state_dir)
    clusters = load(path, allow_prompt=not session.no_input)
    names = [cluster.name for cluster in clusters]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            nearest = difflib.get_close_matches(pattern, names, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"it has {', '.join(names)}."
            raise InventoryError(
                f"No cluster in {path} matches `{pattern}`: {hint}",
                next_step="Give -c a name of the inventory, or a pattern such as 'edge-*' in quotes.",
            )
    globs = patterns or ("*",)
    return tuple(cluster for cluster in clusters if any(fnmatch.fnmatchcase(cluster.name, pattern) for pattern in globs))


def run_on_clusters(
    clusters: Sequence[ClusterAccess],
    work: Callable[[ClusterAccess], tuple[T, ExitCode]],
    limits: Limits,
    *,
    ask: bool = True,
) -> tuple[ClusterResult[T], ...]:
    """Run `work` on every cluster, several at a time, and return the results in the order of `clusters`.

    Args:
        clusters: The clusters to work on.
        work: Returns a value and an exit code for one cluster.
        limits: `parallel_clusters` is how many run at a time.
        ask: Prompt for passwords before anything runs.
    """

    def run_one_cluster(cluster: ClusterAccess) -> ClusterResult[T]:
        try:
            value, code = work(cluster)
        except RemediateError as error:
            return ClusterResult(cluster.name, None, error.exit_code, error)
        return ClusterResult(cluster.name, value, code)

    if ask:
        read_prompted_passwords(clusters)
    if len(clusters) == 1:
        # Run in the main thread, which receives Ctrl-C.
        return (run_one_cluster(clusters[0]),)
    with ThreadPoolExecutor(limits.parallel_clusters) as pool:
        return tuple(pool.map(run_one_cluster, clusters))


def combine_exit_codes(results: Sequence[ClusterResult[T]]) -> ExitCode:
    """Return the most serious exit code."""
    return most_serious(result.exit_code for result in results)


def report_errors(session: Session, results: Sequence[ClusterResult[T]]) -> None:
    """Write each cluster's error and next step on stderr."""
    for result in results:
        if result.error:
            session.say(f"remediate: {result.cluster}: {result.error}")
            session.say(f"  {result.error.next_step}")


def raise_single_error(results: Sequence[ClusterResult[T]]) -> None:
    """Raise the error of the only cluster; with several clusters, each error is part of the results."""
    if len(results) == 1 and results[0].error:
        raise results[0].error


def read_prompted_passwords(clusters: Sequence[ClusterAccess]) -> None:
    """Read the passwords that need a prompt now, since a question among progress lines would be overlooked."""
    for cluster in clusters:
        for source in list_prompts(cluster):
            source.read()


def list_prompts(cluster: ClusterAccess) -> tuple[CachedSource, ...]:
    """Return the sources of a cluster's passwords that prompt on the terminal, in a fixed order."""
    from remediate.inventory.credentials import CachedSource

    logins = (cluster.login, cluster.rest, cluster.axl, cluster.platform)
    sources = [login.password for login in logins if login]
    return tuple(source for source in sources if isinstance(source, CachedSource) and source.is_interactive)
