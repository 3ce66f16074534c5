"""What a client gets for one endpoint through one peer, from its answer and from what else is known (contract, *In effect*).

A 502 can have many causes: the peer's traffic server did not verify the node, the tunnel between the Expressways is down, the
node is down, the node refuses the peer's own certificate, or another peer answered. It counts as refused only where all but the
first are excluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.effect import ClientState, ClientView
from remediate.model.health import Health
from remediate.model.identity import Address, EndpointId
from remediate.model.toward_nodes import TowardNode

_PORT_WITHOUT_CERTIFICATE = 8443


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the answer of one endpoint through one peer. None anywhere: not observed.

    Attributes:
        verifies: Whether the endpoint's certificates verify by the peer's list, from a look after the last write.
        other_reached: Whether another endpoint was reached through the same peer, by the same way.
        health: The health of the peer, from a look at the time of the answer.
        node_answers: Whether the node answers a handshake at this port from here.
        node_accepts_peer: Whether the node accepts the peer's own certificate.
        workaround: Whether verification is off on the peer.
        shared_with: The other peers that the same way may lead through.
    """

    verifies: bool | None = None
    other_reached: bool = False
    health: Health | None = None
    node_answers: bool | None = None
    node_accepts_peer: bool | None = None
    workaround: bool | None = None
    shared_with: tuple[Address, ...] = ()


def decide_client_view(answer: ClientAnswer, surroundings: Surroundings) -> ClientView:
    """Return what a client gets, as far as its answer and the surroundings prove it."""
    if answer.kind is AnswerKind.NOT_ASKED:
        return ClientView(ClientState.NOT_ASKED, answer.detail)
    if surroundings.shared_with:
        sharing = ", ".join(surroundings.shared_with)
        return ClientView(
            ClientState.NOT_KNOWN,
            f"{answer.detail}; the same `mra` path leads through {sharing} too, so any of them may have answered",
        )
    if answer.kind is AnswerKind.REACHED:
        return ClientView(ClientState.REACHED, answer.detail)
    if answer.kind is not AnswerKind.REFUSED:
        return ClientView(ClientState.NOT_KNOWN, answer.detail)
    doubts = list(_doubt_refusal(answer, surroundings))
    if doubts:
        return ClientView(ClientState.NOT_KNOWN, f"{answer.detail}, which proves nothing: {'; '.join(doubts)}")
    return ClientView(ClientState.REFUSED, f"{answer.detail}, although the list accepts its certificates")


def is_way_up(health: Health | None) -> bool:
    """Return whether all zones and tunnels of a peer are active, and it has some of each."""
    if health is None:
        return False
    return all(entries and all(entries.values()) for entries in (health.zones, health.tunnels))


def find_refusing_nodes(verdicts: Iterable[TowardNode], peer: Address) -> frozenset[Address]:
    """Return the nodes of which a store refuses the own certificate of `peer`. What was not observed refuses nothing."""
    return frozenset(verdict.node for verdict in verdicts if verdict.peer == peer and verdict.observed and not verdict.ok)


def may_refuse_peer(endpoint: EndpointId, refusing_nodes: frozenset[Address]) -> bool:
    """Return whether a request to an endpoint may fail since its node refuses the peer's own certificate.

    The traffic server shows it on every port but 8443 (from X14.0.2, CSCvz45074).
    """
    return endpoint.port != _PORT_WITHOUT_CERTIFICATE and endpoint.address in refusing_nodes


def _doubt_refusal(answer: ClientAnswer, surroundings: Surroundings) -> Iterator[str]:
    """Yield each reason why a 502 does not show that the peer's verification refused."""
    if answer.is_from_the_edge:
        yield "the Expressway-E returned it itself, as it does when its tunnel to the peer is down"
    if surroundings.workaround:
        yield "verification is off on the peer"
    if surroundings.verifies is not True:
        yield (
            "the list does not accept the certificates"
            if surroundings.verifies is False
            else "not known whether the list accepts the certificates"
        )
    if surroundings.node_answers is False:
        yield "the node does not answer from here either"
    if surroundings.node_accepts_peer is False:
        yield "the node refuses the peer's own certificate"
    if not surroundings.other_reached and not is_way_up(surroundings.health):
        yield "no other endpoint was reached through the peer, and its zones and tunnels are not known to be up"
