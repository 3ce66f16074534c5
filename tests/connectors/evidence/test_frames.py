"""Packets in tunnels, in pieces, cut, and of kinds that nobody here reads: read, or counted and named."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.evidence import Alert, Evidence
from remediate.model.limits import Limits
from tests.connectors.evidence.captures import ETHERNET, RAW, Parties, pcap, pcapng, record_handshake, segments
from tests.connectors.evidence.encapsulations import (
    FRAMES,
    TUNNELS,
    ethernet,
    fragmented,
    fragmented_6,
    gre,
    ip,
    udp,
)
from tests.pki import issue

CA = issue("steven-DC-CA", ca=True)
EC = issue("cucm-EC.steven.lab", names=("cucm.steven.lab",))
REFUSED = record_handshake([[EC]], trusted=[CA])
V4, V6 = Parties(), Parties("2001:db8::46", "2001:db8::215")
PACKETS = segments(REFUSED, size=1460)


def read(tmp_path: Path, *captures: bytes) -> Evidence:
    for number, capture in enumerate(captures):
        (tmp_path / f"{number}.pcap").write_bytes(capture)
    return gather([tmp_path], Limits())


def reasons(evidence: Evidence) -> list[str]:
    return [unread.reason for unread in evidence.unread_sources]


def shows_the_refusal(evidence: Evidence) -> bool:
    return [(handshake.chain, handshake.alerts, handshake.connections) for handshake in evidence.handshakes] == [
        ((EC.certificate,), (Alert("client", 48),), 1)
    ]


@pytest.mark.parametrize("parties", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("name", FRAMES)
def test_a_refusal_is_read_through_every_header(tmp_path: Path, name: str, parties: Parties) -> None:
    link, wrap = FRAMES[name]

    evidence = read(tmp_path, pcap([wrap(packet) for packet in segments(REFUSED, parties)], link))

    assert shows_the_refusal(evidence)
    assert evidence.unread_sources == ()
    assert evidence.coverage.tls_records > 0


@pytest.mark.parametrize(("outer", "inner"), list(pairwise(TUNNELS)))
def test_a_tunnel_in_a_tunnel(tmp_path: Path, outer: str, inner: str) -> None:
    frames = [ethernet(TUNNELS[outer](TUNNELS[inner](packet))) for packet in PACKETS]

    assert shows_the_refusal(read(tmp_path, pcap(frames)))


def test_tunnels_without_end_are_counted(tmp_path: Path) -> None:
    deep = PACKETS[0]
    for _ in range(2_000):
        deep = gre(0x0800, deep)

    evidence = read(tmp_path, pcap([ethernet(deep), *map(ethernet, PACKETS)]))

    assert shows_the_refusal(evidence)
    assert reasons(evidence) == ["1 packet could not be read: a tunnel in many others is not understood"]


@pytest.mark.parametrize(
    ("wrap", "reason"),
    [
        (lambda packet: gre(0x88BE, b"\x30" + packet, flags=0x1000, options=bytes(4)), "ERSPAN version 3 is not understood"),
        (lambda packet: gre(0x88BE, packet, flags=3), "GRE version 3 with protocol 0x88be is not understood"),
        (lambda packet: gre(0x6559, packet), "GRE protocol 0x6559 is not understood"),
        (lambda packet: udp(4789, bytes(8) + ethernet(packet)), "VXLAN without a network identifier is not understood"),
        (lambda packet: udp(5247, b"\x01\x00\x00\x00" + packet), "CAPWAP with DTLS is encrypted"),
        (lambda packet: udp(4500, b"\x01\x02\x03\x04" + packet), "IPsec ESP in UDP is encrypted"),
        (lambda packet: udp(51_820, b"\x04\x00\x00\x00" + packet), "WireGuard is encrypted"),
        (lambda packet: udp(6080, b"\x80\x04" + packet), "GUE variant 2 is not understood"),
        (lambda packet: ip(50, packet), "IPsec ESP is encrypted"),
        (lambda packet: ip(115, packet), "IP protocol 115 is not understood"),
    ],
)  # fmt: skip
def test_a_tunnel_that_is_not_understood(tmp_path: Path, wrap: Callable[[bytes], bytes], reason: str) -> None:
    evidence = read(tmp_path, pcap([ethernet(wrap(packet)) for packet in PACKETS]))

    assert (evidence.handshakes, reasons(evidence)) == ((), [f"{len(PACKETS)} packets could not be read: {reason}"])
    assert sum((evidence.coverage.encapsulated_packets, evidence.coverage.unreadable_packets)) == len(PACKETS)


@pytest.mark.parametrize(
    "frame",
    [
        bytes(12) + b"\x08\x06" + bytes(28),
        bytes(12) + b"\x88\xcc" + bytes(40),
        bytes(12) + b"\x00\x26\x42\x42\x03" + bytes(40),
        bytes(12) + b"\x00\x26\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(40),
        ethernet(ip(1, bytes(8))),
        ethernet(ip(89, bytes(40))),
        ethernet(udp(53, b"who are you")),
        ethernet(udp(2152, b"\x32\x01\x00\x04" + bytes(8))),
        ethernet(gre(0, b"")),
        ethernet(udp(51_820, b"\x04\xd2\x81\x80" + bytes(8), source_port=53)),
        ethernet(udp(6080, b"\x20\x01" + bytes(2))),
    ],
    ids=[
        "ARP",
        "LLDP",
        "spanning tree",
        "CDP",
        "ICMP",
        "OSPF",
        "DNS",
        "GTP-U echo",
        "GRE keepalive",
        "DNS answer",
        "GUE control",
    ],
)
def test_packets_without_tcp_are_no_gap(tmp_path: Path, frame: bytes) -> None:
    evidence = read(tmp_path, pcap([frame, *map(ethernet, PACKETS)]))

    assert shows_the_refusal(evidence)
    assert evidence.unread_sources == ()


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", ["GRE", "VXLAN", "IP in IP", "ERSPAN II"])
def test_a_tunnel_in_fragments(tmp_path: Path, name: str, backwards: bool) -> None:
    pieces = []
    for number, packet in enumerate(PACKETS):
        whole = bytearray(TUNNELS[name](packet))
        whole[4:6] = struct.pack("!H", number)
        pieces.append(fragmented(bytes(whole), 256)[:: -1 if backwards else 1])

    evidence = read(tmp_path, pcap([ethernet(piece) for packet in pieces for piece in packet]))

    assert shows_the_refusal(evidence)
    assert (evidence.unread_sources, evidence.coverage.ip_fragments) == ((), 0)


def test_fragments_of_ipv6(tmp_path: Path) -> None:
    packets = segments(REFUSED, V6, size=1460)
    pieces = [piece for number, packet in enumerate(packets) for piece in fragmented_6(packet, 256, number)]

    assert shows_the_refusal(read(tmp_path, pcap(map(ethernet, pieces))))


def test_lone_fragments_are_counted(tmp_path: Path) -> None:
    # Given the beginnings of fragmented packets alone, and of a name server's answer the end alone
    pieces = [fragmented(packet, 256)[0] for packet in PACKETS if len(packet) > 276]
    answer = ip(17, bytes(64), offset=100)

    evidence = read(tmp_path, pcap(map(ethernet, [*pieces, answer])))

    assert evidence.coverage.ip_fragments == len(pieces) > 0
    assert reasons(evidence) == [f"{len(pieces)} IP fragment{'s' * (len(pieces) > 1)} could not be reassembled"]


def test_a_flood_of_fragments_holds_little(tmp_path: Path) -> None:
    flood = [ip(6, bytes(64), offset=0x2000, identification=number) for number in range(2_000)]

    evidence = read(tmp_path, pcap(map(ethernet, [*flood, *PACKETS])))

    assert shows_the_refusal(evidence)
    assert evidence.coverage.ip_fragments == 2_000


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_a_pcap_of_every_byte_order_and_clock(tmp_path: Path, order: str, nanoseconds: bool) -> None:
    whole = read(tmp_path, pcap(map(ethernet, PACKETS)))

    again = read(tmp_path, pcap(map(ethernet, PACKETS), order=order, nanoseconds=nanoseconds))

    assert shows_the_refusal(again)
    assert (again.handshakes[0].first_seen, again.unread_sources) == (whole.handshakes[0].first_seen, ())


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_pcapng_with_interfaces_of_several_kinds(tmp_path: Path, order: str) -> None:
    # Given one connection of which the packets are on three interfaces in turn
    frames = [
        (number % 3, [ethernet(packet), packet, b"\x02\x00\x00\x00" + packet][number % 3])
        for number, packet in enumerate(PACKETS)
    ]

    evidence = read(tmp_path, pcapng(frames, [ETHERNET, RAW, 0], order=order))

    assert shows_the_refusal(evidence)
    assert evidence.unread_sources == ()


def test_a_pcapng_with_an_undescribed_interface(tmp_path: Path) -> None:
    evidence = read(tmp_path, pcapng([(5, ethernet(packet)) for packet in PACKETS], [ETHERNET]))

    assert reasons(evidence) == [
        f"{len(PACKETS)} packets could not be read: an interface that the file does not describe is not understood"
    ]


def test_simple_packets_of_a_pcapng(tmp_path: Path) -> None:
    evidence = read(tmp_path, pcapng([(0, ethernet(packet)) for packet in PACKETS], [ETHERNET], simple=True))

    assert shows_the_refusal(evidence)
    assert evidence.handshakes[0].first_seen is None
