"""Options that several commands share, and the variable of each."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize("arguments", [("nosuch",), ("plan", "--nosuch"), ("plan",), ("plan", "-i", "none.yml")])
def test_the_variable_of_json_makes_errors_documents(
    arguments: tuple[str, ...], remediate: Remediate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMEDIATE_JSON", "1")

    ended = remediate(*arguments)

    assert ended.document["error"]["exit_code"] == ended.code


@pytest.mark.parametrize("value", ["0", "", "perhaps"])
def test_another_value_of_that_variable_does_not(value: str, remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_JSON", value)

    assert remediate("nosuch").out == ""


def test_a_file_on_the_command_line_wins_over_a_variable(
    remediate: Remediate, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.txt").write_text("nothing\n")
    monkeypatch.setenv("REMEDIATE_INVENTORY", str(tmp_path / "none.yml"))

    assert remediate("certificates", "--snapshot", snapshot).code == 0
    assert remediate("plan", "--snapshot", snapshot).code == 0
    assert "no diagnostic archive of a peer" in remediate("collect", "--archive", tmp_path / "log.txt").err


def test_an_inventory_on_the_command_line_wins_too(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMEDIATE_SNAPSHOT", str(tmp_path / "none.json"))
    monkeypatch.setenv("REMEDIATE_ARCHIVE", str(tmp_path / "none.tar.gz"))

    for verb in ("certificates", "plan", "collect"):
        assert "none.yml: no such inventory" in remediate(verb, "-i", tmp_path / "none.yml").err


@pytest.mark.parametrize(
    ("verb", "alternative"), [("certificates", "--snapshot"), ("plan", "--snapshot"), ("collect", "--archive")]
)
def test_an_inventory_and_another_source_exclude_each_other(verb: str, alternative: str, remediate: Remediate) -> None:
    ended = remediate(verb, "-i", "inventory.yml", alternative, "file")

    assert (ended.code, f"-i and {alternative} cannot be given together" in ended.err) == (64, True)


@pytest.mark.parametrize("output", ["--html", "--markdown", "--events"])
def test_what_a_command_reads_is_never_overwritten(output: str, remediate: Remediate, plan: Path) -> None:
    before = plan.read_bytes()

    ended = remediate("show", plan, output, plan.parent / "." / plan.name)

    assert (ended.code, plan.read_bytes()) == (64, before)
    assert "would be overwritten" in ended.err


def test_an_inventory_or_snapshot_is_never_overwritten(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    inventory, before = tmp_path / "inventory.yml", snapshot.read_bytes()
    inventory.write_text("version: 1\n")

    for command in ("plan", "collect"):
        assert remediate(command, "-i", inventory, "-o", inventory).code == 64
    assert remediate("plan", "--snapshot", snapshot, "-o", snapshot).code == 64
    assert remediate("certificates", "--snapshot", snapshot, "--csv", snapshot).code == 64

    assert (inventory.read_text(), snapshot.read_bytes()) == ("version: 1\n", before)
