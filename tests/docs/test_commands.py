"""Every command of every page, typed on a lab in the order of the page: it works, and ends and prints as the page says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.command_lines import is_whole
from tests.docs.conftest import Typist
from tests.docs.pages import HISTORY, OTHERS, PAGES, ROOT, name_page, read_blocks, read_inline_commands

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


def test_what_is_not_typed_is_needed_by_a_page() -> None:
    programs = {statement.program for page in PAGES for block in read_blocks(page) for statement in block.statements}

    assert OTHERS.keys() <= programs
