"""Output of commands: snapshots and plans of one or several clusters as files or one JSON document, and pages and tickets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from remediate.cli.files import write_atomically
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from remediate.cli.fleet import ClusterResult
    from remediate.cli.session import Session
    from remediate.model.exit_codes import ExitCode


class Document(Protocol):
    """A snapshot or a plan."""

    def to_json(self) -> str:
        """Return its canonical JSON."""


D = TypeVar("D", bound=Document)


def check_output(output: Path | None, clusters: int) -> None:
    """Raise UsageError if several clusters would overwrite one output file; to be called before any cluster is contacted."""
    if output and clusters > 1 and not output.is_dir():
        raise UsageError(
            f"{output} is not a folder, and {clusters} clusters are chosen.",
            next_step="Give an existing folder, which gets CLUSTER.json for each, or choose one cluster with -c.",
        )


def write_files(results: Sequence[ClusterResult[D]], output: Path | None) -> tuple[Path, ...]:
    """Write each value to `output`, or to CLUSTER.json in it if it is a folder, and return the paths."""
    paths = []
    for result in results:
        if output and result.value is not None:
            path = output / _file_name(result.cluster) if output.is_dir() else output
            write_atomically(path, result.value.to_json())
            paths.append(path)
    return tuple(paths)


def write_document(session: Session, path: Path, text: str) -> None:
    """Write a page or a ticket to `path`; ``-`` is stdout."""
    if str(path) == "-":
        session.write(text)
        return
    write_atomically(path, text)
    session.hint(f"Wrote {path}.")


def _file_name(cluster: str) -> str:
    """Return CLUSTER.json. Raises UsageError for a name from a snapshot file that would lead out of the folder."""
    if not cluster.isprintable() or "/" in cluster or cluster.startswith("."):
        raise UsageError(f"The cluster name {cluster!r} cannot be used as a file name.", next_step="Give a file with -o.")
    return f"{cluster}.json"


def write_documents(session: Session, results: Sequence[ClusterResult[D]], key: str, code: ExitCode) -> None:
    """Write one JSON document: the value of a single cluster, or a list under ``clusters`` with each value under `key`."""
    if len(results) > 1:
        session.write_json({"exit_code": code, "clusters": [result.as_json(_nest_under(key)) for result in results]})
    elif results[0].value is not None:
        session.write_json_text(results[0].value.to_json())


def _nest_under(key: str) -> Callable[[Document], dict[str, Any]]:
    return lambda document: {key: json.loads(document.to_json())}
