"""The decision of what a client gets: a table of answers and of what is known beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.client_view import (
    Surroundings,
    decide_client_view,
    find_refusing_nodes,
    is_way_up,
    may_refuse_peer,
)
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.effect import ClientState
from remediate.model.health import Health
from remediate.model.identity import Address, EndpointId
from remediate.model.toward_nodes import ClientCause, TowardNode

BAD_GATEWAY = ClientAnswer(AnswerKind.REFUSED, "HTTP 502", "Bad Gateway")
NEXT_HOP = ClientAnswer(AnswerKind.REFUSED, "HTTP 502", "Next Hop Connection Failed")
UP = Health(zones={"UC traversal": True}, tunnels={"expe1": True})
PROVEN = Surroundings(verifies=True, other_reached=True)
OTHERS = (Address("expc2"),)

REFUSALS = {
    "another endpoint was reached": PROVEN,
    "zones and tunnels are up": Surroundings(verifies=True, health=UP),
    "both, and the node answers": replace(PROVEN, health=UP, node_answers=True, node_accepts_peer=True, workaround=False),
    "the way is proven although a zone is down": replace(PROVEN, health=replace(UP, zones={"UC traversal": False})),
}


@pytest.mark.parametrize("surroundings", REFUSALS.values(), ids=REFUSALS)
def test_a_502_is_refused_where_the_rest_is_excluded(surroundings: Surroundings) -> None:
    assert decide_client_view(BAD_GATEWAY, surroundings).state is ClientState.REFUSED


DOUBTS = {
    "list": (replace(PROVEN, verifies=False), "the list does not accept the certificates"),
    "list not observed": (replace(PROVEN, verifies=None), "not known whether the list accepts"),
    "node down": (replace(PROVEN, node_answers=False), "does not answer from here"),
    "peer's certificate": (replace(PROVEN, node_accepts_peer=False), "refuses the peer's own certificate"),
    "workaround": (replace(PROVEN, workaround=True), "verification is off"),
    "nothing proves the way": (Surroundings(verifies=True), "no other endpoint"),
    "nothing read of the peer": (Surroundings(verifies=True, health=Health()), "no other endpoint"),
    "a tunnel down": (Surroundings(verifies=True, health=replace(UP, tunnels={"a": True, "b": False})), "no other endpoint"),
    "a zone down": (Surroundings(verifies=True, health=replace(UP, zones={"UC traversal": False})), "no other endpoint"),
    "no tunnel": (Surroundings(verifies=True, health=replace(UP, tunnels={})), "no other endpoint"),
    "zones alone": (Surroundings(verifies=True, health=replace(UP, tunnels=None)), "no other endpoint"),
}


@pytest.mark.parametrize(("surroundings", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_a_502_with_another_explanation_is_not_known(surroundings: Surroundings, reason: str) -> None:
    view = decide_client_view(BAD_GATEWAY, surroundings)
    assert view.state is ClientState.NOT_KNOWN
    assert reason in view.description


@pytest.mark.parametrize("answer", [NEXT_HOP, replace(BAD_GATEWAY, server="CE_E")], ids=["phrase", "server"])
def test_the_edges_own_502_is_not_known_whatever_else_holds(answer: ClientAnswer) -> None:
    view = decide_client_view(answer, replace(PROVEN, health=UP))
    assert view.state is ClientState.NOT_KNOWN
    assert "the Expressway-E returned it itself" in view.description


@pytest.mark.parametrize("server", ["", "CE_C", "CE_C ECS", "ATS/9.2.9"])
def test_a_502_of_another_server_is_not_the_edges_own(server: str) -> None:
    assert decide_client_view(replace(BAD_GATEWAY, server=server), PROVEN).state is ClientState.REFUSED


def test_a_502_is_described_with_every_doubt_about_it() -> None:
    view = decide_client_view(NEXT_HOP, Surroundings(verifies=False, node_answers=False, node_accepts_peer=False))
    for reason in ("returned it itself", "does not accept", "does not answer", "own certificate", "no other endpoint"):
        assert reason in view.description


@pytest.mark.parametrize("kind", sorted(set(AnswerKind) - {AnswerKind.REACHED, AnswerKind.REFUSED, AnswerKind.NOT_ASKED}))
def test_any_other_answer_is_not_known(kind: AnswerKind) -> None:
    assert decide_client_view(ClientAnswer(kind, "why"), replace(PROVEN, health=UP)).state is ClientState.NOT_KNOWN


def test_an_endpoint_that_was_not_asked_has_the_reason() -> None:
    view = decide_client_view(ClientAnswer(AnswerKind.NOT_ASKED, "no credentials"), replace(PROVEN, shared_with=OTHERS))
    assert (view.state, view.description) == (ClientState.NOT_ASKED, "no credentials")


def test_what_was_reached_is_reached_whatever_the_list_says() -> None:
    answer = ClientAnswer(AnswerKind.REACHED, "HTTP 200")
    assert decide_client_view(answer, Surroundings(verifies=False)).state is ClientState.REACHED


@pytest.mark.parametrize("kind", [AnswerKind.REACHED, AnswerKind.REFUSED])
def test_an_answer_over_a_shared_way_is_not_known(kind: AnswerKind) -> None:
    view = decide_client_view(ClientAnswer(kind, "HTTP"), replace(PROVEN, health=UP, shared_with=OTHERS))
    assert view.state is ClientState.NOT_KNOWN
    assert "leads through expc2 too" in view.description


def test_a_way_is_up_only_with_zones_and_tunnels_that_are() -> None:
    assert is_way_up(UP)
    assert not is_way_up(None)


PEER, CUCM, IMP = Address("expc1"), Address("cucm.example.test"), Address("imp.example.test")


def test_a_node_refuses_a_peer_where_one_of_its_stores_does() -> None:
    verdicts = (
        TowardNode(PEER, CUCM, "tomcat", ok=True),
        TowardNode(PEER, CUCM, "CallManager", ok=False, cause=ClientCause.UNTRUSTED),
        TowardNode(PEER, IMP, "cup-xmpp", ok=False, cause=ClientCause.NOT_OBSERVED),
        TowardNode(Address("expc2"), IMP, "cup-xmpp", ok=False, cause=ClientCause.EXPIRED),
    )
    assert find_refusing_nodes(verdicts, PEER) == {CUCM}


@pytest.mark.parametrize(("port", "may_refuse"), [(6971, True), (6972, True), (443, True), (8443, False)])
def test_a_peer_shows_its_certificate_on_every_port_but_8443(port: int, may_refuse: bool) -> None:
    assert may_refuse_peer(EndpointId(CUCM, port), frozenset({CUCM})) is may_refuse
    assert not may_refuse_peer(EndpointId(IMP, port), frozenset({CUCM}))
