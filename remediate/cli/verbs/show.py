"""``remediate show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import OUTPUT, PATH, common, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from remediate.model.plan import Plan


@click.command()
@click.argument("plan", type=PATH)
@option("--html", "html_path", type=OUTPUT, metavar="FILE", help="Write one self-contained page; - is stdout.")
@option("--markdown", "markdown_path", type=OUTPUT, metavar="FILE", help="Write a change ticket; - is stdout.")
@option("--explain", is_flag=True, help="Also show the plans that were not chosen.")
@option("--all", "every_row", is_flag=True, help="Show every endpoint and every action separately, with details.")
@common
@click.pass_obj
def command(
    session: Session,
    plan: Path,
    html_path: Path | None,
    markdown_path: Path | None,
    explain: bool,  # noqa: FBT001 - click passes options by name
    every_row: bool,  # noqa: FBT001
) -> ExitCode:
    """Show the plan in PLAN (- is stdin) as text, JSON, a page or a change ticket. Needs no cluster.

    \b
    EXAMPLES
      remediate show plan.json
      remediate show plan.json --html plan.html
      remediate show plan.json --markdown ticket.md
      remediate show plan.json --json

    \b
    EXIT CODES
      0   shown
      1   the file cannot be read, or is not a plan that this version of remediate reads
    """
    from remediate.cli.collector import pause_collector
    from remediate.cli.files import read_document
    from remediate.cli.observe import remind_from_journal
    from remediate.cli.results import write_document
    from remediate.model.plan import Plan
    from remediate.report.next_step import describe_next_step

    if sum((session.json, html_path is not None, markdown_path is not None)) > 1:
        raise UsageError("--json, --html and --markdown exclude each other.")
    with pause_collector():
        value = read_document(plan, Plan.from_json)
        next_step = describe_next_step(value, "PLAN" if str(plan) == "-" else str(plan))
        if session.json:
            session.write_json_text(value.to_json())
        elif html_path:
            from remediate import __version__
            from remediate.report.html import plan_page

            write_document(session, html_path, plan_page(value, next_step, version=__version__))
        elif markdown_path:
            from remediate.report.markdown import plan_ticket

            write_document(session, markdown_path, plan_ticket(value, next_step))
        else:
            _print_plan(session, value, explain=explain, every_row=every_row)
            session.hint(next_step)
    remind_from_journal(session)
    return ExitCode.DONE


def _print_plan(session: Session, plan: Plan, *, explain: bool, every_row: bool) -> None:
    from remediate.report.terminal import show_plan

    show_plan(session.out(), plan, every_row=every_row or session.verbose > 0, explain=explain)
