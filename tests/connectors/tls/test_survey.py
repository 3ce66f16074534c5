"""The survey against real servers: one hello each, no key exchange."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

import pytest

from remediate.connectors.tls.first_flight import GOODBYE, FirstFlight, HelloTemplate
from remediate.connectors.tls.handshake import Offer, ReceivedChain, make_hello
from remediate.connectors.tls.survey import survey
from remediate.connectors.tls.target import Observation, Target
from remediate.model.identity import Address, CipherList
from remediate.model.limits import Limits
from tests.connectors.servers import Talk, server_identity, tcp_server, tls_context
from tests.connectors.support import QUICK
from tests.pki import issue

RSA, ECDSA = server_identity(), server_identity(family="ecdsa")
PATIENT = replace(QUICK, handshake_s=20)
DEFAULT = CipherList("EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL")


def survey_one(talk: Talk, *, ciphers: CipherList | None = DEFAULT, limits: Limits = PATIENT) -> Observation:
    """Start a server and survey it."""
    with tcp_server(talk) as port:
        (observation,) = survey([Target(Address("node.example.test"), port, "cucm", "127.0.0.1")], ciphers, limits)
        return observation


def first_flight(context: ssl.SSLContext, replies: list[bytes] | None = None) -> Talk:
    """Answer a hello as OpenSSL does, keep what comes then in `replies`, and shake no hand."""

    def talk(connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(connection.recv(65536))
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
        except ssl.SSLError:
            return connection.sendall(outgoing.read())
        while piece := connection.recv(65536):
            if replies is not None:
                replies.append(piece)
        return None

    return talk


def test_a_survey_sends_one_hello_and_says_goodbye() -> None:
    replies: list[bytes] = []

    observation = survey_one(first_flight(tls_context(RSA, ECDSA), replies))

    assert observation.presented == {"ecdsa": (ECDSA.certificate,)}
    assert (observation.tls13, observation.error) == (None, None)
    for _ in range(100):
        if b"".join(replies) == GOODBYE:
            return
        time.sleep(0.01)
    pytest.fail(f"what came after the hello: {replies}")


def test_without_a_list_of_the_peers_rsa_comes_first() -> None:
    assert set(survey_one(first_flight(tls_context(RSA, ECDSA)), ciphers=None).presented) == {"rsa"}


def test_a_list_that_openssl_does_not_know_is_not_offered() -> None:
    assert survey_one(first_flight(tls_context(RSA)), ciphers=CipherList("NO-SUCH-CIPHER!!")).presented


def test_a_long_chain_comes_in_pieces() -> None:
    chain = tuple(issue(f"CA {number}", ca=True, key_name="one") for number in range(60))
    talk = first_flight(tls_context(RSA, chain=chain))

    assert survey_one(talk).presented["rsa"] == tuple(entity.certificate for entity in (RSA, *chain))


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the answer is not TLS"),
        (b"SSH", "the answer is not TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "it answers with TLS alert 80"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "it has no cipher in common with this machine"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "it has no TLS version in common with this machine"),
        (b"\x16\x03\x01\x00\x06\x02\x00\x00\x02\x03\x02", "it has no TLS version in common with this machine"),
        (b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00", "it sends no certificate"),
        (b"\x16\x03\x03\x00\x0e\x0b\x00\x00\x0a\x00\x00\x07\x00\x00\x04none", "it sends a certificate that cannot be read"),
        (b"", "the connection was closed or reset during the TLS handshake"),
    ],
)
def test_what_is_no_first_flight_is_named(greeting: bytes, error: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(greeting)

    assert survey_one(talk).error == f"handshake-failed: {error}"


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_flight_is_read_in_pieces_of_any_size(step: int) -> None:
    body = RSA.certificate.der
    entry = len(body).to_bytes(3, "big") + body
    message = b"\x0b" + (len(entry) + 3).to_bytes(3, "big") + len(entry).to_bytes(3, "big") + entry
    # Given a message that is spread over records
    parts = [message[start : start + 100] for start in range(0, len(message), 100)]
    data = b"".join(b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part for part in parts)

    flight = FirstFlight(QUICK)
    answers = [flight.feed(data[start : start + step]) for start in range(0, len(data), step)]

    assert [answer for answer in answers if answer] == [ReceivedChain((RSA.certificate,), "TLSv1.2")]


def test_a_flight_without_end_is_not_read() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + bytes(0x3FFC))
        while True:
            connection.sendall(b"\x16\x03\x03\x40\x00" + bytes(0x4000))

    assert survey_one(talk).error == "handshake-failed: the connection was closed or reset during the TLS handshake"


def test_silence_and_dripping_end_a_look() -> None:
    def stay_silent(connection: socket.socket) -> None:
        connection.recv(65536)
        time.sleep(1)

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            connection.sendall(b"\0")
            time.sleep(0.01)

    for talk in (stay_silent, drip):
        assert survey_one(talk, limits=replace(QUICK, handshake_s=0.2)).error == (
            "handshake-failed: the TLS handshake was not finished within 0.2 s"
        )


def survey_all(targets: Sequence[Target], limits: Limits = PATIENT) -> tuple[Observation, ...]:
    """Survey targets, and check that each is reported once."""
    reported: list[Target] = []
    observations = survey(targets, DEFAULT, limits, lambda target, _observation: reported.append(target))
    assert sorted(target.port for target in reported) == sorted(target.port for target in targets)
    return observations


def test_closed_ports_and_unknown_names_are_named(stopped_port: Callable[[], int]) -> None:
    closed, unknown = survey_all(
        [
            Target(Address("a.example.test"), stopped_port(), "cucm", "127.0.0.1"),
            Target(Address("no-such-host.invalid"), 8443, "cucm"),
        ]
    )

    assert (closed.error, closed.refused, closed.host_absent) == ("unreachable: connection refused", True, False)
    assert (unknown.error, unknown.refused, unknown.host_absent) == ("unreachable: its name does not resolve", False, True)


@pytest.fixture
def stopped_port() -> Callable[[], int]:
    """Return a port that nothing listens on."""

    def find() -> int:
        with tcp_server(lambda _connection: None) as port:
            return port

    return find


def test_the_other_ports_of_an_absent_host_are_not_tried() -> None:
    targets = [Target(Address("no-such-host.invalid"), port, "cucm", learned_from=("uds",)) for port in (443, 6971, 8443)]

    assert [observation.host_absent for observation in survey_all(targets)] == [True, True, True]


def test_a_special_address_of_others_is_not_connected_to() -> None:
    with tcp_server(first_flight(tls_context(RSA))) as port:
        (observation,) = survey_all([Target(Address("localhost"), port, "cucm", guarded=True)])

    assert observation.error == "unreachable: its name resolves to an address that is accepted only from the inventory"


def test_many_targets_are_looked_at_at_once_within_their_limits() -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(tcp_server(first_flight(tls_context(RSA)))) for _ in range(6)]
        targets = [Target(Address("node.example.test"), port, "cucm", "127.0.0.1") for port in ports]
        observations = survey_all(targets, replace(QUICK, parallel_per_node=2, parallel_endpoints=1))

    assert [set(observation.presented) for observation in observations] == [{"rsa"}] * 6


def test_nothing_to_survey_is_nothing_seen() -> None:
    assert survey_all([]) == ()


def test_a_hello_is_what_openssl_itself_makes() -> None:
    # Given OpenSSL's own hello with a server name, and the template's
    offer = Offer(DEFAULT)
    theirs, ours = make_hello(offer, "node.example.test"), HelloTemplate.of(offer).make("node.example.test.")
    # Then they differ in the random, and in the place of the server name among the extensions
    assert (ours[:11], sorted(ours[43:])) == (theirs[:11], sorted(theirs[43:]))
    assert ours[11:43] != theirs[11:43]
    assert HelloTemplate.of(offer).make("")[43:] == make_hello(offer, "192.0.2.1")[43:]
