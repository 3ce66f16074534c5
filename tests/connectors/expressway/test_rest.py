"""What each answer of the REST interface means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from remediate.connectors.expressway.rest import RestSession
from remediate.connectors.http import Account
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
from tests.connectors.servers import Answers, http, routed_talk, server_identity, tcp_server, tls_context
from tests.connectors.support import QUICK
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
    raw_requests: list[bytes] = field(default_factory=list)
    port: int = 0

    def says(self, request: str, status: int, body: object = "", *headers: str) -> None:
        """Answer `request` (``GET /path``) with this from now on."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers[request] = [http(status, text, *headers)]

    @property
    def requests(self) -> list[str]:
        """The method and path of each received request."""
        return [" ".join(request.decode().split(" ", 2)[:2]) for request in self.raw_requests]

    @contextmanager
    def session(self, *, writable: bool = False) -> Iterator[RestSession]:
        """Open a session with this peer."""
        access = PeerAccess(Address("localhost"), rest_port=self.port, tls=TlsTrust(SERVER.certificate.fingerprint))
        with RestSession(access, Account("admin", PASSWORD), QUICK, writable=writable) as opened:
            yield opened


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Start a peer with one certificate in its list."""
    started = Peer()
    with tcp_server(routed_talk(tls_context(SERVER), started.answers, started.raw_requests)) as started.port:
        yield started


def test_both_base_paths_are_tried_and_one_is_remembered(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 404)
    peer.says("GET /api/v1/provisioning/certs/root", 200, "here")

    with peer.session() as session:
        assert [session.get("/certs/root"), session.get("/certs/root")] == ["here", "here"]

    assert peer.requests == [f"GET {ROOT}", *["GET /api/v1/provisioning/certs/root"] * 2]


def test_a_resource_that_is_nowhere_is_not_offered(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 404)

    with peer.session() as session, pytest.raises(NotOffered, match=r"localhost:\d+ does not offer /certs/root"):
        session.get("/certs/root")


def test_a_refused_login_is_the_last_request(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 401, {"Message": "Authentication failed"})

    with peer.session(writable=True) as session:
        for ask in (
            lambda: session.get("/certs/root"),
            lambda: session.get_page("/api/raml"),
            lambda: session.write("POST", "/restart"),
        ):
            with pytest.raises(LoginRefused, match=r"localhost:\d+ refuses the login of admin"):
                ask()

    assert len(peer.raw_requests) == 1


def test_an_account_without_api_access_is_explained(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 403, {"Message": "Forbidden"})

    with peer.session() as session, pytest.raises(AccessError, match="Forbidden") as caught:
        session.get("/certs/root")

    assert "API access" in caught.value.next_step


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_yes(peer: Peer, status: int) -> None:
    peer.says(f"POST {ROOT}", status)

    with peer.session(writable=True) as session:
        session.write("POST", "/certs/root")


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

    with peer.session(writable=True) as session, pytest.raises(error):
        session.write("POST", "/certs/root")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (json.dumps({"Message": "CommandError: Socket Error: Timeout"}), "CommandError: Socket Error: Timeout"),
        (json.dumps({"Message": ["first", "second"]}), "first; second"),
        (json.dumps({"Message": "a\x1b[2J\r\nOK\u202e"}), r"a\x1b[2J\r\nOK\u202e"),
        (json.dumps({"Message": "x" * 9999}), "x" * 299 + "…"),
        ("<html>", "a web page (HTML)"),
        ("[" * 100_000, "[[["),
        ("", "no further details"),
    ],
)
def test_the_peers_own_words_are_shown_and_harmless(peer: Peer, body: str, words: str) -> None:
    peer.says(f"POST {ROOT}", 400, body)

    with peer.session(writable=True) as session, pytest.raises(WriteRefused) as caught:
        session.write("POST", "/certs/root")

    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_secret_that_the_peer_repeats_is_not_shown(peer: Peer) -> None:
    peer.says("POST /api/provisioning/controller/server/cucm", 400, {"Message": "axl-secret / hunter2-hunter2"})

    with peer.session(writable=True) as session, pytest.raises(WriteRefused) as caught:
        session.write("POST", "/controller/server/cucm", json={"AxlPassword": "axl-secret"}, secret=Secret("axl-secret"))

    assert str(caught.value).endswith("“*** / ***”")


def test_a_reading_session_sends_nothing_but_get(peer: Peer) -> None:
    with peer.session() as session:
        for method in ("POST", "PUT", "DELETE"):
            with pytest.raises(WriteForbidden, match="this session is read-only"):
                session.write(method, "/certs/root")

    assert len(peer.raw_requests) == 0


@pytest.mark.parametrize("body", ["<html>", "{", "[" * 100_000, ""])
def test_an_answer_that_is_not_json_is_reported(peer: Peer, body: str) -> None:
    peer.says(f"GET {PEERS}", 200, body)

    with peer.session() as session, pytest.raises(ObservationError, match="is not JSON"):
        session.get_objects("/common/cluster/peers")


def test_one_object_counts_as_a_list_of_one(peer: Peer) -> None:
    peer.says(f"GET {PEERS}", 200, {"PeerAddress": "a"})

    with peer.session() as session:
        assert session.get_objects("/common/cluster/peers") == [{"PeerAddress": "a"}]


def test_every_request_has_the_header_that_some_need(peer: Peer) -> None:
    peer.says(f"POST {ROOT}", 200)

    with peer.session(writable=True) as session:
        session.write("POST", "/certs/root")

    assert all(b"X-CSRF-Header: " in request for request in peer.raw_requests)


LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>"
EVERYTHING = (ROOT, PEERS, ROOT.replace("/api/", "/api/v1/"), PEERS.replace("/api/", "/api/v1/"))
NO_LOGIN = {
    "a login page": (200, LOGIN_PAGE, (), ObservationError, r"a web page \(HTML\), “Sign in”. Something else answers there"),
    "nothing": (204, "", (), ObservationError, "with an empty answer. Something else answers there"),
    "an empty list": (200, "[]", (), ObservationError, r"with `\[\]`"),
    "another JSON": (200, '{"status": "ok"}', (), ObservationError, "Something else answers there"),
    "other text": (200, "It works!", (), ObservationError, "with `It works!`"),
    "a redirect elsewhere": (
        302,
        "",
        ("Location: https://sso.example.test/a?token=s3",),
        ObservationError,
        "to sso.example.test. A proxy or",
    ),
    "a redirect to a port": (
        301,
        "",
        ("Location: https://LOCALHOST:7443/x",),
        ObservationError,
        "to port 7443. .*`rest_port: 7443`",
    ),
    "a redirect to plain HTTP": (301, "", ("Location: http://localhost/",), ObservationError, "to port 80"),
    "a redirect to itself": (303, "", ("Location: /login",), ObservationError, "another of its own pages.*API access"),
    "a redirect to no address": (302, "", ("Location: https://[",), ObservationError, "an address that cannot be read"),
    "a redirect to nowhere": (302, "", (), ObservationError, "without a target"),
    "a wrong password": (401, "", (), LoginRefused, "refuses the login of admin"),
    "no API access": (403, LOGIN_PAGE, (), AccessError, "denies it access .*a web page"),
    "another port": (404, "", (), ObservationError, "does not have the API of an Expressway .*`rest_port`"),
    "a broken server": (503, LOGIN_PAGE, (), ObservationError, r"HTTP 503: a web page \(HTML\)"),
}


@pytest.mark.parametrize(("status", "body", "headers", "error", "advice"), NO_LOGIN.values(), ids=NO_LOGIN)
def test_what_is_no_login_has_the_advice_that_fits(
    peer: Peer, status: int, body: str, headers: tuple[str, ...], error: type[RemediateError], advice: str
) -> None:
    for path in EVERYTHING:
        peer.says(f"GET {path}", status, body, *headers)

    with peer.session(writable=True) as session:
        with pytest.raises(error, match=advice) as caught:
            session.log_in()
        with pytest.raises(error):
            session.write("POST", "/certs/root")

    assert "token" not in str(caught.value)
    assert not any(request.startswith("POST") for request in peer.requests)


@pytest.mark.parametrize("page", [LIST, f"O=Lab, CN=Root\n{LIST}", LIST[:-40]], ids=["a list", "with text", "one that is cut"])
def test_certificates_prove_a_login_whatever_they_are_worth(peer: Peer, page: str) -> None:
    peer.says(f"GET {ROOT}", 200, page)

    with peer.session() as session:
        session.log_in()

    assert peer.requests == [f"GET {ROOT}"]


def test_the_cluster_peers_prove_a_login_without_a_list(peer: Peer) -> None:
    peer.says(f"GET {ROOT}", 200)
    peer.says(f"GET {PEERS}", 200, [{"PeerAddress": "192.0.2.1"}])

    with peer.session() as session:
        session.log_in()


@pytest.mark.parametrize(("status", "body"), [(200, LOGIN_PAGE), (302, ""), (307, LOGIN_PAGE)])
def test_a_web_page_after_a_write_leaves_its_outcome_unknown(peer: Peer, status: int, body: str) -> None:
    peer.says(f"POST {ROOT}", status, body, "Location: https://[")

    with peer.session(writable=True) as session, pytest.raises(OutcomeUnknown):
        session.write("POST", "/certs/root")


@pytest.mark.parametrize("body", ["null", "3", '"text"', '["a"]', '[{"PeerAddress": "a"}, 3]'])
def test_json_that_is_no_list_of_objects_is_reported(peer: Peer, body: str) -> None:
    peer.says(f"GET {PEERS}", 200, body)

    with peer.session() as session, pytest.raises(ObservationError, match="no list of objects"):
        session.get_objects("/common/cluster/peers")
