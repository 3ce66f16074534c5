"""What `remediate doctor` looks at: secrets, pins, logins, what each box offers, the state directory. Nothing is written to a box."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.inventory.credentials import Once
from remediate.model.errors import RemediateError, most_serious

if TYPE_CHECKING:
    from remediate.connectors.peer import ExpresswayPeer
    from remediate.model.access import ClusterAccess, PeerAccess
    from remediate.model.limits import Limits


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `code` is 0 when it is well, and `next_step` is empty then.

    Attributes:
        subject: what: ``password of admin``, a peer's address.
        said: what was found, one line.
    """

    subject: str
    said: str
    code: int = 0
    next_step: str = ""


def examine(cluster: ClusterAccess, limits: Limits) -> tuple[Finding, ...]:
    """Look at everything that a plan and an apply for `cluster` would need."""
    secrets = tuple(_secrets(cluster))
    if secrets[0].code:
        return (*secrets, *(Finding(f"peer {peer.address}", f"not tried; {_pins(peer)}", 1) for peer in cluster.peers))
    return (*secrets, *_peers(cluster, limits))


def state_directory(path: Path) -> Finding:
    """Whether a run could keep its journal in `path`, or in a folder made there."""
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Finding("state directory", f"{path} can be written")
    except OSError as error:
        return Finding("state directory", f"{path} cannot be written: {error.strerror}", 1, "Name another with --state-dir.")


def worst(findings: tuple[Finding, ...]) -> int:
    """Return the exit code that stands for all `findings`."""
    return most_serious(finding.code for finding in findings)


def _secrets(cluster: ClusterAccess) -> Iterator[Finding]:
    logins = {"Expressway": cluster.login, "AXL": cluster.axl, "platform": cluster.platform}
    for role, login in logins.items():
        if login is None:
            continue
        subject, source = f"{role} password of {login.username}", login.password.describe()
        # A question is worth asking only for what is needed here.
        asks = isinstance(login.password, Once) and login.password.asks_a_person
        try:
            if role == "Expressway" or not asks:
                login.password.read()
        except RemediateError as error:
            yield Finding(subject, f"from {source}: {error}", error.exit_code, error.next_step)
        else:
            yield Finding(subject, f"from {source}")


def _peers(cluster: ClusterAccess, limits: Limits) -> Iterator[Finding]:
    from remediate.connectors.cluster import open_peers

    try:
        opened = open_peers(cluster, limits, writable=False)
    except RemediateError as error:
        yield Finding("logins", str(error), error.exit_code, error.next_step)
        return
    pins = {peer.address: _pins(peer) for peer in cluster.peers}
    with opened:
        for peer in opened.peers:
            yield from _peer(
                peer, pins.get(peer.address, "named by the cluster itself"), primary=peer.address == opened.primary
            )
        for address, why in opened.unreachable.items():
            yield Finding(f"peer {address}", why, 4, "Check that the peer is up and reachable from here.")


def _peer(peer: ExpresswayPeer, pins: str, *, primary: bool) -> Iterator[Finding]:
    subject = f"peer {peer.address}"
    try:
        role = "primary, " if primary else ""
        yield Finding(subject, f"logged in; {role}version {peer.version() or 'not said'}; {pins}")
        yield Finding(subject, _offers(peer))
        yield _flag(subject, verification=peer.verify_origin_server())
    except RemediateError as error:
        yield Finding(subject, str(error), error.exit_code, error.next_step)


def _offers(peer: ExpresswayPeer) -> str:
    offered = peer.capabilities()
    by_hand = [] if offered.remove_trusted_ca else ["removing from the trusted CA list"]
    by_hand += [f"refreshing {product} discovery" for product in ("cucm", "imp") if product not in offered.refresh_products]
    restart = "REST" if offered.restart else "the shell"
    return f"restart over {restart}; by hand: {', '.join((*by_hand, 'refreshing unity discovery'))}"


def _flag(subject: str, *, verification: bool | None) -> Finding:
    match verification:
        case True:
            return Finding(subject, "verification is on; the workaround is offered")
        case False:
            return Finding(
                subject, "verification is OFF: the workaround is on", 0, "Turn it off when `remediate verify` is good."
            )
        case _:
            return Finding(subject, "this version does not offer the workaround")


def _pins(peer: PeerAccess) -> str:
    tls = "fingerprint" if peer.tls.fingerprint else f"CA {peer.tls.ca}" if peer.tls.ca else "the system's CAs"
    ssh = "host key" if peer.ssh.host_key else f"{peer.ssh.known_hosts or 'the user known_hosts'}"
    return f"TLS trusted by {tls}, SSH by {ssh}"
