"""What is read in one step is what is read header after header, and all else is left to that."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.connectors.evidence.frames import FrameDecoder
from remediate.connectors.evidence.pcap import Packet
from remediate.connectors.evidence.plain_frames import Unusual, find_plain_segment
from tests.connectors.evidence.captures import ETHERNET, SLL, Parties, Speech, put_in_frame, segments
from tests.connectors.evidence.encapsulations import gre, ip, udp

SPEECH = [Speech(True, b"\x16\x03\x01hello"), Speech(False, b"\x16\x03\x03")]
PLAIN = [put_in_frame(packet, ETHERNET) for packet in segments(SPEECH)]
UNUSUAL = [
    put_in_frame(segments(SPEECH, Parties("2001:db8::1", "2001:db8::2"))[0], ETHERNET),
    put_in_frame(segments(SPEECH)[0], ETHERNET, 7),
    put_in_frame(gre(0x0800, segments(SPEECH)[0]), ETHERNET),
    put_in_frame(udp(4789, b"\x08" + bytes(7) + PLAIN[2]), ETHERNET),
    put_in_frame(ip(6, segments(SPEECH)[2][20:], offset=0x2000), ETHERNET),
    b"",
    PLAIN[2][:40],
]


def read_headers(packet: Packet) -> object:
    return FrameDecoder()._find_in_headers(packet)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*PLAIN, *UNUSUAL]),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 255)), max_size=2),
    st.integers(0, 90),
)
def test_one_step_reads_what_the_headers_say(frame: bytes, changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(frame)
    for place, byte in changes:
        if place < len(data):
            data[place] = byte
    packet = Packet(None, ETHERNET, bytes(data[: max(length, 34)]), cut=max(0, len(data) - max(length, 34)))

    try:
        segment = find_plain_segment(packet)
    except Unusual:
        return

    assert segment == read_headers(packet)


@pytest.mark.parametrize("frame", UNUSUAL, ids=["ipv6", "vlan", "gre", "vxlan", "a fragment", "nothing", "a cut header"])
def test_what_is_unusual_is_left_to_the_headers(frame: bytes) -> None:
    with pytest.raises(Unusual):
        find_plain_segment(Packet(None, ETHERNET, frame))


def test_another_link_is_unusual() -> None:
    with pytest.raises(Unusual):
        find_plain_segment(Packet(None, SLL, put_in_frame(segments(SPEECH)[0], SLL)))


def test_media_is_no_segment() -> None:
    media = put_in_frame(udp(20_000, bytes(172)), ETHERNET)

    assert find_plain_segment(Packet(None, ETHERNET, media)) is None
    assert find_plain_segment(Packet(None, ETHERNET, PLAIN[2])) is not None
    assert struct.unpack("!H", media[12:14]) == (0x0800,)
