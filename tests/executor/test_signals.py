"""Ctrl-C and SIGTERM: the first finishes the step, the second stops at once; both leave a journal that says so (promise 11)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from remediate.executor.result import RunResult
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import story_after


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_finishes_the_step_and_stops(desk: Desk, number: signal.Signals, code: int) -> None:
    # Given a signal in the middle of the second write
    cluster = story()
    plan = plan_for(cluster)
    cluster.tap = lambda point: os.kill(os.getpid(), number) if _second(point) else None
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then that write was read back and journaled, nothing follows, and the message says how to go on
    assert (result.exit_code, result.state, cluster.sent_count) == (code, "partial", 2)
    assert [step.state for step in desk.journal().steps(result.run_id)] == ["done", "done"]
    assert f"remediate rollback {result.run_id}" in result.message
    # And applying again ends it
    cluster.tap = lambda _point: None
    assert desk.apply(cluster, plan).exit_code == 0
    assert cluster.state() == story_after(plan).state()


def test_the_second_signal_stops_at_once(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)

    def twice(point: str) -> None:
        if _second(point):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    cluster.tap = twice
    result = desk.apply(cluster, plan)
    assert result.exit_code == 130
    assert [step.state for step in desk.journal().steps(result.run_id)] == ["done", "intended"]
    cluster.tap = lambda _point: None
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_a_rollback_stopped_before_its_first_undo_is_interrupted(desk: Desk) -> None:
    # Given a run, and two signals while its rollback takes up the journal
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    writes = cluster.sent_count

    def twice(_point: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    cluster.tap = twice
    # When it is rolled back, Then it ends as interrupted, and the run is what it was
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, cluster.sent_count) == (130, "interrupted", writes)
    cluster.tap = lambda _point: None
    assert [run.state for run in desk.journal().runs()] == ["applied"]


@pytest.mark.parametrize("work", ["apply", "rollback"])
def test_no_signal_keeps_a_run_from_being_closed(desk: Desk, work: str) -> None:
    # Given a person who does not stop pressing Ctrl-C once the first write is sent
    cluster = story()
    plan = plan_for(cluster)
    if work == "rollback":
        desk.apply(cluster, plan)
    writes = cluster.sent_count

    def again_and_again(_point: str) -> None:
        if cluster.sent_count > writes:
            os.kill(os.getpid(), signal.SIGINT)

    cluster.tap = again_and_again
    # When it is stopped by that, Then no exception leaves it, and nothing more is written
    result = desk.apply(cluster, plan) if work == "apply" else desk.rollback(cluster)
    assert (result.exit_code, cluster.sent_count) == (130, writes + 1)
    # And what the result says is what the journal says
    cluster.tap = lambda _point: None
    assert desk.journal().run("last").state == result.state
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_a_signal_that_comes_while_a_run_is_closed_changes_nothing(desk: Desk) -> None:
    # Given two signals at the last journal write of an apply
    cluster = story()
    plan = plan_for(cluster)
    verifying: list[str] = []

    def late(point: str) -> None:
        verifying.extend([point] if point == "observe" and cluster.sent_count == 6 else [])
        if verifying and point.endswith("a journal write"):
            os.kill(os.getpid(), signal.SIGINT)

    cluster.tap = late
    # When the plan is applied, Then it is what the journal says
    result = desk.apply(cluster, plan)
    assert (result.exit_code, result.state) == (0, "applied")
    assert desk.journal().run("last").state == "applied"


def test_a_signal_during_the_last_check_keeps_the_run_applied(desk: Desk) -> None:
    # Given Ctrl-C while every endpoint is looked at, after the last write
    cluster = story()
    cluster.tap = lambda point: os.kill(os.getpid(), signal.SIGINT) if point == "observe" and cluster.sent_count == 6 else None
    # When the plan is applied, Then there was nothing left to stop, and the run is what was read
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state) == (0, "applied")
    assert desk.journal().run("last").state == "applied"


def ctrl_c_at_the_first(pauses: list[float]) -> Callable[[float], None]:
    """A pause that is noted down; at the first one somebody presses Ctrl-C."""

    def pause(seconds: float) -> None:
        if not pauses:
            os.kill(os.getpid(), signal.SIGINT)
        pauses.append(seconds)

    return pause


def test_a_signal_while_replication_is_waited_for_ends_the_waiting(desk: Desk) -> None:
    # Given a cipher list that does not come to the other peers, and Ctrl-C after the first look
    cluster = story()
    cluster.lag = 10_000
    pauses: list[float] = []
    # When the plan is applied, Then it stops soon, and not when the patience with the peers is over
    result = desk.apply(cluster, plan_for(cluster), {"pause": ctrl_c_at_the_first(pauses)})
    assert (result.exit_code, result.state, len(pauses)) == (130, "partial", 1)


def test_a_signal_ends_that_waiting_on_the_way_back_too(desk: Desk) -> None:
    # Given a run that is rolled back, whose old cipher list does not come to the other peers, and Ctrl-C after the first look
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.lag = 10_000
    pauses: list[float] = []
    result = desk.rollback(cluster, pause=ctrl_c_at_the_first(pauses))
    assert (result.exit_code, result.state, len(pauses)) == (130, "partial", 1)


def test_a_signal_before_the_first_write_leaves_no_run_behind(desk: Desk) -> None:
    cluster = story()
    handler = signal.getsignal(signal.SIGINT)
    cluster.tap = lambda point: os.kill(os.getpid(), signal.SIGINT) if point == "observe" else None
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.run_id, cluster.sent_count) == (130, "", 0)
    assert desk.journal().runs() == ()
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_interrupted_rollback_can_be_continued(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.tap = lambda point: os.kill(os.getpid(), signal.SIGINT) if point.startswith("after remove") else None
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (130, "partial")
    cluster.tap = lambda _point: None
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_the_first_signal_lets_a_rollback_end_its_step(desk: Desk) -> None:
    # Given one Ctrl-C while the first certificate is taken out again
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    writes, once = cluster.sent_count, iter([signal.SIGINT])

    def press(point: str) -> None:
        if point.startswith("after remove"):
            os.kill(os.getpid(), next(once))

    cluster.tap = press
    # When the run is rolled back, Then nothing is written after that, and it is left for another try
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, cluster.sent_count) == (130, "partial", writes + 2)


def test_a_run_in_another_thread_leaves_signals_alone(desk: Desk) -> None:
    cluster = story()
    results: list[RunResult] = []
    thread = threading.Thread(target=lambda: results.append(desk.apply(cluster, plan_for(cluster))))
    thread.start()
    thread.join()
    assert [result.exit_code for result in results] == [0]


def _second(point: str) -> bool:
    return point.startswith("before append") and point.endswith("expc2.example.test")
