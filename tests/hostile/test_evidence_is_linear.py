"""Readers of logs take twice as long for twice as much, whatever is in it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.limits import Limits
from tests.timing import assert_done_within, assert_grows_in_proportion

WORDS = b"certificate verification failed for (x). Action=Terminate Error="
PIECES = {
    "one letter": b"c",
    "words of a refusal": b"certificate verification failed ",
    "half a warning": WORDS,
    "half a warning and blanks": WORDS + b" " * 500,
    "a warning without its end": WORDS + b"s " * 100 + b"server=",
    "open parentheses": b"certificate verification failed for (",
    "half an error": b"SSL connection failed for 'x': error:0A000086:",
    "a transaction without its number": b'Txn-id= Detail="a b" ',
    "a request": b"GET http:/ HTTP/1. ",
    "blanks": b" " * 1000 + b"certificate verify failed",
    "line ends": b"\n\n\ncertificate verify failed",
    "tags": b"<b<br<p certificate verify failed",
    "entities": b"&amp;amp;amp;#&nbsp certificate verify failed",
    "escapes": b"\\\\\\\\n\\u00 certificate verify failed",
    "terminal": b"\x1b[\x1b]0; certificate verify failed",
    "fences": b"```\n{code \ncertificate verify failed",
    "times": b"2023-03-14T09:12:44.120+01:00 x tvcs: certificate verify failed ",
    "times without a process": b"2023-03-14T09:12:44.120+01:00 " * 20 + b"\nnot in\ncertificate ",
    "SIP": b'2023-03-14T09:12:44.120+01:00 x tvcs: Event="Outbound TLS Negotiation Error" Detail="',
}


@pytest.mark.parametrize("line_end", [b"", b"\n"], ids=["one line", "lines"])
@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES.keys())
def test_twice_as_much_takes_twice_as_long(tmp_path: Path, piece: bytes, line_end: bytes) -> None:
    def read(size: int) -> None:
        (tmp_path / "log").write_bytes((piece + line_end) * (size // len(piece + line_end)))
        gather([tmp_path / "log"], Limits())

    assert_grows_in_proportion(read, 150_000)
    assert_done_within(2, lambda: read(300_000))


@pytest.mark.parametrize(("filler", "times"), [(b"\x00", 1), (b"\n", 3)], ids=["zeros", "line ends"])
def test_a_log_of_nothing_is_read_about_as_fast_as_lines(tmp_path: Path, filler: bytes, times: int) -> None:
    (tmp_path / "lines").write_bytes(b"2022-07-26T17:20:45.560+02:00 vcsc httpd[1]: nothing of interest\n" * 230_000)
    (tmp_path / "nothing").write_bytes(filler * 15_000_000)
    started_at = time.process_time()
    gather([tmp_path / "lines"], Limits())
    of_lines_s = time.process_time() - started_at

    assert_done_within(times * of_lines_s, lambda: gather([tmp_path / "nothing"], Limits()))
