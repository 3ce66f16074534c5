"""Killed anywhere: before and after every journal write and every call of a device (promise 1), and again while recovering."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from remediate.executor.journal.store import UnknownRun
from remediate.model.identity import Address
from remediate.model.plan import Plan
from remediate.model.run import UNFINISHED
from tests.executor.clusters import IMP, OLD_IMP, plan_for, removing_over_rest, renewed, story
from tests.executor.conftest import Desk
from tests.executor.crashing import assert_converged, assert_start, crash, story_after, undo
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.tapped import Crash, CrashAt

DOUBLE_CRASHES = 80


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_for(story())


@pytest.fixture(scope="module")
def target(plan: Plan) -> MemoryCluster:
    """The cluster after an apply that nothing disturbs."""
    return story_after(plan)


def points_of(desk: Desk, plan: Plan) -> int:
    """How many points a whole apply has."""
    cluster = story()
    cluster.tap = counter = CrashAt()
    assert desk.apply(cluster, plan).exit_code == 0
    return len(counter.points)


def test_apply_after_a_crash_at_any_point_repeats_nothing(
    new_desk: Callable[[], Desk], plan: Plan, target: MemoryCluster
) -> None:
    for point in range(1, points_of(new_desk(), plan) + 1):
        # Given an apply that was killed at this point
        desk, cluster = new_desk(), story()
        crash(lambda: desk.apply(cluster, plan), cluster, point)  # noqa: B023 - called before the loop goes on
        # When the same plan is applied again
        result = desk.apply(cluster, plan)
        # Then it goes on to its end, and no device got a write twice
        assert result.exit_code == 0, (point, result)
        assert_converged(desk, cluster, plan, target, f"crash at point {point}")
        assert len(desk.journal().runs()) == 1


def test_rollback_after_a_crash_at_every_point_gives_the_exact_start(new_desk: Callable[[], Desk], plan: Plan) -> None:
    for point in range(1, points_of(new_desk(), plan) + 1):
        # Given an apply that was killed at this point
        desk, cluster = new_desk(), story()
        crash(lambda: desk.apply(cluster, plan), cluster, point)  # noqa: B023 - called before the loop goes on
        # When what it left is rolled back
        undo(desk, cluster)
        # Then every list is as it was, order included
        assert_start(desk, cluster, f"crash at point {point}")


def test_a_second_crash_while_applying_again(new_desk: Callable[[], Desk], plan: Plan, target: MemoryCluster) -> None:
    total, chance = points_of(new_desk(), plan), random.Random(4)  # noqa: S311 - a seed to replay
    for first, second in ((chance.randint(1, total), chance.randint(1, total)) for _ in range(DOUBLE_CRASHES)):
        desk, cluster = new_desk(), story()
        crash(lambda: desk.apply(cluster, plan), cluster, first)  # noqa: B023 - called before the loop goes on
        crash(lambda: desk.apply(cluster, plan), cluster, second)  # noqa: B023
        result = desk.apply(cluster, plan)
        assert result.exit_code == 0, (first, second, result)
        assert_converged(desk, cluster, plan, target, f"crashes at {first} and {second}")


def test_a_second_crash_while_rolling_back(new_desk: Callable[[], Desk], plan: Plan) -> None:
    total, chance = points_of(new_desk(), plan), random.Random(5)  # noqa: S311 - a seed to replay
    for first, second in ((chance.randint(1, total), chance.randint(1, total // 2)) for _ in range(DOUBLE_CRASHES)):
        desk, cluster = new_desk(), story()
        crash(lambda: desk.apply(cluster, plan), cluster, first)  # noqa: B023 - called before the loop goes on
        crash(lambda: undo(desk, cluster), cluster, second)  # noqa: B023
        undo(desk, cluster)
        assert_start(desk, cluster, f"crashes at {first} and {second}")
        assert len(set(cluster.writes)) == len(cluster.writes), f"crashes at {first} and {second}: a write was repeated"


def test_a_killed_rollback_leaves_no_run_wrongly_called_applied(
    new_desk: Callable[[], Desk], plan: Plan, target: MemoryCluster
) -> None:
    for point in range(1, 1_000):
        # Given a run, and its rollback, which was killed at this point
        desk, cluster = new_desk(), story()
        desk.apply(cluster, plan)
        crash(lambda: undo(desk, cluster), cluster, point)  # noqa: B023 - called before the loop goes on
        # Then the journal does not call it applied when it no longer is
        killed = desk.journal().run("last")
        assert killed.state != "applied" or cluster.state() == target.state(), f"crash at point {point}"
        # When the plan is applied again, Then it is the same run, whole again, and one rollback undoes all of it
        assert desk.apply(cluster, plan).exit_code == 0
        assert cluster.state() == target.state(), f"crash at point {point}"
        assert desk.rollback(cluster).exit_code == 0
        assert cluster.state() == story().state(), f"crash at point {point}"
        if killed.state == "rolled-back":
            return
    raise AssertionError("a rollback ends")


def test_a_rolled_back_run_stays_so_when_its_check_is_killed(desk: Desk, plan: Plan) -> None:
    # Given a run that was rolled back, and a second rollback that is killed while it looks
    cluster = story()
    first = desk.apply(cluster, plan).run_id
    desk.rollback(cluster)

    def killed(point: str) -> None:
        if point == "before trusted_ca on expc1.example.test":
            raise Crash(point)

    cluster.tap = killed
    with pytest.raises(Crash):
        desk.rollback(cluster)
    cluster.tap = no_tap
    # When the plan is applied again, Then it is a new run: there is nothing of the first to go on with
    assert desk.apply(cluster, plan).run_id != first
    assert [run.state for run in desk.journal().runs() if run.plan] == ["applied", "rolled-back"]


def test_a_run_on_another_cluster_is_not_called_dead(desk: Desk, plan: Plan) -> None:
    # Given a run at work on one cluster, with the same state directory as another one's
    cluster, other_cluster = story(), story()
    other_cluster.name = "paris"
    for number, device in enumerate(other_cluster.devices, start=1):
        device.address = Address(f"expc{number}.paris.test")
    crash(lambda: desk.apply(cluster, plan), cluster, 40)
    assert desk.journal().run("last").state == "running"
    # When a plan is applied to the other cluster, Then the first run is what it was
    assert desk.apply(other_cluster, plan_for(other_cluster)).exit_code == 0
    assert [run.state for run in desk.journal().runs()] == ["applied", "running"]


def test_a_write_that_an_interruption_prevented_is_not_done(desk: Desk, plan: Plan) -> None:
    # Given an apply that was killed between its first intent and its first write
    cluster = story()

    def killed(point: str) -> None:
        if point.startswith("before append"):
            raise Crash(point)

    cluster.tap = killed
    with pytest.raises(Crash):
        desk.apply(cluster, plan)
    cluster.tap = no_tap
    # When it is gone on with, Then the journal tells the try that did not happen from the write that did
    run = desk.apply(cluster, plan).run_id
    first, second, *_ = desk.journal().steps(run)
    assert (first.state, second.state, first.facts) == ("failed", "done", second.facts)
    assert "it had not happened" in first.message


def test_the_journal_tells_what_is_true_after_every_crash(new_desk: Callable[[], Desk], plan: Plan) -> None:
    for point in range(1, points_of(new_desk(), plan) + 1):
        desk, cluster = new_desk(), story()
        crash(lambda: desk.apply(cluster, plan), cluster, point)  # noqa: B023 - called before the loop goes on
        runs = desk.journal().runs()
        steps = desk.journal().steps(runs[0].id) if runs else ()
        # Then everything that a device did stands in the journal, and what is said to be done was done
        done_steps = [step for step in steps if step.state == "done"]
        assert len(done_steps) <= len(cluster.writes) <= len(steps), f"crash at point {point}"
        assert all(run.state in {*UNFINISHED, "applied"} for run in runs)


@pytest.fixture(scope="module")
def renewal() -> Plan:
    """A plan that takes a certificate out, since its successor has the same common name, and then adds the successor."""
    return removing_over_rest(plan_for(renewed(), allow_removal=True))


def test_a_removal_converges_after_a_crash_at_any_point(new_desk: Callable[[], Desk], renewal: Plan) -> None:
    # Given what an apply that nothing disturbs comes to: the old certificate is gone, the new one is there
    whole, counter = renewed(), CrashAt()
    whole.tap = counter
    assert new_desk().apply(whole, renewal).exit_code == 0
    assert all(OLD_IMP.certificate not in device.trusted and IMP.certificate in device.trusted for device in whole.devices)
    for point in range(1, len(counter.points) + 1):
        # When an apply is killed at this point, and applied again
        desk, cluster = new_desk(), renewed()
        crash(lambda: desk.apply(cluster, renewal), cluster, point)  # noqa: B023 - called before the loop goes on
        result = desk.apply(cluster, renewal)
        # Then it comes to the same, and nothing was removed or added twice
        assert result.exit_code == 0, (point, result)
        assert_converged(desk, cluster, renewal, whole, f"crash at point {point}")


def test_a_rollback_after_a_crash_restores_what_was_removed(new_desk: Callable[[], Desk], renewal: Plan) -> None:
    whole, counter = renewed(), CrashAt()
    whole.tap = counter
    new_desk().apply(whole, renewal)
    for point in range(1, len(counter.points) + 1):
        # Given an apply that was killed at this point
        desk, cluster = new_desk(), renewed()
        crash(lambda: desk.apply(cluster, renewal), cluster, point)  # noqa: B023 - called before the loop goes on
        # When what it left is rolled back, Then each list holds what it held; what was put back may stand at its end
        undo(desk, cluster)
        for now, before in zip(cluster.devices, renewed().devices, strict=True):
            assert sorted(certificate.fingerprint for certificate in now.trusted) == sorted(
                certificate.fingerprint for certificate in before.trusted
            ), point
            assert (now.ciphers, now.verify) == (before.ciphers, before.verify), point
        with suppress(UnknownRun):
            assert desk.journal().run("last").state == "rolled-back", point
