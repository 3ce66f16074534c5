"""``remediate rollback``."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import common, confirmation, inventory, option, restarting
from remediate.cli.session import Session
from remediate.model.errors import InventoryError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

    from remediate.executor.result import RunResult
    from remediate.executor.rollback_rehearsal import RollbackPreview
    from remediate.executor.rollback_restart import RollbackRestarts
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink
    from remediate.model.restart import Calls, Restart
    from remediate.model.run import Run, StepRecord

_MOST_ALIKE = 3
"""How many certificates of one list the question names; the others are counted."""


@click.command()
@click.argument("run")
@inventory()
@option("--dry-run", is_flag=True, help="Show what would be undone, over connections that cannot write.")
@confirmation
@option("--restart", type=click.Choice(["never", "if-needed", "rolling"]), default="never", show_default=True,
        help=(
            "Then restart peers, one at a time: none, those that still work with the list of the run, or all that may."
        ))  # fmt: skip
@restarting
@common
@click.pass_obj
def command(
    session: Session,
    run: str,
    inventory_path: Path,
    patterns: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001 - click passes options by name
    yes: bool,  # noqa: FBT001
    restart: Restart,
    calls: Calls | None,
    drain_for: timedelta,
    assume: tuple[str, ...],
) -> ExitCode:
    """Undo RUN (an id from `remediate runs`, or last) from its journal alone, and read the start state back.

    Shows the steps that it would undo and asks for `yes` in full. Without a terminal and without --yes, it stops before it does
    anything. If the journal has runs of several clusters, last needs -c.

    Exactly what the run added is removed, where the peer offers removal; where it does not, the manual step is named. What
    others changed since then is left alone.

    With --restart, peers that do not work with their earlier lists again restart after everything is undone, guarded and
    drained as by `remediate restart`; with --dry-run, the guards of those that may restart are shown as they are now.

    If only a client request can show whether a peer works with its earlier list, and the two sign-ins of five minutes are used
    up, it waits for the next one, and counts down.

    \b
    EXAMPLES
      remediate rollback last -i inventory.yml --dry-run
      remediate rollback last -i inventory.yml -c edge-paris
      remediate rollback 261123-101500-4f2a -i inventory.yml --yes
      remediate rollback last -i inventory.yml --yes --restart rolling --calls drain

    \b
    EXIT CODES
      0   everything that the run did is undone and was read back; what others changed since is left, and named
      1   error, nothing was changed
      4   everything of the run is undone, but a peer could not be read back; roll back again when it answers
      5   locked by another run
      7   declined, or there is no terminal and no --yes; nothing was changed
      8   manual action needed: a manual step is open, or an outcome is unknown; --dry-run: would be
      11  everything is undone; some peer is not known to work with its earlier list again
      64  last could be a run of several clusters
      130 interrupted (143: terminated); the journal has what was undone
    """
    from remediate.cli.fleet import choose_clusters
    from remediate.cli.notices import NoticeCollector
    from remediate.cli.notification import notify_of_run
    from remediate.cli.rehearsal import RehearsalCollector
    from remediate.cli.restarts import choose_calls, make_restart_options
    from remediate.cli.run_choice import choose_run
    from remediate.cli.runs_view import result_json, show_result
    from remediate.executor.journal.store import Journal
    from remediate.executor.rollback_restart import RollbackRestarts
    from remediate.model.canonical import utc_now
    from remediate.report.run_progress import ExpectedWork

    clusters = {cluster.name: cluster for cluster in choose_clusters(session, inventory_path, patterns)}
    with Journal(session.state_dir) as journal:
        record = choose_run(journal, run, patterns, with_plan=True)
        list_changes = _count_list_changes(journal.steps(record.id))
        plan = journal.plan(record.id) if record.plan else None
    if record.cluster not in clusters:
        raise InventoryError(
            f"The run {record.id} was on the cluster {record.cluster}, which is not among those chosen from {inventory_path}.",
            next_step="Give the inventory that the run was made with, without -c or with the run's own cluster.",
        )
    cluster = clusters[record.cluster]
    how = make_restart_options(session, choose_calls(calls, cluster, restart, yes=yes), drain_for, assume)
    restarts = RollbackRestarts(restart, how)
    if not dry_run:
        _confirm(session, record, cluster, restarts, yes=yes)
    started = time.monotonic()
    work = ExpectedWork(
        record.peers,
        list_changes,
        undoes=True,
        is_listed=dry_run and not session.json,
        system_names=plan.system_names if plan else {},
    )
    with session.open_event_sink(work) as sink, NoticeCollector(session, rehearsal := RehearsalCollector(sink)) as notices:
        result = _roll_back(session, record, cluster, restarts, notices, dry_run=dry_run)
        notes = notices.notes_besides(result.open_step_texts)
    if not dry_run:
        notify_of_run(session, cluster, result, kind="rollback", at=utc_now())
    if session.json:
        session.write_json({**result_json(result, notes, cluster=record.cluster, plan=record.plan), "dry_run": dry_run})
    else:
        rehearsal.show(session.out())
        show_result(session, result, (), started=started, is_rollback=not dry_run, plan=plan)
    return ExitCode(result.exit_code)


def _count_list_changes(steps: Iterable[StepRecord]) -> Counter[str]:
    """Return how many changes of its list are to undo on each peer, as far as the journal knows."""
    kinds = {"trust-certificate", "remove-certificate"}
    return Counter(str(step.peer) for step in steps if step.inverse_kind in kinds and not step.proven)


def _confirm(session: Session, run: Run, cluster: ClusterAccess, restarts: RollbackRestarts, *, yes: bool) -> None:
    """Show what a rollback of `run` would undo and ask for `yes`. Raises Declined."""
    from remediate.cli.questions import ask, refuse_without_terminal
    from remediate.cli.restarts import calls_now, restart_lines
    from remediate.executor.rollback_rehearsal import preview_rollback

    refuse_without_terminal(session, yes=yes)
    if yes:
        return
    preview = preview_rollback(run.id, cluster, session.state_dir, limits=session.limits)
    if preview.changes or preview.steps or preview.late or restarts.choice != "never":
        lines = [f"Rollback of run {run.id} on {run.cluster}, started {run.started_at} by {run.user}, {run.state}:"]
        lines += _list_work(preview)
        lines += restart_lines(cluster, restarts.choice, restarts.how)
        if restarts.choice != "never":
            lines.append(calls_now(session, cluster, restarts.how))
        ask(session, lines, _write_question(preview, run))


def _list_work(preview: RollbackPreview) -> Iterator[str]:
    """Yield what would be undone, peer by peer; the steps to do by hand are counted, since the end of the rollback lists them."""
    from remediate.executor.operations.change import change_fields
    from remediate.model.text import join_words
    from remediate.report.planned_changes import describe_changes, make_planned_change

    for title, changes in (("", preview.changes), ("If the write of the run still shows:", preview.late)):
        if title and changes:
            yield f"  {title}"
        planned = (make_planned_change(f"Would {change.summary}.", change_fields(change)) for change in changes)
        for line in describe_changes(planned, _MOST_ALIKE):
            yield f"{'  ' * (line.depth + 1)}{line.text}"
    by_place = Counter(step.peer or "" for step in preview.steps)
    if by_place:
        places = join_words([f"{number} on {place}" if place else f"{number} elsewhere" for place, number in by_place.items()])
        yield f"  By hand: {places}. They are listed at the end, and by --dry-run."


def _write_question(preview: RollbackPreview, run: Run) -> str:
    """Return the question with the counts that the dry run has, too, but for what may still show."""
    from remediate.model.text import count

    where = f"{_count_places(preview, run)} of {run.cluster}"
    changes = count(len(preview.changes) + len(preview.late), "change")
    steps = count(len(preview.steps), "step")
    if not preview.steps:
        return f"Undo up to {changes} on {where}?" if preview.late else f"Undo {changes} on {where}?"
    if preview.late:
        return f"Undo up to {changes} on {where}, and leave {steps} to do by hand?"
    if not preview.changes:
        return f"Nothing can be undone automatically. Leave {steps} to do by hand on {where}?"
    return f"Undo {changes} on {where}, and leave {steps} to do by hand?"


def _count_places(preview: RollbackPreview, run: Run) -> str:
    """Return how many peers, and how many nodes, a rollback of `run` is about."""
    from remediate.model.text import count, join_words

    places = [change.peer for change in (*preview.changes, *preview.late)]
    places += [step.peer for step in preview.steps if step.peer is not None]
    addresses = {place.casefold() for place in places}
    peers = addresses & {peer.casefold() for peer in run.peers}
    counts = ((len(peers), "peer"), (len(addresses - peers), "node"))
    return join_words([count(number, noun) for number, noun in counts if number]) or count(len(run.peers), "peer")


def _roll_back(
    session: Session, run: Run, cluster: ClusterAccess, restarts: RollbackRestarts, sink: Sink, *, dry_run: bool
) -> RunResult:
    from remediate.executor.rollback import rollback
    from remediate.executor.rollback_rehearsal import rehearse_rollback

    if dry_run:
        return rehearse_rollback(run.id, cluster, restarts, state_dir=session.state_dir, limits=session.limits, sink=sink)
    return rollback(run.id, cluster, state_dir=session.state_dir, restarts=restarts, limits=session.limits, sink=sink)
