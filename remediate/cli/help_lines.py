"""Examples and exit codes in a page of help: paragraphs that click leaves as they are, in lines that fit the screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

UNWRAPPED = "\b"
"""Click's mark of a paragraph whose lines stay as they are."""
_CODE = re.compile(r"(\s*\d+\s+)(\S.*)")
_GOES_ON = re.compile(r"\s{6,}(\S.*)")
"""The second line of what a code means."""
_EXAMPLE = re.compile(r"(\s*)(remediate .*?)(?:\s{2,}(?:# )?(\S.*))?")
_BEFORE_OPTION = re.compile(r" (?=[->])")


def fit_help(text: str, width: int) -> str:
    """Return the help of a command with its examples and exit codes in lines of at most `width`, where they can be broken."""
    return "\n\n".join(_fit_paragraph(paragraph, width) for paragraph in text.split("\n\n"))


def _fit_paragraph(paragraph: str, width: int) -> str:
    mark, *lines = paragraph.split("\n")
    if mark.strip(" ") != UNWRAPPED:
        return paragraph
    lines = list(_join_codes(lines))
    wide = [line for line in lines if len(line) > width]
    if not wide:
        return "\n".join([mark, *lines])
    below = any(match[3] for line in wide if (match := _EXAMPLE.fullmatch(line)))
    return "\n".join([mark, *(part for line in lines for part in _fit_line(line, width, below=below))])


def _join_codes(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines with what each code means on its own one."""
    joined: list[str] = []
    for line in lines:
        further = _GOES_ON.fullmatch(line)
        if further and joined and _CODE.fullmatch(joined[-1]):
            joined[-1] += f" {further[1]}"
        else:
            joined.append(line)
    yield from joined


def _fit_line(line: str, width: int, *, below: bool) -> Sequence[str]:
    """Return a line in several; a command is broken before an option, as a shell takes it.

    Args:
        line: The line.
        width: How long a line may be.
        below: What an example does stands below it.
    """
    if example := _EXAMPLE.fullmatch(line):
        indent, command, meaning = example.groups()
        if not below and len(line) <= width:
            return (line,)
        return (*_break_command(command, indent, width), *(_wrap(f"{indent}    ", f"# {meaning}", width) if meaning else ()))
    code = _CODE.fullmatch(line)
    return _wrap(code[1], code[2], width) if code else _wrap("", line, width)


def _break_command(command: str, indent: str, width: int) -> Iterator[str]:
    line = indent
    for part in _BEFORE_OPTION.split(command):
        if line.strip() and len(f"{line}{part} \\") > width:
            yield f"{line}\\"
            line = f"{indent}    "
        line += f"{part} "
    yield line.rstrip()


def _wrap(start: str, text: str, width: int) -> list[str]:
    """Return `text` after `start`, each further line under its beginning."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
