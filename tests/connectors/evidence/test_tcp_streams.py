"""Captures that hold a part only: cut packets, one direction, parts of a rotation. What can be read is, the rest is said."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.ip import ACK, Segment
from remediate.connectors.evidence.tcp_streams import Connections
from remediate.connectors.evidence.tls_handshakes import ConnectionReading, read_connection
from remediate.model.evidence import Alert, Evidence, Handshake
from remediate.model.limits import Limits
from tests.connectors.evidence.captures import Parties, Speech, pcap, record_handshake, segments
from tests.connectors.evidence.encapsulations import ethernet
from tests.pki import NOW, issue
from tests.timing import assert_grows_in_proportion

CA = issue("steven-DC-CA", ca=True)
EC = issue("cucm-EC.steven.lab", names=("cucm.steven.lab",))
RSA = issue("cucmms.steven.lab", CA, names=("cucm.steven.lab",), family="rsa")
CLIENT = issue("expc1.steven.lab", issue("Expressway CA", ca=True))
REFUSED = record_handshake([[EC]], trusted=[CA])
ACCEPTED = record_handshake([[RSA, CA]], trusted=[CA])
UNKNOWN_CA = (Alert("client", 48),)


def read(tmp_path: Path, *captures: bytes, limits: Limits | None = None) -> Evidence:
    for number, capture in enumerate(captures):
        (tmp_path / f"{number}.pcap").write_bytes(capture)
    return gather([tmp_path], limits or Limits())


def only(evidence: Evidence) -> Handshake:
    assert len(evidence.handshakes) == 1
    return evidence.handshakes[0]


def reason(evidence: Evidence) -> str:
    assert len(evidence.unread_sources) == 1
    return evidence.unread_sources[0].reason


def of_one_side(speeches: Sequence[Speech], *, by_client: bool) -> list[bytes]:
    """The packets of one direction, with the numbers that they have in the whole connection."""
    whole = segments(speeches, size=1460)
    source = segments(speeches, size=1460)[0 if by_client else 1][12:16]
    return [packet for packet in whole if packet[12:16] == source]


@pytest.mark.parametrize("length", [59, 60, 61, 62])
def test_packets_cut_in_a_message_header_are_reported(tmp_path: Path, length: int) -> None:
    hellos = [ethernet(packet) for packet in segments(REFUSED[:2], size=1460)]

    evidence = read(tmp_path, pcap(hellos, cut_to=length))

    assert (evidence.handshakes, evidence.coverage.tls_records > 0) == ((), True)
    assert "were truncated" in reason(evidence)


@pytest.mark.parametrize("length", [96, 100, 120, 200, 400])
@pytest.mark.parametrize("syn", [True, False])
def test_packets_that_were_cut(tmp_path: Path, length: int, syn: bool) -> None:
    frames = [ethernet(packet) for packet in segments(REFUSED, size=1460, syn=syn)]

    evidence = read(tmp_path, pcap(frames, cut_to=length))

    assert only(evidence).alerts == UNKNOWN_CA
    assert (only(evidence).chain, only(evidence).incomplete) == ((), True)
    assert (only(evidence).server_ip, only(evidence).port) == (Parties().server, 8443)
    assert evidence.coverage.cut_packets == sum(len(frame) > length for frame in frames)
    assert "were truncated" in reason(evidence)
    assert "tcpdump -s 0" in reason(evidence)


def test_a_cut_hello_has_no_name_that_was_not_seen(tmp_path: Path) -> None:
    # Given a hello that is cut behind its suites, where the name would stand
    hello = REFUSED[0].data
    position = hello.index(b"cucm.steven.lab")
    frames = [ethernet(packet) for packet in segments(REFUSED, size=1460)]

    handshake = only(read(tmp_path, pcap(frames, cut_to=54 + position - 4)))

    assert (handshake.server_name, handshake.offered_suites) == (None, ())


def test_packets_cut_before_their_data_are_reported(tmp_path: Path) -> None:
    evidence = read(tmp_path, pcap(map(ethernet, segments(REFUSED)), cut_to=54))

    assert evidence.handshakes == ()
    assert evidence.coverage.tls_records == 0
    assert reason(evidence).startswith("in 1 connection the beginning is missing")


def test_packets_cut_in_their_headers_are_counted(tmp_path: Path) -> None:
    packets = segments(REFUSED)

    evidence = read(tmp_path, pcap(map(ethernet, packets), cut_to=40))

    assert evidence.coverage.unreadable_packets == len(packets)
    assert reason(evidence) == f"{len(packets)} packets could not be read: TCP is cut too short to be read"


def test_a_capture_that_cuts_only_what_is_encrypted(tmp_path: Path) -> None:
    speeches = [*ACCEPTED, Speech(by_client=True, data=b"\x17\x03\x03\x20\x00" + bytes(0x2000))]
    whole = [ethernet(packet) for packet in segments(speeches, size=8000)]

    evidence = read(tmp_path, pcap(whole, cut_to=4000))

    assert (only(evidence).chain, only(evidence).client_accepted) == ((RSA.certificate, CA.certificate), True)
    assert (evidence.unread_sources, evidence.coverage.cut_packets > 0) == ((), True)


def test_only_the_client_was_captured(tmp_path: Path) -> None:
    evidence = read(tmp_path, pcap(map(ethernet, of_one_side(REFUSED, by_client=True))))

    handshake = only(evidence)
    assert (handshake.server_name, handshake.alerts, handshake.captured_side) == ("cucm.steven.lab", UNKNOWN_CA, "client")
    assert (handshake.version, handshake.chain) == (None, ())
    assert "only packets of the client were captured" in reason(evidence)


def test_only_the_server_was_captured_with_its_chain(tmp_path: Path) -> None:
    evidence = read(tmp_path, pcap(map(ethernet, of_one_side(REFUSED, by_client=False))))

    handshake = only(evidence)
    assert (handshake.chain, handshake.captured_side, handshake.server_name) == ((EC.certificate,), "server", None)
    assert "only packets of the server were captured" in reason(evidence)


def test_a_client_alone_that_continued_the_handshake(tmp_path: Path) -> None:
    evidence = read(tmp_path, pcap(map(ethernet, of_one_side(ACCEPTED, by_client=True))))

    assert (only(evidence).client_accepted, only(evidence).captured_side, evidence.unread_sources) == (True, "client", ())


def test_an_alert_alone(tmp_path: Path) -> None:
    # Given a capture that began just before the client's alert
    last = [ethernet(segments(REFUSED, size=1460, syn=False)[-1])]

    evidence = read(tmp_path, pcap(last))

    assert (only(evidence).port, only(evidence).alerts) == (8443, UNKNOWN_CA)


def test_a_whole_answer_that_was_lost_is_missing(tmp_path: Path) -> None:
    # Given a capture in which nothing of the server's answer is but its acknowledgement
    packets = segments(REFUSED, size=1460)
    answer = next(number for number, packet in enumerate(packets) if EC.certificate.der in packet)

    evidence = read(tmp_path, pcap(map(ethernet, [*packets[:answer], *packets[answer + 1 :]])))

    assert (only(evidence).alerts, only(evidence).incomplete) == (UNKNOWN_CA, True)
    assert "packets of the TLS handshake are missing" in reason(evidence)


def test_a_capture_that_began_within_a_message(tmp_path: Path) -> None:
    # Given a capture that began in the middle of the server's certificate
    packets = segments(REFUSED, size=100, syn=False)
    first_of_server = next(number for number, packet in enumerate(packets) if packet[20:22] == (8443).to_bytes(2, "big"))

    evidence = read(tmp_path, pcap(map(ethernet, packets[first_of_server + 1 :])))

    assert (only(evidence).alerts, only(evidence).incomplete) == (UNKNOWN_CA, True)
    assert "packets of the TLS handshake are missing" in reason(evidence)


def test_an_alert_between_ports_that_tell_nothing(tmp_path: Path) -> None:
    parties = Parties(port=45_000)
    last = [ethernet(segments(REFUSED, parties, size=1460, syn=False)[-1])]

    evidence = read(tmp_path, pcap(last))

    assert evidence.handshakes == ()
    assert "it is not known which side is the server" in reason(evidence)


@pytest.mark.parametrize("index", range(2, 15))
def test_a_lost_packet_hides_no_alert(tmp_path: Path, index: int) -> None:
    packets = segments(REFUSED, size=100)
    assert len(packets) > 15

    evidence = read(tmp_path, pcap(map(ethernet, [*packets[:index], *packets[index + 1 :]])))

    assert only(evidence).alerts == UNKNOWN_CA
    assert only(evidence).chain in {(), (EC.certificate,)}
    assert bool(evidence.unread_sources) is not bool(only(evidence).chain)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("syn", [True, False])
def test_a_handshake_over_the_files_of_a_rotation(tmp_path: Path, order: tuple[int, ...], syn: bool) -> None:
    frames = [ethernet(packet) for packet in segments(ACCEPTED, size=200, syn=syn)]
    third = len(frames) // 3
    parts = [frames[:third], frames[third : 2 * third], frames[2 * third :]]

    evidence = read(tmp_path, *(pcap(parts[number], at=NOW + timedelta(seconds=number)) for number in order))

    handshake = only(evidence)
    assert (handshake.chain, handshake.connections) == ((RSA.certificate, CA.certificate), 1)
    assert (handshake.client_accepted, handshake.incomplete, handshake.first_seen) == (True, False, NOW)
    assert (evidence.captures_read, evidence.unread_sources) == (3, ())


def test_the_same_traffic_in_two_captures_is_counted_once(tmp_path: Path) -> None:
    frames = [ethernet(packet) for packet in segments(REFUSED)]

    assert only(read(tmp_path, pcap(frames), pcap(frames))).connections == 1


def test_the_same_ports_hours_later_are_another_connection(tmp_path: Path) -> None:
    frames = [ethernet(packet) for packet in segments(REFUSED, syn=False)]

    evidence = read(tmp_path, pcap(frames), pcap(frames, at=NOW + timedelta(hours=2)))

    assert only(evidence).connections == 2


def test_a_missing_file_of_a_rotation_is_reported(tmp_path: Path) -> None:
    frames = [ethernet(packet) for packet in segments(ACCEPTED, size=200)]

    evidence = read(tmp_path, pcap(frames[:8]))

    assert only(evidence).incomplete
    assert "packets of the TLS handshake are missing" in reason(evidence)


def test_idle_connections_make_room_for_others(tmp_path: Path) -> None:
    captures = [
        pcap(map(ethernet, segments(REFUSED, Parties(client_port=50_000 + hour))), at=NOW + timedelta(hours=hour))
        for hour in range(5)
    ]

    evidence = read(tmp_path, *captures, limits=Limits(capture_connections=2))

    assert (only(evidence).connections, evidence.unread_sources) == (5, ())


def test_the_client_certificate_is_read(tmp_path: Path) -> None:
    speeches = record_handshake([[RSA, CA]], trusted=[CA], client_cas=[CA], client_chain=[CLIENT])

    handshake = only(read(tmp_path, pcap(map(ethernet, segments(speeches)))))

    assert (handshake.client_chain, handshake.chain) == ((CLIENT.certificate,), (RSA.certificate, CA.certificate))


def test_under_tls_1_3_cut_packets_show_no_chain(tmp_path: Path) -> None:
    speeches = record_handshake([[RSA, CA]], trusted=[CA], version=ssl.TLSVersion.TLSv1_3)

    evidence = read(tmp_path, pcap(map(ethernet, segments(speeches, size=1460)), cut_to=140))

    assert (only(evidence).chain, only(evidence).client_accepted) == ((), False)
    assert only(evidence).version in {None, 0x0304}


@pytest.mark.parametrize("size", [20_000, 60_000, 95_000])
def test_a_large_certificate_is_read(tmp_path: Path, size: int) -> None:
    names = tuple(f"{number:05}.{'x' * 50}.example" for number in range(size // 66))
    large = issue("large.steven.lab", names=("cucm.steven.lab", *names))
    assert abs(len(large.certificate.der) - size) < 5_000
    speeches = record_handshake([[large]], trusted=[CA])

    evidence = read(tmp_path, pcap(map(ethernet, segments(speeches, size=1460))))

    assert (only(evidence).chain, only(evidence).incomplete) == ((large.certificate,), False)


@pytest.mark.parametrize("step", [-1, -2, 2, 5])
def test_twice_the_packets_take_about_twice_as_long(step: int) -> None:
    def follow(number: int) -> None:
        # Bytes one by one: backwards, so that each comes before all others, or with a hole after each
        connections = Connections(Limits(), lambda connection: readings.append(read_connection(connection, Limits())))
        readings: list[ConnectionReading] = []
        for position in range(number):
            sequence = (1_000_000 + step * position) % (1 << 32)
            connections.add(
                Segment(b"\x01" * 4, 50_000, b"\x02" * 4, 443, sequence, ACK, b"\x16\x03\x03\x00\x00"), None, "file"
            )
        connections.close_all()
        assert readings

    assert_grows_in_proportion(follow, 10_000)
