"""Whatever happens in whatever order, the laws hold: some hundreds of drawn histories; `make torture` plays ten thousand."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.executor.conftest import Desk
from tests.histories.draw import draw_history
from tests.histories.judge import judge

HISTORIES = int(os.environ.get("REMEDIATE_HISTORIES", "300"))
PARTS = 4
ONE = os.environ.get("REMEDIATE_SEED")
"""Of one history: the only one to be played, and shown."""


@pytest.mark.parametrize("part", range(PARTS))
def test_the_laws_hold_in_every_history(new_desk: Callable[[], Desk], part: int) -> None:
    for seed in [int(ONE)] if ONE else range(part, HISTORIES, PARTS):
        judge(seed, new_desk())


@pytest.mark.skipif(ONE is None, reason="shows one history: REMEDIATE_SEED=17 make test ARGS='-s tests/histories'")
def test_show_one_history(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    player = judge(int(ONE or 0), desk)
    with capsys.disabled():
        history = "\n  ".join([str(player.history), "", *map(str, player.outcomes), "", *map(str, player.cluster.writes)])
        print(history)  # noqa: T201 - what was asked for


def test_a_seed_draws_one_history() -> None:
    assert [str(draw_history(seed)) for seed in range(50)] == [str(draw_history(seed)) for seed in range(50)]
    assert len({str(draw_history(seed)) for seed in range(50)}) == 50
