"""Every command of every page, typed on a lab in the order of the page: it works, and ends and prints as the page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.command_lines import is_whole
from tests.docs.conftest import Typist
from tests.docs.pages import BLOCK, HISTORY, OTHERS, PAGES, ROOT, name_page, read_blocks, read_inline_commands

pytestmark = pytest.mark.lab

ELSEWHERE = {ROOT / "docs" / "recipes.md": "test_recipes.py types it, and looks at what came of it"}
TYPED = [
    page
    for page in PAGES
    if page not in {HISTORY, *ELSEWHERE}
    and (any(block.statements for block in read_blocks(page)) or any(map(is_whole, read_inline_commands(page))))
]


@pytest.mark.parametrize("page", TYPED, ids=name_page)
def test_the_commands_of_a_page_work_in_order(page: Path, type_page: Callable[[Path], Typist]) -> None:
    typist = type_page(page)

    assert typist.printed


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_no_command_stands_in_a_block_that_nobody_types(page: Path) -> None:
    blocks = [block for _, language, block in BLOCK.findall(page.read_text()) if language != "sh"]

    assert re.findall(r"^ *(?:\$ )?remediate .*", "\n".join(blocks), re.MULTILINE) == []


def test_what_is_not_typed_is_needed_by_a_page() -> None:
    programs = {statement.program for page in PAGES for block in read_blocks(page) for statement in block.statements}

    assert OTHERS.keys() <= programs
