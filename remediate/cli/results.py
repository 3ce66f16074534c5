"""Hand over what was made of one cluster or of many: files, one JSON document, or text for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from remediate.cli.files import write_whole
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from remediate.cli.fleet import Done
    from remediate.cli.session import Session


class Document(Protocol):
    """A snapshot or a plan."""

    def to_json(self) -> str:
        """Return its canonical JSON."""


D = TypeVar("D", bound=Document)


def check_output(output: Path | None, clusters: int) -> None:
    """Refuse, before anything is looked at, an output that many clusters would overwrite. Raises UsageError."""
    if output and clusters > 1 and not output.is_dir():
        raise UsageError(
            f"{output} is not a folder, and {clusters} clusters are chosen.",
            next_step="Name an existing folder, which gets CLUSTER.json for each, or choose one cluster with -c.",
        )


def write_files(results: Sequence[Done[D]], output: Path | None) -> tuple[Path, ...]:
    """Write each value to `output`, or to CLUSTER.json in it where it is a folder. Return what was written."""
    written = []
    for done in results:
        if output and done.value is not None:
            path = output / _file_name(done.cluster) if output.is_dir() else output
            write_whole(path, done.value.to_json())
            written.append(path)
    return tuple(written)


def _file_name(cluster: str) -> str:
    """CLUSTER.json; a snapshot file may call its cluster anything, and no name may lead out of the folder."""
    if not cluster.isprintable() or "/" in cluster or cluster.startswith("."):
        raise UsageError(f"The cluster is called {cluster!r}, which makes no file name.", next_step="Name a file with -o.")
    return f"{cluster}.json"


def write_documents(session: Session, results: Sequence[Done[D]], key: str, code: int) -> None:
    """Write the JSON document: of one cluster its own, of many a list of them under ``clusters``, each under `key`."""
    if len(results) > 1:
        session.write_json({"exit_code": code, "clusters": [done.as_json(_under(key)) for done in results]})
    elif results[0].value is not None:
        session.write_json_text(results[0].value.to_json())


def _under(key: str) -> Callable[[Document], dict[str, Any]]:
    return lambda document: {key: json.loads(document.to_json())}
