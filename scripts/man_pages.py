"""Writes one man page for each command, from what the command says of itself.

Packages that do this from click's help know neither of its examples nor of its exit codes, which have sections of their own here.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from remediate.cli.app import command as root_command
from remediate.version import __version__

_PREFORMATTED = "\b"
_HEADING = re.compile(r"[A-Z][A-Z ]+")


def write_man_pages(folder: Path) -> list[Path]:
    """Write the page of every command into `folder` and return the files."""
    pages = []
    for path, command in list_commands(root_command, ("remediate",)):
        page = folder / f"{'-'.join(path)}.1"
        page.write_text(render_page(path, command), encoding="utf-8")
        pages.append(page)
    return pages


def list_commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield `command` and every command below it, each with the words that a person types for it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            if subcommand is not None and not subcommand.hidden:
                yield from list_commands(subcommand, (*path, name))


def render_page(path: tuple[str, ...], command: click.Command) -> str:
    """Return the page of one command as roff source."""
    context = click.Context(command, info_name=" ".join(path))
    name = "-".join(path)
    lines = [f'.TH "{name.upper()}" "1" "" "remediate {__version__}" "User Commands"', ".SH NAME"]
    lines.append(f"{_escape(name)} \\- {_escape(command.get_short_help_str(limit=200))}")
    lines += [".SH SYNOPSIS", f"\\fB{_escape(' '.join(path))}\\fR {_escape(' '.join(command.collect_usage_pieces(context)))}"]
    lines += [".SH DESCRIPTION", *_render_help(command.help or "")]
    lines += [".SH OPTIONS", *_render_options(command, context)]
    lines += _render_subcommands(path, command)
    if len(path) > 1:
        lines += [".SH SEE ALSO", f"\\fB{_escape('-'.join(path[:-1]))}\\fR(1)"]
    return "\n".join(lines) + "\n"


def _render_help(text: str) -> Iterator[str]:
    """Render paragraphs. One that click leaves as it is opens a section of its own where its first line is a heading."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if not paragraph.startswith(_PREFORMATTED):
            yield from (".PP", _escape(" ".join(paragraph.split())))
            continue
        lines = paragraph.removeprefix(_PREFORMATTED).strip("\n").split("\n")
        if _HEADING.fullmatch(lines[0].strip()):
            yield f".SH {lines.pop(0).strip()}"
        yield from (".PP", ".nf", *map(_escape, lines), ".fi")


def _render_options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield from (".TP", f"\\fB{_escape(record[0])}\\fR", _escape(" ".join(record[1].split())))


def _render_subcommands(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    commands = [subcommand for subcommand in list_commands(command, path) if len(subcommand[0]) == len(path) + 1]
    if commands:
        yield ".SH COMMANDS"
    for words, subcommand in commands:
        yield from (".TP", f"\\fB{_escape('-'.join(words))}\\fR(1)", _escape(subcommand.get_short_help_str(limit=200)))


def _escape(text: str) -> str:
    """Write text so that roff prints it unchanged: a backslash and a hyphen as such, and no line that starts a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    write_man_pages(Path(sys.argv[1]))
