"""``remediate init``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import OUTPUT, PATH, common, option
from remediate.cli.session import Session
from remediate.model.errors import Declined, UsageError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from remediate.inventory.draft import Draft


@click.command()
@click.argument("address", required=False)
@option(
    "-o", "--output", type=OUTPUT, default=Path("inventory.yml"), show_default=True, metavar="FILE", help="The output file."
)
@option("--name", metavar="NAME", help="The name of the cluster; you are asked for it if left out.")
@option("--rest-port", type=click.IntRange(1, 65535), default=443, show_default=True, help="The port of REST on every peer.")
@option("--ssh-port", type=click.IntRange(1, 65535), default=22, show_default=True, help="The port of SSH on every peer.")
@option(
    "--csv",
    "csv_path",
    type=PATH,
    metavar="FILE",
    help="Also read nodes from this file: address, product, connect_to, ports. One with the columns cluster and peer, and no "
    "ADDRESS, makes an inventory of many clusters.",
)
@common
@click.pass_obj
def command(
    session: Session,
    address: str | None,
    output: Path,
    name: str | None,
    rest_port: int,
    ssh_port: int,
    csv_path: Path | None,
) -> ExitCode:
    """Write a first inventory, starting from one peer of each cluster. Writes nothing to a cluster.

    Shows the web certificate and the SSH host key of ADDRESS to compare, and asks for the account and for the source of its
    password; it never stores the password. The peer then names the others, whose pins are shown to compare too, and the
    publishers; with an AXL account, the nodes are found. An existing file is not changed.

    With a CSV file of clusters, it does so for each of them, and asks for an account once. Where -o is a folder (it exists, or its
    name has no suffix), each cluster gets a file of its own.

    \b
    EXAMPLES
      remediate init expc1.example.test
      remediate init expc1.example.test -o inventory/paris.yml --csv nodes.csv
      remediate init --csv clusters.csv -o inventory/

    \b
    EXIT CODES
      0   written
      1   the peer cannot be logged in to, or an answer or the CSV file cannot be used; nothing was written
      4   a peer could not be reached: if it is ADDRESS, nothing was written; another one is written without pins
      7   declined, or there is no terminal to ask on; nothing was written
      64  the file exists
    """
    from remediate.cli.files import read_text
    from remediate.cli.first_inventory import NOTHING_WRITTEN
    from remediate.inventory.draft_csv import names_clusters, read_clusters, read_nodes
    from remediate.model.identity import is_host

    text = read_text(csv_path) if csv_path else ""
    many = names_clusters(text)
    _check_usage(address, name, csv_path, many=many)
    if address and not is_host(address):
        raise UsageError(
            f"`{address}` is not a host name or IP address.", next_step="Give the address of one Expressway-C peer."
        )
    clusters = read_clusters(csv_path, text, rest_port, ssh_port) if csv_path and many else ()
    nodes = read_nodes(csv_path, text) if csv_path and not many else ()
    files = _list_files(output, [cluster.name for cluster in clusters])
    if not session.may_ask:
        raise Declined("init asks questions, but there is no terminal to ask on.", next_step=NOTHING_WRITTEN)
    if clusters:
        from remediate.cli.first_inventory import draft_clusters

        drafts = draft_clusters(session, clusters)
    else:
        from remediate.cli.first_inventory import draft_cluster

        drafts = [draft_cluster(session, address or "", name, nodes, rest_port, ssh_port)]
    _write(session, output, files, drafts, many=many)
    return ExitCode.DONE if all(peer.fingerprint for draft in drafts for peer in draft.peers) else ExitCode.INCOMPLETE


def _check_usage(address: str | None, name: str | None, csv_path: Path | None, *, many: bool) -> None:
    """Raise UsageError where the words do not fit together."""
    if many and (address or name):
        raise UsageError(
            f"{csv_path} is a list of clusters, which has their addresses and names.",
            next_step="Leave ADDRESS and --name out, or give a file of nodes, without the column cluster.",
        )
    if not many and not address:
        raise UsageError(
            "An ADDRESS is missing, or a --csv FILE with the columns cluster and peer.",
            next_step="Give the address of one Expressway-C peer, or a list of clusters.",
        )


def _list_files(output: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return the file of each cluster where `output` is a folder, else nothing. Raises UsageError where a file exists."""
    names = list(names)
    is_folder = bool(names) and (output.is_dir() or (not output.exists() and not output.suffix))
    files = {name: output / f"{name}.yml" for name in names} if is_folder else {}
    for path in files.values() or [output]:
        if path.exists():
            raise UsageError(
                f"{path} already exists and was not changed.", next_step="Nothing was done. Give another file with -o."
            )
    return files


def _write(session: Session, output: Path, files: Mapping[str, Path], drafts: list[Draft], *, many: bool) -> None:
    """Write one inventory, or one for each cluster, and say what is next."""
    from remediate.cli.files import write_atomically
    from remediate.inventory.draft import format_inventory
    from remediate.model.text import count

    for draft in drafts if files else ():
        files[draft.name].parent.mkdir(parents=True, exist_ok=True)
        write_atomically(files[draft.name], draft.text())
    if not files:
        write_atomically(output, format_inventory(drafts))
    peers = sum(len(draft.peers) for draft in drafts)
    if many:
        session.say(
            f"Wrote {output}: {count(len(drafts), 'cluster')}, {count(peers, 'peer')}. Next: `remediate doctor -i {output}`."
        )
    else:
        session.say(f"Wrote {output}: {count(peers, 'peer')}. Next: `remediate doctor -i {output}`.")
    rows: list[dict[str, Any]] = [{"cluster": draft.name, "peers": [peer.address for peer in draft.peers]} for draft in drafts]
    if session.json:
        session.write_json({"inventory": str(output), **({"clusters": rows} if many else rows[0])})
