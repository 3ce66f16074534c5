"""A text as blocks of whole lines, in UTF-8: whatever its line ends are, and however long its lines."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import Final

from remediate.connectors.evidence.budget import CannotRead
from remediate.connectors.evidence.content_kind import HEAD, encoding_of

_BLOCK: Final = 256 * 1024
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_LAST_PART: Final = 16 * 1024
"""How far back a block looks for the begin of a message, so that no message that is wrapped is cut in two."""
_BEGINS: Final = re.compile(
    rb"^[>| ]{0,8}(?:\d{4}-\d\d-\d\d[T ]\d\d:|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:|\[[A-Z][a-z]{2} [ \d]\d \d\d:)", re.MULTILINE
)
_TIME: Final = re.compile(rb"(?<![\d\"])\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def read_blocks(stream: io.BufferedReader, longest_line: int) -> Iterator[bytes]:
    """Give the text in `stream` in blocks; each ends with a line, if possible with a message.

    Args:
        longest_line: bytes; a line that is longer comes in pieces.

    Raises:
        CannotRead: the stream broke off. What came before was given.
    """
    encoding = encoding_of(stream.peek(HEAD)[:HEAD])
    source = io.BufferedReader(_Decoded(stream, encoding)) if encoding else stream
    rest, is_first = b"", True
    try:
        # `read1`, since `read` loses what came before a break.
        while data := source.read1(_BLOCK):
            data = rest + (data.removeprefix(_UTF_8_MARK) if is_first else data)
            is_first = False
            cut = _end_of_block(data, longest_line)
            if cut:
                yield _with_plain_line_ends(data[:cut])
            rest = data[cut:]
    except CannotRead:
        if rest:
            yield _with_plain_line_ends(rest)
        raise
    if rest:
        yield _with_plain_line_ends(rest)


def _end_of_block(data: bytes, longest_line: int) -> int:
    """Return where to cut: before a line that begins a message, else behind a line, else anywhere in a line that is too long."""
    line_end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
    if not line_end:
        return (_last_begin(_TIME, data) or len(data)) if len(data) > longest_line else 0
    return _last_begin(_BEGINS, data) or line_end


def _last_begin(pattern: re.Pattern[bytes], data: bytes) -> int:
    begins = [found.start() for found in pattern.finditer(data, max(0, len(data) - _LAST_PART))]
    return begins[-1] if begins else 0


def _with_plain_line_ends(data: bytes) -> bytes:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # UTF-16 that was appended to an ASCII log has them between its letters; a log that was cut has a run of them.
    return data.replace(b"\x00", b"") if b"\x00" in data else data


class _Decoded(io.RawIOBase):
    """UTF-16 or UTF-32, as some editors and shells save a log, as UTF-8."""

    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        # A code unit of two bytes becomes three at the most.
        while data := self._stream.read1(max(2, len(buffer) // 3)):
            narrow = self._decoder.decode(data).encode(errors="replace")
            if narrow:
                buffer[: len(narrow)] = narrow
                return len(narrow)
        return 0
