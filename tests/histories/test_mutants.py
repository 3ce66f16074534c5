"""A harness that cannot find a planted bug proves nothing: each mutant is caught by a history, and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.executor.conftest import Desk
from tests.histories.judge import Broken, judge
from tests.histories.mutants import MUTANTS

WITHIN = 300
"""Seeds: those that `make test` plays."""

FOUND_BY: Mapping[str, int] = {
    "no intent": 0,
    "intent after the write": 37,
    "the answer is believed": 3,
    "sent again unread": 5,
    "no lock": 15,
    "undone forwards": 0,
    "back to the backup": 1,
    "found is owned": 7,
    "stale is not seen": 4,
    "third values are overwritten": 51,
    "no waiting for replication": 12,
    "no waiting for the absent": 75,
    "open steps are forgotten": 4,
    "the unread is forgotten": 82,
    "always a new run": 7,
    "a rollback begins in silence": 132,
    "a resumed run settles nothing": 10,
    "what cannot be told is repeated": 10,
    "confirmed, and undone all the same": 26,
    "confirmed too late": 40,
    "a timer outlives its run": 1,
    "what is pending holds nobody back": 199,
    "a timer gives up at once": 1,
    "every list is believed": 90,
    "an old list is believed": 281,
    "what failed, or was undone, is not read again": 27,
    "what is not seen has failed": 1,
    "what is not seen at once is not looked for": 18,
    "maintenance mode is not recorded": 27,
    "maintenance mode that was left on stays on": 27,
    "a drain is not waited for": 40,
    "a peer that answers is back": 27,
    "restarts of the dead are forgotten": 161,
    "any start is after the writes": 2,
}
"""The first seed that found each mutant. It is played first; where histories are drawn otherwise since, the others follow."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(new_desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    MUTANTS[name](monkeypatch)
    for seed in (FOUND_BY[name], *range(WITHIN)):
        try:
            judge(seed, new_desk())
        except Broken:
            return
    raise AssertionError(f"no history of {WITHIN} found: {name}")
