"""Choice of a run of the journal by its id or as `last`, among the clusters of ``-c``."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING

from remediate.model.errors import UsageError
from remediate.model.text import join_words

if TYPE_CHECKING:
    from remediate.executor.journal.store import Journal
    from remediate.model.run import Run

LAST = "last"


def choose_run(journal: Journal, run: str, patterns: Sequence[str], *, with_plan: bool = False) -> Run:
    """Return the run with the id `run`; for `last`, the newest one on the only cluster that `patterns` choose.

    Args:
        journal: The journal to look in.
        run: The id of a run, or `last`.
        patterns: Names or globs of clusters; empty: all that the journal knows.
        with_plan: Whether `last` passes over runs without a plan, which changed nothing that could be confirmed or undone.

    Raises:
        UsageError: `last` could be a run of several clusters, or the run is on none of those chosen.
        UnknownRun: There is no such run.
    """
    clusters = sorted({record.cluster for record in journal.runs()})
    chosen = [name for name in clusters if not patterns or any(fnmatch.fnmatchcase(name, glob) for glob in patterns)]
    if run == LAST and len(chosen) > 1:
        raise UsageError(
            f"`last` is ambiguous: the journal in {journal.path.parent} has runs of {join_words(chosen, 6)}.",
            next_step="Nothing was done. Choose one cluster with -c NAME, or give the id of a run: `remediate runs` lists them.",
        )
    record = journal.run(run, on=chosen if patterns else None, with_plan=with_plan)
    if record.cluster not in chosen:
        raise UsageError(
            f"The run {record.id} was on the cluster {record.cluster}, which is not the one chosen with -c.",
            next_step="Leave -c out, or give the cluster of the run.",
        )
    return record
