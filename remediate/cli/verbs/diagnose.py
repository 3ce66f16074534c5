"""``remediate diagnose``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.durations import Duration
from remediate.cli.options import PATH, common, confirmation, inventory, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from remediate.model.access import ClusterAccess
    from remediate.model.certificate import Certificate
    from remediate.model.diagnosis import Diagnosis
    from remediate.model.evidence import Evidence
    from remediate.model.exit_codes import ExitCode

LONGEST = timedelta(hours=4)


@click.command()
@click.argument("paths", nargs=-1, type=PATH, metavar="[PATH]...")
@option(
    "--store", "store_path", type=PATH, metavar="PEM",
    help="The trusted CA list, in its order, for verifying captured chains; archives of peers contain their own.",
)  # fmt: skip
@inventory(required=False)
@option("--for", "length", type=Duration("smh", LONGEST), metavar="10m",
        help="Record a diagnostic log on the inventory's cluster for this long, and read it; at most 4h.")  # fmt: skip
@option("--tcpdump", is_flag=True, help="Capture packets while recording: they show the certificates.")
@confirmation
@common
@click.pass_obj
def command(
    session: Session,
    paths: tuple[Path, ...],
    store_path: Path | None,
    inventory_path: Path | None,
    patterns: tuple[str, ...],
    length: timedelta | None,
    tcpdump: bool,  # noqa: FBT001 - click passes options by name
    yes: bool,  # noqa: FBT001
) -> ExitCode:
    """Read diagnostic logs, archives and captures; report failures, their causes and fixes.

    PATH is a file or a folder: Expressway's diagnostic logs, a traffic server's diags.log, captures (pcap, pcapng), mails and
    excerpts of them, and gzip, bzip2, xz, tar or zip of these, also nested. File types are detected by content. Nothing is extracted.
    A message that was wrapped, quoted or encoded is joined again; if only words of a refusal are left of it, that is reported.

    Of logs, only failures are kept: no headers, cookies, tokens or users. Times are the log's own, in UTC if it names a time
    zone. --json has the PEM of every captured certificate, and everything that could not be read under "unread"; "outcome" is
    failures, no-failures, nothing-to-look-at or could-not-be-read.

    Logs of clients (Jabber) and of Expressway-E show which node a 502 was for; only the log of Expressway-C has the reason.
    Nodes with one cause, such as a missing CA, are one finding: "nodes" in --json.

    With --for, and no PATH, diagnostic logging is started on the cluster over REST, always stopped after that time, and
    collected from every peer; nothing else is written. It asks first. If someone else's log is running, nothing is started. If
    a version does not offer it, the page to open is named.

    \b
    EXAMPLES
      remediate diagnose diagnostic_log.tar.gz
      remediate diagnose logs/ expc1.pcap --store trusted.pem
      remediate diagnose diags.log --json
      remediate diagnose -i inventory.yml --for 10m --tcpdump

    \b
    EXIT CODES
      0   everything was read, with failures or without, or there was nothing to check
      4   something could not be read, or not to its end; it is listed
      1   there is no such file or folder, or --store has no certificates; --for: not offered, refused, a login or a pin
      5   --for: another diagnostic log is, or may be, running; nothing was started
      7   --for: declined; nothing was started
      8   --for: logging may still be running; the page to open is named
      130 --for: interrupted (143: terminated); logging was stopped
    """
    from remediate.cli.files import read_store

    trusted = read_store(store_path, session.say) if store_path else None
    if length is None:
        if not paths:
            raise UsageError("Nothing to read.", next_step="Give a PATH, or -i INVENTORY with --for 10m.")
        return _diagnose_files(session, paths, trusted)
    if paths or inventory_path is None:
        raise UsageError("--for records the log of a cluster.", next_step="Give -i INVENTORY, and no PATH.")
    cluster = _choose_one(session, inventory_path, patterns)
    return _diagnose_cluster(session, cluster, length, trusted, tcpdump=tcpdump, yes=yes)


def _choose_one(session: Session, path: Path, patterns: tuple[str, ...]) -> ClusterAccess:
    from remediate.cli.fleet import choose_clusters

    clusters = choose_clusters(session, path, patterns)
    if len(clusters) != 1:
        raise UsageError(f"--for records one cluster, but {len(clusters)} are chosen.", next_step="Choose one with -c NAME.")
    return clusters[0]


def _diagnose_files(session: Session, paths: tuple[Path, ...], trusted: tuple[Certificate, ...] | None) -> ExitCode:
    from remediate.cli.observe import remind_from_journal
    from remediate.connectors.evidence import gather
    from remediate.model.events import Event

    with session.open_event_sink() as sink:
        evidence = gather(paths, session.limits, lambda name: sink(Event("file-read", f"reading {name}")))
    code = _diagnose(session, evidence, trusted)
    remind_from_journal(session)
    return code


def _diagnose_cluster(
    session: Session,
    cluster: ClusterAccess,
    length: timedelta,
    trusted: tuple[Certificate, ...] | None,
    *,
    tcpdump: bool,
    yes: bool,
) -> ExitCode:
    from dataclasses import replace

    from remediate.cli.live_log import ask_to_record, record_log
    from remediate.connectors.evidence import gather
    from remediate.model.evidence import UnreadSource

    ask_to_record(session, cluster, length, tcpdump=tcpdump, yes=yes)
    with session.open_event_sink() as sink, record_log(session, cluster, length, sink, tcpdump=tcpdump) as logs:
        evidence = gather(list(logs.archives.values()), session.limits)
    missing = (UnreadSource(f"the log of {peer}", reason) for peer, reason in logs.failures.items())
    return _diagnose(session, replace(evidence, unread_sources=(*evidence.unread_sources, *missing)), trusted)


def _diagnose(session: Session, evidence: Evidence, trusted: tuple[Certificate, ...] | None) -> ExitCode:
    from datetime import UTC, datetime

    from remediate.cli.codes import completeness_exit_code
    from remediate.planner.diagnosis import diagnose

    diagnosis = diagnose(evidence, trusted, datetime.now(UTC))
    _show(session, diagnosis)
    return completeness_exit_code(complete=diagnosis.is_complete)


def _show(session: Session, diagnosis: Diagnosis) -> None:
    if session.json:
        from remediate.report.diagnosis_document import diagnosis_document

        session.write_json(diagnosis_document(diagnosis))
        return
    from remediate.report.diagnosis import show_diagnosis

    show_diagnosis(session.out(), diagnosis, every_fact=session.verbose > 0)
