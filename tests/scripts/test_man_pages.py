"""Man pages and completion: every command and every option of the parser is in both."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from remediate.cli.app import command as root
from scripts.man_pages import list_commands, write_man_pages

COMMANDS = dict(list_commands(root, ("remediate",)))
EVERY = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("man")
    write_man_pages(path)
    return path


def options_of(path: tuple[str, ...]) -> set[str]:
    command = COMMANDS[path]
    parameters = command.get_params(click.Context(command))
    return {
        name for option in parameters if isinstance(option, click.Option) for name in (*option.opts, *option.secondary_opts)
    }


def complete(path: tuple[str, ...], begun: str) -> set[str]:
    """Return what a shell is offered for a word that begins with `begun`."""
    completion = ShellComplete(root, {}, "remediate", "_REMEDIATE_COMPLETE")
    return {item.value for item in completion.get_completions(list(path[1:]), begun)}


def test_each_command_has_its_man_page(folder: Path) -> None:
    assert {page.name for page in folder.iterdir()} == {f"{'-'.join(path)}.1" for path in COMMANDS}
    assert ("remediate", "lab", "up") in COMMANDS


@EVERY
def test_a_man_page_has_each_option_and_command(path: tuple[str, ...], folder: Path) -> None:
    page = (folder / f"{'-'.join(path)}.1").read_text().replace("\\-", "-")
    terms = re.findall(r"^\.TP\n\\fB(.*)\\fR", page, re.MULTILINE)

    assert {name for term in terms for name in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", term)} == options_of(path)
    assert {term for term in terms if term.startswith("remediate-")} == {
        "-".join(below) for below in COMMANDS if below[:-1] == path
    }


@EVERY
def test_completion_offers_each_option(path: tuple[str, ...]) -> None:
    assert complete(path, "--") == {name for name in options_of(path) if name.startswith("--")}


@EVERY
def test_completion_offers_each_command(path: tuple[str, ...]) -> None:
    commands = {below[-1] for below in COMMANDS if below[:-1] == path}

    assert commands <= complete(path, "")
