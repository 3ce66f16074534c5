"""The part of docs/reference.md that the commands themselves say. ``python -m tests.docs.reference`` writes it anew."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from remediate.cli.app import command as remediate

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
BEGIN, END = "<!-- commands: made by `python -m tests.docs.reference` -->\n", "<!-- end of commands -->\n"
COMMON = "--json --events --state-dir --quiet --verbose --no-color --no-input --help"


def page() -> str:
    """Return the page as it should be: its own words, and what the commands say between the two marks."""
    before, _, tail = PAGE.read_text().partition(BEGIN)
    return before + BEGIN + "\n" + "\n".join(_commands()) + "\n" + END + tail.partition(END)[2]


def _commands() -> Iterator[str]:
    context = click.Context(remediate, info_name="remediate")
    for name in remediate.list_commands(context):
        verb = remediate.get_command(context, name)
        assert verb is not None
        yield from _command(verb, f"remediate {name}", context)


def _command(verb: click.Command, path: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(verb, info_name=path.rpartition(" ")[2], parent=parent)
    yield (
        " ".join(["###", path, *(param.make_metavar(context) for param in verb.params if isinstance(param, click.Argument))])
        + "\n"
    )
    yield from _words(verb)
    rows = [_row(option, context) for option in verb.params if isinstance(option, click.Option) and not _is_common(option)]
    if rows:
        yield "| option | variable | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    if isinstance(verb, click.Group):
        for name in verb.list_commands(context):
            yield from _command(verb.commands[name], f"{path} {name}", context)


def _words(verb: click.Command) -> Iterator[str]:
    """Yield the help's paragraphs as prose, its examples and exit codes as they stand."""
    for paragraph in inspect.cleandoc(verb.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            title, _, lines = paragraph.removeprefix("\b\n").partition("\n")
            language = "sh" if title == "EXAMPLES" else ""
            yield f"{title.capitalize()}:\n\n```{language}\n{inspect.cleandoc(lines)}\n```\n"
        else:
            yield " ".join(paragraph.split()) + "\n"


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    names = record[0] if record else ", ".join(option.opts)
    default = f" Default: {option.default}." if option.show_default and option.default else ""
    required = " Required." if option.required else ""
    variable = f"`{option.envvar}`" if option.envvar else "none"
    cells = (f"`{names}`", variable, f"{option.help}{default}{required}")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _is_common(option: click.Option) -> bool:
    return bool({"--help", *COMMON.split()} & set(option.opts))


if __name__ == "__main__":
    PAGE.write_text(page())
