"""What the documents say exists: links lead somewhere, commands parse, numbers are those of the program."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from remediate.cli.app import command as remediate
from remediate.cli.session import Session
from remediate.model.errors import RemediateError
from remediate.model.exit_codes import MOST_SERIOUS_FIRST, ExitCode
from remediate.model.verdict import Cause
from remediate.planner.advice.causes import REMEDIES
from remediate.trust.openssl import error_text
from tests.docs import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("playbooks/**/*.md"), *ROOT.glob("benchmarks/**/*.md"))
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(remediate [^`]+)`")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text())


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    section = re.split(r"^#+ ", (ROOT / page).read_text().partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(_prose(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in _anchors(target))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_line_parses(page: Path) -> None:
    wrong = []
    for line, whole in _command_lines(page):
        try:
            _parse_command_line(shlex.split(line, comments=True)[1:], whole=whole)
        except click.UsageError as error:
            wrong.append(f"{line}: {error.format_message()}")

    assert wrong == []


def _command_lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Every command line of a page. Those of code blocks are whole, but where the page sets the inventory's variable before."""
    text = page.read_text()
    for line in (line for block in BLOCK.findall(text) for line in block.splitlines()):
        if line.startswith("remediate "):
            yield re.split(r" [>|] ", line)[0], "REMEDIATE_INVENTORY=" not in text
    for inline in INLINE.findall(_prose(page)):
        yield " ".join(inline.split()), False


def _parse_command_line(words: list[str], *, whole: bool) -> None:
    """Parse a command line as click would, without running it; one that is not `whole` may lack what is required."""
    command: click.Command = remediate
    context = click.Context(command, info_name="remediate", obj=Session())
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        subcommand = command.get_command(context, words[0])
        if subcommand is None:
            raise click.UsageError(f"there is no command {words[0]}")
        command, context, words = subcommand, click.Context(subcommand, info_name=words[0], parent=context), words[1:]
    if isinstance(command, click.Group) and not words:
        return
    try:
        command.make_context(context.info_name, words, parent=context.parent, obj=context.obj)
    except click.MissingParameter:
        if whole:
            raise
    except click.exceptions.Exit:
        pass


def test_the_readme_lists_every_exit_code_and_their_order() -> None:
    listed = [int(code) for row in _rows("README.md", "Exit codes") for code in row[0].split(" / ")]

    assert listed == sorted(ExitCode)
    assert all(isinstance(error.exit_code, ExitCode) for error in _error_types(RemediateError))
    assert f"the most serious wins: {' '.join(map(str, MOST_SERIOUS_FIRST))}." in (ROOT / "README.md").read_text()


def _error_types(error_type: type[RemediateError]) -> Iterator[type[RemediateError]]:
    yield error_type
    for subclass in error_type.__subclasses__():
        yield from _error_types(subclass)


def test_every_cause_is_explained() -> None:
    assert [row[0].strip("`") for row in _rows("docs/verdict.md", "The causes")] == [*Cause]


def test_every_decision_is_listed() -> None:
    records = {path.name for path in (ROOT / "docs/decisions").glob("0*.md")}

    assert records == set(LINK.findall((ROOT / "docs/decisions/README.md").read_text()))


def test_the_reference_is_made_of_the_commands_help() -> None:
    assert reference.PAGE.read_text() == reference.page(), "`python -m tests.docs.reference` writes it anew"


def test_the_table_of_errors_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| [^|]+ \|$", (ROOT / "docs/verdict.md").read_text(), re.MULTILINE)

    assert {int(code): text for code, text in rows} == {code: error_text(code) for code in REMEDIES}
