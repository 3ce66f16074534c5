"""Confirm timers in the journal: of two processes that decide on a run, only one succeeds."""

from __future__ import annotations

import pytest

from remediate.executor.confirm_timer import NotPending
from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal
from remediate.executor.ports import WatcherJob
from remediate.executor.watcher import watch
from remediate.model.plan import Plan
from tests.executor.clusters import plan_for
from tests.executor.timed import Timed
from tests.pki import NOW


@pytest.fixture
def plan(timed: Timed) -> Plan:
    return plan_for(timed.cluster)


def test_no_confirmation_crosses_the_rollback_of_the_timer(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)

    def roll_back(order: WatcherJob) -> int:
        timed.clock.now = NOW  # even when the machine's clock is set back
        with pytest.raises(NotPending):
            timed.confirm()
        return timed._roll_back(order)

    assert watch(timed.watches[0], now=timed.clock, pause=timed.clock.go_on, roll_back=roll_back) == 0
    assert timed.state() == "rolled-back"


def test_a_run_undone_while_the_timer_waited_is_not_taken(timed: Timed, plan: Plan) -> None:
    # Given an apply that failed at its end and was rolled back, right after the timer looked at its run
    timed.cluster.faults = {3: "refuse"}
    run = timed.apply(plan).run_id
    timed.clock.go_on(3600)
    with Journal(timed.desk.state_dir, writable=True) as journal:
        # When the timer has the lock, Then the run is left as it ended
        assert not timers.claim_expired(journal, run, timed.watches[0].timer, timed.clock())
    assert timed.state() == "rolled-back"


def test_a_timer_replaced_while_it_waited_takes_no_run(timed: Timed, plan: Plan) -> None:
    # Given an apply that was gone on with under a new timer, right after the first one looked at its run
    timed.apply(plan)
    with Journal(timed.desk.state_dir, writable=True) as journal:
        timers.start(journal, timed.watches[0].run, "the new one", NOW)
        # When the first one has the lock, Then the run is not its own any more
        assert not timers.claim_expired(journal, timed.watches[0].run, timed.watches[0].timer, timed.clock())
        assert timers.claim_expired(journal, timed.watches[0].run, "the new one", timed.clock())


def test_a_run_that_is_being_rolled_back_by_hand_cannot_be_confirmed(timed: Timed, plan: Plan) -> None:
    timed.apply(plan)
    refused: list[str] = []

    def confirm_meanwhile(point: str) -> None:
        if point.startswith("before remove"):
            with pytest.raises(NotPending) as error:
                timed.confirm()
            refused.append(str(error.value))

    timed.cluster.tap = confirm_meanwhile
    assert timed.desk.rollback(timed.cluster).exit_code == 0
    assert refused
    assert timed.state() == "rolled-back"
