"""``remediate init``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import PATH, common, option
from remediate.cli.session import Session
from remediate.model.errors import Declined, UsageError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.inventory.draft import Draft, DraftLogin, DraftPeer
    from remediate.model.access import ClusterAccess
    from remediate.model.secret import Login

_DECLINED = "Nothing was written. Run the command again on a terminal."


@click.command()
@click.argument("address")
@option("-o", "--output", type=PATH, default=Path("inventory.yml"), show_default=True, metavar="FILE", help="The output file.")
@option("--name", metavar="NAME", help="The name of the cluster; you are asked for it if left out.")
@option("--rest-port", type=click.IntRange(1, 65535), default=443, show_default=True, help="The port of REST on every peer.")
@option("--ssh-port", type=click.IntRange(1, 65535), default=22, show_default=True, help="The port of SSH on every peer.")
@option(
    "--csv", "csv_path", type=PATH, metavar="FILE", help="Also read nodes from this file: address, product, connect_to, ports."
)
@common
@click.pass_obj
def command(
    session: Session, address: str, output: Path, name: str | None, rest_port: int, ssh_port: int, csv_path: Path | None
) -> ExitCode:
    """Write a first inventory, starting from one peer of a cluster. Writes nothing to a cluster.

    Shows the web certificate and the SSH host key of ADDRESS to compare, and asks for the account and for the source of its
    password; it never stores the password. The peer then names the others, whose pins are shown to compare too, and the
    publishers; with an AXL account, the nodes are found. An existing file is not changed.

    \b
    EXAMPLES
      remediate init expc1.example.test
      remediate init expc1.example.test -o inventory/paris.yml --csv nodes.csv

    \b
    EXIT CODES
      0   written
      1   the peer cannot be logged in to, or an answer or the CSV file cannot be used; nothing was written
      4   a peer could not be reached: if it is ADDRESS, nothing was written; another one is written without pins
      7   declined, or there is no terminal to ask on; nothing was written
      64  the file exists
    """
    from remediate.cli.files import read_text, write_atomically
    from remediate.inventory.draft import Draft, read_csv
    from remediate.model.identity import is_host

    if not is_host(address):
        raise UsageError(
            f"`{address}` is not a host name or IP address.", next_step="Give the address of one Expressway-C peer."
        )
    if output.exists():
        raise UsageError(
            f"{output} already exists and was not changed.", next_step="Nothing was done. Give another file with -o."
        )
    if not session.may_ask:
        raise Declined("init asks questions, but there is no terminal to ask on.", next_step=_DECLINED)
    nodes = read_csv(csv_path, read_text(csv_path)) if csv_path else ()
    first = _ask_for_pins(session, [address], rest_port, ssh_port)
    login = _ask_for_login("User name on the peers [admin]: ", "admin")
    draft = Draft(name or "new", login, tuple(first))
    access = _load(draft)
    proposal, peers = _ask_peer(session, access, rest_port, ssh_port)
    chosen = name or _read(f"Name of the cluster [{proposal}]: ") or proposal
    axl = _ask_for_login("User name for AXL on Unified CM (empty: none): ", "")
    draft = Draft(chosen, login, (*first, *peers), axl if axl.username else None, nodes)
    draft = _find_nodes(session, draft, access.login)
    write_atomically(output, draft.text())
    session.say(f"Wrote {output}: {len(draft.peers)} peers. Next: `remediate doctor -i {output}`.")
    if session.json:
        session.write_json({"inventory": str(output), "cluster": draft.name, "peers": [peer.address for peer in draft.peers]})
    return ExitCode.DONE if all(peer.fingerprint for peer in draft.peers) else ExitCode.INCOMPLETE


def _read(question: str) -> str:
    """Ask and return the answer without its blanks. Raises Declined at the end of the input."""
    from remediate.cli.questions import read_answer

    try:
        return read_answer(question).strip()
    except EOFError:
        raise Declined("Declined.", next_step=_DECLINED) from None


def _ask_for_pins(session: Session, addresses: Sequence[str], rest_port: int, ssh_port: int) -> list[DraftPeer]:
    """Show what each peer presents, and ask whether it was compared. Raises Declined; ObservationError where none is reached."""
    from remediate.cli.questions import ask
    from remediate.connectors.expressway.pins import read_pins
    from remediate.inventory.draft import DraftPeer
    from remediate.model.access import PeerAccess
    from remediate.model.errors import ObservationError
    from remediate.model.identity import Address
    from remediate.model.limits import Limits
    from remediate.model.text import escape

    peers: list[DraftPeer] = []
    lines: list[str] = []
    problem: ObservationError | None = None
    for address in addresses:
        try:
            presented = read_pins(PeerAccess(Address(address), rest_port, ssh_port), Limits())
        except ObservationError as error:
            problem = error
            peers.append(DraftPeer(address, rest_port, ssh_port))
            session.say(f"{address}: {error}")
            continue
        certificate, host_key = presented.certificate, next(iter(presented.host_keys), "")
        peers.append(DraftPeer(address, rest_port, ssh_port, certificate.fingerprint, host_key))
        lines += [f"{address} presents", f"  web certificate  {certificate.fingerprint}  ({escape(certificate.subject)})"]
        lines += [f"  SSH host key     {host_key}"]
    if problem and not lines:
        raise problem
    ask(session, lines, "Did you compare these on the peers themselves, and are they the same?")
    return peers


def _ask_for_login(question: str, usual: str) -> DraftLogin:
    from remediate.inventory.draft import SOURCES, DraftLogin, parse_source

    username = _read(question) or usual
    if not username:
        return DraftLogin("", {})
    answer = _read(f"Where does its password come from ({SOURCES}) [prompt]? ") or "prompt"
    return DraftLogin(username, parse_source(answer))


def _ask_peer(session: Session, access: ClusterAccess, rest_port: int, ssh_port: int) -> tuple[str, list[DraftPeer]]:
    """Return a name for the cluster, and its other peers with their pins."""
    from remediate.connectors.expressway.members import read_members
    from remediate.model.limits import Limits

    members = read_members(access, Limits())
    name = _usable_name(members.name)
    for publisher in members.publishers:
        session.say(f"Publisher: {publisher.address} ({publisher.product})")
    if not members.peers:
        return name, []
    session.say(f"The cluster has {len(members.peers)} more peers.")
    return name, _ask_for_pins(session, members.peers, rest_port, ssh_port)


def _find_nodes(session: Session, draft: Draft, login: Login) -> Draft:
    """Return the draft with what discovery finds; what cannot be asked is said.

    Args:
        session: The command line.
        draft: The inventory so far.
        login: The account of the peers, whose password was asked for before.
    """
    from dataclasses import replace

    from remediate.cli.observe import observe, warn_about
    from remediate.model.errors import AccessError

    with session.open_event_sink() as sink:
        try:
            snapshot = observe(replace(_load(draft), login=login), sink, session.limits)
        except AccessError as error:
            session.say(f"Nodes were not discovered: {error}")
            return draft
    warn_about(session, snapshot)
    own = {node["address"] for node in draft.nodes}
    descriptions = {
        f"{endpoint.address} ({endpoint.product})" for endpoint in snapshot.endpoints if endpoint.address not in own
    }
    nodes = tuple(sorted(descriptions))
    for node in nodes:
        session.say(f"Found: {node}")
    return replace(draft, discovered=nodes)


def _load(draft: Draft) -> ClusterAccess:
    """Return the draft as an inventory is read, so that what is written can be read. Raises InventoryError."""
    from remediate.inventory import load

    with tempfile.TemporaryDirectory(prefix="remediate-init-") as folder:
        path = Path(folder) / "inventory.yml"
        path.write_text(draft.text(), encoding="utf-8")
        [cluster] = load(path)
    return cluster


def _usable_name(name: str) -> str:
    """Return a name for the cluster from what its peers call it."""
    ascii_name = "".join(character for character in name if character.isascii() and (character.isalnum() or character in "._-"))
    return ascii_name or "edge"
