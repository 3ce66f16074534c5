"""One handshake: the chain that a server presents to an offer, or the kind of failure."""

from __future__ import annotations

import socket

import pytest
from OpenSSL import SSL

from remediate.connectors.tls.event_loop import run_alone
from remediate.connectors.tls.handshake import (
    Answer,
    FailureReason,
    HandshakeFailure,
    Offer,
    ReceivedChain,
    explain_alert,
    list_suites,
    make_hello,
)
from remediate.connectors.tls.target import Target, try_offer
from remediate.model.identity import Address
from tests.connectors.servers import Talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK

RSA, ECDSA = server_identity(), server_identity(family="ecdsa")
BY_RSA = Offer("ECDHE+aRSA", SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)


def run_handshake(port: int, offer: Offer = BY_RSA) -> Answer:
    return run_alone(try_offer(Target(Address("node.example.test"), port, "cucm", "127.0.0.1"), offer, QUICK), QUICK)


def shake_hands(talk: Talk, offer: Offer = BY_RSA) -> Answer:
    with tcp_server(talk) as port:
        return run_handshake(port, offer)


def test_the_offer_decides_which_chain_is_presented() -> None:
    received = shake_hands(tls_talk(tls_context(RSA, ECDSA)))

    assert isinstance(received, ReceivedChain)
    assert received.certificates == (RSA.certificate,)


def reset(connection: socket.socket) -> None:
    connection.recv(1)
    connection.close()


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (tls_talk(tls_context(ECDSA)), FailureReason.NO_SHARED_CIPHER),
        (lambda connection: connection.sendall(b"220 ready\r\n" * 3), FailureReason.NOT_TLS),
        (reset, FailureReason.SILENT),
    ],
    ids=["another key family", "no TLS", "closed"],
)
def test_a_failure_has_its_kind(talk: Talk, reason: FailureReason) -> None:
    failure = shake_hands(talk)

    assert isinstance(failure, HandshakeFailure)
    assert failure.reason is reason


def test_a_closed_port_and_an_unknown_list_are_distinguished() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused = run_handshake(port)
    unknown = run_handshake(port, Offer("NO-SUCH-SUITE", SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))

    assert isinstance(refused, HandshakeFailure)
    assert isinstance(unknown, HandshakeFailure)
    assert (refused.reason, unknown.reason) == (FailureReason.REFUSED, FailureReason.NOT_OFFERABLE)


def test_an_alert_is_the_whole_answer_to_an_offer() -> None:
    assert [explain_alert(number).reason for number in (40, 70, 80)] == [
        FailureReason.NO_SHARED_CIPHER,
        FailureReason.OTHER_VERSION,
        FailureReason.BROKEN,
    ]


def test_a_hello_holds_the_name_and_the_suites_of_the_offer() -> None:
    hello = make_hello(BY_RSA, "node.example.test.")

    assert hello[0] == 22
    assert b"node.example.test" in hello
    assert b"node.example.test." not in hello
    assert "ECDHE-RSA-AES256-GCM-SHA384" in list_suites(BY_RSA)
    assert "ECDHE-ECDSA-AES256-GCM-SHA384" not in list_suites(BY_RSA)
