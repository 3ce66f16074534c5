"""``remediate collect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import PATH, common, inventory, option
from remediate.cli.session import Session

if TYPE_CHECKING:
    from remediate.model.access import ClusterAccess
    from remediate.model.exit_codes import ExitCode
    from remediate.model.snapshot import Snapshot


@click.command()
@inventory()
@option(
    "-o", "--output", type=PATH, metavar="FILE", help="Where to write; an existing folder where several clusters are chosen."
)
@common
@click.pass_obj
def command(session: Session, inventory_path: Path, patterns: tuple[str, ...], output: Path | None) -> ExitCode:
    """Read peers, trusted CA lists, ciphers and discovery, and probe every endpoint. Writes nothing to a cluster.

    The snapshot holds certificates and settings, and no secret. A plan can be made from it offline.

    \b
    EXAMPLES
      remediate collect -i inventory.yml -o snapshot.json
      remediate collect -i inventory/ -c 'edge-*' -o snapshots/
      remediate collect -i inventory.yml --json

    \b
    EXIT CODES
      0   every peer and endpoint was observed
      4   some were not, or discovery could not ask; the snapshot says which and why, and is written all the same
      1   error in the inventory, a secret, a login or a pin
    """
    from remediate.cli.codes import completeness_exit_code
    from remediate.cli.fleet import choose_clusters, combine_exit_codes, raise_single_error, report_errors, run_on_clusters
    from remediate.cli.observe import observe, warn_about
    from remediate.cli.results import check_output, write_documents, write_files
    from remediate.model.limits import Limits

    clusters = choose_clusters(session, inventory_path, patterns)
    check_output(output, len(clusters))
    with session.open_event_sink() as sink:

        def observe_cluster(cluster: ClusterAccess) -> tuple[Snapshot, ExitCode]:
            snapshot = observe(cluster, sink)
            return snapshot, completeness_exit_code(complete=snapshot.complete)

        results = run_on_clusters(clusters, observe_cluster, Limits())
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


def _show(session: Session, snapshots: list[Snapshot]) -> None:
    from remediate.model.text import count, escape

    console = session.out()
    for snapshot in snapshots:
        counts = f"{count(len(snapshot.peers), 'peer')}, {count(len(snapshot.endpoints), 'endpoint')}, "
        certificates = count(len(snapshot.certificates), "certificate")
        console.print(
            f"{escape(snapshot.cluster)}: {counts}{certificates}{'' if snapshot.complete else ', incomplete'}", soft_wrap=True
        )
        for unseen in (endpoint for endpoint in snapshot.endpoints if endpoint.error):
            console.print(f"  not observed: {escape(unseen.name)}: {escape(unseen.error or '')}", soft_wrap=True)
        for unused in snapshot.not_in_use:
            console.print(f"  not in use: {escape(unused)}", soft_wrap=True)
        for gap in snapshot.undiscovered:
            console.print(f"  not discovered: {escape(gap.message, 2000)}", soft_wrap=True)
