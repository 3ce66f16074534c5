"""Symbols for a terminal whose encoding has none: each of ours has one ASCII character in its place, so that columns stay."""

from __future__ import annotations

from typing import Any, Final, TextIO

_PLAIN: Final = str.maketrans("✓✗→·…•▸█░┌┐└┘│─↻", "+x>.~*>#-++++|-@")
_SAMPLE: Final = "✓✗→…─█"


def encodes_symbols(stream: TextIO) -> bool:
    """Return whether the encoding of `stream` has our symbols; one without an encoding takes any text."""
    encoding = getattr(stream, "encoding", None)
    if not encoding:
        return True
    try:
        _SAMPLE.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class PlainStream:
    """A stream that writes ASCII characters in the place of our symbols."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`."""
        self._stream.write(text.translate(_PLAIN))
        return len(text)
