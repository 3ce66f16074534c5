"""Servers that never end, never begin, or answer with what no parser likes: each exchange has one deadline and one size limit."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from remediate.connectors.http import HttpClient
from remediate.connectors.tls.pinning import make_issuer_check, make_tls_check
from remediate.model.access import TlsTrust
from remediate.model.errors import ObservationError, OutcomeUnknown
from remediate.model.limits import Limits
from tests.connectors.servers import LONG, Talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK
from tests.pki import issue
from tests.timing import assert_done_within

SERVER = server_identity("localhost")
PIN = TlsTrust(fingerprint=SERVER.certificate.fingerprint)
SHORT = replace(QUICK, connect_s=2, read_s=0.4, read_attempts=1, max_response_bytes=100_000)
OK = b"HTTP/1.1 200 OK\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example.test/\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(50_000_000))


def after_a_request(talk: Talk) -> Talk:
    """Read a request, then `talk`."""

    def run(connection: socket.socket) -> None:
        request = connection.recv(65536)
        if request.startswith(b"POST") and not request.endswith(b"}"):
            # The body may come by itself. A connection that is closed on unread bytes is reset, which loses the answer.
            connection.recv(65536)
        talk(connection)

    return run


def says(answer: bytes) -> Talk:
    """Send this and hang up."""
    return after_a_request(lambda connection: connection.sendall(answer))


def drips(start: bytes, drop: bytes) -> Talk:
    """Send `start`, then `drop` for ever, slowly enough for every pause to be short of any limit."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(0.05)

    return after_a_request(talk)


def floods(start: bytes, wave: bytes) -> Talk:
    """Send `start`, then `wave` for ever, as fast as it is taken."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(wave)

    return after_a_request(talk)


@contextmanager
def client(talk: Talk, limits: Limits = SHORT) -> Iterator[HttpClient]:
    with (
        tcp_server(tls_talk(tls_context(SERVER), talk)) as port,
        HttpClient("the peer", "localhost", port, make_tls_check(PIN), limits) as opened,
    ):
        yield opened


ENDLESS: dict[str, Callable[[], Talk]] = {
    "a status line that drips": lambda: drips(b"", b"H"),
    "headers that drip": lambda: drips(OK, b"X: y\r\n"),
    "one header that drips": lambda: drips(OK + b"X: ", b"y"),
    "interim answers that drip": lambda: drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body that drips": lambda: drips(OK + CHUNKED, b"1\r\nx\r\n"),
    "a body behind a redirect that drips": lambda: drips(FOUND + CHUNKED, b"1\r\nx\r\n"),
    "a chunk size that drips": lambda: drips(OK + CHUNKED, b"0"),
    "trailers that drip": lambda: drips(OK + CHUNKED + b"0\r\n", b"X: y\r\n"),
    "silence": lambda: drips(b"", b""),
}


@pytest.mark.parametrize("talk", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_cut_off_at_the_deadline(talk: Callable[[], Talk]) -> None:
    def ask() -> None:
        with pytest.raises(ObservationError, match=r"was not finished within|no answer in time"):
            opened.get("/x")
        with pytest.raises(OutcomeUnknown, match=r"was not finished within|no answer in time"):
            opened.send("POST", "/x", json={})

    with client(talk()) as opened:
        assert_done_within(4 * SHORT.read_s, ask, waiting=True)


FLOODS: dict[str, Callable[[], Talk]] = {
    "an endless body": lambda: floods(OK + CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "an endless body without a length": lambda: floods(OK + b"\r\n", b"x" * 4096),
    "an endless body behind a redirect": lambda: floods(FOUND + CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "a length beyond all memory": lambda: floods(OK + b"Content-Length: 9999999999999999\r\n\r\n", b"x" * 4096),
    "endless trailers": lambda: floods(OK + CHUNKED + b"0\r\n", b"X: " + b"y" * 4096 + b"\r\n"),
    "endless interim answers": lambda: floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}


@pytest.mark.parametrize("talk", FLOODS.values(), ids=FLOODS)
def test_what_is_too_large_is_not_kept(talk: Callable[[], Talk]) -> None:
    with client(talk(), replace(SHORT, read_s=10)) as opened:
        tracemalloc.start()
        try:
            with pytest.raises(ObservationError, match="is larger than"):
                opened.get("/x")
            with pytest.raises(OutcomeUnknown, match="is larger than"):
                opened.send("POST", "/x", json={})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 8_000_000


@pytest.mark.parametrize("head", [OK, FOUND], ids=["200", "302"])
@pytest.mark.parametrize("coding", [b"Content-Encoding: gzip\r\n", b"Transfer-Encoding: gzip\r\n"])
def test_what_is_compressed_is_refused_and_never_unpacked(head: bytes, coding: bytes) -> None:
    answer = head + coding + f"Content-Length: {len(BOMB)}\r\n\r\n".encode() + BOMB
    with client(says(answer)) as opened:
        tracemalloc.start()
        try:
            with pytest.raises(ObservationError, match="is encoded"):
                opened.get("/x")
            with pytest.raises(OutcomeUnknown, match="is encoded"):
                opened.send("POST", "/x", json={})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 8_000_000


BROKEN = {
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n",
    "nothing": b"",
    "too many headers": OK + b"X: y\r\n" * 500 + b"\r\n",
    "a header line too long": OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "a negative chunk": OK + CHUNKED + b"-5\r\nxxxxx\r\n0\r\n\r\n",
    "a chunk size that is none": OK + CHUNKED + b"zz\r\n",
    "a body cut short": OK + b"Content-Length: 10\r\n\r\nhalf",
    "a chunk cut short": OK + CHUNKED + b"a\r\nhalf",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer_has_one_of_our_meanings(answer: bytes) -> None:
    with client(says(answer)) as opened:
        with pytest.raises(ObservationError, match="the peer gave an unexpected answer"):
            opened.get("/x")
        with pytest.raises(OutcomeUnknown, match="its answer was lost"):
            opened.send("POST", "/x", json={})


@pytest.mark.parametrize("location", ["https://[", "https://a:b/", "//", "\x00", "https://" + "a" * 9000, "x" * 60_000])
def test_a_redirect_to_anything_is_an_answer(location: str) -> None:
    with client(says(b"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n")) as opened:
        assert opened.get("/x").is_redirect
        assert opened.send("POST", "/x", json={}).is_redirect


def test_an_end_that_tls_does_not_announce_is_no_whole_answer() -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"\r\nthe first half of a li")
        connection.shutdown(socket.SHUT_RDWR)

    with client(hang_up) as opened, pytest.raises(ObservationError, match="closed or reset"):
        opened.get("/x")


def test_an_announced_end_before_the_length_is_no_whole_answer() -> None:
    def end_early(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: 100\r\n\r\nthe first half")
        connection.unwrap()  # type: ignore[attr-defined]  # it is TLS

    with client(end_early) as opened, pytest.raises(ObservationError, match="closed or reset"):
        opened.get("/x")


def test_an_announced_end_is_the_end_of_the_answer() -> None:
    def end_well(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall of it")
        connection.unwrap()  # type: ignore[attr-defined]  # it is TLS

    with client(end_well) as opened:
        assert opened.get("/x").text == "all of it"
        assert opened.get("/x").text == "all of it"


def test_all_attempts_of_a_read_share_one_deadline() -> None:
    with client(drips(OK, b"X: y\r\n"), replace(SHORT, connect_s=0.3, read_attempts=50)) as opened:
        begun = time.monotonic()
        with pytest.raises(ObservationError):
            opened.get("/x")

    assert time.monotonic() - begun < 10


def test_a_handshake_that_drips_is_cut_off_and_nothing_was_sent() -> None:
    with tcp_server(drips(b"\x16\x03\x03\x40\x00", b"\x02")) as port:
        limits = replace(SHORT, connect_s=0.4)
        with (
            HttpClient("the peer", "localhost", port, make_tls_check(PIN), limits) as opened,
            pytest.raises(ObservationError, match="cannot be reached: no answer within"),
        ):
            opened.send("POST", "/x", json={})


@pytest.mark.parametrize("host", ["a" * 64 + ".example.test", ".example.test", "no-such-host.invalid"])
def test_a_name_that_cannot_be_one_does_not_resolve(host: str) -> None:
    with (
        HttpClient("the peer", host, 443, make_tls_check(PIN), SHORT) as opened,
        pytest.raises(ObservationError, match="its name does not resolve"),
    ):
        opened.get("/x")


def test_a_connection_is_used_again_while_it_is_open() -> None:
    connections: list[int] = []
    answer = OK + b"Content-Length: 2\r\n\r\nhi"

    def two_answers(connection: socket.socket) -> None:
        connections.append(1)
        for _ in range(2):
            connection.recv(65536)
            connection.sendall(answer)

    with client(two_answers) as opened:
        # Given a server that hangs up after two answers, when it is asked four times
        texts = [opened.get("/x").text for _ in range(2)]
        time.sleep(0.1)
        texts += [opened.get("/x").text for _ in range(2)]
    # Then each connection was used twice, and no request was lost on a dead one
    assert (texts, len(connections)) == (["hi"] * 4, 2)


def test_an_unrequested_answer_is_never_taken_for_the_next() -> None:
    def talkative(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi" + OK + b"Content-Length: 6\r\n\r\nforged")
        time.sleep(1)

    with client(talkative) as opened:
        assert [opened.get("/x").text for _ in range(2)] == ["hi", "hi"]


def test_a_name_with_a_dot_at_its_end_is_the_same_name() -> None:
    authority = issue("Lab Root", ca=True, lasts=LONG)
    node = server_identity("node.example.test", issuer=authority)
    check = make_issuer_check((authority.certificate,), "rsa")
    with (
        tcp_server(tls_talk(tls_context(node), says(OK + b"Content-Length: 0\r\n\r\n"))) as port,
        HttpClient("the node", "127.0.0.1", port, check, SHORT, server_name="node.example.test.") as opened,
    ):
        assert opened.get("/x").ok
