"""Lines on a terminal: wrapped between words only, and not at all in a pipe; no line ends in blanks."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

from remediate.model.text import escape

_MIN_WIDTH = 24


def print_indented(console: Console, text: Text, columns: int, *, first: str = "") -> None:
    """Print `text` indented by `columns`, each further line under its first word.

    Args:
        console: Where to print; where it is no terminal, nothing is wrapped.
        text: One paragraph.
        columns: The indentation.
        first: What stands before the first line, at the indentation: ``• ``.
    """
    start, rest = " " * columns + first, " " * (columns + len(first))
    if not console.is_terminal:
        console.print(Text.assemble(start, text), soft_wrap=True)
        return
    width = max(console.width - len(rest), _MIN_WIDTH)
    for number, line in enumerate(text.divide(_break_offsets(text.plain, width))):
        line.rstrip()
        console.print(Text.assemble(rest if number else start, line), soft_wrap=True)


def _break_offsets(text: str, width: int) -> list[int]:
    """Return where lines of `width` begin, but the first; a word that is longer has a line of its own, and is not split."""
    offsets: list[int] = []
    begin = 0
    for match in re.finditer(r"\S+", text):
        if match.end() - begin > width and match.start() > begin:
            offsets.append(match.start())
            begin = match.start()
    return offsets


def print_bullet(console: Console, text: str, columns: int) -> None:
    """Print untrusted `text` as an entry of a list."""
    print_indented(console, Text(escape(text, 2000)), columns, first="• ")


def print_heading(console: Console, title: str) -> None:
    """Print a heading, after an empty line."""
    console.print()
    console.print(Text(title, "bold underline"), soft_wrap=True)
