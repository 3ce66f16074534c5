"""Lines on a terminal: wrapped between words only, and not at all in a pipe; no line ends in blanks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.text import Text

from remediate.language.choice import ENGLISH
from remediate.language.messages import current_language, translate
from remediate.model.text import escape
from remediate.report.wrapping import break_offsets, list_word_lengths

_MIN_WIDTH = 24
_WIDE = 80
"""On a narrower terminal, the text of an entry is below its label."""
_GAP = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a list: its label and its text. Both are escaped already.

    Attributes:
        label: What it is about; empty where it is the same as that of the entry before.
        paragraphs: The text; each begins a line.
        mark: A symbol before the label, or nothing.
    """

    label: Text
    paragraphs: tuple[Text, ...]
    mark: Text = field(default_factory=Text)


class FinalText(Text):
    """Text that is in the language in use already: a line of a wrapped sentence must not be taken for a sentence."""


def translate_text(text: Text) -> Text:
    """Return `text` in the language in use; what is styled in itself is translated by itself."""
    if isinstance(text, FinalText) or (current_language() == ENGLISH and translate(text.plain) == text.plain):
        return text
    offsets = sorted({offset for span in text.spans for offset in (span.start, span.end)} - {0, len(text)})
    translated = Text(style=text.style, justify=text.justify, no_wrap=text.no_wrap, end=text.end)
    for part in text.divide(offsets):
        piece = Text(translate(part.plain))
        for span in part.spans:
            piece.stylize(span.style)
        translated.append_text(piece)
    return translated


def colon() -> str:
    """Return the colon after a word, as the language in use writes it."""
    return ":" if current_language() == ENGLISH else " :"


def print_indented(console: Console, text: Text, columns: int, *, first: str = "") -> None:
    """Print `text` indented by `columns`, each further line under its first word.

    Args:
        console: Where to print; where it is no terminal, nothing is wrapped.
        text: One paragraph.
        columns: The indentation.
        first: The text before the first line, at the indentation: ``• ``.
    """
    start = Text(" " * columns + first, text.style if first else "")
    _print_hanging(console, start, text)


def _print_hanging(console: Console, start: Text, text: Text) -> None:
    """Print `text` after `start`, each further line under its beginning."""
    text = translate_text(text)
    if not console.is_terminal:
        console.print(FinalText.assemble(start, text), soft_wrap=True)
        return
    width = max(console.width - len(start), _MIN_WIDTH)
    for number, line in enumerate(text.divide(break_offsets(text.plain, width))):
        line.rstrip()
        console.print(FinalText.assemble(" " * len(start) if number else start, line), soft_wrap=True)


def print_bullet(console: Console, text: str, columns: int) -> None:
    """Print untrusted `text` as an entry of a list."""
    print_indented(console, Text(escape(text, 2000)), columns, first="• ")


def print_heading(console: Console, title: str) -> None:
    """Print a heading, after an empty line."""
    console.print()
    print_indented(console, Text(title, "bold underline"), 0)


def print_entries(console: Console, entries: Sequence[Entry], columns: int = 0) -> None:
    """Print entries with their texts in a column of its own, or below the label where the terminal is narrow.

    Args:
        console: Where to print; where it is no terminal, each paragraph is one line.
        entries: The entries.
        columns: The indentation.
    """
    entries = [replace(entry, label=translate_text(entry.label)) for entry in entries]
    mark_width = max((len(entry.mark) + 1 for entry in entries if entry.mark), default=0)
    label_width = max((len(entry.label) for entry in entries), default=0)
    text_column = columns + mark_width + label_width + _GAP
    room_below = console.width - columns - mark_width - _GAP
    is_below = console.is_terminal and (
        console.width < _WIDE or console.width - text_column < max(_MIN_WIDTH, _longest_word(entries, room_below))
    )
    for entry in entries:
        head = Text.assemble(" " * columns, entry.mark, " " * (mark_width - len(entry.mark)), entry.label)
        paragraphs = entry.paragraphs
        if not is_below and paragraphs:
            head.append(" " * (text_column - len(head)))
            _print_hanging(console, head, paragraphs[0])
            paragraphs = paragraphs[1:]
        elif head.plain.strip():
            head.rstrip()
            console.print(head, soft_wrap=True)
        for paragraph in paragraphs:
            print_indented(console, paragraph, columns + mark_width + _GAP if is_below else text_column)


def _longest_word(entries: Sequence[Entry], room: int) -> int:
    """Return how long the longest word of the texts is that fits into `room`: a longer one leaves the screen in either place."""
    paragraphs = (translate_text(paragraph).plain for entry in entries for paragraph in entry.paragraphs)
    lengths = (length for paragraph in paragraphs for length in list_word_lengths(paragraph))
    return max((length for length in lengths if length <= room), default=0)


def print_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], *, is_labelled: bool = False) -> None:
    """Print rows of escaped cells in columns; on a terminal that is too narrow, the first cell above the others.

    Args:
        console: Where to print.
        titles: The titles of the columns.
        rows: The cells.
        is_labelled: Below each other, the cells mean little without the titles of their columns.
    """
    lines = list(align_columns([titles, *rows]))
    if not console.is_terminal or max(map(len, lines)) <= console.width:
        for number, line in enumerate(lines):
            console.print(Text(line, "" if number else "dim"), soft_wrap=True)
        return
    for number, (first, *other_cells) in enumerate(rows if is_labelled else [titles, *rows]):
        style = "" if number or is_labelled else "dim"
        console.print(Text(first, style), soft_wrap=True)
        if is_labelled:
            print_entries(
                console, [Entry(Text(title), (Text(cell),)) for title, cell in zip(titles[1:], other_cells, strict=True)], 2
            )
        else:
            print_indented(console, FinalText("  ".join(translate(cell) for cell in other_cells if cell), style), 2)


def align_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row as a line with its cells under each other, without blanks at its end; a cell alone widens no column."""
    rows = [[translate(cell) for cell in row] for row in rows]
    widths = [max((len(row[column]) for row in rows if any(row[1:])), default=0) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
