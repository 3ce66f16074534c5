"""One offer to a target, and what its answer shows."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from remediate.connectors.tls.event_loop import run_alone
from remediate.connectors.tls.handshake import FAMILY_ALONE, Answer, FailureReason, HandshakeFailure, Offer, ReceivedChain
from remediate.connectors.tls.target import Target, accepts_1_3, describe_no_connection, try_offer_twice
from remediate.model.identity import Address
from tests.connectors.servers import server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK

RSA = server_identity()
BY_RSA = Offer(FAMILY_ALONE["rsa"])
PATIENT = replace(QUICK, handshake_s=20)
TARGET = Target(Address("node.example.test"), 8443, "cucm", connect_to="127.0.0.1")


@pytest.mark.parametrize(
    ("first_bytes", "connections"), [(b"", 1), (b"\x16\x03\x03", 2)], ids=["a close", "a reset in between"]
)
def test_only_a_possible_accident_is_tried_again(first_bytes: bytes, connections: int) -> None:
    accepted: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        accepted.append(connection)
        connection.recv(65536)
        connection.sendall(first_bytes)

    with tcp_server(talk) as port:
        answer = run_alone(try_offer_twice(replace(TARGET, port=port), BY_RSA, PATIENT), PATIENT)

    assert isinstance(answer, HandshakeFailure)
    assert len(accepted) == connections


def test_the_chain_comes_from_the_host_that_is_connected_to() -> None:
    with tcp_server(tls_talk(tls_context(RSA))) as port:
        answer = run_alone(try_offer_twice(replace(TARGET, port=port), BY_RSA, PATIENT), PATIENT)

    assert isinstance(answer, ReceivedChain)
    assert answer.certificates == (RSA.certificate,)


@pytest.mark.parametrize(
    ("answer", "accepts"),
    [
        (ReceivedChain((RSA.certificate,), "TLSv1.3"), True),
        (ReceivedChain((RSA.certificate,), "TLSv1.2"), False),
        (HandshakeFailure(FailureReason.OTHER_VERSION, ""), False),
        (HandshakeFailure(FailureReason.RESET, ""), None),
    ],
)
def test_an_answer_shows_whether_tls_1_3_is_accepted(answer: Answer, accepts: bool | None) -> None:
    assert accepts_1_3(answer) is accepts


def test_every_failure_of_an_unauthenticated_name_is_final() -> None:
    hearsay = replace(TARGET, learned_from=("uds",))
    by_axl_too = replace(TARGET, learned_from=("uds", "axl"))

    assert FailureReason.NO_NAME in hearsay.final_failures
    assert FailureReason.NO_NAME not in by_axl_too.final_failures
    assert FailureReason.REFUSED in by_axl_too.final_failures


def test_an_absent_host_differs_from_a_closed_port() -> None:
    absent = describe_no_connection(HandshakeFailure(FailureReason.NO_NAME, "its name does not resolve"))
    closed = describe_no_connection(HandshakeFailure(FailureReason.REFUSED, "connection refused"))

    assert (absent.host_absent, absent.refused) == (True, False)
    assert (closed.host_absent, closed.refused) == (False, True)
    assert closed.error == "unreachable: connection refused"
