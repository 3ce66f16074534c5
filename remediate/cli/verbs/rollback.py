"""``remediate rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import common, confirmation, inventory, option
from remediate.cli.session import Session
from remediate.model.errors import InventoryError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from remediate.executor.result import RunResult
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink
    from remediate.model.run import Run


@click.command()
@click.argument("run")
@inventory()
@option("--dry-run", is_flag=True, help="Say what would be undone, over connections that cannot write.")
@confirmation
@common
@click.pass_obj
def command(
    session: Session,
    run: str,
    inventory_path: Path,
    patterns: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001 - click passes options by name
    yes: bool,  # noqa: FBT001
) -> ExitCode:
    """Undo RUN (an id from `remediate runs`, or last) from its journal alone, and read the start state back.

    Shows the steps that it would undo and asks for `yes` in full. Without a terminal, and without --yes, it stops before it does
    anything. Where the journal has runs of several clusters, last needs -c.

    Exactly what the run added is removed, where the peer offers removal; where it does not, the step is named. What others changed
    since then is left alone.

    \b
    EXAMPLES
      remediate rollback last -i inventory.yml --dry-run
      remediate rollback last -i inventory.yml -c edge-paris
      remediate rollback 261123-101500-4f2a -i inventory.yml --yes

    \b
    EXIT CODES
      0   everything that the run did is undone and was read back; what others changed since is left, and named
      1   error, nothing was changed
      4   everything of the run is undone, but a peer could not be read back; roll back again when it answers
      5   locked by another run
      7   declined, or there is no terminal and no --yes; nothing was changed
      8   a person is needed: a manual step is open, or an outcome is unknown; --dry-run: would be
      64  last could be a run of several clusters
    """
    from remediate.cli.fleet import choose_clusters
    from remediate.cli.notices import NoticeCollector
    from remediate.cli.notification import notify_of_run
    from remediate.cli.run_choice import choose_run
    from remediate.cli.runs_view import result_json, show_result
    from remediate.executor.journal.store import Journal
    from remediate.executor.ports import utc_now

    clusters = {cluster.name: cluster for cluster in choose_clusters(session, inventory_path, patterns)}
    with Journal(session.state_dir) as journal:
        record = choose_run(journal, run, patterns, with_plan=True)
    if record.cluster not in clusters:
        raise InventoryError(
            f"The run {record.id} was on the cluster {record.cluster}, which is not among those chosen from {inventory_path}.",
            next_step="Give the inventory that the run was made with, without -c or with the run's own cluster.",
        )
    cluster = clusters[record.cluster]
    if not dry_run:
        _confirm(session, record, cluster, yes=yes)
    with session.open_event_sink() as sink, NoticeCollector(session, sink) as notices:
        result = _roll_back(session, record, cluster, notices, dry_run=dry_run)
        notes = notices.notes_besides(result.open_step_texts)
    if not dry_run:
        notify_of_run(session, cluster, result, kind="rollback", at=utc_now())
    if session.json:
        session.write_json({**result_json(result, notes, cluster=record.cluster, plan=record.plan), "dry_run": dry_run})
    else:
        show_result(session, result, ())
    return ExitCode(result.exit_code)


def _confirm(session: Session, run: Run, cluster: ClusterAccess, *, yes: bool) -> None:
    """Show what a rollback of `run` would undo and ask for `yes`. Raises Declined."""
    from remediate.cli.questions import ask, refuse_without_terminal
    from remediate.executor.rollback_rehearsal import preview_rollback
    from remediate.model.text import count

    refuse_without_terminal(session, yes=yes)
    changes = () if yes else preview_rollback(run.id, cluster, session.state_dir)
    if changes:
        peers = count(len({change.peer for change in changes}), "peer")
        title = f"Rollback of run {run.id} on {run.cluster}, started {run.started_at} by {run.user}, {run.state}:"
        lines = [title, *(f"  - {change.summary}" for change in changes)]
        ask(session, lines, f"Undo {count(len(changes), 'change')} on {peers} of {run.cluster}?")


def _roll_back(session: Session, run: Run, cluster: ClusterAccess, sink: Sink, *, dry_run: bool) -> RunResult:
    from remediate.executor.rollback import rollback
    from remediate.executor.rollback_rehearsal import rehearse_rollback

    if dry_run:
        return rehearse_rollback(run.id, cluster, state_dir=session.state_dir, sink=sink)
    return rollback(run.id, cluster, state_dir=session.state_dir, sink=sink)
