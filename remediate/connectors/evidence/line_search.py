"""The lines of a block that hold one of some words: found by searches through the whole block, not by a look at each line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONG: Final = 16


def find_lines(block: bytes, words: Iterable[bytes]) -> dict[int, int]:
    """Return the end of each line of `block` with any of `words`, by its begin."""
    ends: dict[int, int] = {}
    for word in words:
        at = _find_last(block, word)
        while at >= 0:
            begin = block.rfind(b"\n", 0, at) + 1
            if begin not in ends:
                end = block.find(b"\n", at)
                ends[begin] = len(block) if end < 0 else end
            at = block.rfind(word, 0, begin)
    return ends


def has_any(block: bytes, words: Iterable[bytes]) -> bool:
    """Whether `block` has any of `words`."""
    return any(_find_last(block, word) >= 0 for word in words)


def _find_last(block: bytes, word: bytes) -> int:
    """Return where `word` is in `block` for the last time; -1 where it is nowhere."""
    # From the end, since the words begin with rarer bytes than they end with; long ones are found faster from the begin.
    return block.rfind(word) if len(word) < _LONG or word in block else -1


def list_lines_before(block: bytes, at: int, number: int) -> list[tuple[int, int]]:
    """Return the begin and end of up to `number` lines before the one that begins at `at`, in order."""
    places: list[tuple[int, int]] = []
    while at > 0 and len(places) < number:
        begin = block.rfind(b"\n", 0, at - 1) + 1
        places.append((begin, at - 1))
        at = begin
    return places[::-1]
