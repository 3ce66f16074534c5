"""One thread for many connections: none of them waits for another, or changes its answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from remediate.connectors.addresses import SocketAddress
from remediate.connectors.tls.event_loop import run_alone, run_attempts
from remediate.connectors.tls.handshake import FAMILY_ALONE, Answer, FailureReason, HandshakeFailure, Offer, ReceivedChain
from remediate.connectors.tls.target import Attempts, Target, try_offer
from remediate.model.identity import Address
from remediate.model.limits import Limits
from tests.connectors.servers import Talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK

RSA, ECDSA = server_identity(), server_identity(family="ecdsa")
BY_RSA = Offer(FAMILY_ALONE["rsa"])
PATIENT = replace(QUICK, handshake_s=20)


def target_at(port: int, host: str = "127.0.0.1") -> Target:
    return Target(Address("node.example.test"), port, "cucm", host)


class Answers:
    """The answers to one offer each, in the order in which they came, by the names of their lanes."""

    def __init__(self) -> None:
        self.by_name: dict[str, Answer] = {}

    def lane(self, name: str, port: int, *, delay_s: float = 0.0, limits: Limits = PATIENT) -> Attempts[None]:
        self.by_name[name] = yield from try_offer(target_at(port), BY_RSA, limits, delay_s=delay_s)


def reason_of(answer: Answer) -> FailureReason | None:
    return answer.reason if isinstance(answer, HandshakeFailure) else None


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def test_no_connection_changes_the_answer_of_another() -> None:
    # Given servers that fail in every way, in the midst of good ones
    def answer(reply: bytes) -> Talk:
        def talk(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(reply)

        return talk

    good = tls_talk(tls_context(RSA))
    talks = {
        "alert": (answer(b"\x15\x03\x03\x00\x02\x02\x28"), FailureReason.NO_SHARED_CIPHER),
        "no TLS": (answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), FailureReason.NOT_TLS),
        "closed": (answer(b""), FailureReason.SILENT),
        "half": (answer(b"\x16\x03\x03\x40"), FailureReason.RESET),
        "nonsense": (answer(b"\x16\x03\x03\x00\x08\x02\x00\x00\x04\x03\x03\x00\x00"), FailureReason.BROKEN),
        "other family": (tls_talk(tls_context(ECDSA)), FailureReason.NO_SHARED_CIPHER),
        "silent": (stay_silent, FailureReason.TIMED_OUT),
        **{f"good {number}": (good, None) for number in range(20)},
    }
    answers = Answers()
    with ExitStack() as stack:
        ports = {name: stack.enter_context(tcp_server(talk)) for name, (talk, _) in talks.items()}
        # When all of them are asked at once, again and again
        limits = replace(QUICK, handshake_s=2)
        for _ in range(3):
            run_attempts([answers.lane(name, port) for name, port in ports.items()], len(ports), limits)
            # Then each has the answer that it has alone
            assert {name: reason_of(answer) for name, answer in answers.by_name.items()} == {
                name: reason for name, (_, reason) in talks.items()
            }
            answers.by_name.clear()


def test_a_pause_holds_up_no_other_lane() -> None:
    answers = Answers()
    with tcp_server(tls_talk(tls_context(RSA))) as port:
        started = time.monotonic()
        run_attempts([answers.lane("later", port, delay_s=0.3), answers.lane("now", port)], 2, PATIENT)

    assert list(answers.by_name) == ["now", "later"]
    assert time.monotonic() - started >= 0.3


def test_a_lane_waits_for_one_of_those_under_way() -> None:
    answers = Answers()
    with tcp_server(tls_talk(tls_context(RSA))) as port:
        run_attempts([answers.lane("later", port, delay_s=0.1), answers.lane("now", port)], 1, PATIENT)

    assert list(answers.by_name) == ["later", "now"]


def test_each_address_of_a_name_is_tried() -> None:
    # Given a name with two addresses, and a server at the second one
    def look_up(host: str, port: int, *, guarded: bool) -> list[SocketAddress]:
        assert (host, guarded) == ("node.example.test", False)
        return [(socket.AF_INET, (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    with tcp_server(tls_talk(tls_context(RSA))) as port:
        answer = run_alone(try_offer(target_at(port, "node.example.test"), BY_RSA, PATIENT), PATIENT, look_up)

    assert isinstance(answer, ReceivedChain)


@contextmanager
def full_backlog() -> Iterator[int]:
    """Listen on a port whose queue is full, so that Linux drops what asks for another connection."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


def test_a_connection_that_does_not_come_about_ends_at_its_limit() -> None:
    limits = replace(QUICK, connect_s=0.2)
    with full_backlog() as port:
        answer = run_alone(try_offer(target_at(port), BY_RSA, limits), limits)

    assert answer == HandshakeFailure(FailureReason.UNREACHABLE, "no answer within 0.2 s")


def test_an_interrupt_ends_every_connection() -> None:
    # Given a server that waits, and a lane that is interrupted meanwhile
    closed: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        while piece := connection.recv(65536):
            closed.append(piece)
        closed.append(b"")

    def interrupt(port: int) -> Attempts[None]:
        yield from try_offer(target_at(port), BY_RSA, PATIENT)
        raise KeyboardInterrupt

    with tcp_server(talk) as waiting_port, tcp_server(tls_talk(tls_context(RSA))) as port:
        # When it ends, then the server sees the end of its connection
        with pytest.raises(KeyboardInterrupt):
            run_attempts([Answers().lane("waiting", waiting_port), interrupt(port)], 2, PATIENT)
        for _ in range(500):
            if b"" in closed:
                return
            time.sleep(0.01)
    pytest.fail("the connection is still there")
