"""`remediate restart`: which peers it takes, what it shows before, and the run that it leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.measurements import load_measurements
from remediate.executor.journal.restarts import load_open_maintenance, load_unsettled_restarts
from remediate.executor.lock import hold_cluster
from remediate.executor.result import RestartOptions
from remediate.executor.window import WindowClosed, parse_window
from remediate.model.errors import LockHeld
from remediate.model.health import PeerAlarm
from tests.executor.conftest import Desk
from tests.executor.crashing import crash
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.restart_orders import FIRST, SECOND, THIRD, apply, old_story, preview, restarted, run
from tests.executor.tapped import CrashAt


def test_the_run_is_in_the_journal_as_a_restart(desk: Desk) -> None:
    cluster = old_story()
    apply(desk, cluster)
    result = run(desk, cluster, ticket="CHG-9")
    record = desk.journal().run("last")
    assert (record.id, record.kind, record.plan, record.state) == (result.run_id, "restart", None, "applied")
    assert (record.exit_code, record.ticket, record.peers) == (0, "CHG-9", (FIRST, SECOND, THIRD))
    assert [effect.peer for effect in record.in_effect or ()] == [FIRST, SECOND, THIRD]


def test_a_restart_ends_with_what_each_endpoint_gets(desk: Desk) -> None:
    cluster = old_story()
    apply(desk, cluster)
    result = run(desk, cluster)
    with desk.journal() as journal:
        measured = load_measurements(journal, result.run_id)
    assert len(result.verdicts) == len(cluster.devices) * len(cluster.endpoints)
    assert {pair.pair: pair.after for pair in measured} == result.verdicts
    assert {pair.before for pair in measured} == {None}
    assert set(result.products) == {endpoint.id for endpoint in cluster.endpoints}


def test_a_restart_that_restarts_nothing_measures_nothing(desk: Desk) -> None:
    cluster = old_story()
    cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("15028", "Restart required"),))
    apply(desk, cluster)
    result = run(desk, cluster)
    assert (restarted(cluster), result.verdicts) == ([], {})


def raising(cluster: MemoryCluster, alarm: str) -> MemoryCluster:
    """The cluster, each peer of which raises an alarm when its list is written to."""

    def raise_alarm(point: str) -> None:
        for device in cluster.devices:
            if point.startswith("after append") and point.endswith(device.address):
                device.health = replace(device.health, alarms=(PeerAlarm(alarm, "Restart required"),))

    cluster.tap = raise_alarm
    return cluster


def test_an_alarm_raised_by_our_apply_is_ours_in_a_later_restart(desk: Desk) -> None:
    cluster = raising(old_story(), "15028")
    apply(desk, cluster)
    cluster.tap = no_tap
    assert not any(peer.obstacles for peer in preview(desk, cluster).peers)
    result = run(desk, cluster)
    assert (result.exit_code, restarted(cluster)) == (0, ["expc1", "expc2", "expc3"])


def test_an_alarm_that_was_there_before_our_apply_stays_foreign(desk: Desk) -> None:
    cluster = old_story()
    cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("15028", "Restart required"),))
    apply(desk, cluster)
    result = run(desk, cluster)
    assert (result.exit_code, result.state, restarted(cluster)) == (8, "partial", [])


def test_an_alarm_raised_after_our_apply_is_of_others(desk: Desk) -> None:
    cluster = old_story()
    apply(desk, cluster)
    cluster.device(1).health = replace(cluster.device(1).health, alarms=(PeerAlarm("25026", "Restart required"),))
    assert "restart-required: alarm 25026" in preview(desk, cluster).peers[0].obstacles
    assert (run(desk, cluster).exit_code, restarted(cluster)) == (8, [])


def test_our_alarm_is_foreign_again_once_the_peer_has_started(desk: Desk) -> None:
    # Given an alarm of our own that a restart by others ended, and the same alarm raised again since
    cluster = raising(old_story(), "15028")
    apply(desk, cluster)
    cluster.tap = no_tap
    cluster.elapsed_s += 60
    device = cluster.device(1)
    device.health = replace(device.health, started_at=cluster.now(), alarms=(PeerAlarm("15028", "Restart required"),))
    assert (run(desk, cluster, peers=(FIRST,)).exit_code, restarted(cluster)) == (8, [])


def test_alarms_not_read_after_our_apply_stay_a_failed_guard(desk: Desk) -> None:
    cluster = raising(old_story(), "15028")
    cluster.device(1).says = {"alarms": None}
    apply(desk, cluster)
    cluster.tap, cluster.device(1).says = no_tap, {}
    assert (run(desk, cluster).exit_code, restarted(cluster)) == (8, [])


def needing_restart(desk: Desk) -> MemoryCluster:
    """Peers that go on with their old lists after an apply, and that clients can be asked through."""
    cluster = old_story()
    for device in cluster.devices:
        device.front, device.loaded = True, list(device.trusted)
    apply(desk, cluster)
    return cluster


def test_a_client_shows_what_a_restart_put_into_effect(desk: Desk) -> None:
    cluster = needing_restart(desk)
    result = run(desk, cluster)
    assert (result.exit_code, restarted(cluster)) == (0, ["expc1", "expc2", "expc3"])
    assert {str(effect.source) for effect in result.effects} == {"client"}


def test_a_client_that_is_still_refused_stops_the_later_restarts(desk: Desk) -> None:
    cluster = needing_restart(desk)
    cluster.device(1).stuck = True
    result = run(desk, cluster)
    assert (result.exit_code, restarted(cluster)) == (8, ["expc1"])
    assert [effect.state.value for effect in result.effects] == ["no", "not-known", "not-known"]
    assert "No later peer is restarted, because clients are still refused: expc1.example.test" in result.message


def test_a_guard_that_fails_leaves_the_run_partial(desk: Desk) -> None:
    cluster = old_story()
    cluster.device(1).says = {"alarms": (PeerAlarm("25026", "Restart required"),)}
    result = run(desk, cluster, everywhere=True)
    assert (result.exit_code, result.state, result.has_written, restarted(cluster)) == (8, "partial", False, [])
    assert "restart-required: alarm 25026" in result.open_steps[0].text
    assert desk.journal().run("last").exit_code == 8


def test_a_peer_that_is_down_is_an_open_step(desk: Desk) -> None:
    cluster = old_story()
    cluster.device(1).up = False
    result = run(desk, cluster, peers=(FIRST,))
    assert (result.exit_code, result.state) == (8, "partial")
    assert "expc1.example.test does not answer (it is down)" in result.open_steps[0].text
    assert run(desk, cluster, peers=(SECOND,)).exit_code == 8
    assert cluster.sent_count == 0


def test_a_closed_window_restarts_nothing(desk: Desk) -> None:
    cluster, window = old_story(), parse_window("22:00/02:00 UTC")
    assert preview(desk, cluster, everywhere=True, window=window).exit_code == 1
    with pytest.raises(WindowClosed):
        run(desk, cluster, everywhere=True, window=window)
    assert (cluster.sent_count, desk.journal().runs()) == (0, ())


def test_a_window_that_is_too_short_is_an_error_without_a_restart(desk: Desk) -> None:
    cluster = old_story()
    with pytest.raises(WindowClosed, match="may take 1500 s"):
        run(desk, cluster, everywhere=True, window=parse_window("09:00/10:20 UTC"))
    assert (cluster.sent_count, desk.journal().run("last").state) == (0, "partial")


def test_a_window_that_ends_after_the_first_peer_leaves_the_rest(desk: Desk) -> None:
    # Given a first restart that takes 20 minutes
    cluster = old_story()

    def take_long(point: str) -> None:
        if point.startswith("after restart on expc1"):
            cluster.elapsed_s += 1200

    cluster.tap = take_long
    result = run(desk, cluster, everywhere=True, window=parse_window("09:00/10:40 UTC"))
    assert (result.exit_code, result.state, restarted(cluster)) == (8, "partial", ["expc1"])
    assert "Not restarted, or not back: expc2.example.test and expc3.example.test." in result.message


def test_two_runs_do_not_restart_at_once(desk: Desk) -> None:
    cluster = old_story()
    operator, locks = identify_operator(), desk.home / "locks"
    with hold_cluster(cluster.access, desk.state_dir, locks, operator=operator, ticket=None, now=cluster.now):
        with pytest.raises(LockHeld):
            run(desk, cluster, everywhere=True)
        with pytest.raises(LockHeld):
            preview(desk, cluster, everywhere=True)
    assert cluster.sent_count == 0


def test_calls_that_do_not_end_stop_it(desk: Desk) -> None:
    cluster = old_story()
    device = cluster.device(1)
    device.health, device.drains_after = replace(device.health, calls=3), None
    result = run(desk, cluster, everywhere=True)
    assert (result.exit_code, restarted(cluster), device.health.maintenance) == (8, [], False)
    assert run(desk, cluster, everywhere=True, restarts=RestartOptions(calls="end")).exit_code == 0
    assert device.cut_calls == 3


def test_killed_at_any_point_the_next_restart_ends_well(desk: Desk, new_desk: Any) -> None:
    cluster = old_story()
    cluster.tap = counter = CrashAt()
    assert run(desk, cluster, peers=(FIRST, SECOND)).exit_code == 0
    for point in range(1, len(counter.points) + 1):
        # Given a restart of two peers that was killed at this point
        operator, cluster = new_desk(), old_story()
        crash(lambda: run(operator, cluster, peers=(FIRST, SECOND)), cluster, point)  # noqa: B023 - called before the loop goes on
        for device in cluster.devices:
            device.down_for = 0
        first_restarts = restarted(cluster)
        # When the same is asked again, Then it ends well, no maintenance mode is left, and nothing is unknown
        result = run(operator, cluster, peers=(FIRST, SECOND))
        assert (result.exit_code, result.state) == (0, "applied"), (point, counter.points[point - 1], result)
        with operator.journal() as journal:
            assert load_open_maintenance(journal, "edge") == (), point
            assert load_unsettled_restarts(journal, "edge") == (), point
            assert journal.runs()[-1].state in {"applied", "partial"}, point
        assert restarted(cluster)[len(first_restarts) :] == ["expc1", "expc2"], point
        assert not any(device.health.maintenance for device in cluster.devices), point
    assert cluster.tap is no_tap
