"""HTTPS on real TLS: who is trusted, what is read, what a broken connection means."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.http import Account, HttpClient
from remediate.connectors.tls.pinning import make_issuer_check, make_pin_check, make_tls_check
from remediate.model.access import TlsTrust
from remediate.model.errors import InventoryError, ObservationError, OutcomeUnknown, PinMismatch
from remediate.model.identity import Fingerprint
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from tests.connectors.servers import LONG, http, https_talk, server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK
from tests.der import signed_data
from tests.pki import Entity, issue

CA = issue("Lab Root", ca=True, lasts=LONG)
SERVER = server_identity("localhost", issuer=CA)
PIN = TlsTrust(fingerprint=SERVER.certificate.fingerprint)
PASSWORD = Secret("s3cret-påss")

Client = Callable[..., HttpClient]


@pytest.fixture
def requests() -> list[bytes]:
    """Collect what the server receives."""
    return []


@pytest.fixture
def client(requests: list[bytes]) -> Iterator[Client]:
    """Return a function that starts a server with these answers and opens a client to it."""
    with ExitStack() as stack:

        def start(*answers: bytes, trust: TlsTrust = PIN, limits: Limits = QUICK) -> HttpClient:
            port = stack.enter_context(tcp_server(https_talk(tls_context(SERVER), *answers, requests=requests)))
            opened = HttpClient(
                "the peer", "localhost", port, make_tls_check(trust), limits, account=Account("admin", PASSWORD)
            )
            return stack.enter_context(opened)

        yield start


def test_the_pinned_server_is_spoken_to(client: Client, requests: list[bytes]) -> None:
    assert client(http(200, "hello")).get("/x").text == "hello"
    assert b"X-CSRF-Header" in requests[0]


def test_another_certificate_is_a_mismatch_and_nothing_is_sent(client: Client, requests: list[bytes]) -> None:
    other_trust = TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64))

    with pytest.raises(PinMismatch, match="another certificate") as caught:
        client(http(200), trust=other_trust).get("/x")

    assert f"than the pinned certificate sha256:{'0' * 64}: {SERVER.certificate.fingerprint}." in str(caught.value)
    assert "The presented one is of CN=" in str(caught.value)
    assert "--pins" in caught.value.next_step
    assert "in the middle" in caught.value.next_step
    assert requests == []


def test_a_ca_file_is_enough_and_another_is_not(client: Client, requests: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CA.certificate.pem)
    (tmp_path / "other.pem").write_text(issue("Other Root", ca=True, lasts=LONG).certificate.pem)

    (tmp_path / "certnew.p7b").write_bytes(signed_data(CA.certificate.der))

    for name in ("ca.pem", "certnew.p7b"):
        assert client(http(200), trust=TlsTrust(ca=tmp_path / name)).get("/x").ok
    requests.clear()
    with pytest.raises(PinMismatch, match="does not verify"):
        client(http(200), trust=TlsTrust(ca=tmp_path / "other.pem")).get("/x")
    with pytest.raises(PinMismatch, match="the system's CA store"):
        client(http(200), trust=TlsTrust()).get("/x")
    assert requests == []


def test_a_name_that_is_not_in_the_certificate_is_a_mismatch(tmp_path: Path) -> None:
    with tcp_server(https_talk(tls_context(SERVER), http(200))) as port:
        for name, fits in (("localhost", True), ("cucm.example.test", False)):
            check = make_issuer_check((CA.certificate,), "rsa")
            with HttpClient("the peer", "127.0.0.1", port, check, QUICK, server_name=name) as client:
                if fits:
                    assert client.get("/x").ok
                else:
                    with pytest.raises(PinMismatch, match="Hostname mismatch"):
                        client.get("/x")


def test_no_environment_variable_has_a_say(
    client: Client, requests: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text(CA.certificate.pem)
    (tmp_path / "netrc").write_text("machine localhost login eve password eve\n")
    (tmp_path / "netrc").chmod(0o600)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wrong = TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64))

    for trust in (wrong, TlsTrust()):
        with pytest.raises(PinMismatch):
            client(http(200), trust=trust).get("/x")
    assert requests == []
    assert client(http(200)).get("/x").ok
    assert b"Authorization: Basic YWRtaW46czNjcmV0LXDDpXNz" in requests[0]


def test_a_ca_file_without_certificates_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="cannot be used"):
        make_tls_check(TlsTrust(ca=Path("/nowhere/ca.pem")))
    (tmp_path / "ca.pem").write_text("<html>Log in</html>")
    with pytest.raises(InventoryError, match=r"cannot be used: .*ca\.pem: There is no certificate in it: it is a web page"):
        make_tls_check(TlsTrust(ca=tmp_path / "ca.pem"))


def test_reads_are_asked_again_within_the_limits(client: Client, requests: list[bytes]) -> None:
    assert client(b"", b"", http(200, "third")).get("/x").text == "third"

    requests.clear()
    with pytest.raises(ObservationError, match="the peer gave an unexpected answer"):
        client(b"").get("/x")
    assert len(requests) == QUICK.read_attempts


def test_a_lost_answer_to_a_write_is_unknown_and_never_repeated(client: Client, requests: list[bytes]) -> None:
    with pytest.raises(OutcomeUnknown, match="its answer was lost"):
        client(b"").send("POST", "/x", json={"a": "b"})
    with pytest.raises(OutcomeUnknown):
        client(http(200, "half")[:-2], limits=replace(QUICK, read_s=0.2)).send("POST", "/x", json={"a": "b"})

    assert len(requests) == 2


def test_a_write_whose_answer_takes_too_long_is_unknown() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with (
        tcp_server(tls_talk(tls_context(SERVER), silent)) as port,
        HttpClient("the peer", "localhost", port, make_tls_check(PIN), replace(QUICK, read_s=0.2)) as client,
        pytest.raises(OutcomeUnknown, match="no answer in time"),
    ):
        client.send("POST", "/x", json={})


def test_what_was_never_connected_was_never_sent() -> None:
    with tcp_server(lambda _connection: None) as port:
        pass
    with HttpClient("the peer", "localhost", port, make_tls_check(PIN), QUICK) as client:
        with pytest.raises(ObservationError, match="cannot be reached: connection refused"):
            client.get("/x")
        with pytest.raises(ObservationError, match="cannot be reached: connection refused"):
            client.send("POST", "/x")


def test_an_unknown_name_is_reported() -> None:
    with (
        HttpClient("the peer", "no-such-host.invalid", 443, make_tls_check(PIN), replace(QUICK, read_attempts=1)) as client,
        pytest.raises(ObservationError, match="its name does not resolve"),
    ):
        client.get("/x")


def test_a_redirect_is_not_followed(client: Client, requests: list[bytes]) -> None:
    assert client(http(302, "", "Location: https://elsewhere.example.test/")).get("/x").status == 302
    assert len(requests) == 1


def test_an_answer_that_is_too_large_is_not_requested_again(client: Client, requests: list[bytes]) -> None:
    with pytest.raises(ObservationError, match="larger than 1000 bytes"):
        client(http(200, "x" * 100_000), limits=replace(QUICK, max_response_bytes=1000)).get("/x")

    assert len(requests) == 1


def test_an_answer_that_drips_is_not_waited_for() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\nx\r\n")
            time.sleep(0.02)

    limits = replace(QUICK, read_s=0.3, read_attempts=1)
    with (
        tcp_server(tls_talk(tls_context(SERVER), drip)) as port,
        HttpClient("the peer", "localhost", port, make_tls_check(PIN), limits) as client,
        pytest.raises(ObservationError, match="was not finished within"),
    ):
        client.get("/x")


def test_the_password_is_in_no_exception(client: Client) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        client(b"").send("POST", "/x", json={})

    error: BaseException | None = caught.value
    while error is not None:
        assert PASSWORD.reveal() not in f"{error!s}{error!r}{error.args!r}"
        error = error.__cause__ or error.__context__


def test_a_family_can_be_asked_for() -> None:
    ecdsa: Entity = server_identity("localhost", "ecdsa")
    with tcp_server(https_talk(tls_context(SERVER, ecdsa), http(200))) as port:
        for identity, family in ((SERVER, "rsa"), (ecdsa, "ecdsa")):
            check = make_pin_check(identity.certificate.fingerprint, family)  # type: ignore[arg-type]  # a literal in a loop
            with HttpClient("the peer", "localhost", port, check, QUICK) as client:
                assert client.get("/x").ok
