"""UC nodes: what they present to whom, and what they say of themselves."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.lab.scenario import DEFAULT_CIPHERS, RSA_PREFIX
from remediate.model.certificate import Certificate

_ONLY = {"rsa": "ECDHE+aRSA", "ecdsa": "ECDHE+ECDSA"}


def _presented(lab: Lab, address: str, port: int, ciphers: str, *, tls13: bool = False) -> Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if tls13 else ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((lab.node(address).connect_to, port), 10) as plain,
        context.wrap_socket(plain, server_hostname=address) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    return Certificate.from_der(der)


def _ask(lab: Lab, method: str, path: str, login: tuple[str, str] | None, unverified: ssl.SSLContext) -> tuple[int, str]:
    connection = http.client.HTTPSConnection(lab.node("cucm.steven.lab").connect_to, 8443, timeout=10, context=unverified)
    headers = {"Authorization": "Basic " + base64.b64encode(":".join(login).encode()).decode()} if login else {}
    connection.request(method, path, "<listProcessNode/>" if method == "POST" else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize("family", ["rsa", "ecdsa"])
def test_each_family_is_presented_when_only_it_is_offered(story: Lab, family: str) -> None:
    presented = _presented(story, "cucm.steven.lab", 6972, _ONLY[family])

    assert presented.key_family == family
    assert presented == story.pki.certificate(f"cucm.steven.lab/CallManager/{family}")


def test_the_order_of_the_clients_list_decides(story: Lab) -> None:
    assert _presented(story, "cucm.steven.lab", 6972, DEFAULT_CIPHERS).key_family == "ecdsa"
    assert _presented(story, "cucm.steven.lab", 6972, RSA_PREFIX + DEFAULT_CIPHERS).key_family == "rsa"


def test_a_family_that_a_port_does_not_have_is_no_handshake(story: Lab) -> None:
    with pytest.raises(ssl.SSLError):
        _presented(story, "cucm.steven.lab", 8443, _ONLY["ecdsa"])


def test_tls13_is_spoken_where_the_scenario_says_so(tmp_path: Path) -> None:
    with Lab(tmp_path, "tls13", judge=False) as lab:
        presented = _presented(lab, "cucm.steven.lab", 6972, RSA_PREFIX + DEFAULT_CIPHERS, tls13=True)

    assert presented.key_family == "ecdsa"


def test_a_node_may_impose_its_own_order(tmp_path: Path) -> None:
    with Lab(tmp_path, "own-order", judge=False) as lab:
        assert _presented(lab, "cucm.steven.lab", 6972, RSA_PREFIX + DEFAULT_CIPHERS).key_family == "ecdsa"
        assert _presented(lab, "cucm.steven.lab", 6972, _ONLY["rsa"]).key_family == "rsa"


def test_the_certificates_are_those_of_the_story(story: Lab) -> None:
    ecdsa = story.pki.certificate("cucm.steven.lab/CallManager/ecdsa")
    tomcat = story.pki.certificate("cucm.steven.lab/tomcat/rsa")

    assert (ecdsa.common_name, ecdsa.san_dns, ecdsa.self_signed) == ("cucm-EC.steven.lab", ("cucm.steven.lab",), True)
    assert (tomcat.common_name, tomcat.san_dns) == ("cucmms.steven.lab", ("cucm.steven.lab",))
    assert "CN=steven-DC-CA" in tomcat.issuer


def test_uds_names_the_nodes_without_login(story: Lab, unverified: ssl.SSLContext) -> None:
    status, text = _ask(story, "GET", "/cucm-uds/servers", None, unverified)

    assert status == 200
    assert text.count("<server>") == 3
    assert "<server>cucm-sub1.steven.lab</server>" in text
    assert "<version>14" in _ask(story, "GET", "/cucm-uds/version", None, unverified)[1]


def test_axl_lists_the_process_nodes_to_its_account_only(story: Lab, unverified: ssl.SSLContext) -> None:
    status, text = _ask(story, "POST", "/axl/", ("axl", story.accounts.axl_password), unverified)

    assert _ask(story, "POST", "/axl/", ("axl", "wrong"), unverified)[0] == 401
    assert status == 200
    for name in ("EnterpriseWideData", "cucm.steven.lab", "imp.steven.lab"):
        assert f"<name>{name}</name>" in text


def test_certificate_management_needs_the_platform_account(story: Lab, unverified: ssl.SSLContext) -> None:
    path = "/platformcom/api/v1/certmgr/config/snapshot/server"

    status, text = _ask(story, "GET", path, ("ccmadmin", story.accounts.platform_password), unverified)
    own = {load["service"]: Certificate.from_pem(load["certificate"]) for load in json.loads(text)["identities"]}

    assert _ask(story, "GET", path, None, unverified)[0] == 401
    assert status == 200
    identity = _ask(
        story,
        "GET",
        "/platformcom/api/v1/certmgr/config/identity/certificate?service=tomcat",
        ("ccmadmin", story.accounts.platform_password),
        unverified,
    )
    assert Certificate.from_pem(json.loads(identity[1])["certificates"][0]) == own["tomcat"]
    assert own["CallManager-ECDSA"] == story.pki.certificate("cucm.steven.lab/CallManager/ecdsa")
    assert set(own) == {"tomcat", "CallManager", "CallManager-ECDSA"}


def test_a_node_can_go_down_and_come_back(story: Lab) -> None:
    address = "imp.steven.lab"
    story.faults.node_down(address)

    with pytest.raises(ConnectionRefusedError):
        _presented(story, address, 8443, "ALL")
    story.faults.node_up(address)

    assert _presented(story, address, 8443, "ALL").common_name == address
