"""``remediate diagnose``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import PATH, common, option
from remediate.cli.session import Session

if TYPE_CHECKING:
    from remediate.model.certificate import Certificate
    from remediate.model.diagnosis import Diagnosis


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@option(
    "--store", "store_path", type=PATH, metavar="PEM",
    help="The peer's trusted CA list, in its order: captured chains are verified with it.",
)  # fmt: skip
@common
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], store_path: Path | None) -> int:
    """Read diagnostic logs, archives and captures; report failures, their causes and fixes. Writes nothing.

    PATH is a file or a folder: Expressway's diagnostic logs, a traffic server's diags.log, captures (pcap, pcapng), mails and
    excerpts of them, and gzip, bzip2, xz, tar or zip of these, also nested. File types are detected by content. Nothing is extracted.
    A message that was wrapped, quoted or encoded is joined again; if only words of a refusal are left of it, that is reported.

    Of logs, only failures are kept: no headers, cookies, tokens or users. Times are the log's own, in UTC where it names a zone.
    --json has the PEM of every captured certificate, and everything that could not be read under "unread"; "outcome" is failures,
    no-failures, nothing-to-look-at or could-not-be-read.

    \b
    EXAMPLES
      remediate diagnose diagnostic_log.tar.gz
      remediate diagnose logs/ expc1.pcap --store trusted.pem
      remediate diagnose diags.log --json

    \b
    EXIT CODES
      0   everything was read, with failures or without, or there was nothing to check
      4   something could not be read, or not to its end; it is listed
      1   there is no such file or folder, or --store has no certificates
    """
    from datetime import UTC, datetime

    from remediate.cli.codes import completeness_exit_code
    from remediate.cli.files import read_store
    from remediate.cli.observe import remind_from_journal
    from remediate.connectors.evidence import gather
    from remediate.model.events import Event
    from remediate.model.limits import Limits
    from remediate.planner.diagnosis import diagnose

    trusted = read_store(session, store_path) if store_path else None
    with session.open_event_sink() as sink:
        evidence = gather(paths, Limits(), lambda name: sink(Event("file-read", f"reading {name}")))
        diagnosis = diagnose(evidence, trusted, datetime.now(UTC))
    _show(session, diagnosis, trusted)
    remind_from_journal(session)
    return completeness_exit_code(complete=diagnosis.is_complete)


def _show(session: Session, diagnosis: Diagnosis, trusted: tuple[Certificate, ...] | None) -> None:
    if session.json:
        from remediate.report.diagnosis_document import diagnosis_document

        session.write_json(diagnosis_document(diagnosis))
        return
    from remediate.report.diagnosis import show_diagnosis

    show_diagnosis(session.out(), diagnosis, trusted, every_fact=session.verbose > 0)
