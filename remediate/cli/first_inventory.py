"""What `remediate init` asks and looks at: pins to compare, an account, the other peers, the nodes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.cli.session import Session
from remediate.model.errors import Declined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from remediate.inventory.draft import Draft, DraftLogin, DraftPeer
    from remediate.inventory.draft_csv import ClusterRows
    from remediate.model.access import ClusterAccess
    from remediate.model.secret import Login

NOTHING_WRITTEN = "Nothing was written. Run the command again on a terminal."


def draft_cluster(
    session: Session, address: str, name: str | None, nodes: Sequence[Mapping[str, Any]], rest_port: int, ssh_port: int
) -> Draft:
    """Ask for and look at everything of one cluster, beginning at the peer with this address.

    Raises:
        RemediateError: It was declined, the peer is not reached or refuses the login, or an answer cannot be used.
    """
    from remediate.inventory.draft import Draft, DraftPeer

    first = ask_for_pins(session, [DraftPeer(address, rest_port, ssh_port)])
    login = ask_for_login("User name on the peers [admin]: ", "admin")
    draft = Draft(name or "new", login, tuple(first))
    access = load_draft(draft)
    proposal, peers = ask_peer(session, access, rest_port, ssh_port)
    chosen = name or read_line(f"Name of the cluster [{proposal}]: ") or proposal
    axl = ask_for_login("User name for AXL on Unified CM (empty: none): ", "")
    draft = Draft(chosen, login, (*first, *peers), axl if axl.username else None, tuple(nodes))
    return find_nodes(session, draft, access.login)


def draft_clusters(session: Session, clusters: Sequence[ClusterRows]) -> list[Draft]:
    """Ask for and look at everything of each cluster of a list; the accounts that it leaves open are asked for once.

    A cluster of which no peer is reached is drafted without pins.

    Raises:
        RemediateError: It was declined, a peer refuses the login, or an answer cannot be used.
    """
    from dataclasses import replace

    from remediate.inventory.draft import Draft, DraftLogin
    from remediate.model.errors import ObservationError

    is_open = not all(cluster.login for cluster in clusters)
    shared = ask_for_login("User name on the peers [admin]: ", "admin") if is_open else DraftLogin("", {})
    axl = ask_for_login("User name for AXL on Unified CM (empty: none): ", "")
    drafts: list[Draft] = []
    for number, cluster in enumerate(clusters, 1):
        session.say(f"Cluster {cluster.name} ({number} of {len(clusters)})")
        login = axl if axl.username else None
        draft = Draft(cluster.name, cluster.login or shared, cluster.peers, login, cluster.nodes)
        try:
            # The first one is asked for the others, so one that was reached comes first.
            pinned = sorted(ask_for_pins(session, cluster.peers), key=lambda peer: not peer.fingerprint)
            draft = replace(draft, peers=tuple(pinned))
            access = load_draft(draft)
            _, peers = ask_peer(session, access, pinned[0].rest_port, pinned[0].ssh_port)
            draft = replace(draft, peers=(*pinned, *peers))
            draft = find_nodes(session, draft, access.login)
        except ObservationError as error:
            session.say(f"{cluster.name}: {error}")
        drafts.append(draft)
    return drafts


def read_line(question: str) -> str:
    """Ask and return the answer without its blanks. Raises Declined at the end of the input."""
    from remediate.cli.questions import read_answer

    try:
        return read_answer(question).strip()
    except EOFError:
        raise Declined("Declined.", next_step=NOTHING_WRITTEN) from None


def ask_for_pins(session: Session, peers: Sequence[DraftPeer]) -> list[DraftPeer]:
    """Show what each peer presents, and ask whether it was compared. Raises Declined; ObservationError where none is reached."""
    from dataclasses import replace

    from remediate.cli.pins_view import WHERE_TO_COMPARE
    from remediate.cli.questions import ask
    from remediate.connectors.expressway.pins import read_pins
    from remediate.model.access import PeerAccess
    from remediate.model.errors import ObservationError
    from remediate.model.identity import Address
    from remediate.model.limits import Limits
    from remediate.model.text import escape

    pinned: list[DraftPeer] = []
    lines: list[str] = []
    problem: ObservationError | None = None
    for peer in peers:
        try:
            presented = read_pins(PeerAccess(Address(peer.address), peer.rest_port, peer.ssh_port), Limits())
        except ObservationError as error:
            problem = error
            pinned.append(peer)
            session.say(f"{peer.address}: {error}")
            continue
        certificate, host_key = presented.certificate, next(iter(presented.host_keys), "")
        pinned.append(replace(peer, fingerprint=certificate.fingerprint, host_key=host_key))
        lines += [f"{peer.address} presents", f"  web certificate  {certificate.fingerprint}  ({escape(certificate.subject)})"]
        lines += [f"  SSH host key     {host_key}"]
    if problem and not lines:
        raise problem
    ask(session, (*lines, WHERE_TO_COMPARE), "Did you compare these on the peers themselves, and are they the same?")
    return pinned


def ask_for_login(question: str, usual: str) -> DraftLogin:
    """Ask for an account and where its password comes from; an empty answer is the `usual` name, and no account without one."""
    from remediate.inventory.draft import SOURCES, DraftLogin, parse_source

    username = read_line(question) or usual
    if not username:
        return DraftLogin("", {})
    answer = read_line(f"Where does its password come from ({SOURCES}) [prompt]? ") or "prompt"
    return DraftLogin(username, parse_source(answer))


def ask_peer(session: Session, access: ClusterAccess, rest_port: int, ssh_port: int) -> tuple[str, list[DraftPeer]]:
    """Return a name for the cluster, and its peers that the inventory does not have yet, with their pins."""
    from remediate.connectors.expressway.members import read_members
    from remediate.inventory.draft import DraftPeer
    from remediate.model.limits import Limits
    from remediate.model.text import count

    members = read_members(access, Limits())
    name = _usable_name(members.name)
    for publisher in members.publishers:
        session.say(f"Publisher: {publisher.address} ({publisher.product})")
    listed = {peer.address for peer in access.peers}
    peers = [DraftPeer(address, rest_port, ssh_port) for address in members.peers if address not in listed]
    if not peers:
        return name, []
    session.say(f"The cluster has {count(len(peers), 'other peer')}.")
    return name, ask_for_pins(session, peers)


def find_nodes(session: Session, draft: Draft, login: Login) -> Draft:
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
            snapshot = observe(replace(load_draft(draft), login=login), sink, session.limits)
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


def load_draft(draft: Draft) -> ClusterAccess:
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
