"""Every help page: examples, exit codes, a variable for every option; and `--help` loads nothing heavy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from remediate.cli.app import VERBS
from remediate.cli.app import command as root
from remediate.model.exit_codes import ExitCode
from tests.cli.conftest import Remediate

HEAVY = (
    "cryptography",
    "paramiko",
    "requests",
    "pydantic",
    "rich",
    "jinja2",
    "yaml",
    "OpenSSL",
    "keyring",
    "starlette",
    "sqlite3",
    "dpkt",
)


def every_command(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command there is, as typed."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below, (*path, name))


def options_of(path: tuple[str, ...]) -> list[click.Option]:
    """The options of one command, without those of click."""
    command: click.Command | None = root
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return [param for param in command.params if isinstance(param, click.Option) and param.name not in {"version", "help"}]


EVERY = tuple(every_command())
ASKING = tuple(path for path in EVERY if any("--yes" in option.opts for option in options_of(path)))


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "remediate")
def test_every_help_page_has_examples_and_exit_codes(path: tuple[str, ...], remediate: Remediate) -> None:
    ended = remediate(*path, "--help")

    assert ended.code == 0
    assert ended.err == ""
    assert re.search(r"EXAMPLES\n\s+remediate ", ended.out)
    assert re.search(r"EXIT CODES\n\s+\d", ended.out)
    assert not re.search(r"TODO|FIXME|XXX", ended.out)
    assert max(map(len, ended.out.splitlines())) <= 120


def test_the_help_lists_every_exit_code(remediate: Remediate) -> None:
    listed = re.findall(r"\d+", _exit_codes_of(remediate("--help").out))

    assert sorted(map(int, listed)) == sorted(ExitCode)


@pytest.mark.parametrize("path", EVERY[1:], ids=" ".join)
def test_a_verb_names_only_exit_codes_that_exist(path: tuple[str, ...], remediate: Remediate) -> None:
    listed = re.findall(r"^ +(\d+) ", _exit_codes_of(remediate(*path, "--help").out), re.MULTILINE)

    assert listed
    assert set(map(int, listed)) <= set(ExitCode)


def _exit_codes_of(page: str) -> str:
    """Return the section of a help page that lists its exit codes."""
    return re.split(r"\n\n", page.partition("EXIT CODES\n")[2], maxsplit=1)[0]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "remediate")
def test_every_option_but_yes_has_its_variable(path: tuple[str, ...]) -> None:
    for option in options_of(path):
        long = max(option.opts, key=len)
        variable = "REMEDIATE_" + long.lstrip("-").replace("-", "_").upper()
        assert option.envvar == (None if long == "--yes" else variable)
        assert option.help


@pytest.mark.parametrize("value", ["1", ""])
@pytest.mark.parametrize("path", ASKING, ids=" ".join)
def test_a_set_remediate_yes_stops_what_asks(
    path: tuple[str, ...], value: str, remediate: Remediate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMEDIATE_YES", value)

    # Without its arguments: it ends before they are looked at.
    ended = remediate(*path)

    assert (ended.code, ended.out) == (64, "")
    assert "REMEDIATE_YES is set" in ended.err
    assert remediate(*path, "--help").code == 0


def test_each_command_that_writes_asks() -> None:
    assert {("apply",), ("rollback",), ("workaround",)} <= set(ASKING)


def test_a_set_remediate_yes_stops_the_demo(remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_YES", "1")

    assert remediate("demo").code == 64


def test_the_verbs_are_the_documented_ones(remediate: Remediate) -> None:
    ended = remediate("--help")

    assert all(re.search(rf"^  {verb} ", ended.out, re.MULTILINE) for verb in VERBS)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["plan", "--help"], ["apply", "--help"], ["lab", "--help"], ["diagnose", "--help"], ["completion", "bash"]],
)
def test_help_loads_click_and_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom remediate.cli.app import run\n"
        f"assert run({arguments!r}) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    # What measures coverage in a child loads things of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    process = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert process.stderr.strip() == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back_the_program(shell: str, remediate: Remediate) -> None:
    ended = remediate("completion", shell)

    assert ended.code == 0
    assert "_REMEDIATE_COMPLETE" in ended.out


def test_a_completion_script_is_one_json_document(remediate: Remediate) -> None:
    document = remediate("completion", "bash", "--json").document

    assert document["shell"] == "bash"
    assert "_remediate_completion" in document["script"]
