"""A harness that cannot find a planted bug proves nothing: each mutant is caught by a history, and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.executor.conftest import Desk
from tests.histories.judge import Broken, judge
from tests.histories.mutants import MUTANTS

WITHIN = 300
"""Seeds: those that `make test` plays."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(new_desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    MUTANTS[name](monkeypatch)
    for seed in range(WITHIN):
        try:
            judge(seed, new_desk())
        except Broken:
            return
    raise AssertionError(f"no history of {WITHIN} found: {name}")
