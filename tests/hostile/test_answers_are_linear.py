"""The time to read what a peer prints grows with the text and no faster: four times the text, about four times the time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from remediate.connectors.expressway import cluster
from remediate.connectors.expressway.records import parse_alternates
from remediate.connectors.expressway.shell_text import (
    AnswerTooLarge,
    ShellAnswer,
    find_error,
    is_pager_prompt,
    is_question,
    parse_leaves,
    parse_status,
    strip_pager,
    strip_terminal_codes,
)
from remediate.model.identity import Address
from remediate.model.limits import Limits

UNLIMITED = Limits(shell_answer_bytes=10**9, shell_line_bytes=10**9)
FEWEST_S = 0.004
"""Shorter times are too close to what a clock can tell from noise."""
MOST = 1 << 18
"""A reader that takes less for so much is linear, or its square shows at four times as much; beyond, caches are measured."""
MEASUREMENTS = 4


def answered(text: str) -> None:
    """Read `text` as the shell does, in small pieces."""
    answer, data = ShellAnswer("xConfiguration A", UNLIMITED, greeting=False), text.encode()
    for start in range(0, len(data), 23):
        answer.feed(data[start : start + 23])
        assert not answer.awaits_key or answer.unfinished is not None
        _ = (answer.is_complete_if_quiet, answer.complete)
    _ = answer.question
    answer.all_lines()


def lines_of(text: str) -> list[str]:
    return [strip_pager(line) for line in text.split("\n")]


def leaves_of(text: str) -> None:
    parse_leaves(lines_of(text))


def status_of(text: str) -> None:
    parse_status(["*s SystemUnit: /", *lines_of(text)])


def alternates_of(text: str) -> None:
    parse_alternates(parse_leaves(lines_of(text)))


READERS: dict[str, Callable[[str], object]] = {
    "answer": answered,
    "strip_terminal_codes": lambda text: strip_terminal_codes(text.encode()),
    "lines": lines_of,
    "leaves": leaves_of,
    "status": status_of,
    "errors": lambda text: find_error(lines_of(text), "xConfiguration A"),
    "pager": is_pager_prompt,
    "question": lambda text: is_question(text, finished=False),
    "alternates": alternates_of,
}
TEXTS: dict[str, Callable[[int], str]] = {
    "blanks in a leaf": lambda size: "*c xConfiguration" + " " * size + "x",
    "blanks in a status": lambda size: "  " + " " * size + "x",
    "blanks in a block": lambda size: "*s" + " " * size + "x",
    "no colon": lambda size: "*c xConfiguration " + "x " * (size // 2),
    "colons": lambda size: "*c xConfiguration " + "x: " * (size // 3),
    "many leaves": lambda size: '*c xConfiguration A: "1"\n' * (size // 25),
    "peers": lambda size: "".join(f'*c xConfiguration Alternates Peer {number} Address: "a"\n' for number in range(size // 50)),
    "deep status": lambda size: "\n".join(" " * depth + "x: /" for depth in range(int(size**0.5))),
    "flat status": lambda size: "  Version: 1\n" * (size // 13),
    "pagers": lambda size: "--More--" * (size // 8),
    "half pagers": lambda size: "-- more " * (size // 8),
    "dashes": lambda size: "-" * size,
    "escapes": lambda size: "\x1b[" * (size // 2),
    "titles": lambda size: "\x1b]" * (size // 2),
    "one title": lambda size: "\x1b]" + "x" * size,
    "brackets": lambda size: "[y" * (size // 2),
    "line ends": lambda size: "\n" * size,
    "signs": lambda size: "!" * size + "error",
    "any key": lambda size: "press any key" + " " * size + "x",
    "errors": lambda size: "ERROR\n" * (size // 6),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the least CPU time of three readings: others on this machine only ever add to it."""
    least = float("inf")
    for _ in range(3):
        began = time.thread_time()
        read(text)
        least = min(least, time.thread_time() - began)
    return least


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_the_time_grows_with_the_text_and_not_with_its_square(
    read: Callable[[str], object], text: Callable[[int], str]
) -> None:
    size = 1 << 11
    while (before := seconds(read, text(size))) < FEWEST_S and size < MOST:
        size *= 2

    # A busy machine spoils one measurement, and a square one that is there spoils all of them.
    ratios = [seconds(read, text(4 * size)) / max(before, FEWEST_S)]
    while ratios[-1] >= 9 and len(ratios) < MEASUREMENTS:
        ratios.append(seconds(read, text(4 * size)) / max(seconds(read, text(size)), FEWEST_S))
    assert min(ratios) < 9, ratios


def test_a_list_of_peers_is_compared_once_with_each() -> None:
    resolved: list[Address] = []

    def resolve(address: Address) -> set[str]:
        resolved.append(address)
        return {str(address)}

    addresses = [Address(f"192.0.2.{number}") for number in range(200)]
    inventory_peers = [Address("expc1.example.test")]

    assert list(cluster.match_hosts(inventory_peers, addresses, resolve)) == addresses
    assert len(resolved) == len(set(resolved)) <= 201


def test_a_line_and_an_answer_have_a_limit() -> None:
    answer = ShellAnswer("xConfiguration A", Limits(shell_line_bytes=100), greeting=False)
    answer.feed(b"x" * 100)
    with pytest.raises(AnswerTooLarge, match="a line is longer than 100 bytes"):
        answer.feed(b"x")
    answer = ShellAnswer("xConfiguration A", Limits(shell_answer_bytes=100), greeting=False)
    with pytest.raises(AnswerTooLarge, match="larger than 100 bytes"):
        answer.feed(b"x\n" * 51)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1000])
def test_how_an_answer_is_cut_does_not_matter(size: int) -> None:
    printed = (
        'xConfiguration A\r\n\x1b[1m*c xConfiguration A B:\x1b[0m "1"\r\n--More--\r\x1b[K*c xConfiguration A C: "é"\r\nOK\r\n'
    ).encode()
    answer = ShellAnswer("xConfiguration A", Limits(), greeting=False)
    for start in range(0, len(printed), size):
        assert not answer.complete
        answer.feed(printed[start : start + size])

    assert answer.complete
    assert parse_leaves(answer.all_lines()) == {"A B": "1", "A C": "é"}
