"""Options that several commands share, and the variable of each."""

from __future__ import annotations

import click
import pytest

from remediate.cli.app import command as root
from tests.cli.commands import EVERY
from tests.cli.conftest import Remediate


def options_of(path: tuple[str, ...]) -> list[click.Option]:
    """The options of one command, without those of click."""
    command: click.Command | None = root
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return [param for param in command.params if isinstance(param, click.Option) and param.name not in {"version", "help"}]


ASKING = tuple(path for path in EVERY if any("--yes" in option.opts for option in options_of(path)))


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
