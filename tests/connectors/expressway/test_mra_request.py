"""What a client gets through a peer, asked of real servers: the path, the login, and what each answer counts for."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from remediate.connectors.expressway.mra_request import ask_through
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, MraAccess, TlsTrust
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.errors import InventoryError
from remediate.model.identity import Address, Fingerprint
from remediate.model.secret import Login, Secret
from tests.connectors.servers import http, https_talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK

SERVER = server_identity("localhost")
PIN = TlsTrust(fingerprint=SERVER.certificate.fingerprint)
CUCM = Address("cucm.steven.lab")

Front = Callable[..., MraAccess]


class Password:
    """A source that has it, or not."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def describe(self) -> str:
        return "the test"

    def read(self) -> Secret:
        if self._value is None:
            raise InventoryError("The environment variable PROBE, which should hold a password, is not set.")
        return Secret(self._value)


@pytest.fixture
def requests() -> list[bytes]:
    """Collect what the server receives."""
    return []


@pytest.fixture
def front(requests: list[bytes]) -> Iterator[Front]:
    """Return a function that starts a server with these answers and gives the access to it."""
    with ExitStack() as stack:

        def start(*answers: bytes) -> MraAccess:
            port = stack.enter_context(tcp_server(https_talk(tls_context(SERVER), *answers, requests=requests)))
            return MraAccess("localhost", port, PIN)

        yield start


def target_in(request: bytes) -> tuple[str, str]:
    """Return the decoded target of a request, and the path behind it."""
    _, target, rest = request.split(b" ")[1].decode().split("/", 2)
    return base64.b64decode(target + "=" * (-len(target) % 4)).decode(), rest


def test_unified_cm_is_asked_for_what_needs_no_login(front: Front, requests: list[bytes]) -> None:
    assert ask_through(front(http(200)), CUCM, 8443, "cucm", QUICK) == ClientAnswer(AnswerKind.REACHED, "HTTP 200")

    assert target_in(requests[0]) == ("steven.lab/https/cucm.steven.lab/8443", "cucm-uds/version")
    assert b"=" not in requests[0].split(b" ")[1]
    assert b"authorization" not in requests[0].lower()


@pytest.mark.parametrize(("port", "product"), [(6972, "cucm"), (8443, "imp"), (8443, "unity"), (8443, None)])
def test_everything_else_is_asked_for_its_root(front: Front, requests: list[bytes], port: int, product: str | None) -> None:
    ask_through(front(http(204)), CUCM, port, product, QUICK)  # type: ignore[arg-type]  # a literal

    assert target_in(requests[0]) == (f"steven.lab/https/cucm.steven.lab/{port}", "")


MEANINGS = {
    200: AnswerKind.REACHED,
    204: AnswerKind.REACHED,
    502: AnswerKind.REFUSED,
    401: AnswerKind.NO_LOGIN,
    302: AnswerKind.OTHER,
    404: AnswerKind.OTHER,
    503: AnswerKind.OTHER,
}


@pytest.mark.parametrize(("status", "kind"), MEANINGS.items(), ids=map(str, MEANINGS))
def test_what_a_status_counts_for(front: Front, requests: list[bytes], status: int, kind: AnswerKind) -> None:
    answer = ask_through(front(http(status, "", "Location: /elsewhere")), CUCM, 8443, "cucm", QUICK)

    assert answer == ClientAnswer(kind, f"HTTP {status}")
    assert len(requests) == 1, "neither followed nor tried again"


def test_the_account_goes_along_and_is_in_no_answer(front: Front, requests: list[bytes]) -> None:
    # Given a way with an account, which is refused
    access = replace(front(http(401)), login=Login("probe", Password("s3cret")))
    # When a client asks
    answer = ask_through(access, CUCM, 8443, "cucm", QUICK)
    # Then it was sent once, and only there
    assert b"Authorization: Basic " + base64.b64encode(b"probe:s3cret") in requests[0]
    assert (answer.kind, len(requests)) == (AnswerKind.NO_LOGIN, 1)
    assert "s3cret" not in repr(answer)


def test_a_missing_password_is_an_answer_with_its_reason(front: Front, requests: list[bytes]) -> None:
    answer = ask_through(replace(front(http(200)), login=Login("probe", Password(None))), CUCM, 8443, "cucm", QUICK)

    assert (answer.kind, requests) == (AnswerKind.NOTHING, [])
    assert "PROBE" in answer.detail


def test_an_ip_address_needs_the_domain_of_the_clients(front: Front, requests: list[bytes]) -> None:
    access = front(http(200))

    answer = ask_through(access, Address("10.48.36.215"), 8443, "cucm", QUICK)
    assert (answer.kind, requests) == (AnswerKind.OTHER, [])
    assert "`mra.domain`" in answer.detail

    ask_through(replace(access, domain="steven.lab"), Address("10.48.36.215"), 8443, "cucm", QUICK)
    # The capture in Cisco's own troubleshooting example
    assert requests[0].startswith(b"GET /c3RldmVuLmxhYi9odHRwcy8xMC40OC4zNi4yMTUvODQ0Mw/cucm-uds/version ")


def test_another_server_than_the_pinned_one_gets_nothing(front: Front, requests: list[bytes]) -> None:
    access = replace(front(http(200)), tls=TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64)))

    answer = ask_through(access, CUCM, 8443, "cucm", QUICK)

    assert (answer.kind, requests) == (AnswerKind.NOTHING, [])
    assert "presents another certificate" in answer.detail


def test_a_refusal_and_a_hang_up_are_no_answer(front: Front) -> None:
    assert ask_through(MraAccess("localhost", 1, PIN), CUCM, 8443, "cucm", QUICK) == ClientAnswer(
        AnswerKind.NOTHING, "https://localhost:1 cannot be reached: connection refused"
    )
    assert ask_through(front(b""), CUCM, 8443, "cucm", QUICK).kind is AnswerKind.NOTHING


def test_an_answer_that_never_ends_is_no_answer() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        while True:
            connection.sendall(b"H")
            time.sleep(0.05)

    with tcp_server(tls_talk(tls_context(SERVER), drip)) as port:
        access = MraAccess("localhost", port, PIN)
        answer = ask_through(access, CUCM, 8443, "cucm", replace(QUICK, read_s=0.3, read_attempts=1))

    assert answer.kind is AnswerKind.NOTHING
    assert "was not finished within" in answer.detail


def test_a_client_of_the_lab_gets_the_judges_answer(lab: Lab, cluster: ClusterAccess) -> None:
    # Given the story, whose inventory says how each peer is gone through
    access = cluster.peers[0].mra
    assert access is not None
    # When a client asks for what verifies, for what does not, and for what is not there
    answers = [ask_through(access, CUCM, port, "cucm", QUICK).kind for port in (8443, 6972, 9)]
    # Then it gets what the judge says, and the peer was asked to change nothing
    assert answers == [AnswerKind.REACHED, AnswerKind.REFUSED, AnswerKind.OTHER]
    assert (
        next(request.path for request in lab.requests if request.transport == "mra") == "steven.lab/https/cucm.steven.lab/8443"
    )
    assert lab.requests.writes == ()
    # And nobody gets through a peer that is down
    lab.faults.down(cluster.peers[0].address)
    assert ask_through(access, CUCM, 8443, "cucm", QUICK).kind is AnswerKind.NOTHING
