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
    help="The peer's trusted CA list, in its order: captures are judged by it.",
)  # fmt: skip
@common
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], store_path: Path | None) -> int:
    """Read diagnostic logs, archives and captures; say what failed, why, and what to do. Writes nothing.

    PATH is a file or a folder: Expressway's diagnostic logs, a traffic server's diags.log, captures (pcap, pcapng), mails and
    excerpts with them, and gzip, bzip2, xz, tar or zip of them, also in each other. What a file is, its content says. Nothing is
    extracted. A message that was wrapped, quoted or encoded is put together again; where only words of a refusal are left of it, that
    is said.

    Of logs, only what was refused is kept: no headers, cookies, tokens or users. Times are as the log has them, in UTC where it names
    a zone. --json holds the PEM of every certificate that captures show, and what could not be looked at under "unread";
    "outcome" says failures, no-failures, nothing-to-look-at or could-not-be-read.

    \b
    EXAMPLES
      remediate diagnose diagnostic_log.tar.gz
      remediate diagnose logs/ expc1.pcap --store trusted.pem
      remediate diagnose diags.log --json

    \b
    EXIT CODES
      0   everything was read, whether it tells of failures or not, or holds nothing to look at
      4   something could not be read, or not to its end: it is named
      1   there is no such file or folder, or --store holds something else than certificates
    """
    from datetime import UTC, datetime

    from remediate.cli.certificates import read_store
    from remediate.cli.codes import DONE, INCOMPLETE
    from remediate.cli.observe import remind_from_journal
    from remediate.connectors.evidence import gather
    from remediate.model.events import Event
    from remediate.model.limits import Limits
    from remediate.planner.diagnosis import diagnose

    trusted = read_store(session, store_path) if store_path else None
    with session.listening() as sink:
        evidence = gather(paths, Limits(), lambda name: sink(Event("file-read", f"reading {name}")))
        diagnosis = diagnose(evidence, trusted, datetime.now(UTC))
    _show(session, diagnosis, trusted)
    remind_from_journal(session)
    return DONE if diagnosis.is_complete else INCOMPLETE


def _show(session: Session, diagnosis: Diagnosis, trusted: tuple[Certificate, ...] | None) -> None:
    if session.json:
        from remediate.report.diagnosis_document import diagnosis_document

        session.write_json(diagnosis_document(diagnosis))
        return
    from remediate.report.diagnosis import show_diagnosis

    show_diagnosis(session.out(), diagnosis, trusted, every_fact=session.verbose > 0)
