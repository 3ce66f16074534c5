"""The TLS probe against real servers, good, odd and hostile."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from remediate.connectors.tls.event_loop import run_alone
from remediate.connectors.tls.handshake import FailureReason, HandshakeFailure, Offer
from remediate.connectors.tls.probe import list_variants, probe
from remediate.connectors.tls.target import Observation, Target, try_offer
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import Address, CipherList
from remediate.model.limits import Limits
from tests.connectors.servers import LONG, Talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK
from tests.pki import issue

RSA, ECDSA = server_identity(), server_identity(family="ecdsa")
DEFAULT = CipherList("EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL")
PREFIXED = CipherList(RSA_PREFIX + DEFAULT)

Look = Callable[..., Observation]


def probe_one(target: Target, lists: tuple[CipherList, ...] = (), limits: Limits = QUICK) -> Observation:
    """Probe a target alone."""
    (observation,) = probe((target,), lists, limits)
    return observation


@pytest.fixture
def look() -> Iterator[Look]:
    """Return a function that starts a server and probes it."""
    with ExitStack() as stack:

        def run(talk: Talk, *, host: str = "127.0.0.1", limits: Limits = QUICK) -> Observation:
            port = stack.enter_context(tcp_server(talk, host))
            return probe_one(Target(Address("node.example.test"), port, "cucm", connect_to=host), (DEFAULT,), limits)

        yield run


def test_both_families_and_what_the_peers_lists_would_get(look: Look) -> None:
    observation = look(tls_talk(tls_context(RSA, ECDSA)))

    assert observation.presented == {"rsa": (RSA.certificate,), "ecdsa": (ECDSA.certificate,)}
    assert (observation.preferred.client_order, observation.preferred.family) == (True, None)
    assert observation.preferred.measured == {DEFAULT: "ecdsa", PREFIXED: "rsa"}
    assert (observation.tls13, observation.error) == (False, None)


def test_a_node_that_imposes_its_own_order(look: Look) -> None:
    context = tls_context(RSA, ECDSA, ciphers="ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:AES256-SHA")
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE

    observation = look(tls_talk(context))

    assert (observation.preferred.client_order, observation.preferred.family) == (False, "rsa")
    assert observation.preferred.measured == {DEFAULT: "rsa"}


@pytest.mark.parametrize("family", ["rsa", "ecdsa"])
def test_a_node_with_one_certificate_has_no_preference(look: Look, family: str) -> None:
    identity = server_identity(family=family)

    observation = look(tls_talk(tls_context(identity)))

    assert observation.presented == {family: (identity.certificate,)}
    assert observation.preferred.client_order is None
    assert not observation.preferred.measured


def test_the_chain_is_as_sent_even_if_it_makes_no_sense(look: Look) -> None:
    root, stranger = issue("Root", ca=True), issue("Stranger", ca=True)
    leaf = server_identity(issuer=root)

    observation = look(tls_talk(tls_context(leaf, chain=(stranger, root, stranger))))

    assert observation.presented["rsa"] == tuple(entity.certificate for entity in (leaf, stranger, root, stranger))


def test_ipv6_and_the_name_in_the_sni(look: Look) -> None:
    names: list[str | None] = []
    context = tls_context(RSA)
    context.sni_callback = lambda _connection, name, _context: names.append(name)

    assert look(tls_talk(context), host="::1").presented
    assert set(names) == {"node.example.test"}


def test_an_ip_address_is_no_server_name() -> None:
    names: list[str | None] = []
    context = tls_context(RSA)
    context.sni_callback = lambda _connection, name, _context: names.append(name)
    with tcp_server(tls_talk(context)) as port:
        assert probe_one(Target(Address("127.0.0.1"), port, "cucm")).presented
    assert set(names) == {None}


def test_tls_1_3_is_seen_beside_1_2(look: Look) -> None:
    context = tls_context(RSA)
    context.maximum_version = ssl.TLSVersion.TLSv1_3

    assert look(tls_talk(context)).tls13 is True


def test_a_node_that_speaks_only_tls_1_3_is_reported(look: Look) -> None:
    context = tls_context(RSA)
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_3

    observation = look(tls_talk(context))

    assert (observation.presented, observation.tls13) == ({}, True)
    assert observation.error is not None
    assert observation.error.startswith("handshake-failed: it supports only TLS 1.3")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_a_node_that_is_too_old_is_reported(look: Look) -> None:
    context = tls_context(RSA)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    assert look(tls_talk(context)).error == "handshake-failed: it supports TLSv1.1 at most, but the peers require TLS 1.2"


def test_a_node_without_a_common_cipher(look: Look) -> None:
    assert look(tls_talk(tls_context(ciphers="ADH:@SECLEVEL=0"))).error == (
        "handshake-failed: no shared cipher, neither with RSA nor with ECDSA"
    )


def _closes_instead_of_alerting(context: ssl.SSLContext) -> Talk:
    """Send nothing when the handshake fails, as asyncio and some Windows servers do."""

    def talk(connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
            except ssl.SSLError:
                return
            else:
                connection.sendall(outgoing.read())
                return

    return talk


def test_a_node_that_closes_instead_of_alerting_is_understood(look: Look) -> None:
    started = time.monotonic()

    observation = look(_closes_instead_of_alerting(tls_context(RSA)), limits=replace(QUICK, read_pause_s=40))

    assert (set(observation.presented), observation.tls13, observation.error) == ({"rsa"}, False, None)
    assert time.monotonic() - started < 20


def test_a_node_that_requires_a_client_certificate_is_read(look: Look) -> None:
    context = tls_context(RSA)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=issue("Root", ca=True).certificate.pem)

    assert look(tls_talk(context)).presented == {"rsa": (RSA.certificate,)}


def test_half_an_answer_is_no_answer(look: Look) -> None:
    """One family that fails by accident must not look like a node without that certificate."""
    context, count = tls_context(RSA, ECDSA), [0]

    def talk(connection: socket.socket) -> None:
        count[0] += 1
        if count[0] == 1:
            return tls_talk(context)(connection)
        connection.recv(100)
        return connection.sendall(b"\x16\x03\x03\x40")

    observation = look(talk)

    assert observation.presented == {}
    assert observation.error == "handshake-failed: the connection was closed or reset during the TLS handshake"


def test_an_accident_is_tried_again_once(look: Look) -> None:
    context, count = tls_context(RSA, ECDSA), [0]

    def talk(connection: socket.socket) -> None:
        count[0] += 1
        if count[0] == 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        tls_talk(context)(connection)

    assert set(look(talk).presented) == {"rsa", "ecdsa"}


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the answer is not TLS"),
        (b"SSH-2.0-x\r\n", "the answer is not TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "it answers with TLS alert 80"),
        (b"\x16\x03\x03\x00\x04\x02\x00\xff\xff", "the connection was closed or reset"),
    ],
)
def test_what_is_not_a_handshake_is_named(look: Look, greeting: bytes, error: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(greeting)

    observed = look(talk).error
    assert observed is not None
    assert observed.startswith(f"handshake-failed: {error}")


def test_silence_and_dripping_end_at_the_limit(look: Look) -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            connection.sendall(b"\0")
            time.sleep(0.01)

    for talk in (silent, drip):
        assert look(talk, limits=replace(QUICK, handshake_s=0.2)).error == (
            "handshake-failed: the TLS handshake was not finished within 0.2 s"
        )


def test_a_chain_without_end_is_not_read(look: Look) -> None:
    many = tuple(issue(f"CA {number}", ca=True, key_name="one") for number in range(120))

    error = look(tls_talk(tls_context(RSA, chain=many))).error
    assert error == "handshake-failed: it sends 121 certificates"


def test_a_certificate_that_is_none_is_refused_not_raised(look: Look) -> None:
    """A server hello and a Certificate message whose only certificate is five zero bytes."""
    hello = b"\x03\x03" + bytes(32) + b"\0" + b"\xc0\x30" + b"\0"
    certificate = bytes.fromhex("00000a000007") + bytes(7)

    def record(kind: int, body: bytes) -> bytes:
        message = bytes([kind]) + len(body).to_bytes(3, "big") + body
        return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(record(2, hello) + record(11, certificate))
        connection.recv(65536)

    error = look(talk).error
    assert error is not None
    assert error.startswith("handshake-failed: OpenSSL says: ")


def test_a_closed_port_and_an_unknown_name() -> None:
    with tcp_server(lambda _connection: None) as port:
        pass
    closed = probe_one(Target(Address("127.0.0.1"), port, "cucm"))
    unknown = probe_one(Target(Address("no-such-host.invalid"), 8443, "cucm"))

    assert (closed.error, closed.refused) == ("unreachable: connection refused", True)
    assert (unknown.error, unknown.refused) == ("unreachable: its name does not resolve", False)


def test_a_cipher_list_unknown_to_openssl_is_not_measured() -> None:
    target = Target(Address("127.0.0.1"), 1, "cucm")
    assert run_alone(try_offer(target, Offer("NO-SUCH-CIPHER!!"), QUICK), QUICK) == HandshakeFailure(
        FailureReason.NOT_OFFERABLE, "this OpenSSL does not know the cipher list NO-SUCH-CIPHER!!"
    )


def test_variants_take_the_prefix_away_or_put_it_in_front() -> None:
    assert list_variants(DEFAULT) == (DEFAULT, PREFIXED)
    assert list_variants(PREFIXED) == (PREFIXED, DEFAULT)


def test_no_node_gets_more_connections_at_once_than_allowed() -> None:
    context, now, most = tls_context(RSA), [0], [0]
    lock = threading.Lock()

    def talk(connection: socket.socket) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        # Before the first byte of ours, so that no client can have gone on yet.
        with lock:
            now[0] -= 1
        tls_talk(context)(connection)

    probed: list[Target] = []
    with tcp_server(talk) as port:
        targets = [Target(Address(f"n{number}.example.test"), port, "cucm", "127.0.0.1") for number in range(12)]
        limits = replace(QUICK, parallel_per_node=3)
        observations = probe(targets, (), limits, lambda target, _observation: probed.append(target))

    assert 1 < most[0] <= 3
    assert len(observations) == 12
    assert sorted(probed, key=lambda target: target.address) == sorted(targets, key=lambda target: target.address)


def test_nothing_to_look_at_is_nothing_seen() -> None:
    assert probe((), (DEFAULT,), QUICK) == ()


def test_weak_keys_can_be_looked_at(look: Look) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests import pki

    weak = rsa.generate_private_key(65537, 1024)
    subject = pki.name("old.example.test")
    signed = pki.issue(
        "old.example.test", pki.Entity(RSA.certificate, weak, subject), key_name="server/rsa", family="rsa", lasts=LONG
    )

    assert look(tls_talk(tls_context(signed))).presented == {"rsa": (signed.certificate,)}


def test_a_certificate_of_nearly_100_kb_is_seen(look: Look) -> None:
    # Given a node whose certificate is as long as OpenSSL takes: it has thousands of names
    names = tuple(f"{number:05}.{'a' * 50}.example.test" for number in range(1_350))
    long = issue("node.example.test", names=names, family="rsa")
    assert 90 * 1024 < len(long.certificate.der) < 100 * 1024

    assert look(tls_talk(tls_context(long))).presented == {"rsa": (long.certificate,)}
