"""The process behind a confirm timer, for real: it comes up or refuses the run, and it has no terminal."""

from __future__ import annotations

import json
import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.journal import timers
from remediate.executor.journal.store import Journal
from remediate.executor.ports import WatcherJob
from remediate.executor.watcher import TimerError, start
from remediate.model.canonical import utc_now
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk

PATIENCE_S = 20.0


@pytest.fixture
def order(tmp_path: Path) -> WatcherJob:
    """A watch over a run that was applied."""
    desk, cluster = Desk(tmp_path), story()
    run = desk.apply(cluster, plan_for(cluster)).run_id
    inventory = tmp_path / "inventory.yml"
    inventory.write_text("version: 1\nclusters: []\n")
    return WatcherJob(run, "0123456789abcdef", "edge", inventory, desk.state_dir)


def wait_for(text: str, log: Path) -> None:
    """Wait until the process has written this to its log."""
    until = time.monotonic() + PATIENCE_S
    while text not in log.read_text():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)


def test_the_timer_process_has_its_own_session_and_private_log(order: WatcherJob) -> None:
    watcher = start(order)
    # Then it leads its own session, has no controlling terminal, and reads from nowhere
    fields = Path(f"/proc/{watcher.pid}/stat").read_text().rpartition(")")[2].split()
    session, terminal = int(fields[3]), int(fields[4])
    assert (session, terminal) == (watcher.pid, 0)
    files = [Path(f"/proc/{watcher.pid}/fd/{number}").readlink() for number in range(3)]
    assert files == [Path("/dev/null"), watcher.log, watcher.log]
    assert stat.S_IMODE(watcher.log.stat().st_mode) == 0o600
    # And it writes no core file
    [cores] = [line for line in Path(f"/proc/{watcher.pid}/limits").read_text().splitlines() if "core file" in line]
    assert cores.split()[4:6] == ["0", "0"]
    # And when its timer was never written down, it ends by itself
    watcher.release()
    wait_for("has ended", watcher.log)


def test_the_timer_process_ends_when_the_run_is_rolled_back(order: WatcherJob) -> None:
    watcher = start(order)
    with Journal(order.state_dir, writable=True) as journal:
        journal.close_run(order.run, "confirm-pending", "")
        timers.start(journal, order.run, order.timer, utc_now().replace(year=2999))
        watcher.release()
        journal.close_run(order.run, "rolled-back", "")
    wait_for("has ended", watcher.log)


def test_the_command_of_the_inventory_hears_that_the_timer_ended(order: WatcherJob, tmp_path: Path) -> None:
    notice = tmp_path / "notice.json"
    watcher = start(replace(order, notify=("tee", str(notice))))
    with Journal(order.state_dir, writable=True) as journal:
        journal.close_run(order.run, "confirm-pending", "")
        timers.start(journal, order.run, order.timer, utc_now().replace(year=2999))
        order.inventory.unlink()
        watcher.release()
        timers.confirm(journal, order.run, "ann", utc_now())
    wait_for("has ended", watcher.log)
    until = time.monotonic() + PATIENCE_S
    while not notice.exists() or not notice.read_text().endswith("\n"):
        assert time.monotonic() < until, watcher.log.read_text()
        time.sleep(0.02)

    document = json.loads(notice.read_text())
    assert (document["kind"], document["run"], document["state"]) == ("timer-ended", order.run, "applied")


def test_the_timer_process_does_not_start_without_the_inventory(order: WatcherJob) -> None:
    order.inventory.unlink()
    with pytest.raises(TimerError, match=f"did not start within.*{order.run}.log"):
        start(order)
    assert "cannot be read" in (order.state_dir / "timers" / f"{order.run}.log").read_text()


def test_the_timer_process_does_not_start_without_its_log(order: WatcherJob) -> None:
    (order.state_dir / "timers").write_text("in the way")
    with pytest.raises(TimerError, match="cannot be started"):
        start(order)


def test_the_timer_process_does_not_start_with_a_pipe_as_its_log(order: WatcherJob) -> None:
    log = order.state_dir / "timers" / f"{order.run}.log"
    log.parent.mkdir()
    os.mkfifo(log)
    with pytest.raises(TimerError, match="cannot be started"):
        start(order)
    # Nor with somebody at its other end, who could stop reading
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(TimerError, match=r"cannot be started.*a named pipe"):
        start(order)
    os.close(reader)
