"""A client of Mobile and Remote Access over the lab's Expressway-E, whose own log shows every sign-in and every strike."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.expressway.mra_request import MraClient
from remediate.connectors.expressway.sign_in_budget import SignInBudget
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, MraAccess
from remediate.model.client import AnswerKind
from remediate.model.identity import Address
from tests.connectors.support import QUICK, with_password

CUCM = Address("cucm.steven.lab")
REACHED, REFUSED = AnswerKind.REACHED, AnswerKind.REFUSED


@pytest.fixture
def access(cluster: ClusterAccess) -> MraAccess:
    """Return the way through the first peer."""
    assert cluster.peers[0].mra is not None
    return cluster.peers[0].mra


@pytest.fixture
def client(tmp_path: Path) -> MraClient:
    """Return the client of one run."""
    return MraClient(SignInBudget(tmp_path))


def ban(lab: Lab) -> None:
    """Let the first edge be silent, and wait until it is."""
    lab.edges[0].ban(60)
    while not lab.edges[0].is_silent:
        time.sleep(0.005)


def test_a_client_gets_the_judges_answer(client: MraClient, access: MraAccess, lab: Lab) -> None:
    # Given the story, whose inventory says how each peer is gone through
    # When a client asks for what verifies, for what does not, and for what is not there
    answers = [client(access, CUCM, port, "cucm", QUICK).kind for port in (8443, 6972, 9)]
    # Then it gets what the judge says, with one sign-in and no strike, and the peer was asked to change nothing
    front = lab.edges[0].front
    assert answers == [REACHED, REFUSED, AnswerKind.FORBIDDEN]
    assert ([sign_in.status for sign_in in front.sign_ins], front.strikes) == ([200], [])
    assert lab.requests.writes == ()


def test_the_edge_itself_says_that_a_peer_is_away(client: MraClient, access: MraAccess, lab: Lab) -> None:
    client(access, CUCM, 8443, "cucm", QUICK)
    lab.faults.down(lab.peers[0].address)
    answer = client(access, CUCM, 8443, "cucm", QUICK)
    assert (answer.kind, answer.is_from_the_edge) == (REFUSED, True)


def test_a_verdict_is_not_taken_for_the_edges_own(client: MraClient, access: MraAccess) -> None:
    answer = client(access, CUCM, 6972, "cucm", QUICK)
    assert (answer.kind, answer.is_from_the_edge) == (REFUSED, False)


def test_maintenance_mode_is_no_refusal(client: MraClient, access: MraAccess, lab: Lab) -> None:
    lab.peers[0].condition.set_maintenance(on=True)
    assert client(access, CUCM, 8443, "cucm", QUICK).kind is AnswerKind.OTHER


def test_a_wrong_password_is_one_strike_in_all(tmp_path: Path, cluster: ClusterAccess, lab: Lab) -> None:
    # Given a wrong password, and runs that each ask over every way, for several endpoints
    accesses = [with_password(peer.mra, "wrong") for peer in cluster.peers if peer.mra]
    for _ in range(3):
        client = MraClient(SignInBudget(tmp_path))
        for wrong in accesses:
            for port in (8443, 6972):
                client(wrong, CUCM, port, "cucm", QUICK)
    # Then the edges saw one refused request between them
    assert sum(len(edge.front.strikes) for edge in lab.edges) == 1
    assert [request for request in lab.requests if not request.authorised and request.transport == "mra"]


def test_many_runs_stay_below_the_rate_limit(tmp_path: Path, access: MraAccess, lab: Lab) -> None:
    for _ in range(6):
        MraClient(SignInBudget(tmp_path))(access, CUCM, 8443, "cucm", QUICK)
    assert [sign_in.status for sign_in in lab.edges[0].front.sign_ins] == [200, 200]


def test_a_rate_limit_of_others_ends_asking(client: MraClient, tmp_path: Path, access: MraAccess, lab: Lab) -> None:
    # Given an account that signed in three times from elsewhere
    front = lab.edges[0].front
    for number in range(3):
        MraClient(SignInBudget(tmp_path / str(number))).sign_in(access, QUICK)
    # When a run asks twice, Then it was told once, and asks no more
    kinds = [client(access, CUCM, 8443, "cucm", QUICK).kind for _ in range(2)]
    assert kinds == [AnswerKind.RATE_LIMITED, AnswerKind.NOT_ASKED]
    assert [sign_in.status for sign_in in front.sign_ins] == [200, 200, 200, 429]


def test_a_domain_that_is_not_served_is_forbidden(client: MraClient, access: MraAccess) -> None:
    answer = client(replace(access, domain="example.test"), CUCM, 8443, "cucm", QUICK)
    assert answer.kind is AnswerKind.FORBIDDEN
    assert "example.test" in answer.detail


def test_a_session_that_ended_is_not_renewed_in_the_run(client: MraClient, access: MraAccess, lab: Lab) -> None:
    client(access, CUCM, 8443, "cucm", QUICK)
    lab.edges[0].front.pass_time(30_000)
    kinds = [client(access, CUCM, 8443, "cucm", QUICK).kind for _ in range(2)]
    assert kinds == [AnswerKind.NO_LOGIN, AnswerKind.NOT_ASKED]


def test_silence_after_answers_is_a_ban(client: MraClient, access: MraAccess, lab: Lab) -> None:
    # Given a client that was answered, and an edge that bans its address
    limits = replace(QUICK, connect_s=0.3, read_s=0.3, read_attempts=1)
    assert client(access, CUCM, 8443, "cucm", limits).kind is REACHED
    ban(lab)
    # When it asks, Then it asks no more
    kinds = [client(access, CUCM, 8443, "cucm", limits).kind for _ in range(2)]
    assert kinds == [AnswerKind.BANNED, AnswerKind.NOT_ASKED]


def test_silence_from_the_start_is_no_answer(client: MraClient, access: MraAccess, lab: Lab) -> None:
    limits = replace(QUICK, connect_s=0.3, read_s=0.3, read_attempts=1)
    ban(lab)
    assert client(access, CUCM, 8443, "cucm", limits).kind is AnswerKind.NOTHING
    assert not (client.budget.path).exists(), "nothing was sent"
