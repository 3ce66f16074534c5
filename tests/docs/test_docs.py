"""What the documents say exists: links lead somewhere, commands parse, numbers are those of the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from remediate.model.errors import RemediateError
from remediate.model.exit_codes import MOST_SERIOUS_FIRST, ExitCode
from remediate.model.verdict import Cause
from remediate.openssl.error_texts import error_text
from remediate.planner.advice.causes import REMEDIES
from tests.docs import reference
from tests.docs.command_lines import parse_command_line
from tests.docs.pages import BLOCK, INLINE, PAGES, ROOT, name_page, read_prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", read_prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    section = re.split(r"^#+ ", (ROOT / page).read_text().partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(read_prose(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in _anchors(target))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_every_command_line_parses(page: Path) -> None:
    wrong = []
    for line, whole in _command_lines(page):
        try:
            parse_command_line(line, whole=whole)
        except click.UsageError as error:
            wrong.append(f"{line}: {error.format_message()}")

    assert wrong == []


def _command_lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Every command line of a page. Those of code blocks are whole, but where the page sets the inventory's variable before."""
    text = page.read_text()
    for line in (line.strip() for _, _, block in BLOCK.findall(text) for line in block.splitlines()):
        if line.startswith("remediate "):
            yield re.split(r" [>|] ", line)[0], "REMEDIATE_INVENTORY=" not in text
    for inline in INLINE.findall(read_prose(page)):
        yield " ".join(inline.split()), False


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
