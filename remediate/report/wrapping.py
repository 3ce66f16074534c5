"""Where a line on a terminal may be broken."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import TextIO

_WORD = re.compile(
    r"(?:\d+ = )?(?:`[^`\n]*`|\((?:[^\s()]+ ){0,3}\d\d:\d\d(?::\d\d)? UTC\)|\d\d:\d\d(?::\d\d)? UTC(?!\w)|\S)+"
    r"(?: [:;!?»·](?!\S))*"
)
"""What is never split: a word, with a sign that French writes after a blank, or that parts it from the next; code, such as a command;
a time in UTC, and a moment in UTC beside one in local time; ``1 = NAME``."""


def terminal_columns(stream: TextIO) -> int:
    """Return how wide the terminal behind `stream` is, 80 where it does not say; 0 where there is none."""
    try:
        return (os.get_terminal_size(stream.fileno()).columns or 80) if stream.isatty() else 0
    except (OSError, ValueError):
        return 0


def break_offsets(text: str, width: int) -> list[int]:
    """Return where lines of `width` begin, but the first; a word that is longer has a line of its own, and is not split."""
    offsets: list[int] = []
    begin = 0
    for match in _WORD.finditer(text):
        if match.end() - begin > width and match.start() > begin:
            offsets.append(match.start())
            begin = match.start()
    return offsets


def list_word_lengths(text: str) -> list[int]:
    """Return how long each part of `text` is that no line splits."""
    return [len(match[0]) for match in _WORD.finditer(text)]


def wrap_line(line: str, columns: int) -> str:
    """Return `line` for a terminal of so many columns, each further line a little below its beginning."""
    text = line.lstrip()
    indent = " " * (len(line) - len(text))
    offsets = [0, *break_offsets(text, max(1, columns - len(indent) - 2)), len(text)]
    parts = [text[begin:end].rstrip() for begin, end in pairwise(offsets)]
    return f"\n{indent}  ".join([indent + parts[0], *parts[1:]])
