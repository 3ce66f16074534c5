"""The REST interface of a simulated peer, as facts about the real one have it."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from remediate.lab import Lab
from remediate.lab.servers import open_listening_socket
from remediate.model.certificate import Certificate
from tests.lab.conftest import RestClient

RestOf = Callable[[int], Any]
ROOT = "/api/provisioning/certs/root"


def test_the_trusted_list_has_text_between_the_blocks(story: Lab, rest_client: RestOf) -> None:
    client = rest_client(0)

    pages = [client("GET", path).text for path in (ROOT, "/api/v1/provisioning/certs/root")]

    assert pages[0] == pages[1]
    assert "O=Steven Lab, CN=steven-DC-CA\n-----BEGIN CERTIFICATE-----" in pages[0]
    assert list(Certificate.all_from_pem(pages[0])) == story.peers[0].trusted


def test_an_upload_appends_to_this_peer_alone(story: Lab, rest_client: RestOf) -> None:
    issuing = story.pki.certificate("issuing")
    before = [list(peer.trusted) for peer in story.peers]

    answer = rest_client(1).upload(issuing.pem)

    assert (answer.status_code, answer.json()) == (200, {"Message": "Root Certificate updated."})
    assert [peer.trusted for peer in story.peers] == [before[0], [*before[1], issuing], before[2]]


def test_uploading_it_again_changes_nothing(story: Lab, rest_client: RestOf) -> None:
    root = story.pki.certificate("root")
    before = list(story.peers[0].trusted)

    assert rest_client(0).upload(root.pem).status_code == 200
    assert story.peers[0].trusted == before


def test_a_different_certificate_with_the_same_cn_is_refused(tmp_path: Path) -> None:
    with Lab(tmp_path, "same-cn", judge=False) as lab:
        client = RestClient(lab, lab.peers[0])
        tomcat, call_manager = (lab.pki.certificate(f"cucm.steven.lab/{service}/rsa") for service in ("tomcat", "CallManager"))

        assert client.upload(tomcat.pem).status_code == 200
        answer = client.upload(call_manager.pem)

        assert answer.status_code == 400
        assert "cucm.steven.lab" in answer.json()["Message"]
        assert call_manager not in lab.peers[0].trusted
        client.close()


@pytest.mark.parametrize("pem", ["", "no certificate here", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(story: Lab, rest_client: RestOf, pem: str) -> None:
    before = list(story.peers[0].trusted)

    answer = rest_client(0).upload(pem)

    assert answer.status_code == 400
    assert answer.json()["Message"]
    assert story.peers[0].trusted == before


def test_removal_is_offered_where_the_scenario_says_so(tmp_path: Path) -> None:
    with Lab(tmp_path, "stale", judge=False) as lab:
        client = RestClient(lab, lab.peers[0])
        stale = lab.pki.certificate("stale")

        answer = client("DELETE", ROOT, json={"Fingerprint": stale.fingerprint.removeprefix("sha256:")})

        assert "delete:\n        description: Take one certificate out" in client("GET", "/api/raml").text
        assert answer.status_code == 200
        assert stale not in lab.peers[0].trusted
        client.close()


def test_removal_is_not_offered_otherwise(rest_client: RestOf) -> None:
    client = rest_client(0)

    assert client("DELETE", ROOT, json={"Fingerprint": "00"}).status_code == 405
    assert "Take one certificate out" not in client("GET", "/api/raml").text


def test_a_wrong_password_is_refused_and_recorded(story: Lab) -> None:
    peer = story.peers[0]
    url = f"https://{peer.address}:{peer.rest_port}{ROOT}"

    answer = requests.get(url, auth=("admin", "wrong"), verify=str(story.directory / "pki" / "expressway-ca.pem"), timeout=10)

    assert answer.status_code == 401
    assert [request.authorised for request in story.requests] == [False]


def test_a_request_whose_body_never_comes_is_cut_and_does_nothing(story: Lab) -> None:
    peer, before = story.peers[0], list(story.peers[0].trusted)
    context = ssl.create_default_context(cafile=str(story.directory / "pki" / "expressway-ca.pem"))
    login = base64.b64encode(":".join(story.accounts.rest_login).encode()).decode()
    head = f"POST {ROOT} HTTP/1.1\r\nHost: {peer.address}\r\nAuthorization: Basic {login}\r\n"
    form = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 2000\r\n\r\n"

    with (
        socket.create_connection((peer.address, peer.rest_port), 10) as wire,
        context.wrap_socket(wire, server_hostname=peer.address) as connection,
    ):
        connection.sendall((head + form).encode())

    until = time.monotonic() + 20
    while not any(request.cut for request in story.requests):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert [(request.method, request.write) for request in story.requests] == [("POST", True)]
    assert peer.trusted == before


def test_a_publisher_is_added_again_with_the_right_axl_password_only(story: Lab, rest_client: RestOf) -> None:
    client, path = rest_client(0), "/api/provisioning/controller/server/cucm"
    publisher = {"Publisher": "cucm.steven.lab", "AxlUsername": "axl", "TlsVerify": "On"}

    refused = client("POST", path, json={**publisher, "AxlPassword": "wrong"})
    added = client("POST", path, json={**publisher, "AxlPassword": story.accounts.axl_password})
    unknown = client("POST", path, json={**publisher, "Publisher": "nobody.steven.lab"})

    assert [response.status_code for response in (refused, added, unknown)] == [400, 201, 400]
    assert unknown.json()["Message"] == "CommandError: Socket Error: Timeout"
    assert story.cluster.refreshed == ["cucm.steven.lab"]
    assert [publisher["Publisher"] for publisher in client("GET", path).json()] == ["cucm.steven.lab"]
    assert story.accounts.axl_password not in client("GET", path).text


def test_a_publisher_can_be_removed_once(rest_client: RestOf) -> None:
    client, path = rest_client(0), "/api/provisioning/controller/server/imp"

    answers = [client("DELETE", path, json={"Publisher": "imp.steven.lab"}).status_code for _ in range(2)]

    assert answers == [200, 400]
    assert client("GET", path).json() == []


def test_the_peers_describe_the_cluster_and_its_version(story: Lab, rest_client: RestOf) -> None:
    client = rest_client(2)

    peers = client("GET", "/api/provisioning/common/cluster/peers").json()

    assert [peer["PeerAddress"] for peer in peers] == [peer.address for peer in story.peers]
    for path in ("/status.xml", "/getxml?location=/Status/SystemUnit"):
        assert 'product="TANDBERG VCS" version="X14.2.1"' in client("GET", path).text
    assert Certificate.from_pem(client("GET", "/api/provisioning/certs/server").text) == story.peers[2].server_certificate


def test_a_restart_needs_the_csrf_header_and_takes_the_peer_away(story: Lab, rest_client: RestOf) -> None:
    client, path = rest_client(0), "/api/provisioning/restart"

    assert client("POST", path).status_code == 403
    assert client("POST", path, headers={"X-CSRF-Header": "any"}).status_code == 200
    assert story.cluster.settle()

    assert story.peers[0].restarts == 1
    assert client("GET", "/api/raml").status_code == 200


def test_an_answer_does_not_wait_for_the_clients_acknowledgement() -> None:
    with open_listening_socket("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
