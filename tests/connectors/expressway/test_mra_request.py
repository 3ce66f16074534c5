"""A client of Mobile and Remote Access, asked of real servers: the sign-in, its cookie, and what each answer counts for."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.expressway.mra_request import MraClient
from remediate.connectors.expressway.sign_in_budget import SignInBudget
from remediate.model.access import MraAccess, TlsTrust
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.errors import InventoryError
from remediate.model.identity import Address, Fingerprint
from remediate.model.secret import Login, Secret
from tests.connectors.servers import http, https_talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK, FixedSecret

SERVER = server_identity("localhost")
PIN = TlsTrust(fingerprint=SERVER.certificate.fingerprint)
CUCM = Address("cucm.steven.lab")
COOKIE = "X-Auth=1e1111e1-dddb-49e9-ad0d-ab34526e2b00"
SIGNED_IN = http(200, "<getEdgeConfigResponse/>", f"Set-Cookie: {COOKIE}; Domain=.steven.lab; Path=/; Secure")
LOGIN = Login("probe", FixedSecret("s3cret"))

Front = Callable[..., MraAccess]


class NoPassword:
    """A source whose password is not there."""

    def describe(self) -> str:
        return "the test"

    def read(self) -> Secret:
        raise InventoryError("The environment variable PROBE, which should hold a password, is not set.")


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
            return MraAccess("localhost", port, PIN, login=LOGIN)

        yield start


@pytest.fixture
def client(tmp_path: Path) -> MraClient:
    """Return the client of one run."""
    return MraClient(SignInBudget(tmp_path))


def ask(client: MraClient, access: MraAccess, port: int = 8443, product: str | None = "cucm") -> ClientAnswer:
    """Ask for an endpoint of Unified CM."""
    return client(access, CUCM, port, product, QUICK)  # type: ignore[arg-type]  # a literal


def target_in(request: bytes) -> tuple[str, str]:
    """Return the decoded target of a request, and the path behind it."""
    _, target, path = request.split(b" ")[1].decode().split("/", 2)
    return base64.b64decode(target + "=" * (-len(target) % 4)).decode(), path


def test_a_client_signs_in_once_and_asks_with_its_cookie(client: MraClient, front: Front, requests: list[bytes]) -> None:
    # Given an Expressway-E that gives a session
    access = front(SIGNED_IN, http(200))
    # When a client asks twice
    answers = [ask(client, access), ask(client, access, 6972)]
    # Then it signed in once, with the account, and each request has the cookie alone
    sign_in, *requests_with_session = requests
    assert [answer.kind for answer in answers] == [AnswerKind.REACHED] * 2
    assert sign_in.startswith(b"GET /c3RldmVuLmxhYg/get_edge_config?")
    assert b"Authorization: Basic " + base64.b64encode(b"probe:s3cret") in sign_in
    assert b"Cookie" not in sign_in
    assert len(requests_with_session) == 2
    for request in requests_with_session:
        assert f"Cookie: {COOKIE}\r\n".encode() in request
        assert b"authorization" not in request.lower()


@pytest.mark.parametrize(
    ("port", "product", "path"),
    [(8443, "cucm", "cucm-uds/version"), (6972, "cucm", ""), (8443, "imp", ""), (8443, "unity", ""), (8443, None, "")],
)
def test_only_unified_cm_is_asked_for_more_than_its_root(
    client: MraClient, front: Front, requests: list[bytes], port: int, product: str | None, path: str
) -> None:
    ask(client, front(SIGNED_IN, http(204)), port, product)
    assert target_in(requests[1]) == (f"steven.lab/https/cucm.steven.lab/{port}", path)
    assert b"=" not in requests[1].split(b" ")[1]


def test_the_path_is_that_of_ciscos_own_capture(client: MraClient, front: Front, requests: list[bytes]) -> None:
    access = replace(front(SIGNED_IN, http(200)), domain="steven.lab")
    client(access, Address("10.48.36.215"), 8443, "cucm", QUICK)
    assert requests[1].startswith(b"GET /c3RldmVuLmxhYi9odHRwcy8xMC40OC4zNi4yMTUvODQ0Mw/cucm-uds/version ")


MEANINGS = {
    200: AnswerKind.REACHED,
    204: AnswerKind.REACHED,
    502: AnswerKind.REFUSED,
    401: AnswerKind.NO_LOGIN,
    403: AnswerKind.FORBIDDEN,
    429: AnswerKind.RATE_LIMITED,
    302: AnswerKind.OTHER,
    404: AnswerKind.OTHER,
    503: AnswerKind.OTHER,
}


@pytest.mark.parametrize(("status", "kind"), MEANINGS.items(), ids=map(str, MEANINGS))
def test_what_a_status_counts_for(
    client: MraClient, front: Front, requests: list[bytes], status: int, kind: AnswerKind
) -> None:
    answer = ask(client, front(SIGNED_IN, http(status, "", "Location: /elsewhere")))
    assert (answer.kind, answer.reason) == (kind, "X")
    assert answer.detail.startswith(f"HTTP {status}")
    assert len(requests) == 2, "neither followed nor tried again"


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refused_request_ends_asking(client: MraClient, front: Front, requests: list[bytes], status: int) -> None:
    access = front(SIGNED_IN, http(status))
    answers = [ask(client, access).kind for _ in range(3)]
    assert answers[1:] == [AnswerKind.NOT_ASKED] * 2
    assert len(requests) == 2


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refused_sign_in_ends_asking(client: MraClient, front: Front, requests: list[bytes], status: int) -> None:
    access = front(http(status))
    first, second = ask(client, access), ask(client, access)
    assert (first.kind, second.kind) == (MEANINGS[status], AnswerKind.NOT_ASKED)
    assert f"HTTP {status}" in second.detail
    assert len(requests) == 1


@pytest.mark.parametrize(("status", "count"), [(401, 0), (429, 0), (403, 2)])
def test_a_refused_account_is_used_on_no_other_way(
    client: MraClient, front: Front, requests: list[bytes], status: int, count: int
) -> None:
    # Given one account for two ways, refused on the first
    first, second = front(http(status)), front(SIGNED_IN, http(200))
    ask(client, first)
    requests.clear()
    # When a client asks over the second, Then only a refusal that is not the account's lets it
    ask(client, second)
    assert len(requests) == count


def test_a_refused_account_waits_in_the_next_run_too(tmp_path: Path, front: Front, requests: list[bytes]) -> None:
    # Given a run whose sign-in was refused
    first, second = front(http(401)), front(SIGNED_IN, http(200))
    ask(MraClient(SignInBudget(tmp_path)), first)
    # When another run asks over another way, Then nothing is sent until the window has passed
    assert ask(MraClient(SignInBudget(tmp_path)), second).kind is AnswerKind.NOT_ASKED
    assert len(requests) == 1
    later = MraClient(SignInBudget(tmp_path, now=lambda: time.time() + QUICK.sign_in_window_s + 1))
    assert ask(later, second).kind is AnswerKind.REACHED


def test_without_credentials_nothing_is_asked(client: MraClient, front: Front, requests: list[bytes]) -> None:
    answer = ask(client, replace(front(SIGNED_IN), login=None))
    assert (answer.kind, requests) == (AnswerKind.NOT_ASKED, [])
    assert "`credentials`" in answer.detail


def test_without_its_password_nothing_is_asked(client: MraClient, front: Front, requests: list[bytes]) -> None:
    answer = ask(client, replace(front(SIGNED_IN), login=Login("probe", NoPassword())))
    assert (answer.kind, requests) == (AnswerKind.NOT_ASKED, [])
    assert "PROBE" in answer.detail


def test_an_ip_address_needs_the_domain_of_the_clients(client: MraClient, front: Front, requests: list[bytes]) -> None:
    answer = client(front(SIGNED_IN), Address("10.48.36.215"), 8443, "cucm", QUICK)
    assert (answer.kind, requests) == (AnswerKind.NOT_ASKED, [])
    assert "`mra.domain`" in answer.detail


def test_over_the_budget_nothing_is_asked(tmp_path: Path, front: Front, requests: list[bytes]) -> None:
    access = front(SIGNED_IN, http(200), SIGNED_IN, http(200))
    answers = [ask(MraClient(SignInBudget(tmp_path)), access) for _ in range(4)]
    reached, not_asked = AnswerKind.REACHED, AnswerKind.NOT_ASKED
    assert [answer.kind for answer in answers] == [reached, reached, not_asked, not_asked]
    assert sum(b"get_edge_config" in request for request in requests) == 2
    assert "signed in there 2 times in the last 300 s" in answers[2].detail


def test_a_budget_that_cannot_be_counted_allows_nothing(tmp_path: Path, front: Front, requests: list[bytes]) -> None:
    (tmp_path / "sign-ins").mkdir()
    answer = ask(MraClient(SignInBudget(tmp_path)), front(SIGNED_IN, http(200)))
    assert (answer.kind, requests) == (AnswerKind.NOT_ASKED, [])
    assert "cannot be counted" in answer.detail


def test_a_way_that_is_down_costs_no_sign_in(tmp_path: Path) -> None:
    budget = SignInBudget(tmp_path)
    answers = [ask(MraClient(budget), MraAccess("localhost", 1, PIN, login=LOGIN)) for _ in range(3)]
    assert answers[2] == ClientAnswer(AnswerKind.NOTHING, "https://localhost:1 cannot be reached: connection refused")
    assert not budget.path.exists()


def test_a_sign_in_that_the_tunnel_lost_is_tried_again_later(tmp_path: Path, front: Front, requests: list[bytes]) -> None:
    # Given an Expressway-E whose tunnel comes up after a while
    now = 0.0
    client = MraClient(SignInBudget(tmp_path), clock=lambda: now)
    access = front(http(502), SIGNED_IN, http(200))
    # When a client asks again and again, Then the second sign-in of its budget waits
    assert [ask(client, access).kind for _ in range(3)] == [AnswerKind.OTHER] * 3
    assert len(requests) == 1
    now = QUICK.sign_in_again_s
    assert ask(client, access).kind is AnswerKind.REACHED


def test_a_sign_in_without_an_answer_is_sent_once(client: MraClient, front: Front, requests: list[bytes]) -> None:
    access = front(b"", SIGNED_IN)
    assert [ask(client, access).kind for _ in range(2)] == [AnswerKind.NOTHING] * 2
    assert len(requests) == 1


def test_a_redirected_sign_in_is_not_followed(client: MraClient, front: Front, requests: list[bytes]) -> None:
    answer = ask(client, front(http(302, "", "Location: https://sso.example.test/", f"Set-Cookie: {COOKIE}"), SIGNED_IN))
    assert (answer.kind, len(requests)) == (AnswerKind.OTHER, 1)
    assert "a redirect, which is not followed" in answer.detail
    assert ask(client, front(SIGNED_IN, http(200))).kind is AnswerKind.REACHED, "another way is another matter"


PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
HOSTILE = {
    "a login page": (http(200, PAGE), "a web page (HTML), “Sign in” and no session cookie"),
    "another cookie": (http(200, "", "Set-Cookie: JSESSIONID=1"), "no session cookie (X-Auth)"),
    "an empty cookie": (http(200, "", "Set-Cookie: X-Auth=; Path=/"), "characters that no cookie may have"),
    "a huge cookie": (http(200, "", f"Set-Cookie: X-Auth={'a' * 5000}"), "larger than 4096 bytes"),
    "a cookie with a space": (http(200, "", "Set-Cookie: X-Auth=a b; Path=/"), "characters that no cookie may have"),
    "a folded cookie": (http(200, "", "Set-Cookie: X-Auth=a\r\n X-Evil: yes"), "characters that no cookie may have"),
    "a cookie in another script": (http(200, "", "Set-Cookie: X-Auth=é"), "characters that no cookie may have"),
}


@pytest.mark.parametrize(("answer", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_sign_in_is_no_session(
    client: MraClient, front: Front, requests: list[bytes], answer: bytes, reason: str
) -> None:
    # Given a system that answers a sign-in with anything but a session
    access = front(answer, http(200))
    # When a client asks twice, Then nothing more is sent, and why is said
    first, second = ask(client, access), ask(client, access)
    assert (first.kind, second.kind, len(requests)) == (AnswerKind.OTHER, AnswerKind.NOT_ASKED, 1)
    assert reason in first.detail


def test_a_cookie_brings_no_header_of_its_own(client: MraClient, front: Front, requests: list[bytes]) -> None:
    ask(client, front(http(200, "", "Set-Cookie: X-Auth=a\rX-Evil: yes"), http(200)))
    assert b"Cookie: X-Auth=a\r\n" in requests[1]
    assert b"X-Evil" not in requests[1]


def test_a_web_page_in_the_place_of_the_version_is_not_reached(client: MraClient, front: Front) -> None:
    assert ask(client, front(SIGNED_IN, http(200, PAGE))).kind is AnswerKind.OTHER


def test_a_reason_phrase_is_kept_masked_and_cut(client: MraClient, front: Front) -> None:
    reason = f"s3cret\x1b[2J{'x' * 200}"
    answer = ask(client, front(SIGNED_IN, f"HTTP/1.1 502 {reason}\r\nContent-Length: 0\r\n\r\n".encode()))
    assert answer.kind is AnswerKind.REFUSED
    assert "s3cret" not in answer.reason
    assert "\x1b" not in answer.reason
    assert len(answer.reason) <= 80


def test_the_server_of_an_answer_is_kept(client: MraClient, front: Front) -> None:
    answer = ask(client, front(SIGNED_IN, http(502, "", "Server: CE_E")))
    assert (answer.server, answer.is_from_the_edge) == ("CE_E", True)


def test_no_secret_is_in_an_answer(client: MraClient, front: Front) -> None:
    value = COOKIE.partition("=")[2]
    access = front(SIGNED_IN, f"HTTP/1.1 502 {value} s3cret\r\nContent-Length: 0\r\n\r\n".encode())
    answer = ask(client, access)
    assert value not in repr(answer)
    assert "s3cret" not in repr(answer)
    assert value not in repr(client)


def test_another_server_than_the_pinned_one_gets_nothing(client: MraClient, front: Front, requests: list[bytes]) -> None:
    access = replace(front(SIGNED_IN), tls=TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64)))
    answer = ask(client, access)
    assert (answer.kind, requests) == (AnswerKind.NOTHING, [])
    assert "presents another certificate" in answer.detail


def test_an_answer_that_never_ends_is_no_answer(client: MraClient) -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        while True:
            connection.sendall(b"H")
            time.sleep(0.05)

    with tcp_server(tls_talk(tls_context(SERVER), drip)) as port:
        access = MraAccess("localhost", port, PIN, login=LOGIN)
        answer = client(access, CUCM, 8443, "cucm", replace(QUICK, read_s=0.3, read_attempts=1))

    assert answer.kind is AnswerKind.NOTHING
    assert "was not finished within" in answer.detail


def test_doctor_signs_in_and_asks_for_nothing(client: MraClient, front: Front, requests: list[bytes]) -> None:
    access = replace(front(SIGNED_IN), domain="steven.lab")
    assert [client.sign_in(access, QUICK).kind for _ in range(2)] == [AnswerKind.REACHED] * 2
    assert len(requests) == 1


def test_a_closed_client_has_no_session(client: MraClient, front: Front, requests: list[bytes]) -> None:
    access = front(SIGNED_IN, http(200), SIGNED_IN, http(200))
    ask(client, access)
    client.close()
    ask(client, access)
    assert sum(b"get_edge_config" in request for request in requests) == 2
