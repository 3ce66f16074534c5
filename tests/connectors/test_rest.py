"""What each answer of the REST interface means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from remediate.connectors.http import Account
from remediate.connectors.rest import RestSession
from remediate.model.access import PeerAccess, TlsTrust
from remediate.model.errors import (
    AccessError,
    LoginRefused,
    NotOffered,
    ObservationError,
    OutcomeUnknown,
    RemediateError,
    WriteForbidden,
    WriteRefused,
)
from remediate.model.identity import Address
from remediate.model.secret import Secret
from tests.connectors.conftest import QUICK
from tests.connectors.servers import Answers, http, routed_talk, server_identity, tcp_server, tls_context
from tests.pki import issue

SERVER = server_identity("localhost")
LIST = issue("Root", ca=True).certificate.pem
ROOT = "/api/provisioning/certs/root"
PEERS = "/api/provisioning/common/cluster/peers"
PASSWORD = Secret("hunter2-hunter2")


@dataclass
class Peer:
    """A server in a peer's place. `answers` may be changed while it runs."""

    answers: Answers = field(default_factory=lambda: {f"GET {ROOT}": [http(200, LIST)]})
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    def says(self, request: str, status: int, body: object = "", *headers: str) -> None:
        """Answer `request` (``GET /path``) with this from now on."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers[request] = [http(status, text, *headers)]

    @property
    def requests(self) -> list[str]:
        """Method and path of each request that came."""
        return [" ".join(each.decode().split(" ", 2)[:2]) for each in self.asked]

    @contextmanager
    def session(self, *, writable: bool = False) -> Iterator[RestSession]:
        """A session with it."""
        access = PeerAccess(Address("localhost"), rest_port=self.port, tls=TlsTrust(SERVER.certificate.fingerprint))
        with RestSession(access, Account("admin", PASSWORD), QUICK, writable=writable) as opened:
            yield opened


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A peer with one certificate in its list."""
    started = Peer()
    with tcp_server(routed_talk(tls_context(SERVER), started.answers, started.asked)) as started.port:
        yield started


def test_both_base_paths_are_tried_and_the_right_one_is_remembered(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 404)
    peer.says("GET /api/v1/provisioning/certs/root", 200, "here")

    with peer.session() as rest:
        assert [rest.get("/certs/root"), rest.get("/certs/root")] == ["here", "here"]

    assert peer.requests == [f"GET {ROOT}", *["GET /api/v1/provisioning/certs/root"] * 2]


def test_a_resource_that_is_nowhere_is_not_offered(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 404)

    with peer.session() as rest, pytest.raises(NotOffered, match=r"localhost does not offer /certs/root"):
        rest.get("/certs/root")


def test_a_refused_login_is_the_last_request(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 401, {"Message": "Authentication failed"})

    with peer.session(writable=True) as rest:
        for ask in (lambda: rest.get("/certs/root"), lambda: rest.page("/api/raml"), lambda: rest.write("POST", "/restart")):
            with pytest.raises(LoginRefused, match=r"localhost refuses the login of admin"):
                ask()

    assert len(peer.asked) == 1


def test_an_account_without_api_access_is_explained(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 403, {"Message": "Forbidden"})

    with peer.session() as rest, pytest.raises(AccessError, match="Forbidden") as caught:
        rest.get("/certs/root")

    assert "API access" in caught.value.next_step


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_yes(peer: Peer, status: int) -> None:
    peer.says(f"POST {ROOT}", status)

    with peer.session(writable=True) as rest:
        rest.write("POST", "/certs/root")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, WriteRefused),
        (409, WriteRefused),
        (302, OutcomeUnknown),
        (404, NotOffered),
        (405, NotOffered),
        (500, OutcomeUnknown),
    ],
)
def test_every_other_answer_to_a_write_has_its_meaning(peer: Peer, status: int, error: type[RemediateError]) -> None:
    peer.says(f"POST {ROOT}", status, {"Message": "It says why"})

    with peer.session(writable=True) as rest, pytest.raises(error):
        rest.write("POST", "/certs/root")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (json.dumps({"Message": "CommandError: Socket Error: Timeout"}), "CommandError: Socket Error: Timeout"),
        (json.dumps({"Message": ["first", "second"]}), "first; second"),
        (json.dumps({"Message": "a\x1b[2J\r\nOK\u202e"}), r"a\x1b[2J\r\nOK\u202e"),
        (json.dumps({"Message": "x" * 9999}), "x" * 299 + "…"),
        ("<html>", "a web page (HTML)"),
        ("[" * 100_000, "[[["),
        ("", "no further word"),
    ],
)
def test_the_boxs_own_words_are_shown_and_harmless(peer: Peer, body: str, shown: str) -> None:
    peer.says(f"POST {ROOT}", 400, body)

    with peer.session(writable=True) as rest, pytest.raises(WriteRefused) as caught:
        rest.write("POST", "/certs/root")

    assert shown in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_secret_that_the_box_repeats_is_not_shown(peer: Peer) -> None:
    peer.says("POST /api/provisioning/controller/server/cucm", 400, {"Message": "axl-secret / hunter2-hunter2"})

    with peer.session(writable=True) as rest, pytest.raises(WriteRefused) as caught:
        rest.write("POST", "/controller/server/cucm", json={"AxlPassword": "axl-secret"}, secret=Secret("axl-secret"))

    assert str(caught.value).endswith("*** / ***")


def test_a_reading_session_sends_nothing_but_get(peer: Peer) -> None:
    with peer.session() as rest:
        for method in ("POST", "PUT", "DELETE"):
            with pytest.raises(WriteForbidden, match="may only read"):
                rest.write(method, "/certs/root")

    assert len(peer.asked) == 0


@pytest.mark.parametrize("body", ["<html>", "{", "[" * 100_000, ""])
def test_what_is_not_json_is_said(peer: Peer, body: str) -> None:
    peer.says(f"GET {PEERS}", 200, body)

    with peer.session() as rest, pytest.raises(ObservationError, match="is not JSON"):
        rest.get_objects("/common/cluster/peers")


def test_one_object_stands_for_a_list_of_one(peer: Peer) -> None:
    peer.says(f"GET {PEERS}", 200, {"PeerAddress": "a"})

    with peer.session() as rest:
        assert rest.get_objects("/common/cluster/peers") == [{"PeerAddress": "a"}]


def test_every_request_has_the_header_that_some_need(peer: Peer) -> None:
    peer.says(f"POST {ROOT}", 200)

    with peer.session(writable=True) as rest:
        rest.write("POST", "/certs/root")

    assert all(b"X-CSRF-Header: " in each for each in peer.asked)
