"""Captures of real handshakes: every kind of frame, every order of segments, TLS as both sides spoke it."""

from __future__ import annotations

import random
import ssl
import struct
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.content_kind import Kind
from remediate.model.certificate import Certificate
from remediate.model.evidence import Alert, Evidence, Handshake
from remediate.model.limits import Limits
from tests.connectors.evidence.captures import (
    ETHERNET,
    LOOPBACK,
    RAW,
    SLL,
    SLL2,
    Parties,
    Speech,
    capture,
    pcap,
    put_in_frame,
    record_handshake,
    segments,
)  # fmt: skip
from tests.pki import NOW, issue

CA = issue("steven-DC-CA", ca=True)
RSA = issue("cucmms.steven.lab", CA, names=("cucm.steven.lab",), family="rsa")
EC = issue("cucm-EC.steven.lab", names=("cucm.steven.lab",))
CLIENT = issue("expc1.steven.lab", issue("Expressway CA", ca=True))
V4, V6 = Parties(), Parties("2001:db8::46", "2001:db8::215")
ACCEPTED = record_handshake([[RSA, CA]], trusted=[CA])
REFUSED = record_handshake([[RSA, CA], [EC]], trusted=[CA])


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Evidence:
    (tmp_path / "capture").write_bytes(data)
    return gather([tmp_path / "capture"], limits or Limits())


def only(evidence: Evidence) -> Handshake:
    assert len(evidence.handshakes) == 1
    return evidence.handshakes[0]


@pytest.mark.parametrize("parties", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("vlan", [None, 7])
@pytest.mark.parametrize("kind", [Kind.PCAP, Kind.PCAPNG])
@pytest.mark.parametrize("link", [ETHERNET, SLL, SLL2])
def test_frames_of_every_kind(tmp_path: Path, link: int, kind: Kind, vlan: int | None, parties: Parties) -> None:
    evidence = read(tmp_path, capture(segments(REFUSED, parties), link, kind, vlan=vlan))

    handshake = only(evidence)
    assert (handshake.client_ip, handshake.server_ip, handshake.port, handshake.server_name) == (
        parties.client,
        parties.server,
        8443,
        "cucm.steven.lab",
    )
    assert handshake.chain == (EC.certificate,)
    assert handshake.alerts == (Alert("client", 48),)
    assert (handshake.first_seen, handshake.connections, handshake.incomplete, handshake.client_accepted) == (
        NOW,
        1,
        False,
        False,
    )
    assert (evidence.captures_read, evidence.packets_read > 5, evidence.unread_sources) == (1, True, ())


@pytest.mark.parametrize("parties", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("link", [RAW, LOOPBACK])
def test_frames_without_a_link_layer(tmp_path: Path, link: int, parties: Parties) -> None:
    assert only(read(tmp_path, capture(segments(REFUSED, parties), link))).chain == (EC.certificate,)


def test_a_handshake_that_the_client_accepted(tmp_path: Path) -> None:
    handshake = only(read(tmp_path, capture(segments(ACCEPTED))))

    assert handshake.chain == (RSA.certificate, CA.certificate)
    assert (handshake.client_accepted, handshake.alerts, handshake.version) == (True, (), 0x0303)
    assert handshake.suite in handshake.offered_suites


@pytest.mark.parametrize("seed", range(30))
def test_any_order_with_retransmissions(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  an order, no secret
    whole = segments(ACCEPTED, size=draw.choice([1, 7, 100, 1460]))
    shuffled = whole[:2] + draw.sample(whole[2:], min(len(whole) - 2, 250)) if len(whole) <= 252 else whole
    again = [*shuffled, *draw.sample(shuffled, len(shuffled) // 2)]

    handshake = only(read(tmp_path, capture(again)))

    assert (handshake.chain, handshake.incomplete) == ((RSA.certificate, CA.certificate), False)


def test_overlapping_segments_are_put_together_once(tmp_path: Path) -> None:
    both = [*segments(ACCEPTED, size=700), *segments(ACCEPTED, size=300)]

    assert only(read(tmp_path, capture(both))).chain == (RSA.certificate, CA.certificate)


def test_a_capture_that_began_after_the_syn(tmp_path: Path) -> None:
    late = segments(ACCEPTED, syn=False)
    swapped = [late[0], *reversed(late[1:4]), *late[4:]]

    assert only(read(tmp_path, capture(late))).chain == (RSA.certificate, CA.certificate)
    assert only(read(tmp_path, capture(swapped))).chain == (RSA.certificate, CA.certificate)


def test_missing_bytes_give_no_certificate_and_are_reported(tmp_path: Path) -> None:
    whole = segments(ACCEPTED, size=300)
    position = next(at for at, packet in enumerate(whole) if RSA.certificate.der[300:310] in packet)

    handshake = only(read(tmp_path, capture(whole[:position] + whole[position + 1 :])))

    assert (handshake.chain, handshake.incomplete) == ((), True)


def test_only_what_the_server_said_was_captured(tmp_path: Path) -> None:
    by_server = [handshake for handshake in ACCEPTED if not handshake.by_client]

    handshake = only(read(tmp_path, capture(segments(by_server, syn=False))))

    assert (handshake.server_ip, handshake.port, handshake.server_name, handshake.chain) == (
        V4.server,
        8443,
        None,
        (RSA.certificate, CA.certificate),
    )


def test_under_tls_1_3_there_is_no_certificate_to_see(tmp_path: Path) -> None:
    speeches = record_handshake([[RSA, CA]], trusted=[CA], version=ssl.TLSVersion.TLSv1_3)

    handshake = only(read(tmp_path, capture(segments(speeches))))

    assert (handshake.version, handshake.chain, handshake.server_name, handshake.client_accepted) == (
        0x0304,
        (),
        "cucm.steven.lab",
        False,
    )


def test_a_session_that_is_resumed_presents_nothing(tmp_path: Path) -> None:
    handshake = only(read(tmp_path, capture(segments(record_handshake([[RSA, CA]], trusted=[CA], resumed=True)))))

    assert (handshake.chain, handshake.client_accepted, handshake.incomplete) == ((), True, False)


def test_the_server_refuses_the_clients_certificate(tmp_path: Path) -> None:
    speeches = record_handshake([[RSA, CA]], trusted=[CA], client_cas=[CA], client_chain=[CLIENT])

    handshake = only(read(tmp_path, capture(segments(speeches))))

    assert (handshake.requests_client_certificate, handshake.alerts) == (True, (Alert("server", 48),))


def test_no_shared_cipher(tmp_path: Path) -> None:
    speeches = record_handshake([[EC]], ciphers="aRSA:@SECLEVEL=0")

    handshake = only(read(tmp_path, capture(segments(speeches))))

    assert (handshake.version, handshake.alerts) == (None, (Alert("server", 40),))


def test_connections_that_show_the_same_are_counted_together(tmp_path: Path) -> None:
    packets = [segment for port in range(5) for segment in segments(REFUSED, Parties(client_port=50_000 + port))]

    handshake = only(read(tmp_path, capture(packets)))

    assert handshake.connections == 5
    assert handshake.first_seen
    assert handshake.last_seen
    assert handshake.last_seen > handshake.first_seen


def test_ports_that_are_used_again_are_another_connection(tmp_path: Path) -> None:
    evidence = read(tmp_path, capture([*segments(REFUSED), *segments(ACCEPTED, begin=7)]))

    assert [handshake.chain for handshake in evidence.handshakes] == [(EC.certificate,), (RSA.certificate, CA.certificate)]


def test_connections_without_tls_are_ignored(tmp_path: Path) -> None:
    plain = [
        Speech(by_client=True, data=b"GET / HTTP/1.1\r\n\r\n" * 100),
        Speech(by_client=False, data=b"HTTP/1.1 200 OK\r\n" * 100),
    ]

    evidence = read(tmp_path, capture(segments(plain)))

    assert (evidence.handshakes, evidence.unread_sources) == ((), ())


def test_a_broken_packet_is_counted(tmp_path: Path) -> None:
    evidence = read(tmp_path, capture([*segments(REFUSED), b"\x45\x00junk"], RAW))

    assert only(evidence).chain == (EC.certificate,)
    assert evidence.coverage.unreadable_packets == 1
    assert [handshake.reason for handshake in evidence.unread_sources] == [
        "1 packet could not be read: IPv4 is broken: a header is too short"
    ]


def test_a_certificate_message_that_holds_something_else(tmp_path: Path) -> None:
    der = RSA.certificate.der
    speeches = [Speech(speech.by_client, speech.data.replace(der, b"\x55" + der[1:])) for speech in ACCEPTED]

    speech = only(read(tmp_path, capture(segments(speeches))))

    assert (speech.chain, speech.malformed) == ((), True)


@pytest.mark.parametrize("kind", [Kind.PCAP, Kind.PCAPNG])
def test_a_capture_that_ends_too_early_counts_as_far_as_it_goes(tmp_path: Path, kind: Kind) -> None:
    whole = capture([*segments(REFUSED), *segments(ACCEPTED, Parties(client_port=2))], kind=kind)

    evidence = read(tmp_path, whole[:-100])

    assert evidence.handshakes[0].chain == (EC.certificate,)
    assert [handshake.reason for handshake in evidence.unread_sources] == ["it ends in the middle of a packet"]


def test_several_interfaces_and_sections_of_a_pcapng(tmp_path: Path) -> None:
    # Given an Ethernet section and one of raw IP packets, one behind the other
    both = capture(segments(REFUSED), kind=Kind.PCAPNG) + capture(
        segments(ACCEPTED, Parties(port=6972)), RAW, Kind.PCAPNG, NOW + timedelta(hours=1)
    )

    assert sorted(handshake.port for handshake in read(tmp_path, both).handshakes) == [6972, 8443]


def test_an_unsupported_link_type_is_reported(tmp_path: Path) -> None:
    packets = segments(REFUSED)

    evidence = read(tmp_path, capture(packets, 147))

    assert [handshake.reason for handshake in evidence.unread_sources] == [
        f"{len(packets)} packets could not be read: link type 147 is not understood"
    ]
    assert evidence.coverage.unreadable_packets == len(packets)


def test_connections_over_the_limit_are_reported(tmp_path: Path) -> None:
    packets = [segment for port in range(5) for segment in segments(REFUSED, Parties(client_port=50_000 + port))]

    few = read(tmp_path, capture(packets), Limits(capture_connections=2))
    little = read(tmp_path, capture(packets), Limits(capture_buffered_bytes=1500))

    assert few.handshakes[0].connections == 2
    assert "beyond the limit on connections" in few.unread_sources[0].reason
    assert "beyond the limit on connections" in little.unread_sources[0].reason


def test_certificates_are_held_up_to_a_limit(tmp_path: Path) -> None:
    # Given captures each of which fits, and certificates that do not all fit together
    for number in range(5):
        speeches = record_handshake([[issue(f"node{number}", names=("cucm.steven.lab",))]], trusted=[CA])
        (tmp_path / str(number)).write_bytes(capture(segments(speeches), at=NOW + timedelta(hours=number)))

    evidence = gather([tmp_path], Limits(capture_buffered_bytes=1_400))

    assert 0 < len(evidence.handshakes) < 5
    assert any("too many certificates" in handshake.reason for handshake in evidence.unread_sources)


def test_certificates_are_compared_by_what_they_are(tmp_path: Path) -> None:
    handshake = only(read(tmp_path, capture(segments(REFUSED))))

    assert handshake.chain[0] == Certificate.from_der(EC.certificate.der)


def test_a_capture_that_was_appended_to_another(tmp_path: Path) -> None:
    first = pcap([put_in_frame(packet, ETHERNET) for packet in segments(REFUSED)])
    second = pcap(
        [put_in_frame(packet, ETHERNET) for packet in segments(REFUSED, Parties(port=6972))], order=">", nanoseconds=True
    )

    evidence = read(tmp_path, first + second)

    assert sorted(handshake.port for handshake in evidence.handshakes) == [6972, 8443]
    assert evidence.unread_sources == ()


def test_a_capture_of_a_modified_libpcap(tmp_path: Path) -> None:
    frames = [put_in_frame(packet, ETHERNET) for packet in segments(REFUSED)]
    head = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 262_144, ETHERNET)
    packets = [struct.pack("<IIIIIHBB", 1_700_000_000, 0, len(frame), len(frame), 2, 0x0800, 0, 0) + frame for frame in frames]

    evidence = read(tmp_path, head + b"".join(packets))

    assert [handshake.port for handshake in evidence.handshakes] == [8443]
