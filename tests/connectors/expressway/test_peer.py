"""One peer, read and changed, on the lab's real REST and SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.inventory import load
from remediate.lab import Lab
from remediate.lab.raml import PageStyle, Removal
from remediate.model.access import ClusterAccess, HostKeyTrust, PeerAccess, TlsTrust
from remediate.model.errors import (
    LoginRefused,
    NotOffered,
    ObservationError,
    OutcomeUnknown,
    PinMismatch,
    WriteForbidden,
    WriteRefused,
)
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.secret import Secret
from tests.connectors.servers import Answers, http, routed_talk, server_identity, tcp_server, tls_context
from tests.connectors.support import QUICK, Opener
from tests.pki import issue

REVERSE_PROXY = "ReverseProxyTLSCiphers"


def test_everything_is_read_as_the_box_has_it(lab: Lab, peer: Opener) -> None:
    box, one = lab.peers[0], peer(0)

    assert list(one.trusted_ca()) == box.trusted
    assert one.server_certificate() == box.server_certificate
    assert one.version() == "X14.2.1"
    assert one.ciphers() == box.ciphers
    assert one.verify_origin_server() is True
    assert one.cluster_peers() == one.alternates().peers == tuple(peer.address for peer in lab.peers)
    assert one.alternates().primary_address == lab.peers[0].address
    assert [(publisher.address, publisher.product) for publisher in one.publishers()] == [
        (each.address, each.product) for each in sorted(box.publishers, key=lambda publisher: publisher.product)
    ]
    assert one.capabilities().refresh_discovery
    assert lab.requests.writes == ()


def test_one_login_serves_all_questions_to_the_shell(lab: Lab, peer: Opener) -> None:
    one = peer(0)
    one.version()
    one.ciphers()
    one.alternates()

    assert [request.method for request in lab.requests if request.transport == "ssh"].count("login") == 1


def test_an_appended_certificate_is_there_alone(lab: Lab, peer: Opener) -> None:
    new = issue("New Root", ca=True).certificate
    before = list(lab.peers[1].trusted)

    peer(1, writable=True).append_trusted_ca(new)

    assert lab.peers[1].trusted == [*before, new]
    assert [write.path for write in lab.requests.writes] == ["/api/provisioning/certs/root"]


def test_a_lost_answer_is_unknown_and_not_repeated(lab: Lab, peer: Opener) -> None:
    lab.faults.drop_answer(lab.peers[0].address, transport="rest")
    lab.faults.drop_answer(lab.peers[0].address, transport="ssh")
    new = issue("New Root", ca=True).certificate
    one = peer(0, writable=True)

    with pytest.raises(OutcomeUnknown, match=lab.peers[0].address):
        one.append_trusted_ca(new)
    with pytest.raises(OutcomeUnknown, match="told `xConfiguration Ciphers ReverseProxyTLSCiphers Value`"):
        one.set_cipher(REVERSE_PROXY, CipherList("HIGH"))

    assert new in one.trusted_ca()
    assert len(lab.requests.writes) == 2


def test_ciphers_and_the_workaround_are_set(lab: Lab, peer: Opener) -> None:
    one = peer(0, writable=True)
    longest = CipherList("ECDHE-RSA-AES256-GCM-SHA384:" + ":".join(["HIGH"] * 400))

    one.set_cipher(REVERSE_PROXY, longest)
    one.set_verify_origin_server(False)

    assert one.ciphers()[REVERSE_PROXY] == longest
    assert one.verify_origin_server() is False
    assert lab.peers[0].verify_origin_server is False


def test_sshd_ciphers_and_odd_values_are_never_sent(lab: Lab, peer: Opener) -> None:
    one = peer(0, writable=True)

    with pytest.raises(WriteRefused, match="no OpenSSL cipher list"):
        one.set_cipher("sshd_ciphers", CipherList("HIGH"))
    with pytest.raises(WriteRefused, match="not sent"):
        one.set_cipher(REVERSE_PROXY, CipherList('HIGH"\nxCommand Boot'))

    assert lab.requests.writes == ()


def test_discovery_is_refreshed_with_the_publishers_account_only(lab: Lab, peer: Opener) -> None:
    publisher, one = lab.peers[0].publishers[0], peer(0, writable=True)

    with pytest.raises(NotOffered, match="without the AXL account"):
        one.refresh_discovery(Address(publisher.address), publisher.product, None)
    one.refresh_discovery(
        Address(publisher.address), publisher.product, (lab.accounts.axl_username, Secret(lab.accounts.axl_password))
    )

    assert lab.cluster.refreshed == [publisher.address]
    with pytest.raises(WriteRefused) as caught:
        one.refresh_discovery(Address(publisher.address), publisher.product, ("axl", Secret("wrong-axl-secret")))
    assert "wrong-axl-secret" not in str(caught.value)


def test_a_removal_that_is_not_offered_is_a_manual_step(lab: Lab, peer: Opener) -> None:
    one = peer(0, writable=True)

    with pytest.raises(NotOffered) as caught:
        one.remove_trusted_ca(lab.peers[0].trusted[0])

    assert "Trusted CA certificate" in caught.value.next_step
    assert lab.requests.writes == ()


def test_a_removal_takes_out_that_certificate_alone(tmp_path: Path) -> None:
    with Lab(tmp_path, "stale", judge=False) as lab:
        cluster, before = load(lab.inventory)[0], list(lab.peers[0].trusted)
        with ExpresswayPeer(
            cluster.peers[0], cluster.login.username, cluster.login.password.read(), QUICK, writable=True
        ) as one:
            one.remove_trusted_ca(before[1])

            assert list(one.trusted_ca()) == [before[0], *before[2:]]


def test_a_restart_is_asked_for_once(lab: Lab, peer: Opener) -> None:
    peer(2, writable=True).restart()

    assert [write.path for write in lab.requests.writes] == ["/api/provisioning/restart"]


def test_a_peer_opened_for_reading_lets_no_write_leave(lab: Lab, peer: Opener) -> None:
    one, certificate = peer(0), lab.peers[0].trusted[0]
    writes: tuple[Callable[[], None], ...] = (
        lambda: one.append_trusted_ca(certificate),
        lambda: one.remove_trusted_ca(certificate),
        lambda: one.set_cipher(REVERSE_PROXY, CipherList("HIGH")),
        lambda: one.set_verify_origin_server(True),
        lambda: one.refresh_discovery(Address("cucm.example.test"), "cucm", ("axl", Secret("a password"))),
        one.restart,
    )

    for write in writes:
        with pytest.raises(WriteForbidden):
            write()

    assert len(lab.requests) == 0


def test_a_wrong_password_is_tried_once(lab: Lab, cluster: ClusterAccess) -> None:
    with ExpresswayPeer(cluster.peers[0], cluster.login.username, Secret("wrong-password"), QUICK, writable=False) as one:
        for _ in range(2):
            with pytest.raises(LoginRefused, match="refuses the login of admin") as caught:
                one.trusted_ca()
        assert len(lab.requests) == 1
        with pytest.raises(LoginRefused, match="The shell of"):
            one.version()

    assert "wrong-password" not in str(caught.value)
    assert [request.authorised for request in lab.requests] == [False, False]


@pytest.mark.parametrize("transport", ["tls", "ssh"])
def test_a_wrong_pin_sends_no_password(lab: Lab, cluster: ClusterAccess, transport: str) -> None:
    access = cluster.peers[0]
    wrong = (
        replace(access, tls=TlsTrust(fingerprint=Fingerprint("sha256:" + "1" * 64)))
        if transport == "tls"
        else replace(access, ssh=HostKeyTrust(host_key="SHA256:" + "A" * 43))
    )
    with (
        ExpresswayPeer(wrong, cluster.login.username, cluster.login.password.read(), QUICK, writable=False) as one,
        pytest.raises(PinMismatch, match=access.address) as caught,
    ):
        one.trusted_ca() if transport == "tls" else one.version()

    assert len(lab.requests) == 0
    assert (access.ssh.host_key or "") in str(caught.value) or transport == "tls"


def test_a_peer_that_is_down_is_unreachable(lab: Lab, peer: Opener) -> None:
    lab.faults.down(lab.peers[0].address)

    with pytest.raises(ObservationError, match="connection refused"):
        peer(0).trusted_ca()
    with pytest.raises(ObservationError, match=r"SSH on .* connection refused"):
        peer(0).version()


SERVER = server_identity("localhost")
ROOT = "/api/provisioning/certs/root"
LIST = issue("Root", ca=True).certificate.pem

OpenScripted = Callable[..., ExpresswayPeer]


@pytest.fixture
def asked() -> list[bytes]:
    """What reached the scripted peer."""
    return []


@pytest.fixture
def scripted(asked: list[bytes]) -> Iterator[OpenScripted]:
    """Opens a peer whose REST interface answers as told, by path; its trusted CA list holds one certificate unless told."""
    with ExitStack() as stack:

        def start(answers: Answers, *, writable: bool = False) -> ExpresswayPeer:
            told = {f"GET {ROOT}": [http(200, LIST)], **answers}
            port = stack.enter_context(tcp_server(routed_talk(tls_context(SERVER), told, asked)))
            access = PeerAccess(Address("localhost"), rest_port=port, tls=TlsTrust(SERVER.certificate.fingerprint))
            opened = ExpresswayPeer(access, "admin", Secret("a password"), QUICK, writable=writable)
            return stack.enter_context(opened)

        yield start


def test_a_broken_block_of_the_trusted_list_is_said_with_its_number(scripted: OpenScripted) -> None:
    page = f"text\n{LIST}\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

    with pytest.raises(ObservationError, match="The trusted CA list of localhost cannot be read: PEM block 2 is broken"):
        scripted({f"GET {ROOT}": [http(200, page)]}).trusted_ca()


def test_the_upload_is_one_file_that_ends_in_one_newline(scripted: OpenScripted, asked: list[bytes]) -> None:
    certificate = issue("Root", ca=True).certificate
    answers = {f"POST {ROOT}": [http(200, '{"Message": "Root Certificate updated."}')]}

    scripted(answers, writable=True).append_trusted_ca(certificate)

    head, _, body = asked[-1].partition(b"\r\n\r\n")
    assert b"Content-Type: multipart/form-data; boundary=" in head
    assert b'name="file"' in body
    assert certificate.pem.encode() + b"\r\n--" in body
    assert certificate.pem.endswith("-----\n")


def test_an_address_that_is_none_is_not_believed(scripted: OpenScripted) -> None:
    answers = {"GET /api/provisioning/controller/server/cucm": [http(200, '[{"Publisher": "cucm\\nx"}]')]}

    with pytest.raises(ObservationError, match=r"no host name or IP address: cucm\\nx"):
        scripted(answers).publishers()


def test_the_clock_is_the_boxes_own(lab: Lab, peer: Opener) -> None:
    lab.faults.clock(lab.peers[0].address, timedelta(hours=-3))

    clocks = [peer(number).clock() for number in (0, 1)]

    assert [round((clock - datetime.now(UTC)) / timedelta(hours=1)) for clock in clocks if clock] == [-3, 0]


def test_a_shell_that_is_half_closed_leaves_the_outcome_unknown_and_the_next_session_tells(lab: Lab, peer: Opener) -> None:
    box = lab.peers[0]
    lab.faults.half_close(box.address, containing=REVERSE_PROXY)

    with pytest.raises(OutcomeUnknown, match="its answer was lost"):
        peer(0, writable=True).set_cipher(REVERSE_PROXY, CipherList("ALL"))

    assert peer(0).ciphers()[REVERSE_PROXY] == "ALL"
    lab.cluster.settle()


def test_a_box_that_locks_us_out_is_unreachable_and_not_asked_for_ever(lab: Lab, peer: Opener) -> None:
    box = lab.peers[2]
    lab.faults.lock_out(box.address, after=1, seconds=1.5)
    lab.faults.refuse_login(box.address)
    with pytest.raises(LoginRefused):
        peer(2).log_in()
    lab.faults.refuse_login(box.address, on=False)

    with pytest.raises(ObservationError, match="no answer in time"):
        peer(2, limits=replace(QUICK, read_s=0.2, read_attempts=1)).log_in()


EMPTY = {
    "nothing": http(200),
    "no content": http(204),
    "a login page": http(200, "<html><title>Sign in</title></html>", "Content-Type: text/html"),
    "a message": http(200, '{"Message": "try again"}'),
}


@pytest.mark.parametrize("answer", EMPTY.values(), ids=EMPTY)
def test_an_answer_without_what_was_asked_for_is_not_observed(scripted: OpenScripted, answer: bytes) -> None:
    base = "GET /api/provisioning"
    paths = ("/certs/root", "/certs/server", "/controller/server/cucm", "/common/cluster/peers")
    one = scripted({f"{base}{path}": [answer] for path in paths})

    for ask in (one.trusted_ca, one.server_certificate, one.publishers, one.cluster_peers):
        with pytest.raises(ObservationError):
            ask()


def test_places_for_peers_that_are_not_in_use_are_none(scripted: OpenScripted) -> None:
    page = '[{"PeerAddress": "192.0.2.1"}, {"PeerAddress": ""}]'

    assert scripted({"GET /api/provisioning/common/cluster/peers": [http(200, page)]}).cluster_peers() == ("192.0.2.1",)


@pytest.mark.parametrize("answer", [http(404), http(302, "", "Location: /login"), http(200, "<html>")])
def test_a_description_that_is_missing_offers_nothing(scripted: OpenScripted, answer: bytes) -> None:
    one = scripted({"GET /api/raml": [answer]}, writable=True)

    assert not one.capabilities().described
    with pytest.raises(NotOffered):
        one.remove_trusted_ca(issue("Root", ca=True).certificate)


def test_a_form_of_delete_that_nobody_knows_is_never_sent(lab: Lab, peer: Opener) -> None:
    lab.faults.describe(lab.peers[0].address, removal=Removal.UNKNOWN)
    one = peer(0, writable=True)

    with pytest.raises(NotOffered, match="no removal in a form that is known") as caught:
        one.remove_trusted_ca(lab.peers[0].trusted[0])

    assert "Trusted CA certificate" in caught.value.next_step
    assert lab.requests.writes == ()


@pytest.mark.parametrize("removal", [form for form in Removal if form not in (Removal.NONE, Removal.UNKNOWN)])
def test_each_form_of_delete_takes_out_that_certificate_alone(lab: Lab, peer: Opener, removal: Removal) -> None:
    simulated = lab.peers[0]
    lab.faults.describe(simulated.address, style=PageStyle.FLOW, removal=removal)
    before = list(simulated.trusted)

    peer(0, writable=True).remove_trusted_ca(before[1])

    assert simulated.trusted == [before[0], *before[2:]]
