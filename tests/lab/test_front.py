"""The front of each peer, where clients' requests come in, and the traffic server that goes on with its old list."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from remediate.lab import Lab
from remediate.lab.front import FRONT_PORT
from remediate.lab.judge import traffic_server_path

CUCM, IMP = "cucm.steven.lab", "imp.steven.lab"
JUDGES = [
    pytest.param(True, marks=pytest.mark.skipif(traffic_server_path() is None, reason="traffic_server is not installed")),
    False,
]

Get = Callable[[int, str], requests.Response]


def target(text: str) -> str:
    """As a client puts it into the path."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


def client_of(lab: Lab) -> Iterator[Get]:
    """Yield a client that asks through a peer, by number from 0, under the peers' own authority."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(lab.directory / "pki" / "expressway-ca.pem")
        yield lambda peer, path: session.get(f"https://{lab.peers[peer].address}:{FRONT_PORT}/{path}", timeout=10)


@pytest.fixture
def get(story: Lab) -> Iterator[Get]:
    """Yield a client of the story."""
    yield from client_of(story)


def test_a_client_gets_the_status_of_the_judge_and_why(get: Get, story: Lab) -> None:
    assert get(0, f"{target(f'steven.lab/https/{CUCM}/8443')}/cucm-uds/version").status_code == 200
    refused = get(0, f"{target(f'steven.lab/https/{CUCM}/6972')}/")
    assert refused.status_code == 502
    assert "self-signed certificate" in refused.text
    assert [(request.transport, request.path, request.write) for request in story.requests] == [
        ("mra", f"steven.lab/https/{CUCM}/8443", False),
        ("mra", f"steven.lab/https/{CUCM}/6972", False),
    ]


@pytest.mark.parametrize("path", ["x/", "%FF/", f"{target('hello')}/", f"{target('a/https/nobody.steven.lab/8443')}/", "x"])
def test_what_is_no_target_is_not_found(get: Get, path: str) -> None:
    assert get(0, path).status_code == 404


def test_no_client_gets_through_a_peer_that_is_down(get: Get, story: Lab) -> None:
    story.faults.down(story.peers[0].address)
    with pytest.raises(requests.ConnectionError):
        get(0, f"{target(f'steven.lab/https/{CUCM}/8443')}/")
    story.faults.up(story.peers[0].address)
    assert get(0, f"{target(f'steven.lab/https/{CUCM}/8443')}/").status_code == 200


@pytest.mark.parametrize("judge", JUDGES)
def test_a_list_that_waits_for_a_restart_is_in_effect_after_it(tmp_path: Path, judge: bool) -> None:
    # Given a peer whose traffic server keeps to its list, and another whose does not
    with Lab(tmp_path, judge=judge) as lab:
        lab.faults.trust_waits_for_restart(lab.peers[0].address)
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
        # When the fault is cleared, Then a change is in effect at once
        lab.faults.clear()
        assert lab.ask(0, IMP, 8443).status == 502


def test_a_scenario_whose_lists_wait(tmp_path: Path) -> None:
    with Lab(tmp_path, "needs-restart", judge=False) as lab:
        lab.cluster.append_trusted(lab.peers[2], [lab.pki.certificate(f"{IMP}/tomcat/rsa")])
        assert lab.ask(2, IMP, 8443).status == 502
        lab.faults.restart(lab.peers[2].address)
        assert lab.cluster.settle()
        assert lab.ask(2, IMP, 8443).status == 200


def test_a_lab_that_was_asked_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with Lab(tmp_path, judge=False) as lab:
        for get in client_of(lab):
            assert get(0, f"{target(f'steven.lab/https/{CUCM}/8443')}/").status_code == 200
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
