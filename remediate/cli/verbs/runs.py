"""``remediate runs``: the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from remediate.cli.options import common
from remediate.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.executor.records import Run, StepRecord


@click.group(invoke_without_command=True)
@common
@click.pass_context
def command(context: click.Context) -> int | None:
    """List what was done, newest first; show or export one run. Needs no cluster.

    RUN is an id from the list, or last.

    \b
    EXAMPLES
      remediate runs
      remediate runs --json
      remediate runs show last
      remediate runs export last > run.json

    \b
    EXIT CODES
      0   shown
      1   no such run, or the journal cannot be read
    """
    if context.invoked_subcommand is not None:
        return None
    from remediate.cli.runs_view import run_json
    from remediate.executor.journal import Journal

    session: Session = context.obj
    with Journal(session.state_dir) as journal:
        runs = journal.runs()
    if session.json:
        session.write_json([run_json(run) for run in runs])
    else:
        _list(session, runs)
    return 0


@command.command()
@click.argument("run")
@common
@click.pass_obj
def show(session: Session, run: str) -> int:
    """Show RUN: its steps, when, by whom, what stood before and after.

    \b
    EXAMPLES
      remediate runs show last
      remediate runs show 261123-101500-4f2a --json

    \b
    EXIT CODES
      0   shown
      1   no such run, or the journal cannot be read
    """
    from remediate.cli.runs_view import run_record
    from remediate.executor.journal import Journal

    with Journal(session.state_dir) as journal:
        record = journal.run(run)
        if session.json:
            session.write_json(run_record(journal, record))
            return 0
        steps = journal.steps(record.id)
    _show(session, record, steps)
    return 0


@command.command()
@click.argument("run")
@common
@click.pass_obj
def export(session: Session, run: str) -> int:
    """Print all that the journal holds of RUN as one JSON document: its plan with the certificates, its steps, its approvals.

    \b
    EXAMPLES
      remediate runs export last > run.json

    \b
    EXIT CODES
      0   printed
      1   no such run, or the journal cannot be read
    """
    import json

    from remediate.cli.runs_view import run_record
    from remediate.executor.journal import Journal

    with Journal(session.state_dir) as journal:
        record = journal.run(run)
        body = {**run_record(journal, record), "plan": json.loads(journal.plan(record.id).to_json())}
    session.write_json({"format": "remediate.run/1", **body})
    return 0


def _list(session: Session, runs: Sequence[Run]) -> None:
    from rich.table import Table
    from rich.text import Text

    from remediate.report.text import clean

    console = session.out()
    if not runs:
        console.print(f"No run yet in {session.state_dir}.", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("run", "cluster", "state", "started", "ticket"):
        table.add_column(title, overflow="fold")
    for run in runs:
        table.add_row(*(Text(clean(cell)) for cell in (run.id, run.cluster, run.state, run.started_at, run.ticket or "")))
    console.print(table)


def _show(session: Session, run: Run, steps: Sequence[StepRecord]) -> None:
    from rich.text import Text

    from remediate.report.text import clean

    console = session.out()
    console.print(Text(f"Run {run.id} on {clean(run.cluster)}: {run.state}", "bold"))
    console.print(Text(f"by {clean(run.who)}@{clean(run.host)}, {run.started_at} to {run.ended_at or 'now'}", "dim"))
    for label, value in (("plan", run.plan), ("ticket", run.ticket), ("said", run.message)):
        if value:
            console.print(Text(f"{label}: {clean(value, 2000)}"), soft_wrap=True)
    for step in steps:
        facts = ", ".join(f"{key} {value}" for key, value in step.facts.items())
        console.print(Text(f"  {step.seq:>3}  {step.peer}  {step.kind}  {step.state}", "bold"), soft_wrap=True)
        console.print(Text(f"       {clean(facts)}", "dim"), soft_wrap=True)
