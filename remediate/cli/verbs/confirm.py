"""``remediate confirm``."""

from __future__ import annotations

import click

from remediate.cli.options import common
from remediate.cli.session import Session
from remediate.model.exit_codes import ExitCode


@click.command()
@click.argument("run")
@common
@click.pass_obj
def command(session: Session, run: str) -> ExitCode:
    """Confirm RUN (an id from `remediate runs`, or last): the timer of `apply --confirm-within` ends, and what was applied stays.

    Writes to the journal only, needs no inventory and no cluster. Confirming twice changes nothing.

    \b
    EXAMPLES
      remediate confirm last
      remediate confirm 261123-101500-4f2a

    \b
    EXIT CODES
      0   confirmed, now or before
      1   there is no such run, it does not wait for confirmation, or its deadline has passed
    """
    from remediate.cli.observe import remind_from_journal
    from remediate.cli.runs_view import result_json, show_result
    from remediate.executor.confirm_timer import confirm
    from remediate.executor.journal.store import Journal

    result = confirm(run, state_dir=session.state_dir)
    if session.json:
        with Journal(session.state_dir) as journal:
            record = journal.run(result.run_id)
        session.write_json(result_json(result, (), cluster=record.cluster, plan=record.plan))
    else:
        show_result(session, result, ())
    remind_from_journal(session)
    return ExitCode(result.exit_code)
