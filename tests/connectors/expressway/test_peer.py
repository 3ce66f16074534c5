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
from remediate.lab.scenario import PageStyle, Removal
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


def test_every_value_is_read_as_the_peer_has_it(lab: Lab, open_peer: Opener) -> None:
    simulated, peer = lab.peers[0], open_peer(0)

    assert list(peer.trusted_ca()) == simulated.trusted
    assert peer.server_chain() == (simulated.server_certificate,)
    assert (peer.version(), peer.system_name()) == ("X14.2.1", "expc1.steven.lab")
    assert peer.ciphers() == simulated.ciphers
    assert peer.verify_origin_server() is True
    assert peer.cluster_peers() == peer.alternates().peers == tuple(simulated.address for simulated in lab.peers)
    assert peer.alternates().primary_address == lab.peers[0].address
    assert [(publisher.address, publisher.product) for publisher in peer.publishers()] == [
        (each.address, each.product) for each in sorted(simulated.publishers, key=lambda publisher: publisher.product)
    ]
    assert peer.capabilities().refresh_discovery
    assert lab.requests.writes == ()


def test_one_login_serves_all_questions_to_the_shell(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(0)
    peer.version()
    peer.ciphers()
    peer.alternates()

    assert [request.method for request in lab.requests if request.transport == "ssh"].count("login") == 1


def test_an_appended_certificate_is_there_alone(lab: Lab, open_peer: Opener) -> None:
    new = issue("New Root", ca=True).certificate
    before = list(lab.peers[1].trusted)

    open_peer(1, writable=True).append_trusted_ca(new)

    assert lab.peers[1].trusted == [*before, new]
    assert [write.path for write in lab.requests.writes] == ["/api/provisioning/certs/root"]


def test_a_lost_answer_is_unknown_and_not_repeated(lab: Lab, open_peer: Opener) -> None:
    lab.faults.drop_answer(lab.peers[0].address, transport="rest")
    lab.faults.drop_answer(lab.peers[0].address, transport="ssh")
    new = issue("New Root", ca=True).certificate
    peer = open_peer(0, writable=True)

    with pytest.raises(OutcomeUnknown, match=lab.peers[0].address):
        peer.append_trusted_ca(new)
    with pytest.raises(OutcomeUnknown, match="sent `xConfiguration Ciphers ReverseProxyTLSCiphers Value`"):
        peer.set_cipher(REVERSE_PROXY, CipherList("HIGH"))

    assert new in peer.trusted_ca()
    assert len(lab.requests.writes) == 2


def test_ciphers_and_the_workaround_are_set(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(0, writable=True)
    longest = CipherList("ECDHE-RSA-AES256-GCM-SHA384:" + ":".join(["HIGH"] * 400))

    peer.set_cipher(REVERSE_PROXY, longest)
    peer.set_verify_origin_server(False)

    assert peer.ciphers()[REVERSE_PROXY] == longest
    assert peer.verify_origin_server() is False
    assert lab.peers[0].verify_origin_server is False


def test_sshd_ciphers_and_odd_values_are_never_sent(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(0, writable=True)

    with pytest.raises(WriteRefused, match="not an OpenSSL cipher list"):
        peer.set_cipher("sshd_ciphers", CipherList("HIGH"))
    with pytest.raises(WriteRefused, match="not sent"):
        peer.set_cipher(REVERSE_PROXY, CipherList('HIGH"\nxCommand Boot'))

    assert lab.requests.writes == ()


def test_discovery_is_refreshed_only_with_the_axl_account(lab: Lab, open_peer: Opener) -> None:
    publisher, peer = lab.peers[0].publishers[0], open_peer(0, writable=True)

    with pytest.raises(NotOffered, match="without the AXL account"):
        peer.refresh_discovery(Address(publisher.address), publisher.product, None)
    peer.refresh_discovery(
        Address(publisher.address), publisher.product, (lab.accounts.axl_username, Secret(lab.accounts.axl_password))
    )

    assert lab.cluster.refreshed == [publisher.address]
    wrong = (lab.accounts.axl_username, Secret("wrong-axl-secret"))
    with pytest.raises(WriteRefused) as caught:
        peer.refresh_discovery(Address(publisher.address), publisher.product, wrong)
    assert "wrong-axl-secret" not in str(caught.value)


def test_a_refresh_sends_back_every_setting(lab: Lab, open_peer: Opener) -> None:
    publisher, peer = lab.peers[0].publishers[0], open_peer(0, writable=True)
    publisher.settings = {"AesGcm": "on", "IcePassthrough": "on", "Deployment": "Europe"}
    before = publisher.as_json()

    peer.refresh_discovery(
        Address(publisher.address), publisher.product, (lab.accounts.axl_username, Secret(lab.accounts.axl_password))
    )

    assert next(entry for entry in lab.peers[0].publishers if entry.address == publisher.address).as_json() == before


@pytest.mark.parametrize(
    ("settings", "username", "reason"),
    [({"MediaPolicy": "new"}, "", "MediaPolicy"), ({}, "another", "another AXL account")],
    ids=["unknown setting", "another account"],
)
def test_a_refresh_that_could_lose_something_is_manual(
    settings: dict[str, str], username: str, reason: str, lab: Lab, open_peer: Opener
) -> None:
    publisher, peer = lab.peers[0].publishers[0], open_peer(0, writable=True)
    publisher.settings = settings
    account = (username or lab.accounts.axl_username, Secret(lab.accounts.axl_password))

    with pytest.raises(NotOffered, match=reason) as caught:
        peer.refresh_discovery(Address(publisher.address), publisher.product, account)

    assert "Refresh servers" in caught.value.next_step
    assert lab.requests.writes == ()


def test_a_removal_that_is_not_offered_is_a_manual_step(lab: Lab, open_peer: Opener) -> None:
    peer = open_peer(0, writable=True)

    with pytest.raises(NotOffered) as caught:
        peer.remove_trusted_ca(lab.peers[0].trusted[0])

    assert "Trusted CA certificate" in caught.value.next_step
    assert lab.requests.writes == ()


def test_a_removal_takes_out_that_certificate_alone(tmp_path: Path) -> None:
    with Lab(tmp_path, "stale", judge=False) as lab:
        cluster, before = load(lab.inventory)[0], list(lab.peers[0].trusted)
        with ExpresswayPeer(
            cluster.peers[0], cluster.login.username, cluster.login.password.read(), QUICK, writable=True
        ) as peer:
            peer.remove_trusted_ca(before[1])

            assert list(peer.trusted_ca()) == [before[0], *before[2:]]


def test_a_restart_is_asked_for_once(lab: Lab, open_peer: Opener) -> None:
    open_peer(2, writable=True).restart()

    assert [write.path for write in lab.requests.writes] == ["/api/provisioning/restart"]


def test_a_peer_opened_for_reading_lets_no_write_leave(lab: Lab, open_peer: Opener) -> None:
    peer, certificate = open_peer(0), lab.peers[0].trusted[0]
    writes: tuple[Callable[[], None], ...] = (
        lambda: peer.append_trusted_ca(certificate),
        lambda: peer.remove_trusted_ca(certificate),
        lambda: peer.set_cipher(REVERSE_PROXY, CipherList("HIGH")),
        lambda: peer.set_verify_origin_server(True),
        lambda: peer.refresh_discovery(Address("cucm.example.test"), "cucm", ("axl", Secret("a password"))),
        peer.restart,
    )

    for write in writes:
        with pytest.raises(WriteForbidden):
            write()

    assert len(lab.requests) == 0


def test_a_wrong_password_is_tried_once(lab: Lab, cluster: ClusterAccess) -> None:
    with ExpresswayPeer(cluster.peers[0], cluster.login.username, Secret("wrong-password"), QUICK, writable=False) as peer:
        for _ in range(2):
            with pytest.raises(LoginRefused, match="refuses the login of admin") as caught:
                peer.trusted_ca()
        assert len(lab.requests) == 1
        with pytest.raises(LoginRefused, match="The shell of"):
            peer.version()

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
        ExpresswayPeer(wrong, cluster.login.username, cluster.login.password.read(), QUICK, writable=False) as peer,
        pytest.raises(PinMismatch, match=access.address) as caught,
    ):
        peer.trusted_ca() if transport == "tls" else peer.version()

    assert len(lab.requests) == 0
    assert (access.ssh.host_key or "") in str(caught.value) or transport == "tls"


def test_without_a_pin_the_certificate_that_is_seen_is_shown(lab: Lab, cluster: ClusterAccess) -> None:
    access = replace(cluster.peers[0], tls=TlsTrust())

    with (
        ExpresswayPeer(access, cluster.login.username, cluster.login.password.read(), QUICK, writable=False) as peer,
        pytest.raises(PinMismatch, match=f"It presents {lab.peers[0].fingerprint} of CN=expc1") as caught,
    ):
        peer.trusted_ca()

    assert "Compare this fingerprint on the peer itself" in caught.value.next_step
    assert "re-keyed" not in caught.value.next_step
    assert len(lab.requests) == 0


def test_a_peer_that_is_down_is_unreachable(lab: Lab, open_peer: Opener) -> None:
    lab.faults.down(lab.peers[0].address)

    with pytest.raises(ObservationError, match="connection refused"):
        open_peer(0).trusted_ca()
    with pytest.raises(ObservationError, match=r"SSH on .* connection refused"):
        open_peer(0).version()


SERVER = server_identity("localhost")
ROOT = "/api/provisioning/certs/root"
LIST = issue("Root", ca=True).certificate.pem

OpenScripted = Callable[..., ExpresswayPeer]


@pytest.fixture
def requests() -> list[bytes]:
    """Collect what the scripted peer receives."""
    return []


@pytest.fixture
def open_scripted(requests: list[bytes]) -> Iterator[OpenScripted]:
    """Return a function that opens a peer with these answers, by path; its trusted CA list holds one certificate by default."""
    with ExitStack() as stack:

        def start(answers: Answers, *, writable: bool = False) -> ExpresswayPeer:
            all_answers = {f"GET {ROOT}": [http(200, LIST)], **answers}
            port = stack.enter_context(tcp_server(routed_talk(tls_context(SERVER), all_answers, requests)))
            access = PeerAccess(Address("localhost"), rest_port=port, tls=TlsTrust(SERVER.certificate.fingerprint))
            opened = ExpresswayPeer(access, "admin", Secret("a password"), QUICK, writable=writable)
            return stack.enter_context(opened)

        yield start


def test_a_broken_block_of_the_list_is_reported_by_number(open_scripted: OpenScripted) -> None:
    page = f"text\n{LIST}\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

    with pytest.raises(ObservationError, match="The trusted CA list of localhost cannot be read: PEM block 2 is broken"):
        open_scripted({f"GET {ROOT}": [http(200, page)]}).trusted_ca()


def test_the_upload_is_one_file_that_ends_in_one_newline(open_scripted: OpenScripted, requests: list[bytes]) -> None:
    certificate = issue("Root", ca=True).certificate
    answers = {f"POST {ROOT}": [http(200, '{"Message": "Root Certificate updated."}')]}

    open_scripted(answers, writable=True).append_trusted_ca(certificate)

    head, _, body = requests[-1].partition(b"\r\n\r\n")
    assert b"Content-Type: multipart/form-data; boundary=" in head
    assert b'name="file"' in body
    assert certificate.pem.encode() + b"\r\n--" in body
    assert certificate.pem.endswith("-----\n")


def test_an_address_that_is_none_is_not_believed(open_scripted: OpenScripted) -> None:
    answers = {"GET /api/provisioning/controller/server/cucm": [http(200, '[{"Publisher": "cucm\\nx"}]')]}

    with pytest.raises(ObservationError, match=r"neither a host name nor an IP address: cucm\\nx"):
        open_scripted(answers).publishers()


def test_the_clock_is_the_peers_own(lab: Lab, open_peer: Opener) -> None:
    lab.faults.clock(lab.peers[0].address, timedelta(hours=-3))

    clocks = [open_peer(number).clock() for number in (0, 1)]

    assert [round((clock - datetime.now(UTC)) / timedelta(hours=1)) for clock in clocks if clock] == [-3, 0]


def test_a_half_closed_shell_leaves_the_outcome_unknown(lab: Lab, open_peer: Opener) -> None:
    simulated = lab.peers[0]
    lab.faults.half_close(simulated.address, containing=REVERSE_PROXY)

    with pytest.raises(OutcomeUnknown, match="its answer was lost"):
        open_peer(0, writable=True).set_cipher(REVERSE_PROXY, CipherList("ALL"))

    assert open_peer(0).ciphers()[REVERSE_PROXY] == "ALL"
    lab.cluster.settle()


def test_a_peer_that_locks_us_out_is_unreachable(lab: Lab, open_peer: Opener) -> None:
    simulated = lab.peers[2]
    lab.faults.lock_out(simulated.address, after=1, seconds=1.5)
    lab.faults.refuse_login(simulated.address)
    with pytest.raises(LoginRefused):
        open_peer(2).log_in()
    lab.faults.refuse_login(simulated.address, on=False)

    with pytest.raises(ObservationError, match="no answer in time"):
        open_peer(2, limits=replace(QUICK, read_s=0.2, read_attempts=1)).log_in()


EMPTY = {
    "nothing": http(200),
    "no content": http(204),
    "a login page": http(200, "<html><title>Sign in</title></html>", "Content-Type: text/html"),
    "a message": http(200, '{"Message": "try again"}'),
}


@pytest.mark.parametrize("answer", EMPTY.values(), ids=EMPTY)
def test_an_answer_without_what_was_asked_for_is_not_observed(open_scripted: OpenScripted, answer: bytes) -> None:
    base = "GET /api/provisioning"
    paths = ("/certs/root", "/certs/server", "/controller/server/cucm", "/common/cluster/peers")
    peer = open_scripted({f"{base}{path}": [answer] for path in paths})

    for ask in (peer.trusted_ca, peer.server_chain, peer.publishers, peer.cluster_peers):
        with pytest.raises(ObservationError):
            ask()


def test_places_for_peers_that_are_not_in_use_are_none(open_scripted: OpenScripted) -> None:
    page = '[{"PeerAddress": "192.0.2.1"}, {"PeerAddress": ""}]'

    assert open_scripted({"GET /api/provisioning/common/cluster/peers": [http(200, page)]}).cluster_peers() == ("192.0.2.1",)


@pytest.mark.parametrize("answer", [http(404), http(302, "", "Location: /login"), http(200, "<html>")])
def test_a_description_that_is_missing_offers_nothing(open_scripted: OpenScripted, answer: bytes) -> None:
    peer = open_scripted({"GET /api/raml": [answer]}, writable=True)

    assert not peer.capabilities().described
    with pytest.raises(NotOffered):
        peer.remove_trusted_ca(issue("Root", ca=True).certificate)


def test_an_unknown_form_of_delete_is_never_sent(lab: Lab, open_peer: Opener) -> None:
    lab.faults.describe(lab.peers[0].address, removal=Removal.UNKNOWN)
    peer = open_peer(0, writable=True)

    with pytest.raises(NotOffered, match="no removal in a known format") as caught:
        peer.remove_trusted_ca(lab.peers[0].trusted[0])

    assert "Trusted CA certificate" in caught.value.next_step
    assert lab.requests.writes == ()


@pytest.mark.parametrize("removal", [form for form in Removal if form not in (Removal.NONE, Removal.UNKNOWN)])
def test_each_form_of_delete_takes_out_that_certificate_alone(lab: Lab, open_peer: Opener, removal: Removal) -> None:
    simulated = lab.peers[0]
    lab.faults.describe(simulated.address, style=PageStyle.FLOW, removal=removal)
    before = list(simulated.trusted)

    open_peer(0, writable=True).remove_trusted_ca(before[1])

    assert simulated.trusted == [before[0], *before[2:]]
