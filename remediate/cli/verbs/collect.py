"""``remediate collect``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import OUTPUT, PATH, common, inventory, is_inventory_preferred, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from remediate.cli.fleet import ClusterResult
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink
    from remediate.model.exit_codes import ExitCode
    from remediate.model.snapshot import Snapshot


@click.command()
@click.argument("more_archives", nargs=-1, type=PATH, metavar="[PATH]...")
@inventory(required=False)
@option("--archive", "archives", type=PATH, multiple=True, metavar="PATH",
        help="Read diagnostic archives of one cluster instead, without a network; more PATHs may follow.")  # fmt: skip
@option("--survey", is_flag=True,
        help="Probe each endpoint with a single ClientHello: faster, but no basis for an apply.")  # fmt: skip
@option("-o", "--output", type=OUTPUT, metavar="FILE", help="The output file; with several clusters, an existing folder.")
@common
@click.pass_obj
def command(
    session: Session,
    more_archives: tuple[Path, ...],
    inventory_path: Path | None,
    patterns: tuple[str, ...],
    archives: tuple[Path, ...],
    survey: bool,  # noqa: FBT001 - click passes options by name
    output: Path | None,
) -> ExitCode:
    """Read peers, trusted CA lists, ciphers and discovery, and probe every endpoint. Writes nothing to a cluster.

    The snapshot has certificates and settings, and no secrets. A plan can be made from it offline.

    With --archive, it is made from the diagnostic archives of one or more peers: their lists (ca_*.pem), configuration and
    status, and the endpoints in their logs and captures. What an archive cannot show is not observed, so such a snapshot is
    incomplete. -c then gives the name of the cluster in the inventory.

    With --survey, each endpoint gets a single ClientHello, and shows the one certificate that the peers' cipher list selects;
    it does not prove that it has the key, and some nodes log an unfinished handshake. Such a snapshot is incomplete, and every
    certificate of a plan from it needs an approval, even if a trusted source confirms it.

    \b
    EXAMPLES
      remediate collect -i inventory.yml -o snapshot.json
      remediate collect -i inventory/ -c 'edge-*' -o snapshots/
      remediate collect -i inventory.yml --json
      remediate collect -i inventory/ --survey -o survey/   # exit code 4
      remediate collect --archive expc1.tar.gz expc2.tar.gz -c edge-paris -o archives.json   # exit code 4

    \b
    EXIT CODES
      0   every peer and endpoint was observed
      4   some were not, or discovery is incomplete, or it is a survey; the snapshot says which and why, and is written
      1   error in the inventory, a secret, a login or a pin; --archive: no archive of a peer, or of several clusters
    """
    from remediate.cli.codes import completeness_exit_code
    from remediate.cli.fleet import choose_clusters, combine_exit_codes, raise_single_error, report_errors
    from remediate.cli.fleet_processes import look_at_clusters
    from remediate.cli.observe import observe, warn_about
    from remediate.cli.results import check_output, write_documents, write_files

    if archives and is_inventory_preferred("archives"):
        archives = ()
    _check_arguments(inventory_path, archives, more_archives, patterns)
    with session.open_event_sink() as sink:

        def accept(_cluster: ClusterAccess, snapshot: Snapshot) -> tuple[Snapshot, ExitCode]:
            return snapshot, completeness_exit_code(complete=snapshot.complete)

        results: tuple[ClusterResult[Snapshot], ...]
        if archives or inventory_path is None:
            results = (_read_archives((*archives, *more_archives), patterns, sink),)
        else:
            clusters = choose_clusters(session, inventory_path, patterns)
            check_output(output, len(clusters))
            look = partial(observe, limits=session.limits, fast=survey)
            results = look_at_clusters(session, clusters, look, accept, sink)
    raise_single_error(results)
    report_errors(session, results)
    paths = write_files(results, output)
    snapshots = [result.value for result in results if result.value]
    for snapshot in snapshots:
        warn_about(session, snapshot)
    if session.json:
        write_documents(session, results, "snapshot", combine_exit_codes(results))
    else:
        _show(session, snapshots)
    for path in paths:
        session.hint(f"Wrote {path}.")
    return combine_exit_codes(results)


def _check_arguments(
    inventory_path: Path | None, archives: tuple[Path, ...], more_archives: tuple[Path, ...], patterns: tuple[str, ...]
) -> None:
    """Raise UsageError for a command line that is neither of the two forms."""
    if more_archives and not archives:
        raise UsageError("PATHs are archives, and --archive is missing.", next_step="Give --archive PATH..., or -i INVENTORY.")
    if not archives and inventory_path is None:
        raise UsageError("There is nothing to collect from.", next_step="Give -i INVENTORY, or --archive PATH...")
    if archives and click.get_current_context().params["survey"]:
        raise UsageError("--survey is for a cluster, not for archives.", next_step="Leave --survey or --archive out.")
    if archives and len(patterns) > 1:
        raise UsageError(
            "Archives are of one cluster, but -c names several.", next_step="Give -c once, with its name in the inventory."
        )


def _read_archives(paths: tuple[Path, ...], names: tuple[str, ...], sink: Sink) -> ClusterResult[Snapshot]:
    from datetime import UTC, datetime

    from remediate.cli.codes import completeness_exit_code
    from remediate.cli.fleet import ClusterResult
    from remediate.connectors.archive_snapshot import make_snapshot
    from remediate.connectors.evidence import gather
    from remediate.model.events import Event
    from remediate.model.limits import Limits

    evidence = gather(paths, Limits(), lambda name: sink(Event("file-read", f"reading {name}")))
    snapshot = make_snapshot(evidence, next(iter(names), None), datetime.now(UTC))
    return ClusterResult(snapshot.cluster, snapshot, completeness_exit_code(complete=snapshot.complete))


def _show(session: Session, snapshots: list[Snapshot]) -> None:
    from remediate.model.text import count, escape, group_ports

    console = session.out()
    for snapshot in snapshots:
        counts = f"{count(len(snapshot.peers), 'peer')}, {count(len(snapshot.endpoints), 'endpoint')}, "
        certificates = count(len(snapshot.certificates), "certificate")
        console.print(
            f"{escape(snapshot.cluster)}: {counts}{certificates}{'' if snapshot.complete else ', incomplete'}", soft_wrap=True
        )
        for unseen in (endpoint for endpoint in snapshot.endpoints if endpoint.error):
            console.print(f"  not observed: {escape(unseen.name)}: {escape(unseen.error or '')}", soft_wrap=True)
        for unseen in (endpoint for endpoint in snapshot.guarded_endpoints if endpoint.error):
            console.print(
                f"  not observed, of another service: {escape(unseen.name)}: {escape(unseen.error or '')}", soft_wrap=True
            )
        if snapshot.not_in_use:
            console.print(f"  not in use: {escape(group_ports(snapshot.not_in_use), 2000)}", soft_wrap=True)
        for gap in snapshot.undiscovered:
            console.print(f"  not discovered: {escape(gap.message, 2000)}", soft_wrap=True)
