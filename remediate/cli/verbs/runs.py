"""``remediate runs``: the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import OUTPUT, clusters, common, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from remediate.model.run import Run


@click.group(invoke_without_command=True)
@common
@click.pass_context
def command(context: click.Context) -> ExitCode | None:
    """List what was done, newest first; show or export one run. Needs no cluster.

    RUN is an id from the list, or last, which needs -c if the journal has runs of several clusters.

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
    from remediate.cli.observe import remind_from_journal
    from remediate.executor.journal.store import Journal
    from remediate.report.run import run_json

    session: Session = context.obj
    with Journal(session.state_dir) as journal:
        runs = journal.runs()
    if session.json:
        session.write_json([run_json(run) for run in runs])
    else:
        _print_list(session, runs)
    remind_from_journal(session)
    return ExitCode.DONE


@command.command(short_help="Show who did what in a run, when, and with what result.")
@click.argument("run")
@clusters
@option("--html", "html_path", type=OUTPUT, metavar="FILE", help="Write one self-contained page; - is stdout.")
@option("--markdown", "markdown_path", type=OUTPUT, metavar="FILE", help="Write it for a change ticket; - is stdout.")
@common
@click.pass_obj
def show(session: Session, run: str, patterns: tuple[str, ...], html_path: Path | None, markdown_path: Path | None) -> ExitCode:
    """Show RUN: who, when, under which ticket, what it measured, its work on each peer, what confirmed each certificate.

    With -v, also the lists before and after, and each step with digests of the state before and after.

    \b
    EXAMPLES
      remediate runs show last
      remediate runs show last -c edge-paris
      remediate runs show 261123-101500-4f2a --json
      remediate runs show last --markdown evidence.md

    \b
    EXIT CODES
      0   shown
      1   no such run, or the journal cannot be read
      64  last could be a run of several clusters
    """
    from remediate.cli.observe import remind_from_journal
    from remediate.cli.results import write_document
    from remediate.cli.run_choice import choose_run
    from remediate.cli.run_report import load_certificate_names, load_run_record, make_run_page
    from remediate.cli.runs_view import measurements_json
    from remediate.executor.journal.measurements import load_measurements
    from remediate.executor.journal.store import Journal
    from remediate.report.run_text import show_run

    if sum((session.json, html_path is not None, markdown_path is not None)) > 1:
        raise UsageError("--json, --html and --markdown exclude each other.")
    with Journal(session.state_dir) as journal:
        chosen = choose_run(journal, run, patterns)
        record, names = load_run_record(journal, chosen), load_certificate_names(journal, chosen)
        pairs = load_measurements(journal, chosen.id)
        page = make_run_page(journal, chosen) if html_path else ""
        plan = journal.plan(chosen.id) if chosen.plan else None
    if session.json:
        session.write_json({**record, "measured": measurements_json(pairs)})
    elif html_path:
        write_document(session, html_path, page)
    elif markdown_path:
        from remediate.report.run_evidence import run_ticket

        write_document(session, markdown_path, run_ticket(record, names, pairs))
    else:
        show_run(session.out(), record, names, plan, pairs)
        if session.verbose:
            _print_details(session, record)
    remind_from_journal(session)
    return ExitCode.DONE


@command.command(short_help="Print everything that the journal has on a run, as JSON.")
@click.argument("run")
@clusters
@common
@click.pass_obj
def export(session: Session, run: str, patterns: tuple[str, ...]) -> ExitCode:
    """Print everything that the journal has on RUN as one JSON document: plan, certificates, steps and approvals.

    \b
    EXAMPLES
      remediate runs export last > run.json

    \b
    EXIT CODES
      0   printed
      1   no such run, or the journal cannot be read
      64  last could be a run of several clusters
    """
    import json

    from remediate.cli.observe import remind_from_journal
    from remediate.cli.run_choice import choose_run
    from remediate.cli.run_report import load_run_record
    from remediate.cli.runs_view import measurements_json
    from remediate.executor.journal.measurements import load_measurements
    from remediate.executor.journal.store import Journal

    with Journal(session.state_dir) as journal:
        record = choose_run(journal, run, patterns)
        plan = json.loads(journal.plan(record.id).to_json()) if record.plan else None
        measured = measurements_json(load_measurements(journal, record.id))
        body = {**load_run_record(journal, record), "plan": plan, "measured": measured}
    session.write_json({"format": "remediate.run/1", **body})
    remind_from_journal(session)
    return ExitCode.DONE


def _print_list(session: Session, runs: Sequence[Run]) -> None:
    from rich.text import Text

    from remediate.executor.run_health import describe_run
    from remediate.language.messages import mark_words, translate
    from remediate.model.canonical import parse_rfc3339, utc_now
    from remediate.model.text import escape
    from remediate.report.lines import print_table
    from remediate.report.moments import format_moment

    console = session.out()
    if not runs:
        console.print(f"No run yet in {session.state_dir}.", soft_wrap=True)
        return
    titles = mark_words("run", "kind", "cluster", "state", "started", "ticket")
    rows = [
        (run.id, run.kind, run.cluster, translate(run.state), format_moment(parse_rfc3339(run.started_at)), run.ticket or "")
        for run in runs
    ]
    print_table(console, titles, [[escape(cell) for cell in row] for row in rows])
    for run in runs:
        if text := describe_run(run, session.state_dir, utc_now()):
            console.print(Text(f"! {run.id}: {text}", "yellow"), soft_wrap=True)


def _print_details(session: Session, record: Mapping[str, Any]) -> None:
    """Print the lists before and after, and each step with its digests."""
    from rich.text import Text

    from remediate.model.text import escape
    from remediate.report.lines import print_heading

    console = session.out()
    for title, lines in (("Trusted CA lists", _list_lines(record)), ("Steps", _step_lines(record))):
        print_heading(console, title)
        for line, style in lines:
            console.print(Text(escape(line, 2500), style), soft_wrap=True)


def _list_lines(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from remediate.model.text import count

    for peer, before in record["before"].items():
        list_before, list_after = before["trusted_ca"], record["after"][peer]["trusted_ca"]
        yield f"  {peer}  {count(len(list_before), 'certificate')} before, {len(list_after)} after", ""
        yield from ((f"       + {fingerprint}", "green") for fingerprint in list_after if fingerprint not in list_before)
        yield from ((f"       - {fingerprint}", "red") for fingerprint in list_before if fingerprint not in list_after)


def _step_lines(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from remediate.language.messages import translate
    from remediate.report.run_facts import describe_fact, name_step

    for step in record["steps"]:
        yield f"  {step['seq']:>3}  {step['peer']}  {translate(name_step(step))}  {translate(step['state'])}", "bold"
        undone = f", undone {step['undone_at']}" if step["undone_at"] else ""
        yield f"       {step['started_at']} to {step['ended_at'] or '?'}{undone}", "dim"
        yield from ((f"       {describe_fact(key, value)}", "dim") for key, value in step["facts"].items())
        yield f"       before {step['before']}", "dim"
        yield f"       after  {step['after'] or 'not read'}", "dim"
        if step["message"]:
            yield f"       note: {step['message']}", ""
