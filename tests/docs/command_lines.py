"""Command lines as click reads them, without running them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import click

from remediate.cli.app import command as remediate
from remediate.cli.session import Session


def parse_command_line(line: str, *, whole: bool = True) -> None:
    """Parse a command line as click would, without running it; one that is not `whole` may lack what is required.

    Raises:
        click.UsageError: It is wrong.
    """
    command, words = _find_command(shlex.split(line, comments=True)[1:])
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        raise click.UsageError(f"there is no command {words[0]}")
    if isinstance(command, click.Group) and not words:
        return
    try:
        command.make_context(command.name, list(words), parent=click.Context(remediate, obj=Session()))
    except click.MissingParameter:
        if whole:
            raise
    except click.exceptions.Exit:
        pass


def list_exit_codes(words: Sequence[str]) -> frozenset[int]:
    """Return the exit codes that the help of a command lists."""
    command, _ = _find_command(words)
    section = re.split(r"\n\n", (command.help or "").partition("EXIT CODES\n")[2], maxsplit=1)[0]
    return frozenset({0, *(int(code) for code in re.findall(r"^ +(\d+) ", section, re.MULTILINE))})


def is_whole(line: str) -> bool:
    """Return whether a command line can be typed as it stands, and is no mere mention of a command."""
    try:
        parse_command_line(line)
    except click.MissingParameter:
        return False
    return len(line.split()) > 2 or "--" in line


def _find_command(words: Sequence[str]) -> tuple[click.Command, Sequence[str]]:
    """Return the command that the first words name, and the words after them."""
    command: click.Command = remediate
    while isinstance(command, click.Group) and words:
        subcommand = command.get_command(click.Context(command), words[0])
        if subcommand is None:
            break
        command, words = subcommand, words[1:]
    return command, words
