"""Counts of checks: the verb agrees with what is counted."""

from __future__ import annotations

import pytest

from remediate.report.check_counts import count_failing, count_passing


@pytest.mark.parametrize(
    ("number", "total", "passing", "failing"),
    [
        (0, 1, "0 of 1 check passes", "0 of 1 check fails"),
        (1, 1, "1 of 1 check passes", "1 of 1 check fails"),
        (1, 33, "1 of 33 checks passes", "1 of 33 checks fails"),
        (4, 33, "4 of 33 checks pass", "4 of 33 checks fail"),
    ],
)
def test_the_verb_agrees_with_the_number(number: int, total: int, passing: str, failing: str) -> None:
    assert (count_passing(number, total), count_failing(number, total)) == (passing, failing)
