"""The collection beside what it stands for: exit codes, options of the commands, versions, files for AWX, and its own README."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml

import remediate
from remediate.cli.app import command
from remediate.model.exit_codes import ExitCode
from tests.playbooks.conftest import COLLECTION, PLAYBOOKS

COMMANDS = ("plan", "apply", "verify", "restart", "rollback", "workaround", "certificates")
OF_THE_MODULE = {"inventory", "cluster", "program", "state_dir", "events", "secrets"}
NOT_OPTIONS = {
    "plan": {"dest", "allow_incomplete"},
    "apply": {"plan", "plan_id", "accept_not_in_effect"},
    "verify": {"clients", "accepted_plan", "accept_not_in_effect"},
    "restart": {"peers", "accept_not_in_effect"},
    "rollback": {"run", "accept_not_in_effect"},
    "workaround": {"state"},
    "certificates": {"allow_incomplete"},
}
"""What a module has that its command has under another name, or not at all."""
NOT_IN_MODULES = {
    "plan": {"output", "detailed_exitcode", "all", "explain"},
    "apply": {"dry_run", "yes", "accept_remaining"},
    "verify": {"no_clients"},
    "restart": {"dry_run", "yes", "peer"},
    "rollback": {"dry_run", "yes"},
    "workaround": {"dry_run", "yes"},
    "certificates": {"csv", "pem"},
}
"""What a command has for people, or what the module decides by itself."""


@pytest.fixture
def exit_codes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PLAYBOOKS / "collections")
    return importlib.import_module("ansible_collections.expressway.remediate.plugins.module_utils.exit_codes")


def read_yaml(path: str) -> Any:
    return yaml.safe_load((COLLECTION / path).read_text())


def documentation_of(name: str) -> dict[str, Any]:
    """Return the options of a module, those of its fragments included."""
    text = (COLLECTION / "plugins" / "modules" / f"{name}.py").read_text()
    document = yaml.safe_load(re.findall(r'^DOCUMENTATION = r"""(.*?)"""', text, re.DOTALL | re.MULTILINE)[0])
    fragments = (COLLECTION / "plugins" / "doc_fragments" / "cluster.py").read_text()
    options = dict(document.get("options", {}))
    for fragment in document["extends_documentation_fragment"]:
        part = fragment.removeprefix("expressway.remediate.").partition(".")[2].upper() or "DOCUMENTATION"
        if "cluster" in fragment:
            (text,) = re.findall(rf'^    {part} = r"""(.*?)"""', fragments, re.DOTALL | re.MULTILINE)
            options |= yaml.safe_load(text)["options"]
    return options


def verb_of(name: str) -> click.Command:
    verb = command.get_command(click.Context(command), name)
    assert verb is not None
    return verb


def options_of(name: str) -> dict[str, click.Option]:
    verb = verb_of(name)
    options = [parameter for parameter in verb.params if isinstance(parameter, click.Option)]
    return {max(option.opts, key=len).lstrip("-").replace("-", "_"): option for option in options}


def test_it_knows_the_exit_codes_of_remediate(exit_codes: ModuleType) -> None:
    assert sorted(exit_codes.MEANINGS) == sorted(ExitCode)
    assert set(exit_codes.ACCEPTED) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_it_accepts_is_an_exit_code_of_the_command(name: str, exit_codes: ModuleType) -> None:
    page = verb_of(name).help or ""
    listed = {int(code) for code in re.findall(r"^ *(\d+) ", page.partition("EXIT CODES")[2], re.MULTILINE)}

    assert set(exit_codes.ACCEPTED[name]) <= listed
    assert {option for option in exit_codes.ACCEPTED[name].values() if option} <= set(documentation_of(name))


def test_the_table_of_the_readme_is_what_the_modules_do(exit_codes: ModuleType) -> None:
    table = (COLLECTION / "README.md").read_text().partition("<!-- exit codes")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.+\|$", table, re.MULTILINE)]
    heads, cells = rows[0][1:], {int(code): row[1:] for row in rows[2:] for code in row[0].split(",")}

    assert (tuple(heads), sorted(cells)) == (COMMANDS, sorted(ExitCode))
    for code, words in cells.items():
        for name, word in zip(COMMANDS, words, strict=True):
            option = exit_codes.ACCEPTED[name].get(code)
            assert word == ("failed" if option is None else f"`{option}`" if option else "ok"), (name, code)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_of_a_command_is_one_of_its_module(name: str) -> None:
    common = {"events", "json", "no_color", "no_input", "quiet", "state_dir", "verbose", "inventory", "cluster"}
    of_command = set(options_of(name)) - common - NOT_IN_MODULES[name]

    assert set(documentation_of(name)) - OF_THE_MODULE - NOT_OPTIONS[name] == of_command | (
        {"accept_remaining"} if name == "verify" else set()
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_choices_are_those_of_the_command(name: str) -> None:
    for key, option in options_of(name).items():
        if isinstance(option.type, click.Choice) and key in documentation_of(name):
            assert documentation_of(name)[key]["choices"] == list(option.type.choices)


def test_it_has_the_version_of_the_package() -> None:
    assert read_yaml("galaxy.yml")["version"] == remediate.__version__


def test_each_module_has_a_playbook_and_tasks() -> None:
    modules = {path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py")}

    assert modules == set(COMMANDS) == set(read_yaml("meta/runtime.yml")["action_groups"]["remediate"])
    for folder in (PLAYBOOKS, COLLECTION / "playbooks", COLLECTION / "roles" / "remediate" / "tasks"):
        assert modules <= {path.stem for path in folder.glob("*.yml")}


def test_the_readme_has_every_variable_of_the_role() -> None:
    table = (COLLECTION / "README.md").read_text().partition("## Variables")[2].partition("## What `changed`")[0]
    role = "".join(path.read_text() for path in (COLLECTION / "roles" / "remediate" / "tasks").glob("*.yml"))
    role += "".join(path.read_text() for path in (COLLECTION / "playbooks").glob("*.yml"))
    role += (COLLECTION / "roles" / "remediate" / "defaults" / "main.yml").read_text()
    variables = set(re.findall(r"\bremediate_[a-z_]+", role)) - {
        "remediate_result",
        "remediate_pending",
        "remediate_approvals_required",
    }

    assert set(re.findall(r"`(remediate_[a-z_]+)`", table)) == variables


def test_a_credential_injects_what_it_asks_for() -> None:
    credential = read_yaml("awx/credential_type.yml")
    fields = {field["id"] for field in credential["inputs"]["fields"]}
    injected = credential["injectors"]["env"]

    assert {name for template in injected.values() for name in re.findall(r"\{\{ (\w+)", template)} == fields
    assert all(field["secret"] for field in credential["inputs"]["fields"])
    readme = (COLLECTION / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in injected)


def test_sanity_ignores_the_same_of_every_ansible() -> None:
    files = sorted((COLLECTION / "tests" / "sanity").glob("ignore-*.txt"))

    assert len(files) > 1
    assert len({path.read_text() for path in files}) == 1
    # Each with its reason
    assert all(" # " in line for line in files[0].read_text().splitlines())


def test_the_licence_is_that_of_the_package() -> None:
    assert (COLLECTION / "LICENSE").read_text() == (Path(__file__).parents[2] / "LICENSE").read_text()
