"""``remediate confirm``."""

from __future__ import annotations

import click

from remediate.cli.options import clusters, common
from remediate.cli.session import Session
from remediate.model.exit_codes import ExitCode


@click.command()
@click.argument("run")
@clusters
@common
@click.pass_obj
def command(session: Session, run: str, patterns: tuple[str, ...]) -> ExitCode:
    """Confirm RUN (an id from `remediate runs`, or last): the timer of `apply --confirm-within` ends, and the changes stay.

    Writes to the journal only, needs no inventory and no cluster. Confirming twice changes nothing. If the journal has runs of
    several clusters, last needs -c.

    \b
    EXAMPLES
      remediate confirm last
      remediate confirm last -c edge-paris
      remediate confirm 261123-101500-4f2a

    \b
    EXIT CODES
      0   confirmed, now or before
      1   there is no such run, it is not waiting for confirmation, or its deadline has passed
      64  last could be a run of several clusters
    """
    from remediate.cli.observe import remind_from_journal
    from remediate.cli.run_choice import choose_run
    from remediate.cli.runs_view import result_json, show_result
    from remediate.executor.confirm_timer import confirm
    from remediate.executor.journal.store import Journal

    with Journal(session.state_dir) as journal:
        record = choose_run(journal, run, patterns, with_plan=True)
    result = confirm(record.id, state_dir=session.state_dir)
    if session.json:
        session.write_json(result_json(result, (), cluster=record.cluster, plan=record.plan))
    else:
        show_result(session, result, ())
    remind_from_journal(session)
    return ExitCode(result.exit_code)
