"""Blocks of whole lines of a text, as UTF-8, with any line ends and lines of any length."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import Final

from remediate.connectors.evidence.budget import CannotRead
from remediate.connectors.evidence.content_kind import HEAD, encoding_of

_BLOCK: Final = 128 * 1024
_UTF_8_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SEARCHED_END: Final = 16 * 1024
"""The bytes at the end of a block that are searched for the begin of a message, so that no wrapped message is cut."""
_MESSAGE_BEGIN: Final = re.compile(
    rb"\n[>| ]{0,8}(?:\d{4}-\d\d-\d\d[T ]\d\d:|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:|\[[A-Z][a-z]{2} [ \d]\d \d\d:)"
)
_TIME: Final = re.compile(rb"(?<![\d\"])\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def read_blocks(stream: io.BufferedReader, max_line_bytes: int) -> Iterator[bytes]:
    """Yield the text in `stream` in blocks; each ends with a line, if possible with a message.

    `stream`: the text, in ASCII, UTF-8, UTF-16 or UTF-32.

    Raises:
        CannotRead: The stream broke off. The text before was yielded.
    """
    encoding = encoding_of(stream.peek(HEAD)[:HEAD])
    source = io.BufferedReader(_TranscodedStream(stream, encoding)) if encoding else stream
    remainder, is_first = b"", True
    try:
        # `read1`, as `read` loses the data before an error.
        while data := source.read1(_BLOCK):
            data = remainder + (data.removeprefix(_UTF_8_BYTE_ORDER_MARK) if is_first else data)
            is_first = False
            cut = _find_block_end(data, max_line_bytes)
            if cut:
                yield _normalise_line_ends(data[:cut])
            remainder = data[cut:]
    except CannotRead:
        if remainder:
            yield _normalise_line_ends(remainder)
        raise
    if remainder:
        yield _normalise_line_ends(remainder)


def _find_block_end(data: bytes, max_line_bytes: int) -> int:
    """Return where to cut: before a message, else behind a line, else within a line that is too long; 0 for nowhere."""
    line_end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
    if not line_end:
        return (_find_last_time(data) or len(data)) if len(data) > max_line_bytes else 0
    # With the begin of one message alone, its end may still come.
    return _find_last_message(data) or (line_end if len(data) >= _SEARCHED_END else 0)


def _find_last_time(data: bytes) -> int:
    offsets = [match.start() for match in _TIME.finditer(data, max(0, len(data) - _SEARCHED_END))]
    return offsets[-1] if offsets else 0


def _find_last_message(data: bytes) -> int:
    """Return where the last message in `data` begins; 0 where none does."""
    offsets = [match.start() + 1 for match in _MESSAGE_BEGIN.finditer(data, max(0, len(data) - _SEARCHED_END))]
    return offsets[-1] if offsets else 0


def _normalise_line_ends(data: bytes) -> bytes:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # UTF-16 that was appended to an ASCII log has zeros between its letters; a log that was cut has a run of them.
    return data.translate(None, b"\x00") if b"\x00" in data else data


class _TranscodedStream(io.RawIOBase):
    """A stream of UTF-16 or UTF-32, as some editors and shells save logs, as UTF-8."""

    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        # A code unit of two bytes becomes three at the most.
        while data := self._stream.read1(max(2, len(buffer) // 3)):
            encoded = self._decoder.decode(data).encode(errors="replace")
            if encoded:
                buffer[: len(encoded)] = encoded
                return len(encoded)
        return 0
