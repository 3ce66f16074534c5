"""What each answer of the REST interface means."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import responses

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
from remediate.model.identity import Address, Fingerprint
from remediate.model.secret import Secret
from tests.connectors.conftest import QUICK

ACCESS = PeerAccess(Address("expc1.example.test"), tls=TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64)))
BOX = "https://expc1.example.test:443"
ROOT = f"{BOX}/api/provisioning/certs/root"
PASSWORD = Secret("hunter2-hunter2")


@pytest.fixture
def box() -> Iterator[responses.RequestsMock]:
    """Answers in the box's place."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def session(*, writable: bool = False) -> RestSession:
    return RestSession(ACCESS, Account("admin", PASSWORD), QUICK, writable=writable)


def test_both_base_paths_are_tried_and_the_right_one_is_remembered(box: responses.RequestsMock) -> None:
    box.get(ROOT, status=404)
    box.get(f"{BOX}/api/v1/provisioning/certs/root", body="here")

    with session() as rest:
        assert [rest.get("/certs/root"), rest.get("/certs/root")] == ["here", "here"]

    assert [str(call.request.url).removeprefix(BOX) for call in box.calls] == [
        "/api/provisioning/certs/root",
        "/api/v1/provisioning/certs/root",
        "/api/v1/provisioning/certs/root",
    ]


def test_a_resource_that_is_nowhere_is_not_offered(box: responses.RequestsMock) -> None:
    box.get(ROOT, status=404)
    box.get(f"{BOX}/api/v1/provisioning/certs/root", status=404)

    with session() as rest, pytest.raises(NotOffered, match=r"expc1.example.test does not offer /certs/root"):
        rest.get("/certs/root")


def test_a_refused_login_is_the_last_request(box: responses.RequestsMock) -> None:
    box.get(ROOT, status=401, json={"Message": "Authentication failed"})

    with session(writable=True) as rest:
        for ask in (lambda: rest.get("/certs/root"), lambda: rest.page("/api/raml"), lambda: rest.write("POST", "/restart")):
            with pytest.raises(LoginRefused, match=r"expc1\.example\.test refuses the login of admin"):
                ask()

    assert len(box.calls) == 1


def test_an_account_without_api_access_is_explained(box: responses.RequestsMock) -> None:
    box.get(ROOT, status=403, json={"Message": "Forbidden"})

    with session() as rest, pytest.raises(AccessError, match="Forbidden") as caught:
        rest.get("/certs/root")

    assert "API access" in caught.value.next_step


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_yes(box: responses.RequestsMock, status: int) -> None:
    box.get(ROOT)
    box.post(ROOT, status=status)

    with session(writable=True) as rest:
        rest.write("POST", "/certs/root")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, WriteRefused),
        (409, WriteRefused),
        (302, WriteRefused),
        (404, NotOffered),
        (405, NotOffered),
        (500, OutcomeUnknown),
    ],
)
def test_every_other_answer_to_a_write_has_its_meaning(
    box: responses.RequestsMock, status: int, error: type[RemediateError]
) -> None:
    box.get(ROOT)
    box.post(ROOT, status=status, json={"Message": "It says why"})

    with session(writable=True) as rest, pytest.raises(error):
        rest.write("POST", "/certs/root")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (json.dumps({"Message": "CommandError: Socket Error: Timeout"}), "CommandError: Socket Error: Timeout"),
        (json.dumps({"Message": ["first", "second"]}), "first; second"),
        (json.dumps({"Message": "a\x1b[2J\r\nOK\u202e"}), r"a\x1b[2J\r\nOK\u202e"),
        (json.dumps({"Message": "x" * 9999}), "x" * 299 + "…"),
        ("<html>", "<html>"),
        ("[" * 100_000, "[[["),
        ("", "no further word"),
    ],
)
def test_the_boxs_own_words_are_shown_and_harmless(box: responses.RequestsMock, body: str, shown: str) -> None:
    box.get(ROOT)
    box.post(ROOT, status=400, body=body)

    with session(writable=True) as rest, pytest.raises(WriteRefused) as caught:
        rest.write("POST", "/certs/root")

    assert shown in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_secret_that_the_box_repeats_is_not_shown(box: responses.RequestsMock) -> None:
    box.get(ROOT)
    box.post(f"{BOX}/api/provisioning/controller/server/cucm", status=400, json={"Message": "axl-secret / hunter2-hunter2"})

    with session(writable=True) as rest, pytest.raises(WriteRefused) as caught:
        rest.write("POST", "/controller/server/cucm", json={"AxlPassword": "axl-secret"}, secret=Secret("axl-secret"))

    assert str(caught.value).endswith("*** / ***")


def test_a_reading_session_sends_nothing_but_get(box: responses.RequestsMock) -> None:
    with session() as rest:
        for method in ("POST", "PUT", "DELETE"):
            with pytest.raises(WriteForbidden, match="may only read"):
                rest.write(method, "/certs/root")

    assert len(box.calls) == 0


@pytest.mark.parametrize("body", ["<html>", "{", "[" * 100_000])
def test_what_is_not_json_is_said(box: responses.RequestsMock, body: str) -> None:
    box.get(f"{BOX}/api/provisioning/common/cluster/peers", body=body)

    with session() as rest, pytest.raises(ObservationError, match="is not JSON"):
        rest.get_objects("/common/cluster/peers")


def test_one_object_stands_for_a_list_of_one(box: responses.RequestsMock) -> None:
    box.get(f"{BOX}/api/provisioning/common/cluster/peers", json={"PeerAddress": "a"})

    with session() as rest:
        assert rest.get_objects("/common/cluster/peers") == [{"PeerAddress": "a"}]


def test_every_request_has_the_header_that_some_need(box: responses.RequestsMock) -> None:
    box.get(ROOT)
    box.post(ROOT)

    with session(writable=True) as rest:
        rest.write("POST", "/certs/root")

    assert all(call.request.headers["X-CSRF-Header"] for call in box.calls)
