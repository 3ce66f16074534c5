"""Lines of a text in a drawing, which does not wrap by itself: as wide as the widest usual bold sans serif draws them."""

from __future__ import annotations

import re
import unicodedata

_NARROW, _CAPITAL, _WIDE, _OTHER = 0.41, 0.83, 1.05, 0.72
"""Widths in em, of DejaVu Sans Bold and narrower fonts."""
_NARROW_CHARACTERS = frozenset(" .,:;'!|()[]ijlI-\u00a0\u202f")
_WIDE_CHARACTERS = frozenset("mwMWQ@%…—→✗+<>=~")
_LABEL = re.compile(r"[^.-]+[.-]*|[.-]+")
"""What a word is broken between that is too long for a line: the labels of a name."""


def wrap_drawn(text: str, room: float) -> list[str]:
    """Return `text` in lines of at most `room` em; at least one. A piece without a place to break it is broken anywhere."""
    lines = [""]
    for word in text.split():
        start = f"{lines[-1]} " if lines[-1] else ""
        if width_of(start + word) <= room:
            lines[-1] = start + word
        else:
            lines += _break_word(word, room)
    return lines if lines[0] or len(lines) == 1 else lines[1:]


def _break_word(word: str, room: float) -> list[str]:
    """Return a word in lines, whole where it has room."""
    if width_of(word) <= room:
        return [word]
    lines = [""]
    for label in _LABEL.findall(word):
        if lines[-1] and width_of(lines[-1] + label) > room:
            lines.append("")
        lines[-1:] = _break_anywhere(lines[-1] + label, room)
    return lines


def _break_anywhere(line: str, room: float) -> list[str]:
    """Return a line that is too long in several."""
    lines = [""]
    for character in line:
        if lines[-1] and width_of(lines[-1] + character) > room:
            lines.append("")
        lines[-1] += character
    return lines


def width_of(text: str) -> float:
    """Return about how wide `text` is drawn, in em, and hardly ever too little."""
    return sum(_width_of_character(character) for character in text)


def _width_of_character(character: str) -> float:
    if character in _NARROW_CHARACTERS:
        return _NARROW
    if character in _WIDE_CHARACTERS or unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    return _CAPITAL if character.isupper() else _OTHER
