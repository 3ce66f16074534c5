"""One peer after the other: guards, drain, restart, and back as it was; and what keeps a peer, or every later one, in service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from remediate.executor.guarded_restart import GuardedRestarts, RestartContext, RestartOutcome
from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import load_open_maintenance
from remediate.executor.reconnecting import open_reconnecting_peers
from remediate.executor.result import RestartOptions
from remediate.executor.steps import RunEvents, Step
from remediate.executor.window import WindowClosed, WindowGuard, parse_window
from remediate.model.errors import Interrupted
from remediate.model.health import PeerAlarm, UpgradeState
from remediate.model.limits import Limits
from remediate.model.restart import Guard
from tests.executor.clusters import story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.executor.tapped import TappedJournal

RESTARTED, NOT_BEGUN, STOPPED = RestartOutcome.RESTARTED, RestartOutcome.NOT_BEGUN, RestartOutcome.STOPPED


@dataclass
class Rig:
    """The restarts of one run on a cluster in memory."""

    desk: Desk
    cluster: MemoryCluster = field(default_factory=lambda: story().run_since_long())
    steps: list[Step] = field(default_factory=list)
    looks: int = 0
    open_steps: list[str] = field(default_factory=list)
    window: str | None = None
    alarms_before: dict[str, frozenset[str]] = field(default_factory=dict)
    on_look: Callable[[], None] = lambda: None
    limits: Limits = Limits()

    def restart(self, *numbers: int, **options: Any) -> list[RestartOutcome]:
        """Restart these peers in a run of its own, all of them without numbers; return what became of each."""
        environment = self.cluster.environment(lock_directory=self.desk.home / "locks")
        self.open_steps.clear()
        with ExitStack() as stack:
            journal = stack.enter_context(TappedJournal(self.desk.state_dir, self.cluster.tap))
            opened, peers = open_reconnecting_peers(environment, self.cluster.access, self.limits, stack, writable=True)
            addresses = [device.address for device in self.cluster.devices]
            context = RestartContext(
                cluster="edge",
                run=journal.begin_without_plan("restart", "edge", addresses, operator=identify_operator(), ticket=None),
                peers=peers,
                unreachable=opened.unreachable,
                journal=journal,
                limits=self.limits,
                environment=environment,
                events=RunEvents(self.desk.events.append, "edge"),
                options=RestartOptions(**options),
                window=self._window_guard(),
                alarms_before={address: self.alarms_before.get(address, frozenset()) for address in addresses},
                enter=self.steps.append,
                look=self._look,
                add_open_step=lambda step: self.open_steps.append(step.text),
            )
            restarts = GuardedRestarts(context)
            restarts.settle()
            chosen = [addresses[number - 1] for number in numbers] or addresses
            return [restarts.restart(peer) for peer in peers if peer.address in chosen]

    def maintenance_left(self) -> list[str]:
        with self.desk.journal() as journal:
            return [record.peer[:5] for record in load_open_maintenance(journal, "edge")]

    def writes(self) -> list[str]:
        return [f"{write.peer[:5]} {write.action}" for write in self.cluster.writes]

    def restart_states(self) -> list[tuple[str, str]]:
        with self.desk.journal() as journal:
            steps = [step for run in reversed(journal.runs()) for step in journal.steps(run.id)]
        return [(step.peer[:5], step.state) for step in steps]

    def _look(self) -> None:
        self.looks += 1
        self.on_look()

    def _window_guard(self) -> WindowGuard | None:
        if self.window is None:
            return None
        return WindowGuard(parse_window(self.window), self.cluster.now, lambda _kind: None, self.limits)


@pytest.fixture
def rig(desk: Desk) -> Rig:
    """A healthy cluster of three peers."""
    return Rig(desk)


def says(rig: Rig, number: int, **readings: Any) -> None:
    rig.cluster.device(number).says = readings


def carries(rig: Rig, number: int, calls: int, drains_after: int | None) -> None:
    device = rig.cluster.device(number)
    device.health, device.drains_after = replace(device.health, calls=calls), drains_after


def test_peers_drain_restart_and_come_back_one_at_a_time(rig: Rig) -> None:
    carries(rig, 1, calls=4, drains_after=3)
    assert rig.restart() == [RESTARTED] * 3
    assert rig.writes() == [f"expc{number} {action}" for number in (1, 2, 3) for action in ("maintenance True", "restart")]
    assert (rig.open_steps, rig.maintenance_left()) == ([], [])
    assert [device.cut_calls for device in rig.cluster.devices] == [0, 0, 0]
    assert rig.restart_states() == [("expc1", "done"), ("expc2", "done"), ("expc3", "done")]
    assert rig.steps == [Step.INTENT, Step.WRITE, Step.READ_BACK] * 3
    assert "expc1.example.test carries 4 calls." in rig.desk.messages("drain")
    assert any(
        message.startswith("expc1.example.test restarted and is back") for message in rig.desk.messages("change-complete")
    )


FAILING: dict[str, dict[str, Any]] = {
    "alarms": {"alarms": (PeerAlarm("20004", "Cluster communication failure"),)},
    "replication": {"replication_behind": True},
    "upgrade": {"upgrade": UpgradeState.STAGED},
    "own-address": {"own_address": None},
    "restart-required": {"alarms": (PeerAlarm("25026", "Restart required"),)},
    "maintenance": {"maintenance": True},
}


@pytest.mark.parametrize("guard", FAILING)
def test_a_guard_that_fails_keeps_every_peer_in_service(rig: Rig, guard: str) -> None:
    says(rig, 1, **FAILING[guard])
    rig.alarms_before = {rig.cluster.device(1).address: frozenset({"25026"})}
    assert rig.restart(assume=frozenset(Guard)) == [STOPPED] * 3
    assert rig.writes() == []
    assert len(rig.open_steps) == 1
    assert f"expc1.example.test is not restarted, nor is a later peer: {guard}: " in rig.open_steps[0]


def test_a_peer_that_is_down_keeps_the_others_in_service(rig: Rig) -> None:
    rig.cluster.device(3).up = False
    assert rig.restart() == [STOPPED, STOPPED]
    assert "peers-up: Does not answer: expc3.example.test: it is down." in rig.open_steps[0]
    assert rig.writes() == []


def test_a_later_guard_leaves_what_was_restarted(rig: Rig) -> None:
    says(rig, 2, own_address=None)
    assert rig.restart() == [RESTARTED, STOPPED, STOPPED]
    assert rig.writes() == ["expc1 maintenance True", "expc1 restart"]


def test_a_guard_not_looked_at_is_an_open_step_of_that_peer(rig: Rig) -> None:
    says(rig, 1, cluster_peers=None, own_address=None)
    assert rig.restart() == [NOT_BEGUN, RESTARTED, RESTARTED]
    assert "expc1.example.test is not restarted: not checked: own-address: " in rig.open_steps[0]
    assert "--assume" not in rig.open_steps[0]


def test_a_guard_that_was_not_looked_at_can_be_assumed(rig: Rig) -> None:
    says(rig, 1, replication_behind=None)
    assert rig.restart(1) == [NOT_BEGUN]
    assert rig.open_steps[0].endswith("After checking it by hand, pass --assume replication.")
    # When it is assumed, Then the restart begins, and the journal knows who took it as right
    rig.cluster.device(1).says = {}
    says(rig, 2, replication_behind=None)
    assert rig.restart(1, assume=frozenset({Guard.REPLICATION})) == [RESTARTED]
    with rig.desk.journal() as journal:
        rows = journal.rows_of("assumptions", "SELECT * FROM assumptions WHERE run = ?", journal.run("last").id)
    assert [(row["peer"], row["guard"]) for row in rows] == [(rig.cluster.device(1).address, "replication")]


def test_calls_that_do_not_end_keep_the_peer_as_it_was(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=None)
    assert rig.restart() == [STOPPED] * 3
    assert rig.writes() == ["expc1 maintenance True", "expc1 maintenance False"]
    assert rig.maintenance_left() == []
    assert "it still carries 2 calls after 10 min in maintenance mode" in rig.open_steps[0]
    assert rig.cluster.device(1).health.calls == 2


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked_whether_calls_may_end(rig: Rig, answer: bool) -> None:
    carries(rig, 1, calls=2, drains_after=None)
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return answer

    assert rig.restart(1, ask_to_end_calls=ask) == [RESTARTED if answer else STOPPED]
    assert questions == ["After 10 min in maintenance mode, expc1.example.test: it still carries 2 calls. A restart ends them."]
    assert rig.cluster.device(1).cut_calls == (2 if answer else 0)


def test_no_one_is_asked_where_the_calls_have_ended(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=5)
    assert rig.restart(1, ask_to_end_calls=lambda _question: pytest.fail("asked")) == [RESTARTED]


def test_calls_that_cannot_be_counted_are_not_called_ended(rig: Rig) -> None:
    says(rig, 1, calls=None)
    assert rig.restart(1) == [STOPPED]
    assert "the number of its calls is not known after 10 min" in rig.open_steps[0]
    assert rig.writes() == ["expc1 maintenance True", "expc1 maintenance False"]


def test_calls_may_be_ended_without_a_drain(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=None)
    assert rig.restart(1, calls="end") == [RESTARTED]
    assert (rig.writes(), rig.cluster.device(1).cut_calls) == (["expc1 restart"], 2)


def test_a_drain_is_given_the_time_that_was_asked_for(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=None)
    rig.restart(1, drain_for=timedelta(minutes=2))
    looks = rig.looks
    rig.restart(1, drain_for=timedelta(minutes=4))
    assert rig.looks - looks - looks == 120 / rig.limits.drain_poll_s


def test_a_guard_that_fails_during_the_drain_ends_it(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=3)

    def fail() -> None:
        if rig.cluster.device(1).health.maintenance:
            rig.cluster.device(2).up = False

    rig.on_look = fail
    assert rig.restart(1) == [STOPPED]
    assert rig.writes() == ["expc1 maintenance True", "expc1 maintenance False"]
    assert "while it drained: peers-up: Does not answer: expc2.example.test" in rig.open_steps[0]


def test_an_interrupt_while_draining_puts_it_back_in_service(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=None)

    def stop() -> None:
        if rig.cluster.device(1).health.maintenance:
            raise Interrupted("stop")

    rig.on_look = stop
    with pytest.raises(Interrupted):
        rig.restart(1)
    assert rig.writes() == ["expc1 maintenance True", "expc1 maintenance False"]
    assert rig.maintenance_left() == []


@pytest.mark.parametrize("fault", ["refuse", "drop-request", "ignore"])
def test_maintenance_mode_that_is_not_on_restarts_nothing(rig: Rig, fault: str) -> None:
    rig.cluster.faults = {1: fault}
    assert rig.restart() == [STOPPED] * 3
    assert "restart" not in " ".join(rig.writes()).split()
    assert rig.maintenance_left() == []


def test_maintenance_mode_whose_answer_is_lost_is_read(rig: Rig) -> None:
    rig.cluster.faults = {1: "drop-answer"}
    assert rig.restart(1) == [RESTARTED]


def test_maintenance_mode_that_stays_on_is_left_in_the_journal(rig: Rig) -> None:
    carries(rig, 1, calls=2, drains_after=None)
    rig.cluster.faults = {2: "ignore"}
    assert rig.restart(1) == [STOPPED]
    assert rig.maintenance_left() == ["expc1"]
    assert any("could not be turned off" in text for text in rig.open_steps)


def test_late_zones_and_tunnels_are_waited_for(rig: Rig) -> None:
    def come_late(point: str) -> None:
        if point == "after restart on expc1.example.test":
            rig.cluster.device(1).links_late_for = 6

    rig.cluster.tap = come_late
    assert rig.restart(1, 2) == [RESTARTED, RESTARTED]
    assert rig.cluster.device(1).links_late_for == 0


@pytest.mark.parametrize(
    ("link", "words"),
    [("expe1.example.test", "tunnel expe1.example.test not active"), ("UC traversal", "zone UC traversal not active")],
    ids=["tunnel", "zone"],
)
def test_a_peer_without_its_links_stops_the_others(rig: Rig, link: str, words: str) -> None:
    rig.cluster.device(1).keeps_down = frozenset({link})
    assert rig.restart() == [STOPPED] * 3
    assert rig.writes() == ["expc1 maintenance True", "expc1 restart"]
    assert f"was restarted and is not back as it was after 900 s: {words}. No other peer is restarted." in rig.open_steps[0]
    assert rig.restart_states() == [("expc1", "unknown")]


BACK_WRONG: dict[str, dict[str, Any]] = {
    "its replication is behind": {"replication_behind": True},
    "its start was not observed": {"started_at": None},
    "its tunnels were not observed": {"tunnels": None},
    "its maintenance mode was not observed": {"maintenance": None},
}


@pytest.mark.parametrize("words", BACK_WRONG)
def test_a_peer_counts_as_back_after_every_reading_was_seen(rig: Rig, words: str) -> None:
    def come_back_wrong(point: str) -> None:
        if point == "after restart on expc1.example.test":
            says(rig, 1, **BACK_WRONG[words])

    rig.cluster.tap = come_back_wrong
    assert rig.restart() == [STOPPED] * 3
    assert words in rig.open_steps[0]


def test_a_peer_that_never_comes_back_stops_the_others(rig: Rig) -> None:
    rig.cluster.unreadable_after = frozenset({"restart"})
    assert rig.restart() == [STOPPED] * 3
    assert "it does not answer: expc1.example.test is down" in rig.open_steps[0]


def test_a_peer_that_did_not_start_again_stops_the_restarts(rig: Rig) -> None:
    rig.cluster.faults = {2: "ignore"}
    assert rig.restart(1) == [STOPPED]
    assert "it did not start again" in rig.open_steps[0]


def test_a_refused_restart_ends_maintenance_mode(rig: Rig) -> None:
    rig.cluster.faults = {2: "refuse"}
    assert rig.restart() == [STOPPED] * 3
    assert rig.writes() == ["expc1 maintenance True", "expc1 maintenance False"]
    assert (rig.restart_states(), rig.maintenance_left()) == ([("expc1", "failed")], [])


def test_a_peer_whose_zones_cannot_be_read_is_not_restarted(rig: Rig) -> None:
    says(rig, 1, zones=None)
    assert rig.restart(1) == [NOT_BEGUN]
    assert "the state of its zones could not be read" in rig.open_steps[0]


def test_tunnels_that_a_peer_does_not_list_hold_up_nothing(rig: Rig) -> None:
    says(rig, 1, tunnels=None)
    assert rig.restart(1) == [RESTARTED]


def test_a_peer_that_falls_again_stops_the_next(rig: Rig) -> None:
    def fall(seconds: float = 0.0) -> None:
        if seconds == rig.limits.restart_settle_s:
            says(rig, 1, tunnels={"expe1.example.test": False})

    rig.cluster.tick = fall  # type: ignore[method-assign]  # a plain function in its place
    assert rig.restart(1, 2) == [RESTARTED, STOPPED]
    assert "was back as it was, but no longer is: tunnel expe1.example.test not active" in rig.open_steps[0]


def test_a_drain_begins_only_if_all_of_it_fits_in_the_window(rig: Rig) -> None:
    # Given 900 s until it is back, and 10 minutes until it is drained
    rig.window = "09:00/10:24 UTC"
    with pytest.raises(WindowClosed, match="may take 1500 s"):
        rig.restart(1)
    assert rig.writes() == []
    rig.window = "09:00/10:16 UTC"
    assert rig.restart(1, calls="end") == [RESTARTED]
    rig.window = "09:00/10:30 UTC"
    assert rig.restart(2) == [RESTARTED]


def leave_restart(rig: Rig, fault: str) -> None:
    """Let a process restart the first peer and leave it as this fault has it."""

    class Killed(BaseException):
        pass

    def kill(point: str) -> None:
        if point == f"{fault} restart on expc1.example.test":
            raise Killed

    rig.cluster.tap = kill
    with pytest.raises(Killed):
        rig.restart(1)
    rig.cluster.tap = lambda _point: None


def test_a_restart_that_was_sent_by_a_dead_process_is_found_done(rig: Rig) -> None:
    leave_restart(rig, "after")
    assert rig.restart(2) == [RESTARTED]
    assert rig.restart_states() == [("expc1", "done"), ("expc2", "done")]


def test_a_restart_that_a_dead_process_did_not_send_is_failed(rig: Rig) -> None:
    leave_restart(rig, "before")
    # When the next one ended the maintenance mode that was left, it restarts
    rig.cluster.device(1).health = replace(rig.cluster.device(1).health, maintenance=False)
    assert rig.restart(1) == [RESTARTED]
    assert rig.restart_states() == [("expc1", "failed"), ("expc1", "done")]


def test_a_peer_that_is_still_not_back_keeps_the_others_up(rig: Rig) -> None:
    rig.cluster.device(1).keeps_down = frozenset({"expe1.example.test"})
    assert rig.restart(1) == [STOPPED]
    # When another run is started, Then it looks at the tunnels of before that restart, and touches no other peer
    assert rig.restart(2, 3) == [STOPPED, STOPPED]
    assert "is not back as it was: tunnel expe1.example.test not active" in rig.open_steps[0]
    # When they are up again, Then it goes on
    rig.cluster.device(1).health = replace(rig.cluster.device(1).health, tunnels={"expe1.example.test": True})
    assert rig.restart(2) == [RESTARTED]
    assert rig.restart_states()[0] == ("expc1", "done")
