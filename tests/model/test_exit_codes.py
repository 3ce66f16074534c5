"""Exit codes: of several, the most serious."""

from __future__ import annotations

from remediate.model.exit_codes import most_serious


def test_the_most_serious_code_wins() -> None:
    assert most_serious([]) == 0
    assert most_serious([0, 2, 10]) == 10
    assert most_serious([8, 70, 3, 1, 4, 6, 5, 7, 9, 10, 2, 0]) == 8
    assert most_serious([2, 4, 10]) == 4
    assert most_serious([8, 130]) == 130
