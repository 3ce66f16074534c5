"""Faults that can be ordered: each does what its name says, as often as was said, to the peer that was named."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from remediate.lab import Lab
from remediate.model.certificate import Certificate

Client = Callable[[int], Any]
_CIPHERS = 'xConfiguration Ciphers ReverseProxyTLSCiphers Value: "ALL"'
_RAML = "/api/raml"


def _cipher(lab: Lab, peer: int = 0) -> str:
    return lab.peers[peer].ciphers["ReverseProxyTLSCiphers"]


def test_a_dropped_answer_leaves_the_write_done(story: Lab, rest_client: Client) -> None:
    issuing = story.pki.certificate("issuing")
    story.faults.drop_answer(story.peers[0].address)
    client = rest_client(0)

    assert client("GET", _RAML).status_code == 200
    with pytest.raises(requests.ConnectionError):
        client.upload(issuing.pem)

    assert issuing in story.peers[0].trusted
    assert client.upload(issuing.pem).status_code == 200


def test_a_dropped_request_leaves_nothing_done(story: Lab, rest_client: Client) -> None:
    issuing = story.pki.certificate("issuing")
    story.faults.drop_request(story.peers[0].address)

    with pytest.raises(requests.ConnectionError):
        rest_client(0).upload(issuing.pem)

    assert issuing not in story.peers[0].trusted
    assert [request.write for request in story.requests] == [True]


def test_an_ignored_write_is_answered_with_success(story: Lab, rest_client: Client, shell: Client) -> None:
    issuing, before = story.pki.certificate("issuing"), _cipher(story)
    story.faults.ignore_write(story.peers[0].address, transport="rest")
    story.faults.ignore_write(story.peers[0].address, transport="ssh")

    assert rest_client(0).upload(issuing.pem).status_code == 200
    assert shell(0)(_CIPHERS).endswith("OK\r\n")

    assert issuing not in story.peers[0].trusted
    assert _cipher(story) == before


@pytest.mark.parametrize(("fault", "is_written"), [("drop_answer", True), ("drop_request", False)])
def test_the_shell_breaks_in_the_same_ways(story: Lab, shell: Client, fault: str, is_written: bool) -> None:
    getattr(story.faults, fault)(story.peers[0].address, containing="ciphers")

    printed = shell(0)(_CIPHERS)

    assert not printed.endswith("OK\r\n")
    assert (_cipher(story) == "ALL") is is_written


def test_a_slow_answer_comes_late(story: Lab, rest_client: Client) -> None:
    story.faults.slow(story.peers[0].address, 0.2)
    client = rest_client(0)

    started = time.monotonic()
    assert client("GET", _RAML).status_code == 200

    assert time.monotonic() - started >= 0.2


def test_other_peers_are_not_hit(story: Lab, rest_client: Client) -> None:
    story.faults.drop_answer(story.peers[0].address)

    assert rest_client(1).upload(story.pki.certificate("issuing").pem).status_code == 200


def test_a_refused_login_is_refused_on_both_doors_until_switched_off(story: Lab, rest_client: Client, shell: Client) -> None:
    address = story.peers[0].address
    story.faults.refuse_login(address)

    assert rest_client(0)("GET", _RAML).status_code == 401
    story.faults.refuse_login(address, on=False)

    assert rest_client(0)("GET", _RAML).status_code == 200
    assert shell(0)("xStatus SystemUnit").endswith("OK\r\n")


def test_a_peer_replicates_when_it_is_back(story: Lab, rest_client: Client, shell: Client) -> None:
    story.faults.two_minutes_s = 0.01
    story.faults.down(story.peers[2].address)

    with pytest.raises(requests.ConnectionError):
        rest_client(2)("GET", _RAML)
    shell(0)(_CIPHERS)
    assert story.cluster.settle()
    before = _cipher(story, 2)
    story.faults.up(story.peers[2].address)

    assert before != "ALL"
    assert _cipher(story, 2) == "ALL"
    assert rest_client(2)("GET", _RAML).status_code == 200


def test_a_list_can_change_between_two_reads(story: Lab, rest_client: Client) -> None:
    issuing, root = story.pki.certificate("issuing"), story.pki.certificate("root")
    story.faults.change_trusted_list(story.peers[0].address, adds=issuing, removes=root, after_reads=2)
    client = rest_client(0)

    lists = [client("GET", "/api/provisioning/certs/root").text for _ in range(3)]

    assert lists[0] == lists[1] != lists[2]
    assert issuing.pem in lists[2]
    assert root.pem not in lists[2]


def test_a_peer_may_restart_by_itself(story: Lab, rest_client: Client) -> None:
    story.faults.restart(story.peers[1].address)
    assert story.cluster.settle()

    assert story.peers[1].restarts == 1
    assert rest_client(1)("GET", _RAML).status_code == 200


def test_clear_disarms_what_is_left(story: Lab, rest_client: Client) -> None:
    story.faults.drop_answer(story.peers[0].address, times=9)
    story.faults.refuse_login(story.peers[0].address)

    story.faults.clear()

    assert rest_client(0).upload(story.pki.certificate("issuing").pem).status_code == 200


def test_a_half_closed_shell_has_done_its_work_and_says_no_more(story: Lab, shell: Client) -> None:
    story.faults.half_close(story.peers[0].address, containing="ciphers")
    client = shell(0)

    printed = client(_CIPHERS)

    assert not printed.endswith("OK\r\n")
    assert _cipher(story) == "ALL"
    # The connection is still there, and still silent.
    assert not client("xStatus SystemUnit")


def test_too_many_refused_logins_end_in_silence_for_a_while(story: Lab, rest_client: Client) -> None:
    address = story.peers[0].address
    story.faults.lock_out(address, after=2, seconds=0.3)
    story.faults.refuse_login(address)
    client = rest_client(0)

    assert [client("GET", _RAML).status_code for _ in range(2)] == [401, 401]
    story.faults.refuse_login(address, on=False)
    with pytest.raises(requests.ConnectionError):
        client("GET", _RAML)

    assert client("GET", _RAML).status_code == 200


def test_the_clock_of_a_peer_may_be_wrong(story: Lab, rest_client: Client) -> None:
    story.faults.clock(story.peers[0].address, timedelta(days=2))

    peer_time = parsedate_to_datetime(rest_client(0)("GET", _RAML).headers["Date"])

    assert timedelta(hours=47) < peer_time - datetime.now(UTC) < timedelta(hours=49)


def test_a_man_in_the_middle_has_the_names_without_the_key(story: Lab, unverified: ssl.SSLContext) -> None:
    node = story.node("cucm.steven.lab")
    genuine = node.presented[6972]["rsa"][0]
    story.faults.man_in_the_middle(node.address, 6972)

    with socket.create_connection((node.connect_to, 6971), 5) as wire, unverified.wrap_socket(wire) as tls:
        certificate = Certificate.from_der(tls.getpeercert(binary_form=True) or b"")

    assert certificate in {chain[0] for chain in node.presented[6971].values()}
    assert genuine not in {chain[0] for chain in node.presented[6971].values()}
    assert node.presented[6972]["rsa"][0].san_dns == genuine.san_dns
    assert all(chain[0].self_signed for chain in node.presented[6972].values())
    assert story.pki.certificate("cucm.steven.lab/tomcat/rsa") == node.presented[8443]["rsa"][0]


def test_a_lab_may_stop_right_after_a_restart_was_asked_for(tmp_path: Path) -> None:
    for pause in (0.0, 0.02, 0.05, 0.051):
        with Lab(tmp_path, judge=False) as lab:
            lab.faults.restart(lab.peers[1].address)
            time.sleep(pause)
