"""Many clusters at once: choose them, do the same for each, keep each one's result and exit code."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from remediate.model.errors import InventoryError, RemediateError
from remediate.model.exit_codes import most_serious
from remediate.model.limits import Limits

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.model.access import ClusterAccess

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of one cluster: a value and its exit code, or the error that stopped it."""

    cluster: str
    value: T | None
    exit_code: int
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


def choose(session: Session, path: Path, patterns: Sequence[str]) -> tuple[ClusterAccess, ...]:
    """Return the clusters of the inventory at `path` that match any of `patterns`; all of them without patterns.

    Raises:
        InventoryError: a pattern matches nothing.
    """
    from remediate.inventory import load

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
    wanted = patterns or ("*",)
    return tuple(cluster for cluster in clusters if any(fnmatch.fnmatchcase(cluster.name, pattern) for pattern in wanted))


def across(
    clusters: Sequence[ClusterAccess],
    work: Callable[[ClusterAccess], tuple[T, int]],
    limits: Limits,
    *,
    ask: bool = True,
) -> tuple[Done[T], ...]:
    """Do `work` (which returns a value and an exit code) for every cluster, several at a time; results in the given order.

    Args:
        ask: ask for the passwords that a person has to type before anything runs.
    """

    def one(cluster: ClusterAccess) -> Done[T]:
        try:
            value, code = work(cluster)
        except RemediateError as error:
            return Done(cluster.name, None, error.exit_code, error)
        return Done(cluster.name, value, code)

    if ask:
        _ask_for_passwords(clusters)
    if len(clusters) == 1:
        # In this thread, where Ctrl-C arrives.
        return (one(clusters[0]),)
    with ThreadPoolExecutor(limits.parallel_clusters) as pool:
        return tuple(pool.map(one, clusters))


def exit_code_of(results: Sequence[Done[T]]) -> int:
    """Return the most serious exit code."""
    return most_serious(done.exit_code for done in results)


def tell_errors(session: Session, results: Sequence[Done[T]]) -> None:
    """Write each cluster's error and next step on stderr."""
    for done in results:
        if done.error:
            session.say(f"remediate: {done.cluster}: {done.error}")
            session.say(f"  {done.error.next_step}")


def only(results: Sequence[Done[T]]) -> T | None:
    """Return the value of the one cluster there is, None where there are several. Raises that cluster's error."""
    if len(results) != 1:
        return None
    if results[0].error:
        raise results[0].error
    return results[0].value


def _ask_for_passwords(clusters: Sequence[ClusterAccess]) -> None:
    """Ask before anything runs: a question in the middle of progress lines would drown."""
    from remediate.inventory.credentials import Once

    for cluster in clusters:
        for login in (cluster.login, cluster.axl, cluster.platform):
            if login and isinstance(login.password, Once) and login.password.asks_a_person:
                login.password.read()
