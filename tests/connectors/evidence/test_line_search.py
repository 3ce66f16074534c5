"""Searches through a whole block find what a look at each line finds, and a log reads the same however its bytes arrive."""

from __future__ import annotations

import io
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.connectors.evidence.line_search import find_lines, list_lines_before
from remediate.connectors.evidence.log_reader import read_log
from remediate.connectors.evidence.mra_target import Target
from remediate.connectors.evidence.open_requests import OpenRequests
from remediate.connectors.evidence.plain_text import has_refusal_words, may_hold_a_refusal
from remediate.connectors.evidence.tally import Tally
from remediate.model.limits import Limits
from tests.connectors.evidence.logs import AT, EXPRESSWAY, FAILED, NAME, SELF_SIGNED, encode_target, log_transaction

WORDS = (b"aa", b"ab ", b"abcabcabcabc")
OTHER = '2022-07-26T17:20:45.560+02:00 vcsc httpd[1]: Action="x" certificate SSL Negotiated verified <b>ERTIFICATE</b>'
SIP = (
    f'{AT} vcsc tvcs: Event="Outbound TLS Negotiation Error" Dst-ip="10.0.0.1" Dst-port="5061" Detail="certificate has expired"'
)
WRAPPED = f"{EXPRESSWAY}{SELF_SIGNED}".replace(" server=", "\n server=")
FAILURES = [OTHER, EXPRESSWAY + SELF_SIGNED, EXPRESSWAY + NAME, EXPRESSWAY + FAILED, SIP]
REQUESTS = [
    "\n".join(log_transaction(number, encode_target(f"lab/https/cucm.steven.lab/{port}")))
    for number, port in enumerate((8443, 6972))
]


class _Chunks(io.RawIOBase):
    """A stream that gives its bytes in pieces of these sizes, over and over."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = self._cycle(sizes)

    @staticmethod
    def _cycle(sizes: list[int]) -> Iterator[int]:
        while True:
            yield from sizes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        piece = self._data.read(min(len(buffer), next(self._sizes)))
        buffer[: len(piece)] = piece
        return len(piece)


def read_in_pieces(data: bytes, sizes: list[int]) -> list[object]:
    tally = Tally(Limits())
    lines = read_log(io.BufferedReader(_Chunks(data, sizes), 8), tally, Limits())
    counts = [
        *tally.list_logged_failures(), *tally.list_bad_gateways(), *tally.list_answered_requests(), *tally.list_other_failures(),
        *tally.list_openssl_signs(),
    ]  # fmt: skip
    return [lines, tally.coverage, *sorted(counts, key=repr)]


@given(st.text("abc \n", max_size=80).map(str.encode))
def test_a_search_finds_every_line_with_a_word(block: bytes) -> None:
    with_words, at = {}, 0
    for line in block.split(b"\n"):
        if any(word in line for word in WORDS):
            with_words[at] = at + len(line)
        at += len(line) + 1

    assert find_lines(block, WORDS) == with_words


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=9), st.integers(0, 8))
def test_the_lines_before_another_are_those_of_the_block(lines: list[str], number: int) -> None:
    number = min(number, len(lines) - 1)
    block = "\n".join(lines).encode()
    begin = sum(len(line) + 1 for line in lines[:number])

    places = list_lines_before(block, begin, 3)

    assert [block[at:end].decode() for at, end in places] == lines[max(0, number - 3) : number]


@settings(max_examples=60, deadline=None)
@given(
    # Of a wrapped log the requests around a refusal are not read, so its port may depend on where a block ends.
    st.lists(st.sampled_from([*FAILURES, *REQUESTS]), max_size=12)
    | st.lists(st.sampled_from([*FAILURES, WRAPPED]), max_size=12),
    st.lists(st.integers(1, 3_000), min_size=1, max_size=4),
)
def test_a_log_reads_the_same_however_its_bytes_arrive(entries: list[str], sizes: list[int]) -> None:
    data = "".join(f"{entry}\n" for entry in entries).encode()

    assert read_in_pieces(data, sizes) == read_in_pieces(data, [1_000_000])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 700),
    st.sampled_from(
        ["certificate verification failed", "not in certificate", "SSL connection failed", "TLS Negotiation Error"]
    ),
    st.sampled_from(["\n", "\n> ", "\\n", "<br>", "&nbsp;", "\x1b[1m"]),
    st.integers(0, 20),
)
def test_words_with_a_break_are_found_anywhere_in_a_block(before: int, words: str, gap: str, at: int) -> None:
    at = min(at, len(words))
    message = f"{words[:at]}{gap}{words[at:]}".encode()
    line = OTHER.encode() + b"\n"

    block = line * before + message + b"\n" + line * (700 - before)

    assert may_hold_a_refusal(block)
    assert not may_hold_a_refusal(line * 700)
    assert has_refusal_words(message) == (not words.startswith("TLS"))


def test_the_ports_of_requests_follow_what_is_under_way() -> None:
    requests, names = OpenRequests(), ("cucm.lab", "10.0.0.1")
    first, second = (("vcsc", "traffic_server[1]", number) for number in "12")

    requests.set_target(first, Target("cucm.lab", 8443))
    requests.set_target(second, Target("other.lab", 8443))
    requests.add_server(second, Target("10.0.0.1", 6972))
    requests.add_server(second, Target("10.0.0.1", 6972))

    assert requests.find_ports("vcsc", "traffic_server[1]", names) == {8443, 6972}
    assert requests.find_ports("vcsc", "traffic_server[2]", names) == set()
    requests.set_target(first, Target("cucm.lab", 443))
    requests.remove(second)
    assert requests.find_ports("vcsc", "traffic_server[1]", names) == {443}
    assert requests.remove(second) is None
