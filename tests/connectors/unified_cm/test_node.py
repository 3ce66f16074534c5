"""A Unified CM node: who may be asked what, and which answers are believed."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from remediate.connectors.http import Account
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.node import open_node
from remediate.model.errors import AccessError, LoginRefused, ObservationError
from remediate.model.identity import Address
from remediate.model.secret import Secret
from tests.connectors.servers import http, https_talk, tcp_server, tls_context
from tests.connectors.support import QUICK
from tests.connectors.unified_cm.nodes import CA, GOOD, NODE, SELF_SIGNED, node

ACCOUNT = Account("axl", Secret("axl-secret"))


def test_a_node_verifies_with_the_one_certificate_that_does(stack: ExitStack) -> None:
    """It prefers its self-signed ECDSA certificate; the RSA one is signed by a CA that counts."""
    port = stack.enter_context(tcp_server(https_talk(tls_context(SELF_SIGNED, GOOD), http(200))))
    target = Target(Address(NODE), port, "cucm", connect_to="127.0.0.1")

    assert open_node(target, (CA.certificate,), QUICK).verified
    assert open_node(target, (SELF_SIGNED.certificate,), QUICK).verified
    assert not open_node(target, (), QUICK).verified
    assert not open_node(replace(target, address=Address("other.example.test")), (CA.certificate,), QUICK).verified


def test_no_account_is_sent_where_the_node_does_not_verify(stack: ExitStack) -> None:
    requests: list[bytes] = []
    unverified = node(stack, http(200, "<servers><server>a.example.test</server></servers>"), requests=requests, trusted=False)

    for read in (unverified.read_process_nodes, unverified.read_certificates):
        with pytest.raises(AccessError, match="No account is sent"):
            read(ACCOUNT)

    assert not any(b"uthorization" in request for request in requests)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><servers><server>&a;</server></servers>', "document type"),
        ("<servers>", "not XML"),
        ("", "not XML"),
    ],
)
def test_xml_that_is_hostile_or_broken_is_refused(stack: ExitStack, body: str, error: str) -> None:
    with pytest.raises(ObservationError, match=error):
        node(stack, http(200, body)).read_uds_servers()


def test_every_name_is_handed_on_as_it_was_given(stack: ExitStack) -> None:
    body = "<s:servers xmlns:s='x'><s:server> a.example.test </s:server><s:server>$(reboot)</s:server><s:server/></s:servers>"

    assert node(stack, http(200, body)).read_uds_servers().names == (
        ("a.example.test", "cucm"),
        ("$(reboot)", "cucm"),
        ("", "cucm"),
    )


def test_a_refused_axl_account_is_not_tried_elsewhere(stack: ExitStack) -> None:
    with pytest.raises(LoginRefused, match=f"AXL on {NODE}") as caught:
        node(stack, http(401)).read_process_nodes(ACCOUNT)

    assert "axl-secret" not in f"{caught.value}{caught.value.next_step}"


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"identities": 5}', '{"identities": [{"certificate": "-----BEGIN CERTIFICATE-----"}]}']
)
def test_a_snapshot_that_cannot_be_read_is_reported(stack: ExitStack, body: str) -> None:
    with pytest.raises(ObservationError, match="cannot be read"):
        node(stack, http(200, body)).read_certificates(ACCOUNT)
