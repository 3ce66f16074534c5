"""The recording of what peers answer to every question that only reads, fit to be handed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from remediate.connectors.expressway.cluster import ClusterPeers
from remediate.connectors.expressway.health import UPGRADE_STATUS
from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.connectors.expressway.rest import BASE_PATHS, CLUSTER_PEERS, DIAGNOSTIC_LOGGING, TRUSTED_CA
from remediate.connectors.expressway.shell import CommandFailed
from remediate.connectors.pseudonyms import Pseudonyms
from remediate.model.errors import LoginRefused, NotOffered, ObservationError, PinMismatch, RemediateError
from remediate.model.recording import Channel, Exchange, Outcome, PeerRecording, Recording

_PAGES: Final = (
    "/api/raml",
    "/status.xml",
    *UPGRADE_STATUS,
    *(
        BASE_PATHS[0] + resource
        for resource in (
            TRUSTED_CA, "/certs/server", CLUSTER_PEERS, "/controller/server/cucm", "/controller/server/imp", "/sysinfo",
            DIAGNOSTIC_LOGGING,
        )
    ),
)  # fmt: skip
_COMMANDS: Final = (
    *(f"xStatus {name}" for name in ("SystemUnit", "Alarm", "Alternates", "Calls", "Registrations", "Tunnels", "Zones", "Cluster")),
    *(f"xConfiguration {name}" for name in ("Ciphers", "Alternates", "EdgeConfigServer", "SystemUnit", "Ethernet", "IP DNS")),
    "xStatus ?",
    "xConfiguration ?",
    "xCommand ?",
)  # fmt: skip


def record_cluster(peers: ClusterPeers, made_by: str) -> Recording:
    """Return what the reachable peers of a cluster answer; `made_by` is our version. Raises LoginRefused, PinMismatch."""
    pseudonyms = Pseudonyms()
    for address in peers.order:
        pseudonyms.address(address)
    recordings = [_record_peer(peer, pseudonyms, primary=peer.address == peers.primary) for peer in peers.peers]
    # A name may be learned from a later answer than the one that has it first.
    return Recording(made_by, tuple(_replace_known(recording, pseudonyms) for recording in recordings))


def _record_peer(peer: ExpresswayPeer, pseudonyms: Pseudonyms, *, primary: bool) -> PeerRecording:
    exchanges = [
        *(_ask(peer, "rest", page, pseudonyms) for page in _PAGES),
        *(_ask(peer, "shell", command, pseudonyms) for command in _COMMANDS),
    ]
    misread = tuple(pseudonyms.replace(sentence) for sentence in _list_misread(peer))
    return PeerRecording(pseudonyms.address(peer.address), primary, tuple(exchanges), misread)


def _ask(peer: ExpresswayPeer, channel: Channel, question: str, pseudonyms: Pseudonyms) -> Exchange:
    source = peer.status_source()
    outcome: Outcome = "answered"
    try:
        text = source.get_page(question) if channel == "rest" else "\n".join(source.query(question))
    except (NotOffered, CommandFailed) as error:
        outcome, text = "not-offered", str(error)
    except (LoginRefused, PinMismatch):
        raise
    except RemediateError as error:
        outcome, text = "not-read", str(error)
    return Exchange(channel, question, outcome, pseudonyms.replace(text))


def _list_misread(peer: ExpresswayPeer) -> Iterator[str]:
    """Yield what no reader understood of a peer."""
    offered = peer.capabilities()
    if not offered.described:
        yield "/api/raml: no operation is described in a known format."
    if offered.unknown_removal:
        yield "/api/raml: the removal of a trusted CA certificate is described in an unknown format."
    for reading, reason in (peer.health().unread or {}).items():
        yield f"health, {reading}: {reason}"
    for name, read in (
        ("trusted CA list", peer.trusted_ca),
        ("publishers", peer.publishers),
        ("cluster peers", peer.cluster_peers),
    ):
        try:
            read()
        except ObservationError as error:
            yield f"{name}: {error}"


def _replace_known(recording: PeerRecording, pseudonyms: Pseudonyms) -> PeerRecording:
    return PeerRecording(
        recording.peer,
        recording.primary,
        tuple(
            Exchange(exchange.channel, exchange.question, exchange.outcome, pseudonyms.replace_known(exchange.text))
            for exchange in recording.exchanges
        ),
        _replace_all(recording.not_understood, pseudonyms),
    )


def _replace_all(sentences: Iterable[str], pseudonyms: Pseudonyms) -> tuple[str, ...]:
    return tuple(pseudonyms.replace_known(sentence) for sentence in sentences)
