"""Restarts within an apply: a staged upgrade stops it, calls must be spoken for, and maintenance mode is never forgotten."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import load_alarms, load_open_maintenance, record_maintenance
from remediate.executor.journal.store import Journal
from remediate.executor.preflight import UpgradePending
from remediate.executor.result import RestartOptions
from remediate.model.health import PeerAlarm, UpgradeState
from remediate.model.plan import Plan
from tests.executor.clusters import fronted, plan_for, restarts, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.tapped import Crash

EIGHT = 8


@pytest.mark.parametrize("upgrade", [UpgradeState.STAGED, UpgradeState.UNDER_WAY])
@pytest.mark.parametrize("dry_run", [True, False], ids=["dry-run", "apply"])
def test_an_upgrade_stops_an_apply_before_its_first_write(desk: Desk, upgrade: UpgradeState, dry_run: bool) -> None:
    cluster = story()
    cluster.device(2).says = {"upgrade": upgrade}
    with pytest.raises(UpgradePending, match=r"expc2\.example\.test: an upgrade is") as refused:
        desk.apply(cluster, plan_for(cluster), dry_run=dry_run)
    assert refused.value.exit_code == EIGHT
    assert (cluster.sent_count, desk.journal().runs()) == (0, ())


def test_an_upgrade_that_was_not_looked_for_is_reported(desk: Desk) -> None:
    cluster = story()
    cluster.device(2).says = {"upgrade": None}
    assert desk.apply(cluster, plan_for(cluster)).has_written
    assert any("was not observed on expc2.example.test" in text for text in desk.messages("warning"))


def test_where_nothing_is_to_do_an_upgrade_stops_nothing(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    cluster.device(2).says = {"upgrade": UpgradeState.STAGED}
    assert desk.apply(cluster, plan).has_written is False


def test_alarms_are_kept_before_the_first_write(desk: Desk) -> None:
    cluster = story()
    cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("25026"),))
    cluster.device(2).says = {"alarms": None}
    desk.apply(cluster, plan_for(cluster))
    with desk.journal() as journal:
        alarms = load_alarms(journal, journal.run("last").id)
    assert {peer[:5]: set(numbers) for peer, numbers in alarms.items()} == {"expc1": {"25026"}, "expc3": set()}


def test_a_waiting_change_of_others_keeps_a_peer_in_service(desk: Desk) -> None:
    cluster = fronted(1)
    cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("25026", "Restart required"),))
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state, restarts(cluster)) == (8, "partial", [])
    assert "restart-required: alarm 25026 (Restart required)" in " ".join(result.open_step_texts)


def test_an_alarm_of_this_run_does_not_hold_its_restart_up(desk: Desk) -> None:
    cluster = fronted(1)

    def raise_alarm(point: str) -> None:
        if point.startswith("after append"):
            cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("15028", "Restart required"),))

    cluster.tap = raise_alarm
    desk.apply(cluster, plan_for(cluster))
    assert restarts(cluster) == ["expc1"]


def test_without_a_word_on_calls_if_needed_restarts_nothing(desk: Desk) -> None:
    cluster = fronted(1)
    desk.apply(cluster, plan_for(cluster), restarts=RestartOptions(calls=None))
    assert restarts(cluster) == []


def test_calls_that_do_not_end_leave_the_apply_partial(desk: Desk) -> None:
    cluster = fronted(1)
    device = cluster.device(1)
    device.health, device.drains_after = replace(device.health, calls=3), None
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state, restarts(cluster)) == (8, "partial", [])
    assert (device.health.maintenance, device.health.calls) == (False, 3)


def test_a_resumed_apply_repeats_no_restart_unless_it_wrote(desk: Desk) -> None:
    # Given a rolling apply that was stopped after its first restart
    cluster = story()
    cluster.device(2).says = {"own_address": None}
    plan = plan_for(cluster)
    assert desk.apply(cluster, plan, restart="rolling").exit_code == EIGHT
    assert restarts(cluster) == ["expc1"]
    # When what stopped it is mended, Then the same apply goes on with the second
    cluster.device(2).says = {}
    desk.apply(cluster, plan, restart="rolling")
    assert restarts(cluster) == ["expc1", "expc2", "expc3"]


def die_in_maintenance(desk: Desk, plan: Plan) -> MemoryCluster:
    """An apply that died while its first peer drained."""
    cluster = fronted(1)

    def kill(point: str) -> None:
        if cluster.device(1).health.maintenance and point.startswith("before health"):
            raise Crash(point)

    cluster.tap = kill
    with pytest.raises(Crash):
        desk.apply(cluster, plan)
    cluster.tap = no_tap
    assert cluster.device(1).health.maintenance
    return cluster


def left_on(desk: Desk) -> list[str]:
    with desk.journal() as journal:
        return [record.peer[:5] for record in load_open_maintenance(journal, "edge")]


@pytest.fixture
def plan() -> Plan:
    return plan_for(fronted(1))


def test_the_next_apply_ends_maintenance_mode_left_on(desk: Desk, plan: Plan) -> None:
    cluster = die_in_maintenance(desk, plan)
    assert left_on(desk) == ["expc1"]
    desk.apply(cluster, plan)
    assert (left_on(desk), cluster.device(1).health.maintenance, restarts(cluster)) == ([], False, ["expc1"])
    assert any("Maintenance mode of expc1.example.test was turned on by run" in text for text in desk.messages("warning"))


def test_a_rollback_ends_maintenance_mode_left_on(desk: Desk, plan: Plan) -> None:
    cluster = die_in_maintenance(desk, plan)
    assert desk.rollback(cluster).state == "rolled-back"
    assert (left_on(desk), cluster.device(1).health.maintenance, restarts(cluster)) == ([], False, [])


def test_an_apply_with_nothing_to_write_leaves_its_run_applied(desk: Desk) -> None:
    # Given maintenance mode that cannot be turned off, and a plan that is applied already
    cluster = story().run_since_long()
    plan = plan_for(cluster)
    run = desk.apply(cluster, plan).run_id
    with Journal(desk.state_dir, writable=True) as journal:
        record_maintenance(journal, run, "edge", cluster.device(1).address, identify_operator(), cluster.now(), None)
    cluster.device(1).says = {"maintenance": True}
    # When it is applied again, Then a person is needed, and the record of its run is what the result says
    result = desk.apply(cluster, plan)
    assert (result.exit_code, result.state, result.run_id, result.has_written) == (8, "applied", run, False)
    assert result.open_steps
    assert desk.journal().run("last").state == "applied"


def test_a_dry_run_reports_maintenance_mode_and_leaves_it(desk: Desk, plan: Plan) -> None:
    cluster = die_in_maintenance(desk, plan)
    sent_count = cluster.sent_count
    desk.apply(cluster, plan, dry_run=True)
    assert (left_on(desk), cluster.sent_count) == (["expc1"], sent_count)
    assert any("may still be on" in text for text in desk.messages("warning"))


def test_a_rollback_stopped_while_ending_maintenance_is_interrupted(desk: Desk, plan: Plan) -> None:
    cluster = die_in_maintenance(desk, plan)

    def stop(point: str) -> None:
        if point.startswith("before maintenance False"):
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    cluster.tap = stop
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, left_on(desk)) == (130, "interrupted", ["expc1"])


@pytest.mark.parametrize("end", ["apply", "rollback"])
def test_maintenance_mode_that_stays_on_is_an_open_step(desk: Desk, plan: Plan, end: str) -> None:
    cluster = die_in_maintenance(desk, plan)
    cluster.faults = {cluster.sent_count + 1: "ignore"}
    commands: dict[str, Callable[[], object]] = {
        "apply": lambda: desk.apply(cluster, plan),
        "rollback": lambda: desk.rollback(cluster),
    }
    commands[end]()
    assert left_on(desk) == ["expc1"]
    assert any("Maintenance Mode: Off` there" in text for text in desk.messages("manual-step"))
    assert desk.journal().run("last").exit_code == EIGHT


def test_maintenance_mode_of_others_after_a_restart_is_left_alone(desk: Desk, plan: Plan) -> None:
    # Given a peer that restarted since this tool turned it on, and in which somebody else turned it on again
    cluster = die_in_maintenance(desk, plan)
    device = cluster.device(1)
    assert device.health.started_at
    device.health = replace(device.health, started_at=device.health.started_at.replace(year=2027))
    desk.rollback(cluster)
    assert (left_on(desk), device.health.maintenance) == ([], True)


def test_a_dry_run_shows_the_guards_as_they_are(desk: Desk, plan: Plan) -> None:
    cluster = fronted(1)
    cluster.device(1).says = {"replication_behind": True}
    result = desk.apply(cluster, plan, dry_run=True)
    messages = desk.messages("guard")
    assert "expc1.example.test: guard replication fails: expc1.example.test: its replication is behind." in messages
    assert "expc1.example.test: guard upgrade holds: No upgrade is under way or staged." in messages
    # Whether a restart is needed is not known yet, so that is no step; a rolling one is
    assert result.exit_code == 0
    rolling = desk.apply(cluster, plan, dry_run=True, restart="rolling")
    assert (rolling.exit_code, cluster.sent_count) == (EIGHT, 0)
