"""``remediate certificates``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.durations import HORIZON
from remediate.cli.options import OUTPUT, PATH, common, inventory, is_inventory_preferred, option
from remediate.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from remediate.cli.fleet import ClusterResult
    from remediate.model.access import ClusterAccess
    from remediate.model.certificate_overview import CertificateOverview, ListedCertificate
    from remediate.model.exit_codes import ExitCode
    from remediate.model.snapshot import Snapshot


@click.command()
@inventory(required=False)
@option("--snapshot", "snapshot_path", type=PATH, metavar="FILE", help="Read this snapshot, offline, without an inventory.")
@option("--expiring", type=HORIZON, metavar="60d", help="Only certificates that expire within this time, or have expired.")
@option("--csv", "csv_path", type=OUTPUT, metavar="FILE", help="Also write them as a table for a spreadsheet.")
@option(
    "--pem",
    "pem_folder",
    type=PATH,
    metavar="DIR",
    help="Also write each peer's list as PEM, with dates (CLUSTER/PEER.pem), and what nodes lack (CLUSTER/to-upload/).",
)
@common
@click.pass_obj
def command(
    session: Session,
    inventory_path: Path | None,
    patterns: tuple[str, ...],
    snapshot_path: Path | None,
    expiring: timedelta | None,
    csv_path: Path | None,
    pem_folder: Path | None,
) -> ExitCode:
    """Show where every certificate is, when it expires, what uses it, and what confirms it. Writes nothing to a cluster.

    Also shows where the lists of peers differ, which listed certificates no endpoint needs, and where two share a common name.
    With --snapshot, days count from the time of the snapshot. --json prints {"clusters": [{"cluster", "exit_code", "error",
    "taken_at", "complete", "unread", "certificates", "drift", "shared_common_names", "not_relied_on"}], "exit_code"}.

    The files of --pem have what you need to write a list back by hand, its CRLs included. Only their owner may read them. Where
    Unified CM or IM and Presence refuse the peers' own certificates, CLUSTER/to-upload/ has each certificate that their stores
    lack as a file to upload, and README.txt says where to upload it, which services must restart then, and what that costs.

    \b
    EXAMPLES
      remediate certificates -i inventory.yml
      remediate certificates -i inventory.yml --expiring 60d
      remediate certificates -i inventory/ --csv certificates.csv --pem backup/
      remediate certificates --snapshot snapshot.json --json

    \b
    EXIT CODES
      0   listed (with --expiring: nothing expires within that time)
      2   --expiring: certificates are listed
      4   a peer or an endpoint could not be observed, so there may be more
      1   error in the inventory, a secret, a login or a pin, or a file cannot be written
    """
    from remediate.cli.fleet import combine_exit_codes, raise_single_error, report_errors
    from remediate.report.certificates import certificates_document, show_certificates

    results = _read(session, inventory_path, patterns, snapshot_path, expiring)
    raise_single_error(results)
    report_errors(session, results)
    code = combine_exit_codes(results)
    listings = [result.value for result in results if result.value]
    if csv_path:
        _write_csv(session, csv_path, listings)
    if pem_folder:
        _write_pem(session, pem_folder, listings)
    if session.json:
        clusters = [
            result.as_json(lambda listing: certificates_document(listing.overview, listing.certificates)) for result in results
        ]
        session.write_json({"exit_code": code, "clusters": clusters})
        return code
    for listing in listings:
        show_certificates(session.out(), listing.overview, listing.certificates)
    return code


@dataclass(frozen=True, slots=True)
class _Listing:
    """One cluster: its snapshot, the overview of its certificates, and those that were asked for."""

    snapshot: Snapshot
    overview: CertificateOverview
    certificates: tuple[ListedCertificate, ...]


def _list(snapshot: Snapshot, expiring: timedelta | None) -> tuple[_Listing, ExitCode]:
    """Return the certificates of one cluster that were asked for, and the exit code that follows."""
    from remediate.cli.codes import completeness_exit_code
    from remediate.model.exit_codes import ExitCode, most_serious
    from remediate.planner.certificates import make_overview

    overview = make_overview(snapshot)
    certificates = overview.certificates if expiring is None else overview.expiring(expiring)
    ending = ExitCode.CHANGES_PENDING if expiring is not None and certificates else ExitCode.DONE
    code = most_serious((completeness_exit_code(complete=snapshot.complete), ending))
    return _Listing(snapshot, overview, certificates), code


def _read(
    session: Session,
    inventory_path: Path | None,
    patterns: tuple[str, ...],
    snapshot_path: Path | None,
    expiring: timedelta | None,
) -> Sequence[ClusterResult[_Listing]]:
    from remediate.cli.files import read_document
    from remediate.cli.fleet import ClusterResult, choose_clusters
    from remediate.cli.fleet_processes import look_at_clusters
    from remediate.cli.observe import observe, warn_about
    from remediate.model.errors import UsageError
    from remediate.model.snapshot import Snapshot

    if snapshot_path and not is_inventory_preferred("snapshot_path"):
        snapshot = read_document(snapshot_path, Snapshot.from_json)
        return (ClusterResult(snapshot.cluster, *_list(snapshot, expiring)),)
    if inventory_path is None:
        raise UsageError("There is nothing to list from.", next_step="Give -i INVENTORY, or --snapshot FILE.")
    with session.open_event_sink() as sink:

        def accept(_cluster: ClusterAccess, snapshot: Snapshot) -> tuple[_Listing, ExitCode]:
            warn_about(session, snapshot)
            return _list(snapshot, expiring)

        clusters = choose_clusters(session, inventory_path, patterns)
        return look_at_clusters(session, clusters, partial(observe, limits=session.limits), accept, sink)


def _write_csv(session: Session, path: Path, listings: Sequence[_Listing]) -> None:
    from remediate.cli.files import write_atomically
    from remediate.report.certificates import certificates_csv

    rows = ((listing.overview, certificate) for listing in listings for certificate in listing.certificates)
    write_atomically(path, certificates_csv(rows))
    session.hint(f"Wrote {path}.")


def _write_pem(session: Session, folder: Path, listings: Sequence[_Listing]) -> None:
    """Write CLUSTER/PEER.pem for each peer that was read; name those that were not."""
    from remediate.formats.pem_list import format_pem_list
    from remediate.machine.private_files import make_file_name, make_private_folder, write_private_file
    from remediate.model.errors import RemediateError
    from remediate.model.text import count

    for snapshot in (listing.snapshot for listing in listings):
        for peer in snapshot.peers:
            if peer.error is not None:
                session.say(f"{snapshot.cluster}: no PEM file for {peer.address}: its list could not be read.")
                continue
            certificates = snapshot.resolve(peer.trusted_ca)
            crls = [snapshot.revocation_lists[key] for key in peer.revocation_lists]
            missing = (peer.crls or 0) - len(crls)
            gap = f"the snapshot does not hold {count(missing, 'CRL')} of the list" if missing > 0 else ""
            text = format_pem_list(peer.address, certificates, crls, gap, snapshot.taken_at)
            try:
                cluster_folder = make_private_folder(make_private_folder(folder) / make_file_name(snapshot.cluster))
                path = write_private_file(cluster_folder / make_file_name(peer.address, ".pem"), text)
            except OSError as error:
                raise RemediateError(
                    f"{folder} cannot be written: {error.strerror}.", next_step="Give a writable folder."
                ) from error
            session.hint(f"Wrote {path}.")
        _write_uploads(session, folder, snapshot)


def _write_uploads(session: Session, folder: Path, snapshot: Snapshot) -> None:
    """Write CLUSTER/to-upload/ with what the nodes' stores lack; nothing where they lack nothing that is known."""
    from remediate.machine.private_files import make_file_name, make_private_folder, write_private_file
    from remediate.model.errors import RemediateError
    from remediate.planner.toward_nodes import judge_toward_nodes
    from remediate.report.uploads import list_upload_files

    files = list_upload_files(snapshot, judge_toward_nodes(snapshot))
    if not files:
        return
    try:
        cluster_folder = make_private_folder(make_private_folder(folder) / make_file_name(snapshot.cluster))
        target = make_private_folder(cluster_folder / "to-upload")
        for name, text in files.items():
            write_private_file(target / make_file_name(name), text)
    except OSError as error:
        raise RemediateError(f"{folder} cannot be written: {error.strerror}.", next_step="Give a writable folder.") from error
    session.hint(f"Wrote {target}: the certificates that nodes need to trust the peers' own.")
