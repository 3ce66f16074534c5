"""A lost answer is *unknown*, never *failed* (promise 2): every fault on every write, and the report says what is true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from remediate.model.errors import ObservationError
from remediate.model.health import Health, PeerAlarm
from remediate.model.plan import Plan
from tests.executor.clusters import CUCM_EC, IMP, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.crashing import story_after

CERTIFICATE_AND_CIPHER_WRITES = range(1, 6)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_for(story())


@pytest.mark.parametrize("number", CERTIFICATE_AND_CIPHER_WRITES)
@pytest.mark.parametrize("fault", ["drop-answer", "drop-request", "refuse-done"])
def test_a_write_whose_answer_is_lost_is_read_back_and_decided(desk: Desk, plan: Plan, number: int, fault: str) -> None:
    # Given a device that loses this answer (or the request, or says no after doing it)
    cluster = story()
    cluster.faults = {number: fault}
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then it converges, and no device did a write twice
    assert (result.exit_code, result.state) == (0, "applied")
    assert cluster.state() == story_after(plan).state()
    assert len(set(cluster.writes)) == len(cluster.writes)
    # And what was done is not sent again; what was not done is sent once more
    assert cluster.sent_count == 6 + (fault == "drop-request")


def test_a_peer_that_is_still_busy_is_waited_for_and_reported_once(desk: Desk, plan: Plan) -> None:
    # Given a device whose answer is lost, and which takes the certificate only some looks later
    cluster = story()
    cluster.faults = {1: "drop-request"}
    pauses = iter(range(100))

    def later(seconds: float) -> None:
        if next(pauses) == 1:
            cluster.device(1).trusted.append(IMP.certificate)
        cluster.tick(seconds)

    # When the plan is applied
    result = desk.apply(cluster, plan, {"pause": later})
    # Then it was read until it was there, and sent once
    assert (result.exit_code, cluster.sent_count) == (0, 6)
    assert cluster.device(1).trusted.count(IMP.certificate) == 1


@pytest.mark.parametrize("number", CERTIFICATE_AND_CIPHER_WRITES)
def test_a_refused_write_fails_the_run_and_the_start_is_read_back(desk: Desk, plan: Plan, number: int) -> None:
    # Given a device that says no
    cluster = story()
    cluster.faults = {number: "refuse"}
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then that is a failure, it is rolled back, and the device was not asked again
    assert (result.exit_code, result.state) == (3, "rolled-back")
    assert cluster.state() == story().state()
    assert [step.state for step in desk.journal().steps(result.run_id)] == ["undone"] * (number - 1) + ["failed"]


@pytest.mark.parametrize("faults", [("ignore",), ("drop-request", "drop-request"), ("drop-request", "ignore")])
@pytest.mark.parametrize("number", CERTIFICATE_AND_CIPHER_WRITES)
def test_a_write_that_is_never_seen_is_unknown_and_not_failed(
    desk: Desk, plan: Plan, number: int, faults: tuple[str, ...]
) -> None:
    # Given a device that says yes, or nothing, and shows nothing
    cluster = story()
    cluster.faults = {number + nth: fault for nth, fault in enumerate(faults)}
    # When the plan is applied, Then nobody knows, nothing more is written on a guess, and it was not sent a third time
    result = desk.apply(cluster, plan)
    assert (result.exit_code, result.state) == (8, "unknown")
    assert cluster.sent_count == number - 1 + len(faults)
    assert [step.state for step in desk.journal().steps(result.run_id)] == ["done"] * (number - 1) + ["unknown"]
    # And both ways on end well
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_a_write_that_shows_seconds_later_counts_as_done(desk: Desk, plan: Plan) -> None:
    # Given a device whose list shows a new certificate only after some time
    cluster = story()
    cluster.faults = {1: "ignore"}
    waited: list[float] = []

    def later(seconds: float) -> None:
        waited.append(seconds)
        if sum(waited) >= 4 > sum(waited[:-1]):
            cluster.device(1).trusted.append(IMP.certificate)
        cluster.tick(seconds)

    # When the plan is applied, Then it is waited for
    assert desk.apply(cluster, plan, {"pause": later}).exit_code == 0
    assert cluster.device(1).trusted.count(IMP.certificate) == 1


@pytest.mark.parametrize("fault", ["ignore", "refuse"])
def test_what_shows_after_the_run_has_ended_is_undone_by_a_rollback(desk: Desk, plan: Plan, fault: str) -> None:
    # Given a write that was not seen, or was refused, and that shows when everything is over, also a first rollback
    cluster = story()
    cluster.faults = {2: fault}
    run = desk.apply(cluster, plan).run_id
    desk.rollback(cluster)
    assert cluster.state() == story().state()
    cluster.device(2).trusted.append(IMP.certificate)
    # When it is rolled back again, Then what was ours goes, and is nobody else's
    result = desk.rollback(cluster, run)
    assert (result.exit_code, result.state, result.has_written) == (0, "rolled-back", True)
    assert cluster.state() == story().state()
    assert desk.messages("warning") == []


def test_a_refresh_whose_answer_is_lost_is_not_sent_again(desk: Desk, plan: Plan) -> None:
    cluster = story()
    cluster.faults = {6: "drop-answer"}
    result = desk.apply(cluster, plan)
    assert (result.exit_code, cluster.refreshed) == (0, 1)
    assert any("Refresh servers" in text for text in desk.messages("manual-step"))
    assert desk.journal().steps(result.run_id)[-1].state == "unknown"


def test_the_next_apply_settles_a_step_that_was_not_read(desk: Desk, plan: Plan) -> None:
    # Given a device that does a write, and then answers nothing any more
    cluster = story()
    cluster.unreadable_after = frozenset({f"append {IMP.certificate.fingerprint}"})
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then the outcome is unknown, nothing else is touched, and the message holds the way out
    assert (result.exit_code, result.state, cluster.sent_count) == (8, "unknown", 1)
    assert f"remediate rollback {result.run_id}" in result.message
    # When the device is back, and the plan is applied again
    cluster.unreadable_after = frozenset()
    cluster.device(1).up = True
    again = desk.apply(cluster, plan)
    # Then what happened is read from the device, and not done again
    assert (again.exit_code, again.run_id) == (0, result.run_id)
    assert len(set(cluster.writes)) == len(cluster.writes)


def test_every_pair_of_faults_ends_in_the_target_or_the_start(new_desk: Callable[[], Desk], plan: Plan) -> None:
    faults = ["drop-answer", "drop-request", "refuse-done", "ignore", "refuse"]
    pairs = [(fault, second, number) for fault in faults for second in faults for number in (1, 3, 4)]
    for first, second, number in pairs:
        desk, cluster = new_desk(), story()
        cluster.faults = {number: first, number + 1: second}
        result = desk.apply(cluster, plan)
        expected = {0: story_after(plan), 3: story()}.get(result.exit_code)
        if expected is None:
            # It is not known, or the fault hit the way back: then a person is told, and rolling back ends it, at last.
            assert result.exit_code == 8, (first, second, number)
            assert desk.rollback(cluster).exit_code == 0 or desk.rollback(cluster).exit_code == 0
            expected = story()
        assert cluster.state() == expected.state(), (first, second, number, result)


def test_a_peer_that_does_more_than_it_was_asked_is_noticed(desk: Desk, plan: Plan) -> None:
    # Given a device that drops another certificate when it takes one
    cluster = story()

    def drop_one(point: str) -> None:
        if point.startswith("after append") and point.endswith("expc1.example.test"):
            cluster.device(1).trusted.pop(0)

    cluster.tap = drop_one
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then the run fails, and the exit code does not claim that the start state is there
    assert result.exit_code == 8
    assert "something else changed" in result.message
    assert CUCM_EC.certificate not in cluster.device(1).trusted


def test_a_session_lost_with_the_answer_is_reopened_to_read_only(desk: Desk, plan: Plan) -> None:
    # Given a shell that breaks with the answer to the cipher list, and stays broken
    cluster = story()
    cluster.faults = {5: "drop-answer"}
    cluster.breaks_shell = frozenset({5})
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then a fresh session tells that it was done, and it is not sent again
    assert (result.exit_code, result.state) == (0, "applied")
    assert cluster.sent_count == 6


def test_a_silent_shell_is_logged_in_to_twice_more_only(desk: Desk, plan: Plan) -> None:
    # Given a peer whose shell answers nothing any more once the cipher list is set on the primary
    cluster = story()
    reconnects: list[str] = []

    def silent(point: str) -> None:
        if point.startswith("reconnect to"):
            reconnects.append(point)
        if point == "before ciphers on expc2.example.test" and cluster.sent_count >= 5:
            raise ObservationError("expc2 says nothing.")

    cluster.tap = silent
    # When the plan is applied, and replication is looked for again and again
    result = desk.apply(cluster, plan)
    # Then its account is not locked out by that
    assert result.exit_code == 8
    assert reconnects == ["reconnect to expc2.example.test"] * 2


def test_replication_is_looked_for_soon_and_then_less_often(desk: Desk, plan: Plan) -> None:
    # Given peers that show the primary's cipher list at the seventh look
    cluster = story()
    cluster.lag = 7
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        cluster.tick(seconds)

    # When the plan is applied
    result = desk.apply(cluster, plan, {"pause": pause})
    # Then the first look comes after a quarter of a second, and each pause is twice the last, up to two seconds
    assert result.exit_code == 0
    assert pauses[:7] == [0.25, 0.5, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("health", "says"),
    [
        (
            Health(alarms=(PeerAlarm("20011"), PeerAlarm("15030"))),
            "expc2.example.test: alarm 20011, its configuration conflicts with the primary's, so it must be synchronized by hand.",
        ),
        (Health(alarms=()), "No peer has a replication alarm."),
        (Health(), "The alarms of expc2.example.test could not be read."),
    ],
)
def test_a_late_replication_is_reported_with_its_alarms(desk: Desk, plan: Plan, health: Health, says: str) -> None:
    cluster = story()
    cluster.lag = 10_000
    for device in cluster.devices:
        device.health = Health(alarms=())
    cluster.device(2).health = health

    result = desk.apply(cluster, plan, on_failure="stop")

    assert result.message.count("ReverseProxyTLSCiphers did not replicate from the primary to ") == 1
    assert says in result.message
