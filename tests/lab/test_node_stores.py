"""Nodes that judge a client's certificate: by what their services have loaded, over real TLS, with the alert of each refusal."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from remediate.lab import Lab
from remediate.lab.judge import traffic_server_path
from remediate.lab.pki import peer_authority
from remediate.lab.ssh_server import SSH_PORT

CUCM, IMP = "cucm.steven.lab", "imp.steven.lab"


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path, "refuses-peers") as lab:
        yield lab


def present(lab: Lab, port: int, *, with_certificate: bool = True) -> str:
    """Return what a node answers to a handshake with the first peer's own certificate: ``accepted``, or its alert."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if with_certificate:
        assert lab.peers[0].identity_file
        context.load_cert_chain(lab.peers[0].identity_file)
    try:
        with socket.create_connection((lab.node(CUCM).connect_to, port), 10) as plain, context.wrap_socket(plain):
            return "accepted"
    except ssl.SSLError as error:
        return str(error.reason)


def shell(lab: Lab, address: str, line: str) -> str:
    transport = paramiko.Transport((lab.node(address).connect_to, SSH_PORT))
    transport.connect(username=lab.accounts.platform_username, password=lab.accounts.platform_password)
    channel = transport.open_session(timeout=10)
    channel.settimeout(10)
    channel.invoke_shell()
    printed = ""
    channel.sendall(f"{line}\n".encode())
    while printed.count("admin:") < 2:
        printed += channel.recv(65536).decode()
    transport.close()
    return printed


def test_a_peer_whose_ca_no_one_trusts_gets_unknown_ca(refusing: Lab) -> None:
    assert present(refusing, 6972) == "TLSV1_ALERT_UNKNOWN_CA"
    assert present(refusing, 6972, with_certificate=False) == "accepted"
    assert present(refusing, 8443) == "accepted"


def test_a_certificate_for_servers_alone_is_unsupported(tmp_path: Path) -> None:
    with Lab(tmp_path, "server-only", judge=False) as lab:
        assert present(lab, 6972) == "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"


def test_a_client_gets_502_though_every_list_is_right(refusing: Lab) -> None:
    if not traffic_server_path():
        pytest.skip("no traffic server is installed")

    assert [refusing.ask(0, CUCM, port).status for port in (8443, 6971, 6972)] == [200, 502, 502]


def test_an_upload_counts_once_its_services_restarted(refusing: Lab) -> None:
    stores = refusing.node(CUCM).stores
    for store in ("tomcat", "CallManager"):
        stores.add(store, [peer_authority().certificate])
    assert present(refusing, 6972) == "TLSV1_ALERT_UNKNOWN_CA"

    refusing.restart_service(CUCM, "Cisco Tomcat")
    assert present(refusing, 6972) == "TLSV1_ALERT_UNKNOWN_CA"
    refusing.restart_service(CUCM, "Cisco CallManager")

    assert present(refusing, 6972) == "accepted"
    assert refusing.ask(0, CUCM, 6972).status == 200


def test_the_platform_shell_restarts_services_too(refusing: Lab) -> None:
    refusing.node(CUCM).stores.add("tomcat", [peer_authority().certificate])
    refusing.node(CUCM).stores.add("CallManager", [peer_authority().certificate])

    assert "[STARTED]" in shell(refusing, CUCM, "utils service restart Cisco HAProxy")
    assert present(refusing, 6972) == "accepted"
    assert "invalid" in shell(refusing, IMP, "utils service restart Cisco CallManager")
