"""Help of the commands in the language in use, paragraph by paragraph."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import TypeVar

import click

from remediate.cli.help_lines import UNWRAPPED, fit_help
from remediate.language.choice import ENGLISH
from remediate.language.messages import current_language, translate

C = TypeVar("C", bound=click.Command)

_NARROW, _NARROWEST = 60, 36
_TERM_COLUMNS = 30
_ENTRY = re.compile(r"(\s*(?:\d+\s+|\S.*?\s{2,})|\s{6,})(\S.*)")
"""A line of such a paragraph that explains its beginning, ``  0   done``, or goes on below that."""


class TranslatedFormatter(click.HelpFormatter):
    """Formatter that has click's own words in the language in use, and lines that fit the screen, however narrow it is."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        columns = max(_NARROWEST, min(shutil.get_terminal_size().columns, max_width or 80) - 2)
        super().__init__(indent_increment, width or columns, max_width)

    def write_text(self, text: str) -> None:
        """Write the help of a command."""
        super().write_text(fit_help(text, self.width - self.current_indent))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, prefix or f"{translate('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        super().write_heading(heading if current_language() == ENGLISH else f"{translate(heading)} ")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = _TERM_COLUMNS, col_spacing: int = 2) -> None:
        """Write terms and what they mean."""
        columns = col_max if self.width >= _NARROW else self.indent_increment
        super().write_dl([(term, _translate_meaning(meaning)) for term, meaning in rows], columns, col_spacing)


class _TranslatedContext(click.Context):
    formatter_class = TranslatedFormatter


def _translate_meaning(meaning: str) -> str:
    """Translate click's own words, and what it adds to the help of an option, translated already: ``[env var: X; required]``."""
    text, mark, notes = meaning.rpartition("  [")
    if not mark:
        return translate(meaning)
    separator = "; " if current_language() == ENGLISH else " ; "
    return f"{text}{mark}{separator.join(map(translate, notes.removesuffix(']').split('; ')))}]"


def paragraphs_of(command: click.Command) -> Iterator[str]:
    """Yield each text of a command's help that can be translated: paragraphs, explanations, options, and those of its subcommands."""
    texts: list[str] = []

    def note(text: str) -> str:
        texts.append(text)
        return text

    _map_command(deepcopy(command), note)
    yield from texts


def translate_help(command: C) -> C:
    """Return a command whose help is in the language in use; where that is not English, a copy."""
    if current_language() == ENGLISH:
        _use_formatter(command)
        return command
    translated = deepcopy(command)
    _map_command(translated, translate)
    return translated


def _use_formatter(command: click.Command) -> None:
    command.context_class = _TranslatedContext
    for subcommand in command.commands.values() if isinstance(command, click.Group) else ():
        _use_formatter(subcommand)


def _map_command(command: click.Command, change: Callable[[str], str]) -> None:
    """Replace each text of `command` by what `change` makes of it."""
    command.context_class = _TranslatedContext
    if command.help:
        command.help = "\n\n".join(_map_paragraph(part, change) for part in inspect.cleandoc(command.help).split("\n\n"))
    if command.short_help:
        command.short_help = change(command.short_help)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = change(" ".join(parameter.help.split()))
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _map_command(subcommand, change)


def _map_paragraph(paragraph: str, change: Callable[[str], str]) -> str:
    lines = paragraph.split("\n")
    if lines[0].strip(" ") != UNWRAPPED:
        return change(" ".join(paragraph.split()))
    return "\n".join([lines[0], *(_map_line(line, change) for line in lines[1:])])


def _map_line(line: str, change: Callable[[str], str]) -> str:
    if match := _ENTRY.fullmatch(line):
        return f"{match[1]}{change(match[2])}"
    text = line.lstrip()
    is_example = text.startswith("remediate ")
    return line if is_example or not text else f"{line.removesuffix(text)}{change(text)}"
