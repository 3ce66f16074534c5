"""Real applies and rollbacks on real protocols, killed for real: some of the rounds of `make torture`."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.histories.mutants import MUTANTS
from tests.torture.bench import Bench, Verb
from tests.torture.rounds import Tally, Then, kill_once

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("torture")]

POINTS: dict[Verb, tuple[int, ...]] = {"apply": (17, 44, 61, 90), "rollback": (9, 22, 35, 48)}
RESTART_POINTS = (35, 50, 78, 79, 100)
THENS: tuple[Then, ...] = ("applied", "rolled back")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    new_bench = Bench(tmp_path_factory.mktemp("bench"))
    yield new_bench
    new_bench.lab.stop()


@pytest.mark.parametrize("verb", POINTS)
def test_killed_anywhere_nothing_is_lost_and_nothing_repeated(bench: Bench, verb: Verb) -> None:
    tally = Tally()
    for number, point in enumerate(POINTS[verb]):
        alive = kill_once(bench, verb, THENS[number % 2], lambda: bench.killed_at(verb, point), tally)  # noqa: B023 - called at once
        assert alive, f"{verb} has no point {point}"
    assert (tally.lost_count, tally.repeated, tally.healed, tally.undone) == (0, 0, 2, 4), tally


@pytest.mark.parametrize("then", ["restarted", "rolled back"])
def test_killed_while_a_peer_restarts_it_is_back_in_service(bench: Bench, then: Then) -> None:
    tally = Tally()
    for point in RESTART_POINTS:
        assert kill_once(bench, "restart", then, lambda: bench.killed_at("restart", point), tally), point  # noqa: B023
    assert (tally.lost_count, tally.repeated, tally.undone) == (0, 0, len(RESTART_POINTS)), bench.out_of_service()


@pytest.mark.parametrize("verb", POINTS)
def test_killed_at_any_moment_too(bench: Bench, verb: Verb) -> None:
    tally, moment = Tally(), random.Random().uniform(0.1, 1.5)  # noqa: S311 - said when it fails
    kill_once(bench, verb, "applied", lambda: bench.killed_after(verb, moment), tally)
    assert (tally.lost_count, tally.repeated) == (0, 0), (moment, tally)


def test_a_planted_bug_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given another process that writes without an intent in the journal
    tally = Tally()
    MUTANTS["no intent"](monkeypatch)
    # When it finishes what a killed one left, and rolls it back, Then what it added is still there
    kill_once(bench, "apply", "applied", lambda: bench.killed_at("apply", POINTS["apply"][0]), tally)
    assert tally.lost_count
