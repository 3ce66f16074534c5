"""Every help page: examples, exit codes, a variable for every option; and `--help` loads nothing heavy."""

from __future__ import annotations

import re

import pytest

from remediate.language.choice import LANGUAGES
from remediate.model.exit_codes import ExitCode
from tests.cli.commands import EVERY
from tests.cli.conftest import Remediate


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "remediate")
def test_every_help_page_has_examples_and_exit_codes(path: tuple[str, ...], remediate: Remediate) -> None:
    ended = remediate(*path, "--help")

    assert ended.code == 0
    assert ended.err == ""
    assert re.search(r"EXAMPLES\n\s+remediate ", ended.out)
    assert re.search(r"EXIT CODES\n\s+\d", ended.out)
    assert not re.search(r"TODO|FIXME|XXX", ended.out)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_no_line_of_help_is_wider_than_the_screen(
    columns: int, language: str, remediate: Remediate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("REMEDIATE_LANG", language)

    pages = [remediate(*path, "--help").out for path in EVERY]

    assert [line for page in pages for line in page.splitlines() if len(line) > columns and not _LONG_WORD.search(line)] == []


def test_french_help_leaves_names_of_columns(remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_LANG", "fr")

    page = " ".join(remediate("init", "--help").out.split())

    assert "Prendre aussi les nœuds de ce fichier : address, product, connect_to, ports." in page
    assert "[variable REMEDIATE_OUTPUT ; par défaut inventory.yml]" in page


def test_french_names_the_kind_of_number(remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_LANG", "fr")

    assert "'abc' n'est pas un nombre entier correct." in remediate("init", "expc1", "--ssh-port", "abc").err


_LONG_WORD = re.compile(r"\S{45}")
"""A path, which has no place where it could be broken."""


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
