"""Whatever is raised, in whatever call: a run ends in an outcome that is so, and never half-way without one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from remediate.executor.boundary import UnplannedError, place_of
from remediate.executor.result import RunResult
from remediate.executor.steps import Step, StepSequence
from remediate.executor.write_changes import warn_of_manual_rollback
from remediate.model.errors import ObservationError, RemediateError, WriteForbidden
from remediate.model.plan import Plan
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import story_after
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.surprises import surprise_in

Raise = Callable[[], Exception]
SURPRISES: tuple[Raise, ...] = (
    lambda: ValueError("Invalid IPv6 URL of somebody's secret"),
    MemoryError,
    lambda: RuntimeError("can't start new thread"),
    RecursionError,
    lambda: UnicodeDecodeError("ascii", b"\xff", 0, 1, "ordinal not in range"),
    lambda: OSError(24, "Too many open files"),
    lambda: KeyError("something"),
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_for(story())


@dataclass
class Surprise:
    """A tap that raises at its n-th point; with `for_good` from there on. With n = 0 it only counts."""

    number: int = 0
    error: Raise = SURPRISES[0]
    for_good: bool = False
    only: Callable[[str], bool] = lambda _point: True
    points: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        if not self.only(point):
            return
        self.points.append(point)
        if self.number and (len(self.points) == self.number or (self.for_good and len(self.points) > self.number)):
            raise self.error()


def is_connector(point: str) -> bool:
    return "journal" not in point


def outcome_of(work: Callable[[], RunResult]) -> tuple[int, RunResult | None]:
    """The exit code, and the result where there is one. Anything but our own errors fails the test."""
    try:
        result = work()
    except RemediateError as error:
        return error.exit_code, None
    return result.exit_code, result


def judge(desk: Desk, cluster: MemoryCluster, plan: Plan, code: int, result: RunResult | None, why: str) -> None:
    """Hold the exit code against what is so, and see that a rollback ends right."""
    start, target = story().state(), story_after(plan).state()
    assert code in {0, 1, 3, 4, 8, 11}, f"{why}: exit code {code}"
    if code in {0, 11}:
        assert cluster.state() == target, why
    elif code != 8:
        assert cluster.state() == start, f"{why}: exit code {code}"
    runs = desk.journal().runs()
    assert all(run.state != "running" for run in runs), why
    if result and code == 8:
        assert result.message, why
    if runs:
        again = desk.rollback(cluster)
        assert (again.exit_code, again.state, cluster.state()) == (0, "rolled-back", start), f"{why}: {again}"


@pytest.mark.parametrize("for_good", [False, True])
def test_an_apply_ends_well_over_any_error_of_a_connector(new_desk: Callable[[], Desk], plan: Plan, *, for_good: bool) -> None:
    surprises = itertools.cycle(SURPRISES)
    for number in itertools.count(1):
        desk, cluster = new_desk(), story()
        cluster.tap = tap = Surprise(number, next(surprises), for_good, is_connector)
        code, result = outcome_of(lambda: desk.apply(cluster, plan))  # noqa: B023 - called before the loop goes on
        cluster.tap = no_tap
        judge(desk, cluster, plan, code, result, f"{tap.points[-1]} ({number})")
        if len(tap.points) < number:
            return


@pytest.mark.parametrize("for_good", [False, True])
def test_a_rollback_ends_well_over_any_error_of_a_connector(
    new_desk: Callable[[], Desk], plan: Plan, *, for_good: bool
) -> None:
    surprises = itertools.cycle(SURPRISES)
    for number in itertools.count(1):
        desk, cluster = new_desk(), story()
        desk.apply(cluster, plan)
        cluster.tap = tap = Surprise(number, next(surprises), for_good, is_connector)
        code, result = outcome_of(lambda: desk.rollback(cluster))  # noqa: B023 - called before the loop goes on
        cluster.tap = no_tap
        why = f"{tap.points[-1]} ({number})"
        failed = tap.points[number - 1 :] if for_good else tap.points[number - 1 : number]
        assert code in {0, 8, 4, 11}, why
        assert (code == 11) <= any("health" in point for point in failed), "an effect that was not read is not known"
        assert (code == 0) <= (cluster.state() == story().state()), why
        assert (result is None) <= (cluster.state() == story_after(plan).state()), why
        assert desk.journal().run("last").state != "running", why
        assert desk.rollback(cluster).exit_code == 0, why
        assert cluster.state() == story().state(), why
        if len(tap.points) < number:
            return


@pytest.mark.parametrize("on_failure", ["rollback", "stop", "workaround"])
def test_an_error_in_the_journal_ends_as_the_policy_asks(new_desk: Callable[[], Desk], plan: Plan, on_failure: str) -> None:
    for number in itertools.count(1):
        desk, cluster = new_desk(), story()
        # Before a run exists, an error of the journal is what it is: nothing was changed.
        cluster.tap = tap = Surprise(number, SURPRISES[0], only=lambda point: "journal" in point)
        try:
            code, result = outcome_of(lambda: desk.apply(cluster, plan, on_failure=on_failure))  # noqa: B023
        except ValueError:
            assert (cluster.sent_count, desk.journal().runs()) == (0, ()), number
            continue
        cluster.tap = no_tap
        judge(desk, cluster, plan, code, result, f"{tap.points[-1]} ({number})")
        if len(tap.points) < number:
            return


@pytest.mark.parametrize("surprise", SURPRISES[:3])
def test_an_apply_ends_well_over_an_error_at_any_step(new_desk: Callable[[], Desk], plan: Plan, surprise: Raise) -> None:
    for number in itertools.count(1):
        desk, cluster = new_desk(), story()
        with surprise_in(StepSequence.enter.__code__, surprise, "return", number) as steps:
            try:
                code, result = outcome_of(lambda: desk.apply(cluster, plan))  # noqa: B023 - called before the loop goes on
            except type(surprise()):
                assert (cluster.sent_count, desk.journal().runs()) == (0, ()), number
                continue
        judge(desk, cluster, plan, code, result, f"step {number}")
        if len(steps) < number:
            assert number > len(Step)
            return


def test_a_sink_that_fails_ends_no_run_and_is_reported(desk: Desk, plan: Plan) -> None:
    # Given somebody who listens, and whose file is gone after some events
    cluster, events = story(), list[object]()

    class Full(list[Any]):
        def append(self, event: object) -> None:
            events.append(event)
            if len(events) == 7:
                raise OSError(28, "No space left on device")

    desk.events = Full()
    # When the plan is applied, Then the run goes on without, and its result says where it stopped to report
    result = desk.apply(cluster, plan)
    assert (result.exit_code, len(events)) == (0, 7)
    assert "Progress is no longer reported: OSError at tests.executor" in result.message


def test_a_message_names_type_and_place_and_never_the_text(desk: Desk, plan: Plan) -> None:
    cluster = story()
    cluster.tap = Surprise(1, SURPRISES[0], for_good=True, only=is_connector)
    with pytest.raises(ObservationError) as refused:
        desk.apply(cluster, plan)
    assert "ValueError at tests.executor.test_boundary:" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_write_that_is_forbidden_is_a_bug_and_the_run_is_closed(desk: Desk, plan: Plan) -> None:
    # Given a run whose second peer was opened for reading
    cluster = story()

    def forbid(point: str) -> None:
        if point.startswith("before append") and "expc2" in point:
            raise WriteForbidden("expc2 was opened for reading")

    cluster.tap = forbid
    with pytest.raises(WriteForbidden):
        desk.apply(cluster, plan)
    cluster.tap = no_tap
    assert desk.journal().run("last").state == "partial"
    assert [step.state for step in desk.journal().steps(desk.journal().run("last").id)] == ["done", "failed"]
    assert desk.rollback(cluster).exit_code == 0


def test_where_nothing_was_written_a_surprise_is_one_sentence(desk: Desk, plan: Plan) -> None:
    # Given a run that exists, and memory that ends before anything is written
    cluster = story()
    with (
        surprise_in(warn_of_manual_rollback.__code__, MemoryError),
        pytest.raises(UnplannedError, match="MemoryError at ") as refused,
    ):
        desk.apply(cluster, plan)
    assert (refused.value.exit_code, cluster.sent_count) == (1, 0)
    assert desk.journal().run("last").state == "rolled-back"


def test_the_place_of_an_error_is_a_module_and_a_line() -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("x")
    assert place_of(raised.value).startswith("ValueError at tests.executor.test_boundary:")
    assert place_of(KeyError("never raised")) == "KeyError"
