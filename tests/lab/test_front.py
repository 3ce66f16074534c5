"""The lab's Expressway-E: sign-ins, cookies, strikes and bans; and the peers behind it that go on with their old list."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from remediate.lab import Lab
from remediate.lab.edge import Edge
from remediate.lab.front import DOMAIN
from remediate.lab.judge import traffic_server_path

CUCM, IMP = "cucm.steven.lab", "imp.steven.lab"
JUDGES = [
    pytest.param(True, marks=pytest.mark.skipif(traffic_server_path() is None, reason="traffic_server is not installed")),
    False,
]


def encoded(text: str) -> str:
    """As a client puts it into the path."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


SIGN_IN = f"{encoded(DOMAIN)}/get_edge_config?service_name=_cisco-uds"
VERSION = f"{encoded(f'{DOMAIN}/https/{CUCM}/8443')}/cucm-uds/version"
FILES = f"{encoded(f'{DOMAIN}/https/{CUCM}/6972')}/"


class Client:
    """A client of the lab: it keeps its cookies, and trusts the peers' own authority."""

    def __init__(self, lab: Lab, session: requests.Session) -> None:
        self.lab, self.session = lab, session
        session.trust_env, session.verify = False, str(lab.directory / "pki" / "expressway-ca.pem")

    def sign_in(self, edge: int = 0, username: str = "", password: str = "", domain: str = DOMAIN) -> int:
        """Sign in, by default with the lab's own account, and return the status."""
        accounts = self.lab.accounts
        account = (username or accounts.mra_username, password or accounts.mra_password)
        path = SIGN_IN.replace(encoded(DOMAIN), encoded(domain))
        answer = self.session.get(f"{self.lab.edges[edge].url}/{path}", auth=account, timeout=10)
        if answer.ok:
            # The cookie is for the domain, and the lab has no names.
            self.session.cookies.set("X-Auth", answer.headers["Set-Cookie"].partition(";")[0].removeprefix("X-Auth="))
        return answer.status_code

    def get(self, path: str, edge: int = 0) -> requests.Response:
        """Ask through an edge, by number from 0."""
        return self.session.get(f"{self.lab.edges[edge].url}/{path}", timeout=10)


def client_of(lab: Lab) -> Iterator[Client]:
    """Yield a client that asks through the edges."""
    with requests.Session() as session:
        yield Client(lab, session)


@pytest.fixture
def client(story: Lab) -> Iterator[Client]:
    """Yield a client of the story, whose edges remember nothing of earlier tests."""
    story.forget_clients()
    yield from client_of(story)


def mra_log(lab: Lab) -> list[tuple[str, bool]]:
    """Return what clients asked for, and whether they were let in."""
    return [(request.path, request.authorised) for request in lab.requests if request.transport == "mra"]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_client_signs_in_and_gets_what_the_judge_says(client: Client, story: Lab) -> None:
    # Given a client that signed in
    assert client.sign_in() == 200
    # When it asks for what verifies, and for what does not
    passed, refused = client.get(VERSION), client.get(FILES)
    # Then it gets the status and the reason, and the lab's log has it all
    assert (passed.status_code, refused.status_code) == (200, 502)
    assert "self-signed certificate" in refused.text
    assert mra_log(story) == [
        (f"{DOMAIN}/get_edge_config", True),
        (f"{DOMAIN}/https/{CUCM}/8443", True),
        (f"{DOMAIN}/https/{CUCM}/6972", True),
    ]
    assert story.requests.writes == ()


def test_a_request_without_a_session_is_a_strike(client: Client, story: Lab) -> None:
    assert client.get(VERSION).status_code == 401
    assert len(story.edges[0].front.strikes) == 1
    assert mra_log(story) == [(f"{DOMAIN}/https/{CUCM}/8443", False)]


def test_a_session_of_one_edge_is_none_of_another(client: Client) -> None:
    client.sign_in(0)
    assert client.get(VERSION, 1).status_code == 401


def test_a_session_ends_after_eight_hours(client: Client, story: Lab) -> None:
    client.sign_in()
    story.edges[0].front.pass_time(8 * 3600 - 60)
    assert client.get(VERSION).status_code == 200
    story.edges[0].front.pass_time(61)
    assert client.get(VERSION).status_code == 401


def test_an_account_signs_in_three_times_in_300_seconds(client: Client, story: Lab) -> None:
    assert [client.sign_in() for _ in range(5)] == [200, 200, 200, 429, 429]
    story.edges[0].front.pass_time(301)
    assert client.sign_in() == 200
    assert story.edges[0].front.strikes == []


def test_a_wrong_password_and_a_wrong_domain(client: Client, story: Lab) -> None:
    assert (client.sign_in(password="wrong"), client.sign_in(domain="example.test")) == (401, 403)
    assert len(story.edges[0].front.strikes) == 1


def test_refused_requests_ban_a_client(client: Client, story: Lab) -> None:
    # Given an edge that bans for a moment after two strikes
    edge = story.edges[1]
    edge.front.spec = replace(edge.front.spec, strikes=2, ban_s=0.5)
    try:
        # When a client is refused twice, Then no handshake is answered, and others go on
        assert [client.get(VERSION, 1).status_code for _ in range(2)] == [401, 401]
        wait_for(lambda: edge.is_silent)
        with pytest.raises(requests.exceptions.Timeout):
            client.session.get(f"{edge.url}/{VERSION}", timeout=0.2)
        assert client.sign_in(0) == 200
        # When the ban is over, Then it answers again
        wait_for(lambda: not edge.is_silent)
        assert client.sign_in(1) == 200
    finally:
        edge.front.spec = story.scenario.edge


def test_a_ban_can_be_lifted(client: Client, story: Lab) -> None:
    edge: Edge = story.edges[2]
    edge.ban(60)
    wait_for(lambda: edge.is_silent)
    edge.lift_ban()
    assert client.sign_in(2) == 200


@pytest.mark.parametrize("path", ["x/", "%FF/", f"{encoded('hello')}/"])
def test_what_is_no_target_is_not_found(client: Client, path: str) -> None:
    client.sign_in()
    assert client.get(path).status_code == 404


def test_a_server_that_is_not_discovered_is_forbidden(client: Client) -> None:
    client.sign_in()
    assert client.get(f"{encoded('a/https/nobody.steven.lab/8443')}/").status_code == 403


def test_a_peer_that_is_down_is_the_edges_own_502(client: Client, story: Lab) -> None:
    client.sign_in()
    story.faults.down(story.peers[0].address)
    answer = client.get(VERSION)
    assert (answer.status_code, answer.reason) == (502, "Next Hop Connection Failed")
    assert client.sign_in() == 502
    story.faults.up(story.peers[0].address)
    assert client.get(VERSION).status_code == 200


def test_a_tunnel_that_is_down_is_the_edges_own_502(client: Client, story: Lab) -> None:
    condition = story.peers[0].condition
    before = dict(condition.tunnels)
    client.sign_in()
    condition.tunnels = dict.fromkeys(before, False)
    try:
        assert client.get(VERSION).reason == "Next Hop Connection Failed"
    finally:
        condition.tunnels = before


def test_a_verdict_has_no_reason_phrase(client: Client) -> None:
    client.sign_in()
    answer = client.get(FILES)
    assert (answer.status_code, answer.reason) == (502, "")


def test_an_answer_names_the_system_that_gave_it(client: Client, story: Lab) -> None:
    without_session = client.get(VERSION).headers.get("Server")
    client.sign_in()
    passed, refused = client.get(VERSION).headers.get("Server"), client.get(FILES).headers.get("Server")
    story.faults.down(story.peers[0].address)
    away = client.get(VERSION).headers.get("Server")
    assert (without_session, passed, refused, away) == ("CE_E", None, "CE_C", "CE_E")


def test_a_node_that_refuses_the_peers_certificate_is_a_502(client: Client, story: Lab) -> None:
    client.sign_in()
    story.faults.refuse_certificate(story.peers[0].address, CUCM)
    assert client.get(VERSION).status_code == 502
    story.faults.clear()
    assert client.get(VERSION).status_code == 200


def test_maintenance_mode_refuses_what_is_new(client: Client, story: Lab) -> None:
    client.sign_in()
    condition = story.peers[0].condition
    condition.set_maintenance(on=True)
    try:
        assert (client.get(VERSION).status_code, client.sign_in()) == (503, 503)
    finally:
        condition.set_maintenance(on=False)


def test_the_labs_own_client_gets_what_the_judge_says(client: Client, story: Lab) -> None:
    # Given a client that was there before
    client.sign_in()
    before = mra_log(story)
    # When the lab asks as a client, twice, Then it gets what the judge says, and nobody's counts or log change
    answers = story.ask_as_client()
    assert answers == story.ask_all()
    assert {key: answer.status for key, answer in story.ask_as_client().items()} == {
        key: answer.status for key, answer in answers.items()
    }
    assert mra_log(story) == before
    assert ([len(edge.front.sign_ins) for edge in story.edges], story.edges[0].front.strikes) == ([1, 0, 0], [])


def test_the_labs_own_client_needs_the_way_to_a_peer(story: Lab) -> None:
    story.faults.down(story.peers[1].address)
    story.peers[2].condition.set_maintenance(on=True)
    statuses: dict[str, set[int]] = {}
    for (peer, _, _), answer in story.ask_as_client().items():
        statuses.setdefault(peer, set()).add(answer.status)
    first, second, third = (peer.address for peer in story.peers)
    assert (statuses[first], statuses[second], statuses[third]) == ({200, 502}, {502}, {503})


def test_the_labs_own_client_tells_peers_behind_one_edge_apart(tmp_path: Path) -> None:
    with Lab(tmp_path, "one-edge", judge=False) as lab:
        assert lab.ask_as_client() == lab.ask_all()


def test_one_edge_for_all_goes_on_to_each_peer_in_turn(tmp_path: Path) -> None:
    # Given one Expressway-E for the cluster
    with Lab(tmp_path, "one-edge", judge=False) as lab:
        for client in client_of(lab):
            assert client.sign_in() == 200
            # When a client asks again and again, Then it goes through every peer, and over one that is away it does not
            assert [client.get(VERSION).status_code for _ in range(6)].count(502) == 2, "the third peer lacks the CA"
            lab.faults.down(lab.peers[2].address)
            assert [client.get(VERSION).status_code for _ in range(6)] == [200] * 6
        assert len(lab.edges) == 1
        through = {request.peer for request in lab.requests if request.path.endswith("8443")}
        assert through == {peer.address for peer in lab.peers}


@pytest.mark.parametrize("judge", JUDGES)
def test_a_list_that_waits_for_a_restart_is_in_effect_after_it(tmp_path: Path, judge: bool) -> None:
    # Given a peer whose traffic server keeps to its list, as all do, and another whose does not
    with Lab(tmp_path, judge=judge) as lab:
        lab.faults.reload_by_itself(lab.peers[1].address)
        imp = lab.pki.certificate(f"{IMP}/tomcat/rsa")
        # When both trust a certificate
        for peer in lab.peers[:2]:
            lab.cluster.append_trusted(peer, [imp])
        # Then only the second lets clients through
        assert [lab.ask(number, IMP, 8443).status for number in (0, 1)] == [502, 200]
        # When the first restarts, Then it does too, and the next change waits again
        lab.faults.restart(lab.peers[0].address)
        assert lab.cluster.settle()
        assert lab.ask(0, IMP, 8443).status == 200
        lab.cluster.remove_trusted(lab.peers[0], imp.fingerprint)
        assert lab.ask(0, IMP, 8443).status == 200
        # When the fault is cleared, Then the second keeps to its list too
        lab.faults.clear()
        lab.cluster.remove_trusted(lab.peers[1], imp.fingerprint)
        assert lab.ask(1, IMP, 8443).status == 200


def test_a_scenario_whose_lists_are_in_effect_at_once(tmp_path: Path) -> None:
    with Lab(tmp_path, "reloads-by-itself", judge=False) as lab:
        lab.cluster.append_trusted(lab.peers[2], [lab.pki.certificate(f"{IMP}/tomcat/rsa")])
        assert lab.ask(2, IMP, 8443).status == 200


def test_a_lab_that_was_asked_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with Lab(tmp_path, judge=False) as lab:
        for client in client_of(lab):
            client.sign_in()
            assert client.get(VERSION).status_code == 200
        lab.edges[0].ban(60)
        wait_for(lambda: lab.edges[0].is_silent)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
