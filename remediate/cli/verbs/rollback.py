"""``remediate rollback``."""

from __future__ import annotations

from pathlib import Path

import click

from remediate.cli.options import common, inventory
from remediate.cli.session import Session
from remediate.model.errors import InventoryError
from remediate.model.exit_codes import ExitCode


@click.command()
@click.argument("run")
@inventory()
@common
@click.pass_obj
def command(session: Session, run: str, inventory_path: Path, patterns: tuple[str, ...]) -> ExitCode:
    """Undo RUN (an id from `remediate runs`, or last) from its journal alone, and read the start state back.

    With -c, last is the last run on one of those clusters.

    Exactly what the run added is removed, where the peer offers removal; where it does not, the step is named. What others changed
    since then is left alone.

    \b
    EXAMPLES
      remediate rollback last -i inventory.yml
      remediate rollback 261123-101500-4f2a -i inventory.yml

    \b
    EXIT CODES
      0   everything that the run did is undone and was read back; what others changed since is left, and named
      1   error, nothing was changed
      4   everything of the run is undone, but a peer could not be read back; roll back again when it answers
      5   locked by another run
      8   a person is needed: a manual step is open, or an outcome is unknown
    """
    from remediate.cli.fleet import choose_clusters
    from remediate.cli.notices import NoticeCollector
    from remediate.cli.runs_view import result_json, show_result
    from remediate.executor.journal.store import Journal
    from remediate.executor.rollback import rollback

    clusters = {cluster.name: cluster for cluster in choose_clusters(session, inventory_path, patterns)}
    with Journal(session.state_dir) as journal:
        record = journal.run(run, on=clusters if patterns else None, with_plan=True)
    if record.cluster not in clusters:
        raise InventoryError(
            f"The run {record.id} was on the cluster {record.cluster}, which is not among those chosen from {inventory_path}.",
            next_step="Give the inventory that the run was made with, without -c or with the run's own cluster.",
        )
    with session.open_event_sink() as sink, NoticeCollector(session, sink) as notices:
        result = rollback(record.id, clusters[record.cluster], state_dir=session.state_dir, sink=notices)
        notes = notices.notes_besides(result.open_step_texts)
    if session.json:
        session.write_json(result_json(result, notes, cluster=record.cluster, plan=record.plan))
    else:
        show_result(session, result, ())
    return ExitCode(result.exit_code)
