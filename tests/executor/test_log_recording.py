"""A recording: not started beside another log, stopped whatever happens, collected from every peer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from remediate.executor.left_logging import find_left_logging, hold_note
from remediate.executor.log_recording import LogRecorder
from remediate.model.canonical import utc_now
from remediate.model.errors import LockHeld, NotOffered, ObservationError, OutcomeUnknown, WriteRefused
from remediate.model.events import Event
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.limits import Limits
from tests.executor.memory import MemoryCluster
from tests.executor.memory_device import Device
from tests.executor.memory_logging import VERBOSE, MemoryLogging

PEERS = [Address(f"expc{number}.example.test") for number in (1, 2, 3)]
QUICK = Limits(write_seen_s=2, diagnostic_log_ready_s=4, diagnostic_log_poll_s=1)


@dataclass
class Rig:
    """A cluster of three, and recorders on it."""

    state_dir: Path
    cluster: MemoryCluster = field(
        default_factory=lambda: MemoryCluster([Device(peer, [], {}, health=Health(alarms=())) for peer in PEERS], (), {})
    )
    events: list[Event] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.logging = MemoryLogging(self.cluster.devices, {peer: peer.encode() for peer in PEERS})
        self.cluster.logging = self.logging

    @contextmanager
    def recorder(self) -> Iterator[LogRecorder]:
        opened = self.cluster.open_peers(self.cluster.access, QUICK, writable=False)
        with hold_note("edge", self.state_dir) as note:
            yield LogRecorder(opened, opened.peers, "edge", note, QUICK, self.events.append, utc_now, self.pauses.append)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "state")


def test_logging_is_started_and_stopped_once_on_the_primary(rig: Rig) -> None:
    with rig.recorder() as recorder:
        recorder.refuse_if_running()
        with recorder.recording(tcpdump=True):
            assert rig.logging.running
            recorder.wait(40)
    assert rig.logging.calls == ["expc1.example.test start with tcpdump", "expc1.example.test stop"]
    assert sum(rig.pauses) == 40
    assert [event.type for event in rig.events][-1] == "logging-stopped"


def test_the_log_of_every_peer_is_collected_into_a_private_file(rig: Rig, tmp_path: Path) -> None:
    with rig.recorder() as recorder:
        logs = recorder.collect(tmp_path)
    assert {peer: path.read_bytes() for peer, path in logs.archives.items()} == {peer: peer.encode() for peer in PEERS}
    assert {path.stat().st_mode & 0o777 for path in logs.archives.values()} == {0o600}
    assert logs.failures == {}


def test_an_error_while_logging_runs_stops_it(rig: Rig) -> None:
    with rig.recorder() as recorder, pytest.raises(KeyboardInterrupt), recorder.recording(tcpdump=False):
        raise KeyboardInterrupt
    assert not rig.logging.running
    assert find_left_logging(rig.state_dir) == ()


def test_a_lost_answer_to_the_start_stops_it(rig: Rig) -> None:
    rig.logging.faults.add("start-lost")
    with rig.recorder() as recorder, pytest.raises(OutcomeUnknown), recorder.recording(tcpdump=False):
        pass
    assert not rig.logging.running


def test_a_refused_start_stops_nothing(rig: Rig) -> None:
    rig.logging.faults.add("start-refused")
    with rig.recorder() as recorder, pytest.raises(WriteRefused), recorder.recording(tcpdump=False):
        pass
    assert rig.logging.calls == ["expc1.example.test start"]
    assert find_left_logging(rig.state_dir) == ()


@pytest.mark.parametrize("fault", ["stop-refused", "stop-ignored"])
def test_a_log_that_does_not_stop_is_reported_and_not_forgotten(rig: Rig, fault: str) -> None:
    rig.logging.faults.add(fault)
    with rig.recorder() as recorder, pytest.raises(OutcomeUnknown), recorder.recording(tcpdump=False):
        pass
    assert [note.cluster for note in find_left_logging(rig.state_dir)] == ["edge"]


def test_the_next_command_stops_what_a_killed_one_left(rig: Rig) -> None:
    with hold_note("edge", rig.state_dir) as note:
        note.write("edge", utc_now())
    rig.logging.switch(on=True)
    assert [note.cluster for note in find_left_logging(rig.state_dir, "edge")] == ["edge"]
    with rig.recorder() as recorder:
        recorder.end_left()
    assert not rig.logging.running
    assert find_left_logging(rig.state_dir) == ()


def test_only_logging_that_was_started_from_here_is_stopped(rig: Rig) -> None:
    rig.logging.switch(on=True)
    with rig.recorder() as recorder:
        recorder.end_left()
    assert rig.logging.running


def test_a_recording_at_work_does_not_count_as_left(rig: Rig) -> None:
    with rig.recorder() as recorder, recorder.recording(tcpdump=False):
        assert find_left_logging(rig.state_dir) == ()
        with pytest.raises(LockHeld), hold_note("edge", rig.state_dir):
            pass


def test_no_log_is_started_beside_that_of_someone_else(rig: Rig) -> None:
    rig.cluster.devices[2].health = Health(alarms=(VERBOSE,))
    with rig.recorder() as recorder, pytest.raises(LockHeld):
        recorder.refuse_if_running()


def test_no_log_is_started_where_the_alarms_are_not_read(rig: Rig) -> None:
    rig.cluster.devices[1].says = {"alarms": None}
    with rig.recorder() as recorder, pytest.raises(ObservationError):
        recorder.refuse_if_running()


def test_no_log_is_started_where_it_is_not_offered(rig: Rig) -> None:
    rig.cluster.logging = None
    with rig.recorder() as recorder, pytest.raises(NotOffered):
        recorder.refuse_if_running()
    assert rig.cluster.writes == []


@pytest.mark.parametrize("fault", ["never-ready", "download"])
def test_the_result_has_the_reason_for_a_peer_without_a_log(rig: Rig, tmp_path: Path, fault: str) -> None:
    rig.logging.faults.add(fault)
    with rig.recorder() as recorder:
        logs = recorder.collect(tmp_path)
    assert set(logs.failures) == set(PEERS)
    assert logs.archives == {}
